"""Order reads, for many orders at once."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from backend.carts.checking import may_run_short
from backend.core.caller import Caller
from backend.inventory.queries import NONE, availability_by_variant
from backend.orders.models import Order, OrderEvent, OrderLine, OrderStatus


def lines_by_order(order_ids: Iterable[UUID]) -> dict[UUID, list[OrderLine]]:
    """Order id -> its lines as they were ordered, with variant, product, vendor and image; one statement."""
    found: dict[UUID, list[OrderLine]] = defaultdict(list)
    rows = OrderLine.objects.filter(order_id__in=list(order_ids)).order_by("order_id", "pk")
    for line in rows.select_related("variant__product", "vendor", "image"):
        found[line.order_id].append(line)
    return found


def events_after(order_id: UUID, sequence: int, *, limit: int = 100) -> list[OrderEvent]:
    """The order's events beyond that sequence, oldest first."""
    return list(OrderEvent.objects.filter(order_id=order_id, sequence__gt=sequence).order_by("sequence")[:limit])


def orders_by_id(ids: Iterable[UUID]) -> dict[UUID, Order]:
    """For rows that were reached through something of the caller's own: it does not ask who wants them."""
    return {order.pk: order for order in Order.objects.filter(pk__in=list(ids))}


def own_orders_by_id(ids: Iterable[UUID], *, caller: Caller) -> dict[UUID, Order]:
    """A customer's own orders. A guest has none by id alone: an id opens nothing."""
    if caller.user_id is None:
        return {}
    return {order.pk: order for order in Order.objects.filter(pk__in=list(ids), customer_id=caller.user_id)}


def takes_money(order: Order, *, amount: int) -> bool:
    """Whether that much (minor units) could settle the order now, rather than go back; a look, no promise.

    One that waits for payment takes it; an expired one does where it is all of the total and the units are there still.
    """
    if order.status != OrderStatus.EXPIRED:
        return order.status == OrderStatus.PENDING_PAYMENT
    lines = list(OrderLine.objects.filter(order=order).select_related("variant"))
    stock = availability_by_variant([line.variant_id for line in lines if line.variant_id is not None])
    return amount >= order.total and all(
        line.variant is not None
        and (may_run_short(line.variant) or stock.get(line.variant.pk, NONE).quantity >= line.quantity)
        for line in lines
    )
