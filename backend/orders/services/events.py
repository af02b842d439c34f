"""What happened to an order, in a sequence without holes."""

from collections.abc import Sequence

from backend.core import clock, outbox
from backend.orders.models import Order, OrderEvent, OrderEventType

MAX_MESSAGE = 500


def record_event(order: Order, type: OrderEventType, message: str) -> OrderEvent:
    """Write the order's next event and announce it. The order must be locked: that is what keeps holes out.

    Saves the order. Emits `order.<type>` with the order's id and the event's sequence.
    """
    order.last_sequence += 1
    order.save()
    return write_events([order], type, [message])[0]


def write_events(orders: Sequence[Order], type: OrderEventType, messages: Sequence[str]) -> list[OrderEvent]:
    """Write the event that each order's `last_sequence` already counts, and announce it; two statements for all."""
    moment = clock.now()
    events = OrderEvent.objects.bulk_create(
        OrderEvent(
            order=order,
            sequence=order.last_sequence,
            type=type,
            message=_fitting(message),
            status=order.status,
            payment_status=order.payment_status,
            fulfillment_status=order.fulfillment_status,
            occurred_at=moment,
        )
        for order, message in zip(orders, messages, strict=True)
    )
    told = [(event.order_id, {"order_id": str(event.order_id), "sequence": event.sequence}) for event in events]
    outbox.emit_many(f"order.{type.value.lower()}", told)
    return events


def _fitting(message: str) -> str:
    """Gateways' own words may come in here: cut to the column, without what PostgreSQL cannot hold."""
    return message.replace("\x00", "")[:MAX_MESSAGE]
