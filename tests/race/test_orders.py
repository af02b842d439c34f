"""What holds when many do it at the same instant, on the real database."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from backend.carts import services as carts
from backend.carts.checking import NewLine
from backend.carts.errors import CartNotFound
from backend.carts.models import Cart
from backend.catalog.models import Product, ProductVariant
from backend.core import clock
from backend.core.caller import GUEST
from backend.core.context import default_context
from backend.core.models import IdempotencyKey, OutboxEvent
from backend.inventory.errors import OutOfStock, Shortage
from backend.inventory.models import Reservation, ReservationState, StockLevel, StockMovement
from backend.orders import services as orders
from backend.orders.models import Order, OrderEvent, OrderStatus
from backend.orders.services import CaptureOutcome, Placement, PlaceOrder, place_order
from tests.factories.carts import make_cart
from tests.factories.catalog import make_product, make_variant
from tests.factories.orders import buy_now, make_order
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def placing(request: PlaceOrder) -> Callable[[], Placement]:
    return lambda: place_order(caller=GUEST, shop=default_context(), request=request)


def capturing(order: Order) -> Callable[[], CaptureOutcome]:
    def capture() -> CaptureOutcome:
        with transaction.atomic():
            locked = orders.lock_order(order.pk)
            return orders.apply_capture(locked, amount=locked.total)

    return capture


def kinds(answers: list[Any]) -> Counter[str]:
    return Counter(type(each).__name__ for each in answers)


def stock(variant: ProductVariant) -> tuple[int, int]:
    level = StockLevel.objects.get(variant=variant)
    return level.on_hand, level.reserved


def assert_sequences_have_no_holes() -> None:
    for order in Order.objects.all():
        sequences = list(order.events.order_by("sequence").values_list("sequence", flat=True))
        assert sequences == list(range(1, order.last_sequence + 1))


def test_two_hundred_buyers_of_fifty_units_get_fifty_orders() -> None:
    variant = make_variant(stock=50)
    answers = at_once([placing(buy_now((variant, 1))) for _ in range(200)])
    assert kinds(answers) == {"Placement": 50, "OutOfStock": 150}
    assert Order.objects.count() == Reservation.objects.count() == IdempotencyKey.objects.count() == 50
    assert OutboxEvent.objects.filter(topic="order.placed").count() == OrderEvent.objects.count() == 50
    assert len({answer.order.number for answer in answers if isinstance(answer, Placement)}) == 50
    assert stock(variant) == (50, 50)


def test_baskets_in_opposite_order_do_not_lock_each_other_out() -> None:
    plenty = [make_variant(stock=100) for _ in range(3)]
    scarce = make_variant(stock=40)
    forth = [(each, 1) for each in (*plenty[:2], scarce, plenty[2])]
    answers = at_once([placing(buy_now(*(forth if n % 2 else forth[::-1]))) for n in range(60)])
    assert kinds(answers) == {"Placement": 40, "OutOfStock": 20}
    assert [stock(each) for each in (*plenty, scarce)] == [(100, 40)] * 3 + [(40, 40)]
    # Who comes too late is told the truth: what is short, and what is not.
    shortages = [each.shortages for each in answers if isinstance(each, OutOfStock)]
    assert shortages == [[Shortage(scarce.pk, requested=1, available=0)]] * 20


def test_two_lines_of_one_variant_count_together_for_everybody() -> None:
    variant = make_variant(stock=15)
    answers = at_once([placing(buy_now((variant, 1), (variant, 2))) for _ in range(20)])
    assert kinds(answers) == {"Placement": 5, "OutOfStock": 15}
    assert stock(variant) == (15, 15)


def test_one_key_sent_twenty_times_places_one_order() -> None:
    variant = make_variant(stock=50)
    cart = make_cart((variant, 2))
    request = PlaceOrder(idempotency_key=str(uuid4()), cart_id=cart.pk)
    answers = at_once([placing(request)] * 20)
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 19}
    assert len({answer.order.pk for answer in answers}) == 1
    assert (Order.objects.count(), stock(variant)) == (1, (50, 2))
    assert OrderEvent.objects.count() == 1


def test_one_cart_ordered_under_twenty_keys_is_one_order() -> None:
    variant = make_variant(stock=50)
    cart = make_cart((variant, 2))
    answers = at_once([placing(PlaceOrder(idempotency_key=str(uuid4()), cart_id=cart.pk)) for _ in range(20)])
    assert kinds(answers) == {"Placement": 1, "CartNotFound": 19}
    assert (Order.objects.count(), stock(variant)) == (1, (50, 2))


def test_a_cart_changed_while_it_is_ordered_is_changed_before_or_not_at_all() -> None:
    variant = make_variant(stock=500)
    cart = make_cart((variant, 1))
    adding = [lambda: carts.add_lines(caller=GUEST, cart_id=cart.pk, lines=[NewLine(variant.pk, 1)])] * 10
    answers = at_once([*adding, placing(PlaceOrder(idempotency_key="k", cart_id=cart.pk))])
    added = sum(isinstance(each, Cart) for each in answers)
    assert added + sum(isinstance(each, CartNotFound) for each in answers) == 10
    order = Order.objects.get()
    assert order.lines.get().quantity == 1 + added
    assert stock(variant) == (500, 1 + added)


def test_twenty_additions_to_one_cart_are_all_there() -> None:
    variant, other = make_variant(stock=500), make_variant(stock=500)
    cart = make_cart()
    lines = [NewLine(variant.pk, 1), NewLine(other.pk, 2)]
    answers = at_once(
        [
            lambda n=n: carts.add_lines(caller=GUEST, cart_id=cart.pk, lines=lines[:: 1 if n % 2 else -1])
            for n in range(20)
        ]
    )
    assert kinds(answers) == {"Cart": 20}
    assert dict(cart.lines.values_list("variant_id", "quantity")) == {variant.pk: 20, other.pk: 40}
    assert sorted(answer.version for answer in answers) == list(range(3, 23))


@pytest.mark.parametrize("attempt", range(3))
def test_expiry_and_payment_at_the_same_instant_leave_one_truth(attempt: int) -> None:
    variants = [make_variant(stock=10) for _ in range(2)]
    waiting = [make_order(*[(each, 1) for each in variants[:: 1 if n % 2 else -1]]) for n in range(10)]
    clock.move_offset(15 * 60 + 1)
    captures = [capturing(order) for order in waiting]
    answers = at_once([*captures[:5], orders.expire_unpaid_orders, *captures[5:], orders.expire_unpaid_orders])
    outcomes = [each for each in answers if isinstance(each, CaptureOutcome)]
    assert [(each.settled, each.refund_due) for each in outcomes] == [(True, 0)] * 10
    assert set(Order.objects.values_list("status", flat=True)) == {OrderStatus.PAID}
    assert [stock(each) for each in variants] == [(0, 0)] * 2
    assert not Reservation.objects.exclude(state=ReservationState.SOLD).exists()
    assert sum(StockMovement.objects.values_list("delta", flat=True)) == -20
    assert_sequences_have_no_holes()


def test_late_payments_and_new_orders_share_what_is_left() -> None:
    variant = make_variant(stock=10)
    late = [make_order((variant, 1)) for _ in range(10)]
    clock.move_offset(15 * 60 + 1)
    orders.expire_unpaid_orders()
    fresh = [placing(buy_now((variant, 1))) for _ in range(10)]
    answers = at_once([command for pair in zip(map(capturing, late), fresh, strict=True) for command in pair])
    settled = sum(isinstance(each, CaptureOutcome) and each.settled for each in answers)
    due = [each.refund_due for each in answers if isinstance(each, CaptureOutcome) and not each.settled]
    placed = sum(isinstance(each, Placement) for each in answers)
    assert settled + placed == 10
    assert due == [1000] * (10 - settled)
    assert sum(isinstance(each, OutOfStock) for each in answers) == 10 - placed
    assert stock(variant) == (10 - settled, placed)
    assert_sequences_have_no_holes()


def test_one_payment_told_twenty_times_at_once_sells_once() -> None:
    variant = make_variant(stock=5)
    order = make_order((variant, 2))
    answers = at_once([capturing(order)] * 20)
    assert Counter(answer.settled for answer in answers) == {True: 1, False: 19}
    assert sum(answer.refund_due for answer in answers) == 19 * order.total
    assert stock(variant) == (3, 0)
    assert Product.objects.get(pk=variant.product_id).sales_count == 2
    assert OutboxEvent.objects.filter(topic="order.paid").count() == 1
    assert_sequences_have_no_holes()


def test_payments_of_the_same_products_in_any_order_do_not_lock_each_other_out() -> None:
    variants = [make_product(stock=50).variants.get() for _ in range(4)]
    paid = [make_order(*[(each, 1) for each in variants[:: 1 if n % 2 else -1]]) for n in range(20)]
    answers = at_once([*map(capturing, paid), *[placing(buy_now((each, 1))) for each in variants * 5]])
    assert kinds(answers) == {"CaptureOutcome": 20, "Placement": 20}
    assert [stock(each) for each in variants] == [(30, 5)] * 4
    assert set(Product.objects.values_list("sales_count", flat=True)) == {20}
