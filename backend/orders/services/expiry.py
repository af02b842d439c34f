"""Orders whose 15 minutes are over give their stock back."""

from uuid import UUID

from django.db import transaction

from backend.core import clock
from backend.inventory.services import release
from backend.orders.models import Order, OrderEventType, OrderStatus
from backend.orders.services.events import record_event

BATCH = 100


def expire_unpaid_orders() -> int:
    """Expire every order whose payment is overdue, in batches; returns how many. Catches up after any outage."""
    total = 0
    while expired := _expire_batch():
        total += expired
    return total


@transaction.atomic
def _expire_batch() -> int:
    # Skipping locked orders leaves those that are being paid at this moment to the next run.
    overdue = Order.objects.select_for_update(skip_locked=True).filter(
        status=OrderStatus.PENDING_PAYMENT, payment_due_at__lte=clock.now()
    )
    orders = list(overdue.order_by("payment_due_at", "pk")[:BATCH])
    ids: list[UUID] = [order.pk for order in orders]
    release(order_ids=ids)
    for order in orders:
        order.status = OrderStatus.EXPIRED
        record_event(order, OrderEventType.EXPIRED, f"Order {order.number} was not paid in time.")
    return len(orders)
