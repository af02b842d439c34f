"""The timetable: plain functions with cron lines. Workers run it; the test clock runs it too."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from backend.core import clock
from backend.core.models import IdempotencyKey, OutboxEvent, ProcessedEvent

KEEP_DAYS = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """`cron` has five fields and minute precision, in UTC. `run` must bear being run twice."""

    name: str
    cron: str
    run: Callable[[], object]


def entries() -> list[Entry]:
    """Every entry named by settings.SCHEDULE."""
    return [import_string(path) for path in settings.SCHEDULE]


def move_clock(*, seconds: float) -> None:
    """Move the test clock and run what the timetable would have run by then, before returning.

    Events that were put off until then go to the workers, who take a moment of their own.
    """
    clock.move_offset(seconds)
    for entry in entries():
        entry.run()
    import_string(settings.OUTBOX_NUDGE)(delay_s=0)


def delete_relayed_events() -> int:
    """Forget events, marks and idempotency keys older than 30 days. Returns the number of events."""
    limit = clock.now() - timedelta(days=KEEP_DAYS)
    ProcessedEvent.objects.filter(processed_at__lt=limit).delete()
    IdempotencyKey.objects.filter(created_at__lt=limit).delete()
    deleted, _ = OutboxEvent.objects.filter(relayed_at__lt=limit).delete()
    return deleted


DELETE_RELAYED_EVENTS = Entry("delete_relayed_events", "17 3 * * *", delete_relayed_events)
