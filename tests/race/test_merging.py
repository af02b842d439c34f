"""Carts that are merged at the same instant, on the real database."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from backend.carts import services
from backend.carts.checking import NewLine
from backend.carts.errors import CartNotFound
from backend.carts.merging import Merge, merge_carts
from backend.carts.models import Cart, CartStatus
from backend.core.caller import GUEST, Caller
from backend.core.context import default_context
from backend.orders.models import Order
from backend.orders.services import Placement, PlaceOrder, place_order
from tests.factories.accounts import make_customer
from tests.factories.carts import make_cart
from tests.factories.catalog import make_variant
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def merging(caller: Caller, cart: Cart) -> Callable[[], Merge]:
    return lambda: merge_carts(caller=caller, cart_id=cart.pk)


def quantities(caller: Caller) -> dict[int, int]:
    cart = Cart.objects.get(customer_id=caller.user_id, status=CartStatus.OPEN)
    return dict(cart.lines.values_list("variant_id", "quantity"))


def kinds(answers: list[Any]) -> Counter[str]:
    return Counter(type(each).__name__ for each in answers)


@pytest.mark.parametrize("has_cart", [False, True])
def test_fifty_logins_with_the_same_cart_merge_it_once(has_cart: bool) -> None:
    variants, caller = [make_variant(stock=50) for _ in range(5)], make_customer()
    if has_cart:
        make_cart(*[(each, 1) for each in variants[:2]], caller=caller)
    guest = make_cart(*[(each, 2) for each in variants])
    answers = at_once([merging(caller, guest)] * 50)
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 49}
    own = 1 if has_cart else 0
    assert quantities(caller) == {each.pk: 2 + (own if n < 2 else 0) for n, each in enumerate(variants)}


def test_one_cart_goes_to_one_of_twenty_customers() -> None:
    variant = make_variant(stock=50)
    guest, callers = make_cart((variant, 2)), [make_customer() for _ in range(20)]
    for caller in callers[:10]:
        make_cart((variant, 1), caller=caller)
    answers = at_once([merging(caller, guest) for caller in callers])
    assert kinds(answers) == {"Merge": 1, "CartNotFound": 19}
    units = Cart.objects.filter(customer__isnull=False, status=CartStatus.OPEN).values_list("lines__quantity")
    assert sum(quantity for (quantity,) in units) == 12


def test_twenty_carts_of_one_customer_are_all_there() -> None:
    variant, caller = make_variant(stock=500), make_customer()
    guests = [make_cart((variant, 1)) for _ in range(20)]
    assert kinds(at_once([merging(caller, guest) for guest in guests])) == {"Merge": 20}
    assert quantities(caller) == {variant.pk: 20}


def test_adding_while_merging_is_in_before_or_refused() -> None:
    variant, caller = make_variant(stock=500), make_customer()
    make_cart((variant, 1), caller=caller)
    guest = make_cart((variant, 1))
    adding = [lambda: services.add_lines(caller=GUEST, cart_id=guest.pk, lines=[NewLine(variant.pk, 1)])] * 15
    answers = at_once([*adding[:8], merging(caller, guest), *adding[8:]])
    added = sum(isinstance(each, Cart) for each in answers)
    assert added + sum(isinstance(each, CartNotFound) for each in answers) == 15
    assert quantities(caller) == {variant.pk: 2 + added}


def test_adding_to_the_customers_cart_while_merging_loses_nothing() -> None:
    variant, caller = make_variant(stock=500), make_customer()
    account = make_cart((variant, 1), caller=caller)
    guests = [make_cart((variant, 1)) for _ in range(5)]
    adding = [lambda: services.add_lines(caller=caller, cart_id=account.pk, lines=[NewLine(variant.pk, 1)])] * 10
    merges = [merging(caller, each) for each in guests] * 2
    answers = at_once([command for pair in zip(adding, merges, strict=True) for command in pair])
    assert kinds(answers) == {"Cart": 10, "Merge": 10}
    assert quantities(caller) == {variant.pk: 16}


def test_twenty_first_carts_of_one_customer_are_one() -> None:
    variant, caller = make_variant(stock=500), make_customer()
    making = [lambda: services.create_cart(caller=caller, currency="USD", lines=[NewLine(variant.pk, 1)])] * 20
    answers = at_once(making)
    assert len({cart.pk for cart in answers}) == 1
    assert quantities(caller) == {variant.pk: 20}


def test_a_cart_that_is_ordered_while_it_is_merged_is_one_or_the_other() -> None:
    variant, caller = make_variant(stock=500), make_customer()
    make_cart((variant, 1), caller=caller)
    guest = make_cart((variant, 2))
    request = PlaceOrder(idempotency_key="k", cart_id=guest.pk)
    placing = lambda: place_order(caller=GUEST, shop=default_context(), request=request)  # noqa: E731
    answers = at_once([merging(caller, guest), placing] * 5)
    ordered = any(isinstance(each, Placement) for each in answers)
    assert quantities(caller) == {variant.pk: 1 if ordered else 3}
    assert Order.objects.count() == int(ordered)
