from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.catalog.models import Product, ProductVariant, StockPolicy
from backend.core import clock, schedule
from backend.core.models import OutboxEvent
from backend.inventory.models import Reservation, ReservationState, StockLevel
from backend.orders import services
from backend.orders.errors import OrderNotPayable
from backend.orders.models import Order, OrderEventType, OrderStatus, PaymentStatus
from backend.orders.services import CaptureOutcome
from backend.orders.services.settling import payment_status
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order, make_paid_order, place

pytestmark = pytest.mark.django_db
MINUTE = 60


@transaction.atomic
def capture(order: Order, amount: int) -> CaptureOutcome:
    locked = services.lock_order(order.pk)
    outcome = services.apply_capture(locked, amount=amount)
    order.refresh_from_db()
    return outcome


@transaction.atomic
def refund(order: Order, amount: int) -> None:
    services.apply_refund(services.lock_order(order.pk), amount=amount)
    order.refresh_from_db()


def types(order: Order) -> list[str]:
    """The order's events; that their sequence has no hole is part of every answer."""
    events = list(order.events.order_by("sequence"))
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return [event.type for event in events]


def stock(variant: ProductVariant) -> tuple[int, int]:
    level = StockLevel.objects.get(variant=variant)
    return level.on_hand, level.reserved


# In time ------------------------------------------------------------------------------------------


def test_payment_turns_the_hold_into_a_sale() -> None:
    variant = make_variant(stock=5)
    order = make_order((variant, 2))
    assert capture(order, order.total) == CaptureOutcome(settled=True, refund_due=0)
    assert (order.status, order.payment_status) == (OrderStatus.PAID, PaymentStatus.PAID)
    assert (order.paid, order.payment_due_at) == (2000, None)
    assert order.paid_at is not None
    assert stock(variant) == (3, 0)
    assert types(order) == ["PLACED", "PAID"]
    assert Product.objects.get(pk=variant.product_id).sales_count == 2
    assert OutboxEvent.objects.filter(topic="order.paid", key=str(order.pk)).count() == 1


def test_units_of_several_variants_count_for_their_products() -> None:
    one, other = make_variant(), make_variant()
    sibling = make_variant(one.product)
    make_paid_order((one, 1), (sibling, 2), (other, 3))
    assert Product.objects.get(pk=one.product_id).sales_count == 3
    assert Product.objects.get(pk=other.product_id).sales_count == 3


def test_a_part_of_the_money_leaves_the_order_waiting() -> None:
    variant = make_variant(stock=5)
    order = make_order((variant, 2))
    assert capture(order, 500) == CaptureOutcome(settled=False, refund_due=0)
    assert (order.status, order.payment_status, order.paid) == ("PENDING_PAYMENT", "PARTIALLY_PAID", 500)
    assert stock(variant) == (5, 2)
    assert capture(order, 1500) == CaptureOutcome(settled=True, refund_due=0)
    assert types(order) == ["PLACED", "PAID"]


def test_what_is_too_much_goes_back() -> None:
    order = make_order()
    assert capture(order, order.total + 1) == CaptureOutcome(settled=True, refund_due=1)
    assert (order.status, order.payment_status) == (OrderStatus.PAID, PaymentStatus.PAID)
    refund(order, 1)
    assert (order.status, order.payment_status) == (OrderStatus.PAID, PaymentStatus.PAID)


def test_a_second_payment_changes_nothing_but_the_sums_and_goes_back() -> None:
    variant = make_variant(stock=5)
    order = make_paid_order((variant, 1))
    before = (stock(variant), types(order), order.paid_at)
    assert capture(order, order.total) == CaptureOutcome(settled=False, refund_due=order.total)
    assert (stock(variant), types(order), order.paid_at) == before
    assert (order.status, order.payment_status, order.paid) == ("PAID", "PAID", 2 * order.total)
    assert Product.objects.get(pk=variant.product_id).sales_count == 1


def test_money_for_a_cancelled_order_goes_back() -> None:
    order = make_order()
    Order.objects.update(status=OrderStatus.CANCELLED)
    assert capture(order, order.total) == CaptureOutcome(settled=False, refund_due=order.total)
    assert order.status == OrderStatus.CANCELLED


