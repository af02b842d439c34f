"""Pictures of invented products, drawn from simple shapes: the same name, the same picture."""

from backend.transfer.pictures.drawing import SIZE, draw_picture
from backend.transfer.pictures.palettes import PALETTES
from backend.transfer.pictures.shapes import SHAPES

__all__ = ["PALETTES", "SHAPES", "SIZE", "draw_picture"]
