"""Domain events: written in the caller's transaction, relayed after it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from backend.core import clock
from backend.core.models import OutboxEvent


def emit(topic: str, *, key: str | UUID, data: dict[str, Any] | None = None, delay_s: float = 0) -> OutboxEvent:
    """Record an event, to be relayed after commit and not before `delay_s` seconds have passed.

    Must run inside the transaction of the change: both are kept, or neither.
    """
    return emit_many(topic, [(key, data or {})], delay_s=delay_s)[0]


def emit_many(
    topic: str, events: Sequence[tuple[str | UUID, dict[str, Any]]], *, delay_s: float = 0
) -> list[OutboxEvent]:
    """Record an event for each (key, data), as `emit` does for one; one statement and one nudge for all of them."""
    if not events:
        return []
    moment = clock.now()
    rows = [
        OutboxEvent(
            topic=topic,
            key=str(key),
            data=data,
            created_at=moment,
            available_at=moment + timedelta(seconds=delay_s),
        )
        for key, data in events
    ]
    OutboxEvent.objects.bulk_create(rows)
    transaction.on_commit(lambda: _nudge(delay_s), robust=True)
    return rows


def _nudge(delay_s: float) -> None:
    """Wake the relay. May be lost: the relay's own sweep finds what a nudge did not tell."""
    import_string(settings.OUTBOX_NUDGE)(delay_s=delay_s)
