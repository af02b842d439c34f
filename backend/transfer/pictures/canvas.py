"""A surface of 1600 x 1600 with names for its colors. Things stand on y = 1330, around x = 800."""

from dataclasses import dataclass

from PIL import ImageDraw

from backend.transfer.pictures.palettes import Palette

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Canvas:
    draw: ImageDraw.ImageDraw
    colors: Palette

    def box(self, x: int, y: int, width: int, height: int, color: str = "main", radius: int = 0) -> None:
        """A rectangle with its middle at `x` and its top at `y`."""
        corners = [x - width // 2, y, x + width // 2, y + height]
        self.draw.rounded_rectangle(corners, radius, fill=self._color(color))

    def disc(self, x: int, y: int, width: int, height: int = 0, color: str = "main") -> None:
        """An ellipse around (x, y); a circle without a height."""
        high = height or width
        corners = [x - width // 2, y - high // 2, x + width // 2, y + high // 2]
        self.draw.ellipse(corners, fill=self._color(color))

    def shape(self, *points: Point, color: str = "main") -> None:
        self.draw.polygon(points, fill=self._color(color))

    def line(self, *points: Point, width: int = 30, color: str = "shade") -> None:
        """A line with round ends and corners."""
        self.draw.line(points, fill=self._color(color), width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width, color=color)

    def arc(self, x: int, y: int, width: int, height: int, start: int, end: int, thick: int = 30) -> None:
        """A part of an ellipse's outline around (x, y), in degrees clockwise from the right."""
        corners = [x - width // 2, y - height // 2, x + width // 2, y + height // 2]
        self.draw.arc(corners, start, end, fill=self._color("shade"), width=thick)

    def half(self, x: int, y: int, width: int, height: int, color: str = "main", *, upper: bool = False) -> None:
        """The lower (or upper) half of an ellipse whose flat side lies on `y`."""
        corners = [x - width // 2, y - height, x + width // 2, y + height]
        start = 180 if upper else 0
        self.draw.pieslice(corners, start, start + 180, fill=self._color(color))

    def _color(self, name: str) -> str:
        color: str = getattr(self.colors, name)
        return color
