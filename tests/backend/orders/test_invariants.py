"""Whatever is done in whatever order: units and money are never lost, and never made."""

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.catalog.models import ProductVariant
from backend.core import clock
from backend.inventory.errors import OutOfStock
from backend.inventory.models import Reservation, ReservationState, StockLevel, StockMovement
from backend.orders import services
from backend.orders.models import Order, OrderStatus
from tests.factories.catalog import make_variant
from tests.factories.orders import pay, place

pytestmark = pytest.mark.django_db
STOCK = 6
STEPS = st.one_of(
    st.tuples(st.just("place"), st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), min_size=1, max_size=3)),
    st.tuples(st.just("pay"), st.integers(0, 9)),
    st.tuples(st.just("refund"), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 16)),
)


class Story:
    def __init__(self) -> None:
        self.variants = [make_variant(stock=STOCK) for _ in range(2)]
        self.orders: list[Order] = []

    def place(self, lines: list[tuple[int, int]]) -> None:
        try:
            with transaction.atomic():
                self.orders.append(place(*[(self.variants[n], units) for n, units in lines]))
        except OutOfStock as refusal:
            wanted = {self.variants[n].pk: sum(units for m, units in lines if m == n) for n, _ in lines}
            for short in refusal.shortages:
                level = StockLevel.objects.get(variant_id=short.variant_id)
                assert short.available == level.on_hand - level.reserved < short.requested == wanted[short.variant_id]

    def pay(self, n: int) -> None:
        if self.orders:
            pay(self.orders[n % len(self.orders)])

    def refund(self, n: int) -> None:
        if self.orders:
            with transaction.atomic():
                order = services.lock_order(self.orders[n % len(self.orders)].pk)
                if order.paid > order.refunded:
                    services.apply_refund(order, amount=order.paid - order.refunded)

    def wait(self, minutes: int) -> None:
        clock.move_offset(minutes * 60)
        services.expire_unpaid_orders()

    def check(self, variant: ProductVariant) -> None:
        level = StockLevel.objects.get(variant=variant)
        units = {
            state: Reservation.objects.filter(stock_level=level, state=state).aggregate(n=Sum("quantity"))["n"] or 0
            for state in ReservationState.values
        }
        moved = StockMovement.objects.filter(stock_level=level).aggregate(n=Sum("delta"))["n"] or 0
        assert 0 <= level.reserved == units["HELD"] <= level.on_hand
        assert level.on_hand == STOCK - units["SOLD"] == STOCK + moved
        variant.product.refresh_from_db()
        assert variant.product.sales_count == units["SOLD"]


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=12))
def test_units_are_never_lost_and_never_sold_twice(steps: list[tuple[str, object]]) -> None:
    story = Story()
    for name, argument in steps:
        getattr(story, name)(argument)
    for variant in story.variants:
        story.check(variant)
    for order in Order.objects.filter(pk__in=[each.pk for each in story.orders]):
        held = set(order.reservations.values_list("state", flat=True))
        expected = {
            OrderStatus.PENDING_PAYMENT: {"HELD"},
            OrderStatus.PAID: {"SOLD"},
            OrderStatus.EXPIRED: {"RELEASED"},
        }
        assert held == expected[OrderStatus(order.status)]
        sequences = list(order.events.order_by("sequence").values_list("sequence", flat=True))
        assert sequences == list(range(1, order.last_sequence + 1))
