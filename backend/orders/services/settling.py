"""Money meets order: what a capture, a refund or a failed attempt changes. The order is always locked by the caller."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.catalog.models import StockPolicy
from backend.catalog.services import count_sales
from backend.core import clock
from backend.inventory.services import OutOfStock, reserve_again, sell
from backend.orders.errors import OrderNotPayable
from backend.orders.models import Order, OrderEventType, OrderLine, OrderStatus, PaymentStatus
from backend.orders.services.events import record_event
from backend.orders.states import may_become


@dataclass(frozen=True, slots=True)
class CaptureOutcome:
    """`settled`: the order is paid now. `refund_due`: minor units that have to go back to the buyer."""

    settled: bool
    refund_due: int


def check_payable(order: Order) -> None:
    """Raises OrderNotPayable unless the order waits for money and its time is not over."""
    due = order.payment_due_at
    if order.status != OrderStatus.PENDING_PAYMENT or (due is not None and due <= clock.now()):
        raise OrderNotPayable


def apply_capture(order: Order, *, amount: int) -> CaptureOutcome:
    """Add money that a gateway has taken (minor units) and settle the order when it is paid in full.

    An order whose hold is gone finds its units again, or all of the money is due back. What is more than the total is
    due back too. Emits order.paid at most once.
    """
    order.paid += amount
    if order.status not in (OrderStatus.PENDING_PAYMENT, OrderStatus.EXPIRED):
        order.save()
        return CaptureOutcome(settled=False, refund_due=amount)
    if order.paid - order.refunded < order.total:
        order.payment_status = PaymentStatus.PARTIALLY_PAID
        order.save()
        return CaptureOutcome(settled=False, refund_due=0)
    if order.status == OrderStatus.EXPIRED and not _find_units_again(order):
        message = "The payment came after the order's time, and its items are gone: the money goes back."
        record_event(order, OrderEventType.PAYMENT_FAILED, message)
        return CaptureOutcome(settled=False, refund_due=order.paid - order.refunded)
    surplus = order.paid - order.refunded - order.total
    settle(order)
    return CaptureOutcome(settled=True, refund_due=surplus)


def settle(order: Order) -> None:
    """Turn a locked order PAID: what it holds is sold."""
    if not may_become(order.status, OrderStatus.PAID):
        raise OrderNotPayable
    sell(order_id=order.pk)
    count_sales(_units(order))
    order.status = OrderStatus.PAID
    order.payment_status = PaymentStatus.PAID
    order.paid_at = clock.now()
    order.payment_due_at = None
    record_event(order, OrderEventType.PAID, f"Order {order.number} is paid.")


def apply_refund(order: Order, *, amount: int) -> None:
    """Count money that went back (minor units)."""
    order.refunded += amount
    kept = order.paid - order.refunded
    if order.status == OrderStatus.PAID and kept >= order.total:
        # Only a surplus went back; the order is as paid as before.
        order.payment_status = PaymentStatus.PAID
    elif kept == 0:
        order.payment_status = PaymentStatus.REFUNDED
    else:
        order.payment_status = PaymentStatus.PARTIALLY_REFUNDED
    record_event(order, OrderEventType.REFUNDED, "Money went back to the buyer.")


def note_payment_started(order: Order, gateway: str) -> None:
    record_event(order, OrderEventType.PAYMENT_STARTED, f"A payment through {gateway} was started.")


def note_payment_failed(order: Order, message: str) -> None:
    """An attempt failed; the order stays payable until its time is over."""
    if order.status == OrderStatus.PENDING_PAYMENT and order.paid == 0:
        order.payment_status = PaymentStatus.FAILED
    record_event(order, OrderEventType.PAYMENT_FAILED, message)


def flag_payment(order: Order, message: str) -> None:
    """A gateway told something that does not fit ours: people have to look."""
    record_event(order, OrderEventType.PAYMENT_FLAGGED, message)


def _units(order: Order) -> Mapping[int, int]:
    """Product id -> units of it in the order."""
    units: dict[int, int] = {}
    lines = OrderLine.objects.filter(order=order, variant__isnull=False)
    for product_id, quantity in lines.values_list("variant__product_id", "quantity"):
        units[product_id] = units.get(product_id, 0) + quantity
    return units


def _find_units_again(order: Order) -> bool:
    lines = OrderLine.objects.filter(order=order)
    if lines.filter(variant__isnull=True).exists():
        return False
    wanted = lines.filter(variant__stock_policy=StockPolicy.DENY).values_list("variant_id", "quantity")
    try:
        reserve_again(order_id=order.pk, wanted={variant_id: units for variant_id, units in wanted if variant_id})
    except OutOfStock:
        return False
    return True
