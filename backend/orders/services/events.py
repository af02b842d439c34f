"""What happened to an order, in a sequence without holes."""

from backend.core import clock, outbox
from backend.orders.models import Order, OrderEvent, OrderEventType


def record_event(order: Order, type: OrderEventType, message: str) -> OrderEvent:
    """Write the order's next event and announce it. The order must be locked: that is what keeps holes out.

    Saves the order. Emits `order.<type>` with the order's id and the event's sequence.
    """
    order.last_sequence += 1
    order.save()
    event = OrderEvent.objects.create(
        order=order,
        sequence=order.last_sequence,
        type=type,
        message=message,
        status=order.status,
        payment_status=order.payment_status,
        fulfillment_status=order.fulfillment_status,
        occurred_at=clock.now(),
    )
    data = {"order_id": str(order.pk), "sequence": event.sequence}
    outbox.emit(f"order.{type.value.lower()}", key=order.pk, data=data)
    return event
