"""Domain events: written in the caller's transaction, relayed after it."""

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
    moment = clock.now()
    event = OutboxEvent.objects.create(
        topic=topic,
        key=str(key),
        data=data or {},
        created_at=moment,
        available_at=moment + timedelta(seconds=delay_s),
    )
    transaction.on_commit(lambda: _nudge(delay_s), robust=True)
    return event


def _nudge(delay_s: float) -> None:
    """Wake the relay. May be lost: the relay's own sweep finds what a nudge did not tell."""
    import_string(settings.OUTBOX_NUDGE)(delay_s=delay_s)
