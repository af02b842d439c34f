"""From the outbox to the actors: nudged after each commit, swept every few seconds for what a crash left."""

import logging

import dramatiq
from django.db import transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from backend.core import clock
from backend.core.models import OutboxEvent
from workers.broker import broker
from workers.routes import ROUTES, Route

logger = logging.getLogger(__name__)
QUEUE = "outbox"
BATCH = 200
NUDGED = "outbox-nudged"
NUDGE_S = 2


def nudge(*, delay_s: float = 0) -> None:
    """Ask for a relay soon. Never fails: what a lost nudge leaves, the sweep finds.

    A nudge that is on its way serves everything committed before the relay starts, so many commits need one message.
    """
    try:
        if delay_s or get_redis_connection("default").set(NUDGED, 1, nx=True, ex=NUDGE_S):
            relay_outbox.send_with_options(delay=round(delay_s * 1000) or None)
    except (RedisError, dramatiq.DramatiqError, OSError):
        logger.warning("The relay could not be nudged.", exc_info=True)


@dramatiq.actor(queue_name=QUEUE, max_retries=0, time_limit=60_000)  # ms
def relay_outbox() -> None:
    """Hand every due event to its actors, oldest first."""
    get_redis_connection("default").delete(NUDGED)
    while _relay_batch() == BATCH:
        continue


@transaction.atomic
def _relay_batch() -> int:
    """A crash after sending and before the commit sends again: actors bear that."""
    due = OutboxEvent.objects.select_for_update(skip_locked=True).filter(
        relayed_at__isnull=True, available_at__lte=clock.now()
    )
    events = list(due.order_by("available_at", "id")[:BATCH])
    for event in events:
        for route in ROUTES.get(event.topic, ()):
            _send(route, event)
        if event.topic.startswith("order."):
            get_redis_connection("default").publish(f"order:{event.key}", event.topic)
    OutboxEvent.objects.filter(pk__in=[event.pk for event in events]).update(relayed_at=clock.now())
    return len(events)


def _send(route: Route, event: OutboxEvent) -> None:
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name=route.queue,
        actor_name=route.actor,
        args=(str(event.event_id), event.key, event.data),
        kwargs={},
        options={},
    )
    broker.declare_queue(route.queue)
    broker.enqueue(message)
