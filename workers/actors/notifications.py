"""What people are told."""

from typing import Any
from uuid import UUID

import dramatiq

from backend.notifications import services

QUEUE = "notifications"


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def send_order_confirmation(event_id: str, order_id: str, data: dict[str, Any]) -> None:
    """One email for each paid order."""
    services.send_order_confirmation(event_id=UUID(event_id), order_id=UUID(order_id))
