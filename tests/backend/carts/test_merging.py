from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.carts import merging, services
from backend.carts.access import access_cart, own_carts
from backend.carts.checking import NewLine
from backend.carts.errors import CartNotFound
from backend.carts.merging import MergeOutcome, merge_carts
from backend.carts.models import Cart, CartStatus
from backend.catalog.models import Product, ProductStatus, ProductVariant, StockPolicy
from backend.core import clock
from backend.core.caller import GUEST, Caller
from backend.core.context import default_context
from backend.core.errors import NotFound
from backend.inventory.models import Reservation, StockLevel
from backend.orders.services import PlaceOrder, place_order
from tests.factories.accounts import make_customer
from tests.factories.carts import ADDRESS, make_cart, row_of
from tests.factories.catalog import make_product, make_stock, make_variant, set_prices

pytestmark = pytest.mark.django_db
Became = MergeOutcome


def quantities(cart: Cart | None) -> dict[int, int]:
    assert cart is not None
    return dict(cart.lines.order_by("pk").values_list("variant_id", "quantity"))


def told(merge: merging.Merge) -> list[tuple[Any, ...]]:
    return [(line.variant_id, line.outcome, line.guest, line.account, line.final) for line in merge.lines]


# Without a cart of their own ----------------------------------------------------------------------


def test_the_guests_cart_becomes_the_customers_under_its_id() -> None:
    variant, caller = make_variant(), make_customer()
    guest = make_cart((variant, 2))
    merge = merge_carts(caller=caller, cart_id=guest.pk)
    assert (merge.cart, merge.replayed) == (guest, False)
    assert told(merge) == [(variant.pk, Became.MOVED, 2, 0, 2)]
    assert access_cart(caller=caller, cart_id=guest.pk).shipping_address == ADDRESS.as_json()
    with pytest.raises(CartNotFound):
        access_cart(caller=GUEST, cart_id=guest.pk)


def test_an_expired_cart_of_the_customer_makes_room() -> None:
    variant, caller = make_variant(), make_customer()
    old = make_cart((variant, 2), caller=caller)
    clock.move_offset(31 * 86400)
    guest = make_cart((variant, 1))
    assert quantities(merge_carts(caller=caller, cart_id=guest.pk).cart) == {variant.pk: 1}
    assert not Cart.objects.filter(pk=old.pk).exists()


# With one -----------------------------------------------------------------------------------------


def test_quantities_add_up_and_each_line_is_told() -> None:
    both, new, caller = make_variant(), make_variant(), make_customer()
    account = make_cart((both, 1), caller=caller)
    guest = make_cart((new, 3), (both, 2))
    merge = merge_carts(caller=caller, cart_id=guest.pk)
    assert told(merge) == [(new.pk, Became.MOVED, 3, 0, 3), (both.pk, Became.SUMMED, 2, 1, 3)]
    assert merge.cart == account
    assert quantities(account) == {both.pk: 3, new.pk: 3}
    account.refresh_from_db()
    guest.refresh_from_db()
    assert (guest.status, guest.customer_id, account.version) == (CartStatus.MERGED, caller.user_id, 3)
    assert quantities(guest) == {new.pk: 3, both.pk: 2}  # closed, not emptied


def test_the_variants_limit_and_the_stock_clip() -> None:
    few = make_variant(stock=3)
    limited = make_variant(make_product(variants=0), max_per_order=4)
    ordered_in = make_variant(make_product(variants=0), stock=1, stock_policy=StockPolicy.BACKORDER)
    caller = make_customer()
    make_cart((few, 2), (limited, 3), (ordered_in, 2), caller=caller)
    guest = make_cart((few, 3), (limited, 3), (ordered_in, 2))
    assert told(merge_carts(caller=caller, cart_id=guest.pk)) == [
        (few.pk, Became.CLIPPED_TO_STOCK, 3, 2, 3),
        (limited.pk, Became.CLIPPED_TO_LIMIT, 3, 3, 4),
        (ordered_in.pk, Became.SUMMED, 2, 2, 4),
    ]
    assert not Reservation.objects.exists()


