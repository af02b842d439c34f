"""Order reads, for many orders at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from backend.carts.checking import may_run_short
from backend.core.caller import Caller
from backend.core.paging import Ordering, Page, PageRequest, SortKey, page
from backend.inventory.queries import NONE, availability_by_variant
from backend.orders.access import claimable_orders, own_orders
from backend.orders.models import Order, OrderEvent, OrderLine, OrderStatus

NEWEST = Ordering("newest", (SortKey("placed_at", datetime),), descending=True, primary_key=SortKey("pk", UUID))


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
    """The caller's own, by id."""
    return {order.pk: order for order in own_orders(caller).filter(pk__in=list(ids))}


def find_own_order(number: str, *, caller: Caller) -> Order | None:
    """The caller's own by the number that people use; None where there is none, or it is somebody else's."""
    return None if "\x00" in number else own_orders(caller).filter(number=number).first()


def count_claimable_orders(*, caller: Caller) -> int:
    """How many guests' orders `claim_orders` would take over."""
    return claimable_orders(caller).count()


def count_orders_of_customers(customer_ids: Sequence[int], *, caller: Caller) -> dict[int, int]:
    """Customer -> how many orders they have placed; those of whom the caller may not know are not in it."""
    known = [each for each in customer_ids if each == caller.user_id or caller.may("orders.view_order")]
    rows = Order.objects.filter(customer_id__in=known).values_list("customer_id").annotate(Count("pk")).order_by()
    return {**dict.fromkeys(known, 0), **dict(rows)}


def page_orders_of_customers(
    customer_ids: Sequence[int], *, caller: Caller, request: PageRequest, statuses: Sequence[OrderStatus] = ()
) -> list[Page[Order]]:
    """A page of each customer's orders, newest first, of these statuses where any are named.

    The caller sees their own, by one statement: others have none.
    """
    own = own_orders(caller)
    rows = own.filter(status__in=statuses) if statuses else own
    return [
        page(rows if customer_id == caller.user_id else rows.none(), NEWEST, request) for customer_id in customer_ids
    ]


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
