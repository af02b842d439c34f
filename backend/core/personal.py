"""What the shop knows of a person, domain by domain: to hand it out to them, and to forget it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One domain's part. `export` gives plain values; `erase` deletes, or makes anonymous what must be kept."""

    name: str
    export: Callable[[int], Any]
    erase: Callable[[int], None]


def parts() -> list[PersonalData]:
    """Every part named by settings.PERSONAL_DATA, in the order in which they are erased."""
    return [import_string(path) for path in settings.PERSONAL_DATA]
