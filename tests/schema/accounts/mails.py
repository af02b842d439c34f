"""The worker's part, done in place: every event that waits is handed to its actors."""

from typing import Any

from django.core import mail

from backend.core.models import OutboxEvent
from workers.actors import notifications
from workers.routes import ROUTES


def deliver(*, twice: bool = False) -> list[Any]:
    """Run what the outbox holds; returns the mails that were sent, and empties the box."""
    mail.outbox.clear()
    for event in OutboxEvent.objects.filter(relayed_at=None).order_by("id"):
        for route in (each for each in ROUTES.get(event.topic, ()) if each.queue == notifications.QUEUE):
            for _ in range(2 if twice else 1):
                getattr(notifications, route.actor).fn(str(event.event_id), event.key, event.data)
    OutboxEvent.objects.all().delete()
    return list(mail.outbox)


def token_in(message: Any) -> str:
    """The token that a mail holds, alone on a line."""
    [token] = [line for line in message.body.splitlines() if len(line) > 60 and " " not in line]
    return str(token)
