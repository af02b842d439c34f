"""What payments leave for later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import dramatiq
from dramatiq.errors import Retry

from backend.payments import services
from backend.payments.sandbox import charges

QUEUE = "payments"


@contextmanager
def _patient() -> Iterator[None]:
    """That another process moves the money at this moment is no error: a message comes just when the buyer is back."""
    try:
        yield
    except services.CallRunning as error:
        raise Retry(str(error)) from error


@dramatiq.actor(queue_name=QUEUE, max_retries=0, time_limit=30_000)  # ms
def webhook_gave_up(message: dict[str, Any], retries: dict[str, Any]) -> None:
    """Every try has failed: the message waits for staff, who can replay it."""
    services.note_dead_webhook(int(message["args"][1]))


@dramatiq.actor(
    queue_name=QUEUE,
    max_retries=8,
    min_backoff=1_000,
    max_backoff=300_000,
    time_limit=60_000,  # ms
    on_retry_exhausted="webhook_gave_up",
)
def process_webhook(event_id: str, message_id: str, data: dict[str, Any]) -> None:
    """Settle what a stored webhook reports."""
    with _patient():
        services.process_webhook(int(message_id))


@dramatiq.actor(queue_name=QUEUE, max_retries=20, min_backoff=2_000, max_backoff=3_600_000, time_limit=60_000)  # ms
def wind_up(event_id: str, order_id: str, data: dict[str, Any]) -> None:
    """Give back what an order was paid that is over."""
    services.wind_up(UUID(order_id))


@dramatiq.actor(queue_name=QUEUE, max_retries=4, min_backoff=1_000, max_backoff=30_000, time_limit=60_000)  # ms
def verify_returned(event_id: str, payment_id: str, data: dict[str, Any]) -> None:
    """Ask about a payment whose buyer is back. Few tries: the storefront asks too, and so does the sweep."""
    with _patient():
        services.verify_returned(UUID(payment_id), data)


@dramatiq.actor(queue_name=QUEUE, max_retries=20, min_backoff=2_000, max_backoff=3_600_000, time_limit=60_000)  # ms
def execute_refund(event_id: str, refund_id: str, data: dict[str, Any]) -> None:
    """Give back what was decided."""
    with _patient():
        services.execute_refund(UUID(refund_id))


@dramatiq.actor(queue_name=QUEUE, max_retries=5, min_backoff=500, max_backoff=10_000, time_limit=30_000)  # ms
def deliver_sandbox_webhook(event_id: str, charge_id: str, data: dict[str, Any]) -> None:
    """The sandbox gateway's own sending: tried again only when the shop does not answer at all."""
    charges.deliver(charge_id, data)