def test_a_clip_by_a_guest_alone_is_told_too() -> None:
    variant = make_variant(stock=5)
    guest = make_cart((variant, 5))
    make_stock(variant, on_hand=2)
    merge = merge_carts(caller=make_customer(), cart_id=guest.pk)
    assert told(merge) == [(variant.pk, Became.CLIPPED_TO_STOCK, 5, 0, 2)]
    assert quantities(merge.cart) == {variant.pk: 2}


def test_what_cannot_be_had_is_refused_and_the_customers_own_line_stays() -> None:
    gone, archived, foreign = make_variant(), make_variant(), make_variant(prices={"EUR": 900})
    caller = make_customer()
    account = make_cart((gone, 1), caller=caller)
    guest = make_cart((gone, 2), (archived, 1))
    euros = make_cart((foreign, 1), currency="EUR")
    make_stock(gone, on_hand=0)
    Product.objects.filter(pk=archived.product_id).update(status=ProductStatus.ARCHIVED)
    assert told(merge_carts(caller=caller, cart_id=guest.pk)) == [
        (gone.pk, Became.REFUSED_UNAVAILABLE, 2, 1, 1),
        (archived.pk, Became.REFUSED_UNAVAILABLE, 1, 0, 0),
    ]
    assert told(merge_carts(caller=caller, cart_id=euros.pk)) == [(foreign.pk, Became.REFUSED_UNAVAILABLE, 1, 0, 0)]
    assert quantities(account) == {gone.pk: 1}


def test_an_empty_cart_of_the_customer_takes_the_guests_currency() -> None:
    variant, caller = make_variant(prices={"EUR": 900}), make_customer()
    account = make_cart(caller=caller, shipping=None)
    merge = merge_carts(caller=caller, cart_id=make_cart((variant, 2), currency="EUR").pk)
    account.refresh_from_db()
    assert (account.currency, told(merge)) == ("EUR", [(variant.pk, Became.MOVED, 2, 0, 2)])


def test_lines_are_priced_today_in_the_customers_currency() -> None:
    mug, pen, caller = make_variant(), make_variant(), make_customer()
    account = make_cart((pen, 1), caller=caller, currency="EUR")
    merge_carts(caller=caller, cart_id=make_cart((mug, 1)).pk)
    set_prices(pen, {"EUR": 950})
    assert dict(account.lines.values_list("variant_id", "seen_price")) == {mug.pk: 900, pen.pk: 900}


def test_a_cart_with_as_many_lines_as_there_may_be_takes_no_more(settings: Any) -> None:
    variants, caller = [make_variant() for _ in range(4)], make_customer()
    account = make_cart((variants[0], 1), (variants[1], 1), caller=caller)
    guest = make_cart(*[(each, 1) for each in variants])
    settings.CART_MAX_LINES = 3
    assert [outcome for _, outcome, *_ in told(merge_carts(caller=caller, cart_id=guest.pk))] == [
        Became.SUMMED,
        Became.SUMMED,
        Became.MOVED,
        Became.CLIPPED_TO_LIMIT,
    ]
    assert quantities(account) == {variants[0].pk: 2, variants[1].pk: 2, variants[2].pk: 1}


def test_what_the_customer_has_told_stays_and_gaps_are_filled() -> None:
    caller = make_customer()
    account = make_cart(caller=caller, email="account@example.com", shipping=None)
    guest = make_cart(email="guest@example.com")
    services.update_buyer(caller=GUEST, cart_id=guest.pk, note="Ring twice.")
    merge_carts(caller=caller, cart_id=guest.pk)
    account.refresh_from_db()
    assert (account.email, account.note, account.shipping_address) == (
        "account@example.com",
        "Ring twice.",
        ADDRESS.as_json(),
    )


