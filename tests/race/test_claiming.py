"""Orders that are claimed at the same instant, on the real database."""

from collections.abc import Callable

import pytest
from django.db import transaction

from backend.core import clock
from backend.orders import services
from backend.orders.models import Order, OrderStatus
from tests.factories.accounts import make_customer
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def paying(order: Order) -> Callable[[], object]:
    def pay() -> object:
        with transaction.atomic():
            locked = services.lock_order(order.pk)
            return services.apply_capture(locked, amount=locked.total)

    return pay


def test_orders_that_are_paid_while_they_are_claimed_are_both() -> None:
    variant = make_variant(stock=50)
    placed = [make_order((variant, 1), email="ada@example.com") for _ in range(10)]
    caller = make_customer(email="ada@example.com", email_verified_at=clock.now())
    claims = [lambda: services.claim_orders(caller=caller)] * 10
    answers = at_once([command for pair in zip(claims, map(paying, placed), strict=True) for command in pair])
    assert sum(answer for answer in answers if isinstance(answer, int)) == 10
    assert set(Order.objects.values_list("status", "customer_id")) == {(OrderStatus.PAID, caller.user_id)}
