"""What the shop knows of a person, domain by domain: to hand it out to them, to forget it, and to do without them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def _nothing(user_id: int) -> None:
    """Most domains go on as they are when somebody's account is closed, or comes to its true owner."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One domain's part. `export` gives plain values; `erase` deletes, or makes anonymous what must be kept; `close` is
    for an account that staff have closed, and may open again. `hand_over` is for one that comes to whoever has shown
    that its address is theirs: a stranger may have made it, and what they left must not be taken for the owner's.
    """

    name: str
    export: Callable[[int], Any]
    erase: Callable[[int], None]
    close: Callable[[int], None] = _nothing
    hand_over: Callable[[int], None] = _nothing


def parts() -> list[PersonalData]:
    """Every part named by settings.PERSONAL_DATA, in the order in which they are erased."""
    return [import_string(path) for path in settings.PERSONAL_DATA]
