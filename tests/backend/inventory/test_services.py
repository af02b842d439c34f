from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from backend.inventory import services
from backend.inventory.errors import OutOfStock
from backend.inventory.models import Reservation, ReservationState, StockLevel, StockMovement
from backend.orders.models import Order
from tests.factories.catalog import make_product, make_stock, make_variant
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def an_order() -> Order:
    """A row to hold stock for; its own variant plays no part."""
    return make_order()


def numbers(*levels: StockLevel) -> list[tuple[int, int]]:
    """(on hand, reserved) of each level."""
    for level in levels:
        level.refresh_from_db()
    return [(level.on_hand, level.reserved) for level in levels]


def test_units_are_held_and_stay_on_hand() -> None:
    variant = make_variant(stock=5)
    services.reserve(order_id=an_order().pk, wanted={variant.pk: 3})
    assert numbers(variant.stock_levels.get()) == [(5, 3)]


def test_every_short_variant_is_named_and_nothing_is_held() -> None:
    order = an_order()
    plenty, few, none = make_variant(stock=9), make_variant(stock=2), make_variant(stock=0)
    unknown = 10**9
    with pytest.raises(OutOfStock) as refusal:
        services.reserve(order_id=order.pk, wanted={plenty.pk: 1, few.pk: 3, none.pk: 1, unknown: 1})
    shortages = {each.variant_id: (each.requested, each.available) for each in refusal.value.shortages}
    assert shortages == {few.pk: (3, 2), none.pk: (1, 0), unknown: (1, 0)}
    assert [part.code for part in refusal.value.parts] == ["OUT_OF_STOCK"] * 3
    levels = [each.stock_levels.get() for each in (plenty, few, none)]
    assert numbers(*levels) == [(9, 0), (2, 0), (0, 0)]
    assert not Reservation.objects.filter(stock_level__in=levels).exists()


def test_units_are_gathered_from_several_locations() -> None:
    variant = make_variant(stock=2)
    second = make_stock(variant, on_hand=4, reserved=1, location="Second warehouse")
    first = variant.stock_levels.exclude(pk=second.pk).get()
    services.reserve(order_id=an_order().pk, wanted={variant.pk: 5})
    assert numbers(first, second) == [(2, 2), (4, 4)]
    with pytest.raises(OutOfStock) as refusal:
        services.reserve(order_id=an_order().pk, wanted={variant.pk: 1})
    assert refusal.value.shortages[0].available == 0


def test_a_variant_that_may_run_short_takes_what_is_there() -> None:
    variant = make_variant(stock=2)
    order = an_order()
    services.reserve(order_id=order.pk, wanted={variant.pk: 5}, may_run_short={variant.pk})
    assert numbers(variant.stock_levels.get()) == [(2, 2)]
    services.sell(order_id=order.pk)
    assert numbers(variant.stock_levels.get()) == [(0, 0)]


def test_released_units_are_free_again_and_only_once() -> None:
    variant, order = make_variant(stock=5), an_order()
    other = an_order()
    services.reserve(order_id=order.pk, wanted={variant.pk: 3})
    services.reserve(order_id=other.pk, wanted={variant.pk: 2})
    services.release(order_ids=[order.pk])
    services.release(order_ids=[order.pk])
    assert numbers(variant.stock_levels.get()) == [(5, 2)]
    states = order.reservations.filter(stock_level__variant=variant).values_list("state", flat=True)
    assert list(states) == [ReservationState.RELEASED]


def test_sold_units_are_gone_once_and_leave_a_movement() -> None:
    variant, order = make_variant(stock=5), an_order()
    services.reserve(order_id=order.pk, wanted={variant.pk: 3})
    services.sell(order_id=order.pk)
    services.sell(order_id=order.pk)
    services.release(order_ids=[order.pk])
    assert numbers(variant.stock_levels.get()) == [(2, 0)]
    moved = StockMovement.objects.filter(stock_level__variant=variant).values_list("delta", "reason", "order_id")
    assert list(moved) == [(-3, "sold", order.pk)]


def test_holding_again_replaces_the_released_hold() -> None:
    variant, order = make_variant(stock=5), an_order()
    services.reserve(order_id=order.pk, wanted={variant.pk: 3})
    services.release(order_ids=[order.pk])
    services.reserve_again(order_id=order.pk, wanted={variant.pk: 3})
    assert numbers(variant.stock_levels.get()) == [(5, 3)]


def test_holding_again_in_vain_changes_nothing() -> None:
    variant, order = make_variant(stock=3), an_order()
    services.reserve(order_id=order.pk, wanted={variant.pk: 3})
    services.release(order_ids=[order.pk])
    services.reserve(order_id=an_order().pk, wanted={variant.pk: 2})
    before = list(Reservation.objects.order_by("pk").values())
    with pytest.raises(OutOfStock):
        services.reserve_again(order_id=order.pk, wanted={variant.pk: 3})
    assert list(Reservation.objects.order_by("pk").values()) == before
    assert numbers(variant.stock_levels.get()) == [(3, 2)]


@pytest.mark.parametrize("change", [{"on_hand": -1}, {"reserved": -1}, {"reserved": 11}, {"on_hand": 1}])
def test_the_database_refuses_impossible_numbers(change: dict[str, int]) -> None:
    variant = make_variant(stock=10, reserved=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        StockLevel.objects.filter(variant=variant).update(**change)
    assert numbers(variant.stock_levels.get()) == [(10, 2)]


def test_nothing_wanted_holds_nothing() -> None:
    services.reserve(order_id=uuid4(), wanted={})
    assert not Reservation.objects.exists()


def test_counting_stock_never_takes_away_what_orders_hold() -> None:
    held, free = make_variant(stock=5, reserved=3), make_variant(stock=5)
    location = services.default_location()
    changed = services.set_on_hand(quantities={held.pk: 1, free.pk: 7}, location=location, reason="counted")
    assert changed == 2
    assert numbers(held.stock_levels.get(), free.stock_levels.get()) == [(3, 3), (7, 0)]
    deltas = StockMovement.objects.filter(reason="counted").order_by("stock_level").values_list("delta", flat=True)
    assert list(deltas) == [-2, 2]


def test_counting_the_same_again_changes_nothing() -> None:
    variant = make_product(stock=5).variants.get()
    location = services.default_location()
    assert services.set_on_hand(quantities={variant.pk: 5}, location=location, reason="counted") == 0
    assert not StockMovement.objects.filter(stock_level__variant=variant).exists()


@pytest.mark.parametrize("count", [1, 20])
def test_holding_and_selling_take_the_same_number_of_statements_for_any_number_of_variants(
    count: int, django_assert_num_queries: object
) -> None:
    variants = [make_variant(stock=5) for _ in range(count)]
    order = an_order()
    with django_assert_num_queries(2):  # type: ignore[operator]
        services.reserve(order_id=order.pk, wanted={each.pk: 1 for each in variants})
    Reservation.objects.filter(order=order).exclude(stock_level__variant__in=variants).delete()
    with django_assert_num_queries(5):  # type: ignore[operator]
        services.sell(order_id=order.pk)
