"""What one line of text that people write may be made of, wherever it is shown or sent."""

import re

# Control characters, separators of lines, what turns the direction of what stands beside it, and halves of characters.
# The joiners U+200C and U+200D stay: names in Persian and in Indian scripts are written with them.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")


def is_one_line(text: str) -> bool:
    """Whether it is shown as it was written, on one line, and turns nothing around it."""
    return _UNFIT.search(text) is None