@pytest.mark.parametrize("amount", [0, -1])
def test_money_moves_by_amounts_above_zero(amount: int) -> None:
    order = make_order()
    with pytest.raises(ValueError, match="above zero"):
        capture(order, amount)
    with pytest.raises(ValueError, match="above zero"):
        refund(order, amount)
    order.refresh_from_db()
    assert (order.paid, order.refunded) == (0, 0)


def test_an_order_is_payable_until_its_time_is_over() -> None:
    order = make_order()
    clock.move_offset(15 * MINUTE - 1)
    services.check_payable(order)
    clock.move_offset(2)
    with pytest.raises(OrderNotPayable):
        services.check_payable(order)


def test_a_paid_order_is_not_payable() -> None:
    with pytest.raises(OrderNotPayable):
        services.check_payable(make_paid_order())


# Expiry -------------------------------------------------------------------------------------------


def test_an_unpaid_order_keeps_its_stock_for_fifteen_minutes_and_not_longer() -> None:
    variant = make_variant(stock=5)
    order = make_order((variant, 2))
    schedule.move_clock(seconds=15 * MINUTE - 1)
    order.refresh_from_db()
    assert (order.status, stock(variant)) == (OrderStatus.PENDING_PAYMENT, (5, 2))
    schedule.move_clock(seconds=2)
    order.refresh_from_db()
    assert (order.status, stock(variant)) == (OrderStatus.EXPIRED, (5, 0))
    assert types(order) == ["PLACED", "EXPIRED"]
    assert order.last_sequence == 2
    assert OutboxEvent.objects.filter(topic="order.expired", key=str(order.pk)).count() == 1


def test_paid_orders_never_expire() -> None:
    order = make_paid_order()
    clock.move_offset(60 * MINUTE)
    assert services.expire_unpaid_orders() == 0
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID


def test_expiring_twice_changes_nothing_more() -> None:
    variant = make_variant(stock=5)
    order = make_order((variant, 2))
    clock.move_offset(16 * MINUTE)
    assert services.expire_unpaid_orders() == 1
    assert services.expire_unpaid_orders() == 0
    assert types(order) == ["PLACED", "EXPIRED"]
    assert stock(variant) == (5, 0)


def test_what_an_outage_left_is_caught_up_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.orders.services.expiry.BATCH", 2)
    variant = make_variant(stock=9)
    orders = [make_order((variant, 1)) for _ in range(5)]
    clock.move_offset(24 * 60 * MINUTE)
    assert services.expire_unpaid_orders() == 5
    assert all(types(order) == ["PLACED", "EXPIRED"] for order in orders)
    assert stock(variant) == (9, 0)


@pytest.mark.parametrize("count", [1, 20])
def test_a_batch_expires_in_the_same_number_of_statements(count: int, django_assert_num_queries: Any) -> None:
    variant = make_variant(stock=50)
    for _ in range(count):
        make_order((variant, 1))
    clock.move_offset(16 * MINUTE)
    # 8 for the batch and 1 that finds no more; 4 are the savepoints of this test's transaction.
    with django_assert_num_queries(13):
        assert services.expire_unpaid_orders() == count


# Too late -----------------------------------------------------------------------------------------


def expired(variant: ProductVariant, units: int = 1) -> Order:
    order = make_order((variant, units))
    clock.move_offset(16 * MINUTE)
    services.expire_unpaid_orders()
    order.refresh_from_db()
    assert order.status == OrderStatus.EXPIRED
    return order


def test_late_money_finds_the_units_again() -> None:
    variant = make_variant(stock=5)
    order = expired(variant, 2)
    assert capture(order, order.total) == CaptureOutcome(settled=True, refund_due=0)
    assert order.status == OrderStatus.PAID
    assert stock(variant) == (3, 0)
    assert types(order) == ["PLACED", "EXPIRED", "PAID"]
    assert list(order.reservations.values_list("state", flat=True)) == [ReservationState.SOLD]


