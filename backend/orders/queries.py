"""Order reads, for many orders at once."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from backend.orders.models import Order, OrderEvent, OrderLine


def lines_by_order(order_ids: Iterable[UUID]) -> dict[UUID, list[OrderLine]]:
    found: dict[UUID, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.objects.filter(order_id__in=list(order_ids)).order_by("order_id", "pk"):
        found[line.order_id].append(line)
    return found


def events_after(order_id: UUID, sequence: int, *, limit: int = 100) -> list[OrderEvent]:
    """The order's events beyond that sequence, oldest first."""
    return list(OrderEvent.objects.filter(order_id=order_id, sequence__gt=sequence).order_by("sequence")[:limit])


def orders_by_id(ids: Iterable[UUID]) -> dict[UUID, Order]:
    return {order.pk: order for order in Order.objects.filter(pk__in=list(ids))}
