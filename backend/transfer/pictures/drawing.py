"""Putting a shape on its background and storing it small."""

import io
import random

from PIL import Image, ImageDraw

from backend.transfer.pictures.canvas import Canvas
from backend.transfer.pictures.palettes import PALETTES, Palette
from backend.transfer.pictures.shapes import SHAPES

SIZE = 800
"""Width and height of every picture, in pixels."""
_SCALE = 2
"""Drawn larger and reduced, which makes edges smooth."""
_QUALITY = 80


def draw_picture(shape: str, palette: str, *, seed: str = "") -> bytes:
    """A WebP picture of that shape in those colors; `seed` varies the ornament behind it."""
    colors = PALETTES[palette]
    image = _background(colors)
    draw = ImageDraw.Draw(image, "RGBA")
    _ornament(draw, colors, random.Random(f"{shape}/{palette}/{seed}"))  # noqa: S311 -- a picture, not a secret
    draw.ellipse([500, 1290, 1100, 1370], fill=(0, 0, 0, 22))
    SHAPES[shape](Canvas(draw, colors))
    target = io.BytesIO()
    image.reduce(_SCALE).save(target, "WEBP", quality=_QUALITY, method=1)
    return target.getvalue()


def _background(colors: Palette) -> Image.Image:
    """A vertical gradient from the palette's first color to its second."""
    side = SIZE * _SCALE
    ends = Image.new("RGB", (1, 2))
    ends.putpixel((0, 0), _rgb(colors.top))
    ends.putpixel((0, 1), _rgb(colors.bottom))
    return ends.resize((1, side), Image.Resampling.BICUBIC).resize((side, side), Image.Resampling.NEAREST)


def _ornament(draw: ImageDraw.ImageDraw, colors: Palette, chance: random.Random) -> None:
    """A pale disc behind the thing, and a few smaller ones."""
    pale = (*_rgb(colors.accent), 150)
    x, y = chance.randint(620, 980), chance.randint(620, 900)
    draw.ellipse([x - 560, y - 560, x + 560, y + 560], fill=pale)
    for _ in range(3):
        x, y, radius = chance.randint(150, 1450), chance.randint(150, 1450), chance.randint(30, 110)
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(*_rgb(colors.main), 28))


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
