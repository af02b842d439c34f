"""Money meets order: what a capture, a refund or a failed attempt changes. The order is always locked by the caller."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from backend.carts.checking import may_run_short
from backend.catalog.services import count_sales
from backend.core import clock
from backend.core.money import Money
from backend.inventory.errors import OutOfStock
from backend.inventory.services import reserve_again, sell
from backend.orders.errors import OrderNotPayable
from backend.orders.models import Order, OrderEventType, OrderLine, OrderStatus, PaymentStatus
from backend.orders.services.events import record_event
from backend.orders.states import become

AUTHORIZATION = timedelta(days=6)
"""How long an order waits for money that is set aside: most cards let it go after seven days."""


@dataclass(frozen=True, slots=True)
class CaptureOutcome:
    """`settled`: this money made the order paid. `refund_due`: minor units of it that have to go back to the buyer."""

    settled: bool
    refund_due: int


def check_payable(order: Order) -> None:
    """Raises OrderNotPayable unless the order waits for money and its time is not over."""
    due = order.payment_due_at
    if order.status != OrderStatus.PENDING_PAYMENT or (due is not None and due <= clock.now()):
        raise OrderNotPayable


def apply_capture(order: Order, *, amount: int) -> CaptureOutcome:
    """Add money that a gateway has taken (minor units) and settle the order when it is paid in full.

    An order whose hold is gone finds its units again, or the money is due back; so is what is more than the total, and
    everything that comes for an order that is paid already or cancelled. Emits order.paid at most once.
    """
    _check_amount(amount)
    order.paid += amount
    if order.status == OrderStatus.PENDING_PAYMENT:
        return _pay_in_time(order)
    if order.status == OrderStatus.EXPIRED:
        return _pay_late(order, amount)
    _save_paid(order)
    return CaptureOutcome(settled=False, refund_due=amount)


def apply_refund(order: Order, *, amount: int) -> None:
    """Count money that went back (minor units). Emits order.refunded."""
    _check_amount(amount)
    if order.refunded + amount > order.paid:
        raise ValueError(f"Order {order.number} cannot give back more than was paid.")
    order.refunded += amount
    order.payment_status = payment_status(order)
    back = Money(amount, order.currency)
    record_event(order, OrderEventType.REFUNDED, f"{back.amount} {back.currency} went back to the buyer.")


def revert_refund(order: Order, *, amount: int) -> None:
    """Take back what `apply_refund` counted: the gateway did not give the money (minor units) back after all."""
    _check_amount(amount)
    if amount > order.refunded:
        raise ValueError(f"Order {order.number} has not given back so much.")
    order.refunded -= amount
    order.payment_status = payment_status(order)
    order.save(update_fields=["refunded", "payment_status"])


def _settle(order: Order) -> None:
    """Turn a locked order PAID. Locks products and then stock levels, by id. Emits order.paid."""
    count_units(order)
    mark_paid(order)


def count_units(order: Order) -> None:
    """Add the order's units to its products' sales: before any stock is locked, as everywhere."""
    count_sales(_units_by_product(order))


def mark_paid(order: Order) -> None:
    """What the order holds is sold."""
    become(order, OrderStatus.PAID)
    sell(order_id=order.pk)
    order.payment_status = PaymentStatus.PAID
    order.paid_at = clock.now()
    order.payment_due_at = None
    record_event(order, OrderEventType.PAID, f"Order {order.number} is paid.")


def note_payment_started(order: Order, gateway: str = "") -> None:
    """An attempt began. Emits order.payment_started."""
    if order.payment_status == PaymentStatus.FAILED:
        order.payment_status = payment_status(order)
    message = f"A payment through {gateway} was started." if gateway else "A payment was started."
    record_event(order, OrderEventType.PAYMENT_STARTED, message)


def note_payment_authorized(order: Order) -> None:
    """Money is set aside: what the order holds waits for staff to take it. Emits order.payment_authorized."""
    if order.status == OrderStatus.PENDING_PAYMENT:
        order.payment_due_at = clock.now() + AUTHORIZATION
        if not order.paid:
            order.payment_status = PaymentStatus.AUTHORIZED
    record_event(order, OrderEventType.PAYMENT_AUTHORIZED, "The money was set aside.")


def note_payment_failed(order: Order, message: str) -> None:
    """An attempt failed; the order stays payable until its time is over. Emits order.payment_failed.

    One that waited for money that was set aside, and is not any more, gets the time of a new order.
    """
    if order.payment_status == PaymentStatus.AUTHORIZED and order.status == OrderStatus.PENDING_PAYMENT:
        order.payment_due_at = clock.now() + timedelta(minutes=settings.RESERVATION_MINUTES)
    if order.status == OrderStatus.PENDING_PAYMENT and order.paid == 0:
        order.payment_status = PaymentStatus.FAILED
    record_event(order, OrderEventType.PAYMENT_FAILED, message)


def flag_payment(order: Order, message: str) -> None:
    """A gateway told something that does not fit ours: people have to look. Emits order.payment_flagged."""
    record_event(order, OrderEventType.PAYMENT_FLAGGED, message)


def payment_status(order: Order) -> PaymentStatus:
    """How much of the order is paid, from its sums alone."""
    kept = order.paid - order.refunded
    if order.refunded and not kept:
        return PaymentStatus.REFUNDED
    if order.paid and kept >= order.total:
        return PaymentStatus.PAID
    if order.refunded:
        return PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.PARTIALLY_PAID if order.paid else PaymentStatus.UNPAID


def _pay_in_time(order: Order) -> CaptureOutcome:
    surplus = order.paid - order.refunded - order.total
    if surplus < 0:
        _save_paid(order)
        return CaptureOutcome(settled=False, refund_due=0)
    _settle(order)
    return CaptureOutcome(settled=True, refund_due=surplus)


def _pay_late(order: Order, amount: int) -> CaptureOutcome:
    """A late payment has to carry the whole order: what came in part before goes back with the expiry."""
    if amount >= order.total and _hold_again(order):
        mark_paid(order)
        return CaptureOutcome(settled=True, refund_due=amount - order.total)
    order.payment_status = payment_status(order)
    message = "The payment came after the order's time, and its items are gone: the money goes back."
    record_event(order, OrderEventType.PAYMENT_FAILED, message)
    return CaptureOutcome(settled=False, refund_due=amount)


def _save_paid(order: Order) -> None:
    order.payment_status = payment_status(order)
    order.save(update_fields=["paid", "payment_status"])


def _check_amount(amount: int) -> None:
    if amount <= 0:
        raise ValueError("Money moves by amounts above zero.")


def _units_by_product(order: Order) -> Mapping[int, int]:
    units: dict[int, int] = defaultdict(int)
    lines = OrderLine.objects.filter(order=order, variant__isnull=False)
    for product_id, quantity in lines.values_list("variant__product_id", "quantity"):
        units[product_id] += quantity
    return units


def _hold_again(order: Order) -> bool:
    """Whether the expired order's units are there once more; if so, they are held."""
    lines = list(OrderLine.objects.filter(order=order).select_related("variant"))
    variants = [line.variant for line in lines if line.variant is not None]
    if len(variants) < len(lines):
        return False
    wanted = {variant.pk: line.quantity for line, variant in zip(lines, variants, strict=True)}
    short = {variant.pk for variant in variants if may_run_short(variant)}
    try:
        with transaction.atomic():
            count_units(order)
            reserve_again(order_id=order.pk, wanted=wanted, may_run_short=short)
    except OutOfStock:
        return False
    return True
