"""Why a file, or a part of it, cannot be imported."""

from collections.abc import Sequence


class BadFile(Exception):
    """The whole file cannot be read; nothing was imported. The message is one sentence."""


class BadValue(Exception):
    """A cell or a field holds something that cannot be meant. The message says what is wrong with it."""


class BadRows(Exception):
    """A product cannot be imported: `reasons` are sentences, each naming its line."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = list(reasons)
        super().__init__(" ".join(reasons))