# Again, and by others -----------------------------------------------------------------------------


@pytest.mark.parametrize("has_cart", [False, True])
def test_merging_again_changes_nothing_and_tells_the_same(has_cart: bool) -> None:
    variant, caller = make_variant(), make_customer()
    if has_cart:
        make_cart((variant, 1), caller=caller)
    guest = make_cart((variant, 2))
    first = merge_carts(caller=caller, cart_id=guest.pk)
    assert first.cart is not None
    before = row_of(first.cart), row_of(guest)
    again = merge_carts(caller=caller, cart_id=guest.pk)
    assert (again.replayed, told(again), again.cart) == (True, told(first), first.cart)
    assert (row_of(first.cart), row_of(guest)) == before


def test_merging_again_after_the_order_finds_no_cart_and_makes_none() -> None:
    variant, caller = make_variant(), make_customer()
    account, guest = make_cart((variant, 1), caller=caller), make_cart((variant, 2))
    merge_carts(caller=caller, cart_id=guest.pk)
    request = PlaceOrder(idempotency_key=str(uuid4()), cart_id=account.pk)
    place_order(caller=caller, shop=default_context(), request=request)
    again = merge_carts(caller=caller, cart_id=guest.pk)
    assert (again.replayed, again.cart, len(again.lines)) == (True, None, 1)
    with pytest.raises(CartNotFound):
        merge_carts(caller=caller, cart_id=account.pk)
    assert not own_carts(caller).exists()


def test_ones_own_cart_has_nothing_to_merge() -> None:
    caller = make_customer()
    account = make_cart((make_variant(), 1), caller=caller)
    before = row_of(account)
    merge = merge_carts(caller=caller, cart_id=account.pk)
    assert (merge.cart, merge.lines, merge.replayed) == (account, [], False)
    assert row_of(account) == before


def of_another_customer() -> Cart:
    return make_cart((make_variant(), 1), caller=make_customer())


def merged_by_another_customer() -> Cart:
    cart = make_cart((make_variant(), 1))
    merge_carts(caller=make_customer(), cart_id=cart.pk)
    return cart


def ordered() -> Cart:
    cart = make_cart((make_variant(), 1))
    request = PlaceOrder(idempotency_key=str(uuid4()), cart_id=cart.pk)
    place_order(caller=GUEST, shop=default_context(), request=request)
    return cart


