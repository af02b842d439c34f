"""At-least-once delivery made harmless."""

from uuid import UUID

from backend.core.models import ProcessedEvent


def claim(event_id: UUID | str, consumer: str) -> bool:
    """True the first time this consumer sees this event. Call it inside the transaction of the effect."""
    _, created = ProcessedEvent.objects.get_or_create(event_id=event_id, consumer=consumer)
    return created
