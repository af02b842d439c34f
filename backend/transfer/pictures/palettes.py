"""Color schemes: two of the background, then the thing's main color, its shade, and an accent."""

from typing import NamedTuple


class Palette(NamedTuple):
    top: str
    bottom: str
    main: str
    shade: str
    accent: str


PALETTES = {
    "sand": Palette("#fbf3e4", "#ecd9b8", "#c98f5a", "#a06b3c", "#fff8ea"),
    "clay": Palette("#fde9e0", "#f1bfa8", "#b8573a", "#8d3d27", "#ffe3d5"),
    "sage": Palette("#eef4ea", "#c8dbc0", "#6c8f68", "#4d6e4b", "#f6fbf2"),
    "sea": Palette("#e6f4f6", "#aed8de", "#2f7f8f", "#1f5d6b", "#dff6f8"),
    "night": Palette("#e6e8f4", "#b3bade", "#38437f", "#262f5e", "#f3f4fd"),
    "plum": Palette("#f6e9f3", "#dcb5d3", "#84417a", "#612d59", "#fbeef8"),
    "sun": Palette("#fff7d9", "#ffe08a", "#e09b1a", "#b37709", "#fffbe9"),
    "rose": Palette("#fdecef", "#f6c0c9", "#d0596f", "#a53f53", "#fff3f5"),
    "slate": Palette("#eef1f4", "#c9d2db", "#56687a", "#3c4b5a", "#f8fafc"),
    "moss": Palette("#f2f4e0", "#d7dda5", "#7d8a2e", "#5b651d", "#fafbe9"),
}
