"""Orders whose 15 minutes are over give their stock back."""

from django.db import transaction

from backend.core import clock
from backend.inventory.services import release
from backend.orders.models import Order, OrderEventType, OrderStatus
from backend.orders.services.events import write_events
from backend.orders.states import become

BATCH = 100


def expire_unpaid_orders() -> int:
    """Expire every order whose payment is overdue, in batches; returns how many. Catches up after any outage.

    Locks the orders and then stock levels by id. Emits order.expired.
    """
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
    if not orders:
        return 0
    for order in orders:
        become(order, OrderStatus.EXPIRED)
        order.last_sequence += 1
    Order.objects.bulk_update(orders, ["status", "last_sequence"])
    messages = [f"Order {order.number} was not paid in time; its items are free again." for order in orders]
    write_events(orders, OrderEventType.EXPIRED, messages)
    release(order_ids=[order.pk for order in orders])
    return len(orders)
