"""Orders' part of what is known of a person."""

from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from backend.accounts.models import GONE
from backend.core.personal import PersonalData
from backend.orders.models import Order, OrderEvent, OrderStatus, new_token

OVER = (OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.DELIVERED)
_COLUMNS = (
    "number", "status", "email", "phone", "note", "language", "currency", "total", "placed_at", "shipping_address",
    "billing_address",
)  # fmt: skip


def export(user_id: int) -> list[dict[str, Any]]:
    events = Prefetch("events", OrderEvent.objects.order_by("sequence"))
    orders = Order.objects.filter(customer_id=user_id).order_by("placed_at", "pk").prefetch_related("lines", events)
    return [
        {name: getattr(order, name) for name in _COLUMNS}
        | {
            "lines": [
                {"sku": line.sku, "name": line.product_name, "quantity": line.quantity, "total": line.total}
                for line in order.lines.all()
            ],
            "events": [{"message": event.message, "occurred_at": event.occurred_at} for event in order.events.all()],
        }
        for order in orders
    ]


def erase(user_id: int) -> None:
    """Keep orders for the books, with whom they were billed to. Those still under way keep what delivering them needs.

    Mailed links open none of them any more.
    """
    orders = Order.objects.filter(customer_id=user_id)
    for order in orders.only("pk", "token"):
        order.token = new_token()
        order.save(update_fields=["token"])
    _forget(orders)


def forget_departed() -> int:
    """Finish what `erase` has begun, once the orders of those who have left are over. Returns how many were."""
    return _forget(Order.objects.filter(customer__email__endswith=GONE))


def _forget(orders: QuerySet[Order]) -> int:
    known = ~Q(email="", phone="", note="") | Q(shipping_address__isnull=False)
    return orders.filter(known, status__in=OVER).update(email="", phone="", note="", shipping_address=None)


ORDERS = PersonalData("orders", export, erase)
