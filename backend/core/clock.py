"""The one clock of the shop. Domain code asks `now()`; with TEST_CLOCK=1 it can be moved."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from backend.core.errors import Invalid

_OFFSET_KEY = "test-clock-offset"


def now() -> datetime:
    """The current time in UTC, moved by the test clock where that is on."""
    if not settings.TEST_CLOCK:
        return timezone.now()
    return timezone.now() + timedelta(seconds=cache.get(_OFFSET_KEY, 0.0))


def move_offset(seconds: float) -> None:
    """Move the test clock forward for every process. Time never runs backward: sequences would break."""
    if not settings.TEST_CLOCK:
        raise Invalid("The clock can only be moved with TEST_CLOCK=1.")
    if seconds < 0:
        raise Invalid("The clock only moves forward.", field=["seconds"])
    cache.set(_OFFSET_KEY, cache.get(_OFFSET_KEY, 0.0) + seconds, timeout=None)