def expired() -> Cart:
    cart = make_cart((make_variant(), 1))
    Cart.objects.filter(pk=cart.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    return cart


@pytest.mark.parametrize("make", [of_another_customer, merged_by_another_customer, ordered, expired])
def test_a_cart_that_is_not_a_guests_open_one_is_never_taken(make: Any) -> None:
    cart, caller = make(), make_customer()
    own = make_cart((make_variant(), 1), caller=caller)
    before = row_of(cart), row_of(own)
    with pytest.raises(CartNotFound) as refusal:
        merge_carts(caller=caller, cart_id=cart.pk)
    assert refusal.value.field == ["cartId"]
    assert (row_of(cart), row_of(own)) == before


def test_guests_and_deleted_accounts_merge_nothing() -> None:
    cart = make_cart((make_variant(), 1))
    before = row_of(cart)
    for caller in (GUEST, Caller(user_id=10**9)):
        with pytest.raises(NotFound):
            merge_carts(caller=caller, cart_id=cart.pk)
    assert row_of(cart) == before


# A cart of one's own ------------------------------------------------------------------------------


def test_a_cart_made_while_signed_in_belongs_to_the_customer_who_has_one() -> None:
    mug, pen, caller = make_variant(), make_variant(), make_customer()
    cart = make_cart((mug, 1), caller=caller)
    again = services.create_cart(
        caller=caller, default_currency="EUR", lines=[NewLine(mug.pk, 2), NewLine(pen.pk, 1)], email="b@example.com"
    )
    assert (again, again.currency, again.email, again.version) == (cart, "USD", "b@example.com", 3)
    assert quantities(cart) == {mug.pk: 3, pen.pk: 1}


def test_a_cart_in_another_currency_is_refused_unless_it_is_empty() -> None:
    variant, caller = make_variant(), make_customer()
    cart = make_cart(caller=caller, shipping=None)
    made = services.create_cart(caller=caller, currency="EUR", lines=[NewLine(variant.pk, 1)])
    assert (made, made.currency) == (cart, "EUR")
    before = row_of(cart)
    with pytest.raises(services.CurrencyMismatch) as refusal:
        services.create_cart(caller=caller, currency="USD", lines=[NewLine(variant.pk, 1)])
    assert refusal.value.field == ["currency"]
    assert row_of(cart) == before


def test_merged_carts_are_deleted_when_their_time_is_over() -> None:
    variant, caller = make_variant(), make_customer()
    make_cart((variant, 1), caller=caller)
    guest = make_cart((variant, 1))
    merge_carts(caller=caller, cart_id=guest.pk)
    clock.move_offset(31 * 86400)
    assert services.delete_expired_carts() == 2
    assert not Cart.objects.exists()


# Whatever there is --------------------------------------------------------------------------------

LINE = st.tuples(
    st.integers(0, 12),  # the guest's units
    st.integers(0, 12),  # the customer's
    st.integers(0, 15),  # in stock by the time of the merge
    st.sampled_from([None, 1, 5]),  # the variant's own limit
    st.booleans(),  # still on sale
    st.sampled_from(StockPolicy.values),
)


def _variant(limit: int | None, policy: str) -> ProductVariant:
    return make_variant(make_product(variants=0), stock=100, stock_policy=policy, max_per_order=limit)


@settings(max_examples=30, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=4), st.booleans())
def test_no_unit_is_lost_untold_and_none_is_beyond_limit_or_stock(
    given_lines: list[tuple[int, int, int, int | None, bool, str]], has_cart: bool
) -> None:
    caller, rows = make_customer(), []
    for guest_units, account_units, left, limit, sold, policy in given_lines:
        most = limit or 12
        units = (min(guest_units, most), min(account_units, most) if has_cart else 0)
        rows.append((_variant(limit, policy), *units, left, sold))
    account = make_cart(*[(row[0], row[2]) for row in rows if row[2]], caller=caller) if has_cart else None
    guest = make_cart(*[(row[0], row[1]) for row in rows if row[1]])
    for variant, _, _, left, sold in rows:
        StockLevel.objects.filter(variant=variant).update(on_hand=left)
        if not sold:
            Product.objects.filter(pk=variant.product_id).update(status=ProductStatus.ARCHIVED)
    merge = merge_carts(caller=caller, cart_id=guest.pk)
    final = quantities(merge.cart)
    by_variant = {line.variant_id: line for line in merge.lines}
    assert set(by_variant) == {row[0].pk for row in rows if row[1]}
    assert merge.cart == (account or guest)
    for variant, guest_units, account_units, left, sold in rows:
        now = final.get(variant.pk, 0)
        line = by_variant.get(variant.pk)
        if line is None:
            assert now == account_units
            continue
        assert (line.guest, line.account, line.final) == (guest_units, account_units, now)
        bounds = [variant.max_per_order or 10**6, left if variant.stock_policy == StockPolicy.DENY else 10**6]
        if not sold or not min(bounds):
            assert (line.outcome, now) == (Became.REFUSED_UNAVAILABLE, account_units)
            continue
        assert now == min(guest_units + account_units, *bounds)
        assert (now < guest_units + account_units) == line.outcome.startswith("CLIPPED")
    again = merge_carts(caller=caller, cart_id=guest.pk)
    assert (again.replayed, told(again), quantities(again.cart)) == (True, told(merge), final)