def test_late_money_without_units_goes_back_and_nothing_is_taken() -> None:
    variant, plenty = make_variant(stock=2), make_variant(stock=5)
    order = make_order((plenty, 1), (variant, 2))
    clock.move_offset(16 * MINUTE)
    services.expire_unpaid_orders()
    place((variant, 1))
    held = list(Reservation.objects.order_by("pk").values())
    assert capture(order, order.total) == CaptureOutcome(settled=False, refund_due=order.total)
    assert (order.status, order.payment_status) == (OrderStatus.EXPIRED, PaymentStatus.PAID)
    assert (stock(variant), stock(plenty)) == ((2, 1), (5, 0))
    assert list(Reservation.objects.order_by("pk").values()) == held
    assert Product.objects.get(pk=plenty.product_id).sales_count == 0
    assert types(order) == ["PLACED", "EXPIRED", "PAYMENT_FAILED"]
    refund(order, order.total)
    assert (order.status, order.payment_status) == (OrderStatus.EXPIRED, PaymentStatus.REFUNDED)


def test_late_money_for_a_variant_that_is_gone_goes_back() -> None:
    order = expired(make_variant())
    order.lines.update(variant=None)
    assert capture(order, order.total).refund_due == order.total
    assert order.status == OrderStatus.EXPIRED


def test_late_money_for_a_back_order_needs_no_units() -> None:
    variant = make_variant(stock=0, stock_policy=StockPolicy.BACKORDER)
    order = expired(variant)
    assert capture(order, order.total).settled


def test_a_late_part_of_the_money_goes_back() -> None:
    variant = make_variant(stock=5)
    order = expired(variant)
    assert capture(order, 1) == CaptureOutcome(settled=False, refund_due=1)
    assert stock(variant) == (5, 0)


# Attempts, refunds, events ------------------------------------------------------------------------


def test_a_failed_attempt_leaves_the_order_payable() -> None:
    order = make_order()
    with transaction.atomic():
        locked = services.lock_order(order.pk)
        services.note_payment_started(locked, "sandbox")
        services.note_payment_failed(locked, "Declined.\x00" + "x" * 600)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (OrderStatus.PENDING_PAYMENT, PaymentStatus.FAILED)
    services.check_payable(order)
    message = order.events.get(type=OrderEventType.PAYMENT_FAILED).message
    assert message.startswith("Declined.xxx")
    assert len(message) == 500
    services.note_payment_started(order)
    assert order.payment_status == PaymentStatus.UNPAID
    assert types(order) == ["PLACED", "PAYMENT_STARTED", "PAYMENT_FAILED", "PAYMENT_STARTED"]


def test_a_refund_in_parts_ends_as_refunded() -> None:
    order = make_paid_order()
    refund(order, 400)
    assert (order.payment_status, order.refunded) == (PaymentStatus.PARTIALLY_REFUNDED, 400)
    refund(order, 600)
    assert (order.status, order.payment_status) == (OrderStatus.PAID, PaymentStatus.REFUNDED)
    assert types(order) == ["PLACED", "PAID", "REFUNDED", "REFUNDED"]


def test_more_than_was_paid_never_goes_back() -> None:
    order = make_paid_order()
    with pytest.raises(ValueError, match="more than was paid"):
        refund(order, order.total + 1)
    order.refresh_from_db()
    assert order.refunded == 0
    assert types(order) == ["PLACED", "PAID"]


@pytest.mark.parametrize(
    ("total", "paid", "refunded", "status"),
    [
        (100, 0, 0, "UNPAID"),
        (100, 40, 0, "PARTIALLY_PAID"),
        (100, 100, 0, "PAID"),
        (100, 120, 20, "PAID"),
        (100, 120, 0, "PAID"),
        (100, 100, 1, "PARTIALLY_REFUNDED"),
        (100, 40, 40, "REFUNDED"),
        (100, 100, 100, "REFUNDED"),
    ],
)
def test_what_is_paid_follows_from_the_sums(total: int, paid: int, refunded: int, status: str) -> None:
    assert payment_status(Order(total=total, paid=paid, refunded=refunded)) == status


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 2500), min_size=1, max_size=5))
def test_over_any_payments_in_time_exactly_what_is_too_much_is_due_back(amounts: list[int]) -> None:
    order = make_order()
    outcomes = [capture(order, amount) for amount in amounts]
    assert sum(each.refund_due for each in outcomes) == max(sum(amounts) - order.total, 0)
    assert sum(each.settled for each in outcomes) == (1 if sum(amounts) >= order.total else 0)
    assert order.paid == sum(amounts)
    assert (order.status == OrderStatus.PAID) == (order.payment_status == PaymentStatus.PAID)
    assert types(order).count("PAID") == sum(each.settled for each in outcomes)
