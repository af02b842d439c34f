from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from backend.accounts.models import User
from backend.carts import services
from backend.carts.access import access_cart
from backend.carts.checking import NewLine
from backend.carts.errors import (
    CartNotFound,
    CartVersionConflict,
    LineNotFound,
    NotPurchasable,
    QuantityLimit,
    VariantNotFound,
)
from backend.carts.models import Cart, CartLine
from backend.carts.queries import find_cart, view_cart, view_carts
from backend.carts.services import LineQuantity
from backend.catalog.models import Product, ProductStatus, ProductVariant, StockPolicy
from backend.core import clock, schedule
from backend.core.addresses import Address
from backend.core.caller import GUEST, Caller
from backend.core.errors import CurrencyMismatch, DomainError, Invalid, Required
from backend.core.models import OutboxEvent
from backend.inventory.errors import NotEnoughStock
from backend.inventory.models import Reservation, StockLevel
from backend.vendors.models import Vendor, VendorStatus
from tests.factories.carts import ADDRESS, make_cart, row_of
from tests.factories.catalog import make_product, make_variant, set_prices

pytestmark = pytest.mark.django_db


def add(cart: Cart, *lines: tuple[int | None, int], **more: Any) -> Cart:
    new = [NewLine(variant_id, quantity) for variant_id, quantity in lines]
    return services.add_lines(caller=GUEST, cart_id=cart.pk, lines=new, **more)


def quantities(cart: Cart) -> dict[int, int]:
    return dict(cart.lines.order_by("pk").values_list("variant_id", "quantity"))


def refused(cart: Cart, error: type[DomainError], command: Callable[[], object]) -> DomainError:
    """Run a command that must be refused with exactly this one error, and leave the cart as it was."""
    before = row_of(cart)
    with pytest.raises(error) as refusal:
        command()
    assert len(refusal.value.parts) == 1
    assert row_of(cart) == before
    assert not OutboxEvent.objects.exists()
    return refusal.value


# Creating and adding ------------------------------------------------------------------------------


def test_a_new_cart_is_open_for_thirty_days() -> None:
    cart = services.create_cart(caller=GUEST, currency="EUR", email=" ada@example.com ")
    cart.refresh_from_db()
    assert (cart.currency, cart.email, cart.version, cart.customer_id) == ("EUR", "ada@example.com", 1, None)
    assert cart.expires_at - cart.created_at == timedelta(days=30)


def test_a_cart_in_a_currency_without_prices_is_refused() -> None:
    with pytest.raises(CurrencyMismatch) as refusal:
        services.create_cart(caller=GUEST, currency="JPY")
    assert refusal.value.field == ["currency"]
    assert not Cart.objects.exists()


def test_a_new_cart_with_a_line_that_cannot_be_had_is_not_made() -> None:
    variant = make_variant()
    with pytest.raises(VariantNotFound) as refusal:
        make_cart((variant, 1), (ProductVariant(pk=10**9), 1))
    assert refusal.value.field == ["lines", "1", "variantId"]
    assert not Cart.objects.exists()


def test_lines_of_the_same_variant_are_one_line() -> None:
    first, second = make_variant(), make_variant()
    cart = make_cart((first, 1))
    add(cart, (first.pk, 2), (second.pk, 1), (first.pk, 3))
    assert quantities(cart) == {first.pk: 6, second.pk: 1}


def test_adding_holds_no_stock() -> None:
    variant = make_variant(stock=5)
    make_cart((variant, 5))
    level = StockLevel.objects.get(variant=variant)
    assert (level.on_hand, level.reserved) == (5, 0)
    assert not Reservation.objects.exists()


def test_every_write_raises_the_version_and_renews_the_thirty_days() -> None:
    variant = make_variant()
    cart = make_cart(shipping=None)
    writes: list[Callable[[], Cart]] = [
        lambda: add(cart, (variant.pk, 1)),
        lambda: services.update_buyer(caller=GUEST, cart_id=cart.pk, phone="1"),
        lambda: services.update_addresses(caller=GUEST, cart_id=cart.pk, shipping=ADDRESS),
        lambda: services.update_lines(caller=GUEST, cart_id=cart.pk, lines=[LineQuantity(cart.lines.get().pk, 2)]),
        lambda: services.remove_lines(caller=GUEST, cart_id=cart.pk, line_ids=[cart.lines.get().pk]),
        lambda: services.clear(caller=GUEST, cart_id=cart.pk),
    ]
    for number, write in enumerate(writes):
        clock.move_offset(60)
        changed = write()
        assert changed.version == 2 + number
        assert changed.expires_at - clock.now() > timedelta(days=29, hours=23)
    cart.refresh_from_db()
    assert cart.version == 1 + len(writes)


# Refused lines ------------------------------------------------------------------------------------


def unpublished() -> ProductVariant:
    return make_product(status=ProductStatus.DRAFT).variants.get()


def archived() -> ProductVariant:
    return make_product(status=ProductStatus.ARCHIVED).variants.get()


def published_tomorrow() -> ProductVariant:
    return make_product(published_at=clock.now() + timedelta(days=1)).variants.get()


def of_a_deleted_product() -> ProductVariant:
    return make_product(deleted_at=clock.now()).variants.get()


def deleted() -> ProductVariant:
    return make_variant(deleted_at=clock.now())


def of_a_suspended_vendor() -> ProductVariant:
    vendor = Vendor.objects.create(name="V", slug="v", status=VendorStatus.SUSPENDED)
    return make_product(vendor=vendor).variants.get()


def without_a_price_in_the_currency() -> ProductVariant:
    return make_product(prices={"EUR": 100}).variants.get()


@pytest.mark.parametrize(
    "make",
    [
        unpublished,
        archived,
        published_tomorrow,
        of_a_deleted_product,
        deleted,
        of_a_suspended_vendor,
        without_a_price_in_the_currency,
    ],
)
def test_what_is_not_on_sale_cannot_be_added(make: Callable[[], ProductVariant]) -> None:
    good, bad, cart = make_variant(), make(), make_cart()
    refusal = refused(cart, NotPurchasable, lambda: add(cart, (good.pk, 1), (bad.pk, 1)))
    assert refusal.field == ["lines", "1", "variantId"]


@pytest.mark.parametrize("variant_id", [None, 10**9])
def test_an_unknown_variant_is_not_found(variant_id: int | None) -> None:
    cart = make_cart()
    refusal = refused(cart, VariantNotFound, lambda: add(cart, (variant_id, 1)))
    assert refusal.field == ["lines", "0", "variantId"]


@pytest.mark.parametrize("quantity", [0, -1, -(2**31)])
def test_a_quantity_below_one_cannot_be_added(quantity: int) -> None:
    variant, cart = make_variant(), make_cart()
    refusal = refused(cart, Invalid, lambda: add(cart, (variant.pk, quantity)))
    assert refusal.field == ["lines", "0", "quantity"]


@pytest.mark.parametrize("quantity", [1000, 2**31 - 1])
def test_more_than_the_shop_sells_at_once_is_refused(quantity: int) -> None:
    variant, cart = make_variant(stock=2_000), make_cart()
    refusal = refused(cart, QuantityLimit, lambda: add(cart, (variant.pk, quantity)))
    assert refusal.field == ["lines", "0", "quantity"]


def test_a_variants_own_limit_counts_what_is_in_the_cart() -> None:
    variant = make_variant(max_per_order=3)
    cart = make_cart((variant, 2))
    refused(cart, QuantityLimit, lambda: add(cart, (variant.pk, 2)))
    add(cart, (variant.pk, 1))
    assert quantities(cart) == {variant.pk: 3}


def test_more_than_is_in_stock_is_refused_and_nothing_is_clipped() -> None:
    variant = make_variant(stock=5, reserved=2)
    cart = make_cart((variant, 1))
    refusal = refused(cart, NotEnoughStock, lambda: add(cart, (variant.pk, 3)))
    assert refusal.field == ["lines", "0", "quantity"]
    assert refusal.message == "4 were asked for, 3 are left."
    add(cart, (variant.pk, 2))
    assert quantities(cart) == {variant.pk: 3}


@pytest.mark.parametrize("policy", [StockPolicy.BACKORDER, StockPolicy.PREORDER])
def test_what_may_run_short_can_be_added_without_stock(policy: StockPolicy) -> None:
    variant = make_variant(stock=0, stock_policy=policy)
    assert quantities(make_cart((variant, 7))) == {variant.pk: 7}


def test_a_cart_has_a_limit_of_lines(settings: Any) -> None:
    settings.CART_MAX_LINES = 2
    variants = [make_variant() for _ in range(3)]
    cart = make_cart((variants[0], 1), (variants[1], 1))
    refusal = refused(cart, QuantityLimit, lambda: add(cart, (variants[2].pk, 1)))
    assert refusal.field == ["lines"]
    add(cart, (variants[0].pk, 1))
    assert quantities(cart) == {variants[0].pk: 2, variants[1].pk: 1}


def test_a_request_with_more_lines_than_a_cart_has_is_refused(settings: Any) -> None:
    settings.CART_MAX_LINES = 2
    variant, cart = make_variant(), make_cart()
    refused(cart, QuantityLimit, lambda: add(cart, *[(variant.pk, 1)] * 3))


def test_no_lines_at_all_are_refused() -> None:
    cart = make_cart((make_variant(), 1))
    refused(cart, Required, lambda: add(cart))
    refused(cart, Required, lambda: services.update_lines(caller=GUEST, cart_id=cart.pk, lines=[]))
    refused(cart, Required, lambda: services.remove_lines(caller=GUEST, cart_id=cart.pk, line_ids=[]))


# Updating and removing ----------------------------------------------------------------------------


def update(cart: Cart, *lines: tuple[int | None, int], **more: Any) -> Cart:
    sent = [LineQuantity(line_id, quantity) for line_id, quantity in lines]
    return services.update_lines(caller=GUEST, cart_id=cart.pk, lines=sent, **more)


def test_quantities_are_set_and_zero_removes() -> None:
    first, second = make_variant(), make_variant()
    cart = make_cart((first, 1), (second, 2))
    one, two = cart.lines.order_by("pk")
    update(cart, (two.pk, 5), (one.pk, 0))
    assert quantities(cart) == {second.pk: 5}


def test_a_line_of_another_cart_cannot_be_touched() -> None:
    variant = make_variant()
    cart, other = make_cart((variant, 1)), make_cart((variant, 2))
    theirs = other.lines.get().pk
    for refusal in (
        refused(cart, LineNotFound, lambda: update(cart, (theirs, 5))),
        refused(cart, LineNotFound, lambda: update(cart, (None, 5))),
    ):
        assert refusal.field == ["lines", "0", "id"]
    removal = refused(
        cart, LineNotFound, lambda: services.remove_lines(caller=GUEST, cart_id=cart.pk, line_ids=[theirs])
    )
    assert removal.field == ["lineIds", "0"]
    assert quantities(other) == {variant.pk: 2}


def test_a_refused_line_spares_the_others_in_the_same_update() -> None:
    first, second = make_variant(stock=5), make_variant(stock=5)
    cart = make_cart((first, 1), (second, 2))
    one, two = cart.lines.order_by("pk")
    refusal = refused(cart, NotEnoughStock, lambda: update(cart, (one.pk, 0), (two.pk, 6)))
    assert refusal.field == ["lines", "1", "quantity"]


def test_odd_updates_are_refused() -> None:
    cart = make_cart((make_variant(), 1))
    line = cart.lines.get()
    assert refused(cart, Invalid, lambda: update(cart, (line.pk, -1))).field == ["lines", "0", "quantity"]
    assert refused(cart, Invalid, lambda: update(cart, (line.pk, 1), (line.pk, 2))).field == ["lines", "1", "id"]
    assert refused(cart, QuantityLimit, lambda: update(cart, (line.pk, 2**31 - 1))).field[-1] == "quantity"


def test_a_line_that_is_no_longer_sold_can_only_be_removed() -> None:
    variant = make_variant()
    cart = make_cart((variant, 2))
    Product.objects.filter(pk=variant.product_id).update(status=ProductStatus.ARCHIVED)
    line = cart.lines.get()
    refused(cart, NotPurchasable, lambda: update(cart, (line.pk, 1)))
    update(cart, (line.pk, 0))
    assert quantities(cart) == {}


def test_removing_a_line_twice_is_refused_the_second_time() -> None:
    first, second = make_variant(), make_variant()
    cart = make_cart((first, 1), (second, 1))
    line = cart.lines.get(variant=first)
    services.remove_lines(caller=GUEST, cart_id=cart.pk, line_ids=[line.pk])
    refused(cart, LineNotFound, lambda: services.remove_lines(caller=GUEST, cart_id=cart.pk, line_ids=[line.pk]))
    assert quantities(cart) == {second.pk: 1}


def test_a_cleared_cart_keeps_its_buyer() -> None:
    cart = make_cart((make_variant(), 1))
    services.clear(caller=GUEST, cart_id=cart.pk)
    cart.refresh_from_db()
    assert quantities(cart) == {}
    assert cart.email == "ada@example.com"
    assert cart.shipping_address["city"] == "London"


# The buyer ----------------------------------------------------------------------------------------


def test_what_is_not_sent_of_the_buyer_stays_and_none_empties() -> None:
    cart = make_cart()
    services.update_buyer(
        caller=GUEST, cart_id=cart.pk, phone=" 123 ", note="Ring twice.\nThen wait. \N{WAVING HAND SIGN}"
    )
    cart.refresh_from_db()
    assert (cart.email, cart.phone) == ("ada@example.com", "123")
    assert cart.note == "Ring twice.\nThen wait. \N{WAVING HAND SIGN}"
    services.update_buyer(caller=GUEST, cart_id=cart.pk, email=None, note="")
    cart.refresh_from_db()
    assert (cart.email, cart.phone, cart.note) == ("", "123", "")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("email", "not an address"),
        ("email", "a@b\x00.example"),
        ("email", "ada@example.com\nBcc: all@example.com"),
        ("email", f"{'a' * 64}@{'b' * 250}.example"),
        ("email", "x" * 1_000_000),
        ("phone", "1" * 33),
        ("phone", "12\x0034"),
        ("phone", "12\r\n34"),
        ("note", "x" * 2001),
        ("note", "nul\x00nul"),
        ("note", "bell\x07"),
    ],
)
def test_hostile_data_of_the_buyer_is_refused(part: str, value: str) -> None:
    cart = make_cart()
    refusal = refused(cart, Invalid, lambda: services.update_buyer(caller=GUEST, cart_id=cart.pk, **{part: value}))
    assert refusal.field == [part]


def test_a_script_in_a_note_is_kept_as_the_text_that_it_is() -> None:
    cart = make_cart()
    services.update_buyer(caller=GUEST, cart_id=cart.pk, note="<script>alert(1)</script>")
    cart.refresh_from_db()
    assert cart.note == "<script>alert(1)</script>"


def test_addresses_are_trimmed_and_what_is_not_sent_stays() -> None:
    cart = make_cart()
    billing = Address(**{**ADDRESS.as_json(), "country": " fr ", "postal_code": "75001"})
    services.update_addresses(caller=GUEST, cart_id=cart.pk, billing=billing)
    cart.refresh_from_db()
    assert (cart.shipping_address["country"], cart.billing_address["country"]) == ("GB", "FR")
    services.update_addresses(caller=GUEST, cart_id=cart.pk, billing=None)
    cart.refresh_from_db()
    assert (cart.shipping_address["country"], cart.billing_address) == ("GB", None)


@pytest.mark.parametrize(
    ("part", "value", "error"),
    [
        ("city", " ", Required),
        ("country", "ZZ", Invalid),
        ("country", "Germany", Invalid),
        ("line1", "x" * 201, Invalid),
        ("line2", "a\x00b", Invalid),
        ("first_name", "", Required),
    ],
)
def test_an_incomplete_or_hostile_address_is_refused(part: str, value: str, error: type[DomainError]) -> None:
    cart = make_cart()
    address = Address(**{**ADDRESS.as_json(), part: value})
    refusal = refused(cart, error, lambda: services.update_addresses(caller=GUEST, cart_id=cart.pk, shipping=address))
    assert refusal.field[0] == "shippingAddress"


def test_a_country_that_the_shop_does_not_ship_to_is_refused(settings: Any) -> None:
    settings.COUNTRIES_OFFERED = ["DE"]
    cart = make_cart(shipping=None)
    refused(cart, Invalid, lambda: services.update_addresses(caller=GUEST, cart_id=cart.pk, shipping=ADDRESS))
    services.update_addresses(caller=GUEST, cart_id=cart.pk, billing=ADDRESS)


# Who may, and when --------------------------------------------------------------------------------


def test_a_version_that_is_no_longer_current_is_refused() -> None:
    variant = make_variant()
    cart = make_cart((variant, 1))
    seen = cart.version
    refused(cart, CartVersionConflict, lambda: add(cart, (variant.pk, 1), expected_version=seen - 1))
    add(cart, (variant.pk, 1), expected_version=seen)
    cart.refresh_from_db()
    refused(cart, CartVersionConflict, lambda: add(cart, (variant.pk, 1), expected_version=seen))


def test_an_unknown_cart_is_not_found() -> None:
    with pytest.raises(CartNotFound):
        services.clear(caller=GUEST, cart_id=uuid4())
    assert find_cart(caller=GUEST, cart_id=uuid4()) is None


def test_a_customers_cart_is_reached_by_that_customer_alone() -> None:
    owner = User.objects.create_user("owner@example.com")
    stranger = Caller(User.objects.create_user("stranger@example.com").pk)
    cart = make_cart((make_variant(), 1), caller=Caller(owner.pk))
    for caller in (GUEST, stranger):
        before = row_of(cart)
        with pytest.raises(CartNotFound):
            services.clear(caller=caller, cart_id=cart.pk)
        assert row_of(cart) == before
        assert find_cart(caller=caller, cart_id=cart.pk) is None
    assert find_cart(caller=Caller(owner.pk), cart_id=cart.pk) is not None


def test_a_guests_cart_is_reached_by_whoever_knows_its_id() -> None:
    cart = make_cart()
    customer = Caller(User.objects.create_user("customer@example.com").pk)
    assert access_cart(caller=customer, cart_id=cart.pk) == cart


def test_an_expired_cart_is_gone() -> None:
    variant = make_variant()
    cart = make_cart((variant, 1))
    clock.move_offset(30 * 24 * 60 * 60 - 60)
    assert find_cart(caller=GUEST, cart_id=cart.pk) is not None
    clock.move_offset(120)
    assert find_cart(caller=GUEST, cart_id=cart.pk) is None
    refused(cart, CartNotFound, lambda: add(cart, (variant.pk, 1)))


def test_the_timetable_deletes_expired_carts_and_no_other() -> None:
    variant = make_variant()
    old, ordered, renewed = make_cart((variant, 1)), make_cart((variant, 1)), make_cart((variant, 1))
    services.close_ordered(ordered)
    clock.move_offset(15 * 24 * 60 * 60)
    add(renewed, (variant.pk, 1))
    schedule.move_clock(seconds=16 * 24 * 60 * 60)
    assert set(Cart.objects.values_list("pk", flat=True)) == {ordered.pk, renewed.pk}
    assert not CartLine.objects.filter(cart_id=old.pk).exists()


def test_many_expired_carts_are_deleted_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "EXPIRED_BATCH", 2)
    for _ in range(5):
        make_cart(shipping=None)
    clock.move_offset(31 * 24 * 60 * 60)
    assert services.delete_expired_carts() == 5
    assert not Cart.objects.exists()


# What is shown ------------------------------------------------------------------------------------


def warnings(cart: Cart) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in view_cart(cart).warnings]


def test_a_changed_price_is_charged_and_told_until_the_next_write() -> None:
    variant, other = make_variant(sku="MUG", prices={"USD": 1000}), make_variant()
    cart = make_cart((variant, 2))
    set_prices(variant, {"USD": 1250})
    for _ in range(2):
        assert warnings(cart) == [("PRICE_CHANGED", "The price of MUG changed from 10.00 to 12.50 USD.")]
    view = view_cart(cart)
    assert view.warnings[0].line_id == view.lines[0].pk
    assert (view.lines[0].price.total, view.totals.total) == (2500, 2500)
    add(cart, (other.pk, 1))
    assert warnings(cart) == []


def test_a_line_that_cannot_be_bought_any_more_is_told_and_keeps_its_last_price() -> None:
    variant = make_variant(sku="MUG", prices={"USD": 1000})
    cart = make_cart((variant, 2))
    set_prices(variant, {"EUR": 900})
    assert warnings(cart) == [("NOT_PURCHASABLE", "MUG is not sold any more.")]
    assert view_cart(cart).totals.total == 2000
    services.update_buyer(caller=GUEST, cart_id=cart.pk, phone="1")
    assert warnings(cart) == [("NOT_PURCHASABLE", "MUG is not sold any more.")]


def test_a_line_with_more_than_is_left_is_told() -> None:
    variant = make_variant(sku="MUG", stock=5)
    cart = make_cart((variant, 4))
    StockLevel.objects.filter(variant=variant).update(reserved=2)
    assert warnings(cart) == [("OUT_OF_STOCK", "3 of MUG are left; the cart has 4.")]
    ProductVariant.objects.filter(pk=variant.pk).update(max_per_order=2, stock_policy=StockPolicy.BACKORDER)
    assert warnings(cart) == [("QUANTITY_LIMIT", "One order may have 2 of MUG.")]


def test_lines_stay_in_the_order_in_which_they_were_put_in() -> None:
    variants = [make_variant() for _ in range(4)]
    cart = make_cart(*[(each, 1) for each in variants])
    line = cart.lines.order_by("pk").first()
    assert line is not None
    update(cart, (line.pk, 3))
    assert [each.variant.pk for each in view_cart(cart).lines] == [each.pk for each in variants]


def test_a_reduced_price_shows_what_it_was() -> None:
    variant = make_variant(prices={"USD": 800}, compare_at={"USD": 1000})
    [line] = view_cart(make_cart((variant, 1))).lines
    assert (line.price.unit_price, line.compare_at) == (800, 1000)


@pytest.mark.parametrize("count", [1, 20])
def test_reading_and_changing_take_the_same_number_of_statements_for_any_number_of_lines(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    variants = [make_variant() for _ in range(count)]
    cart = make_cart(*[(each, 1) for each in variants])
    lines = [(line.pk, 2) for line in cart.lines.all()]
    with django_assert_num_queries(4):
        view_cart(cart)
    with django_assert_num_queries(10):  # of which 2 are the savepoint of this test's transaction
        add(cart, *[(each.pk, 1) for each in variants])
    with django_assert_num_queries(10):
        update(cart, *lines)
    with django_assert_num_queries(7):
        services.remove_lines(caller=GUEST, cart_id=cart.pk, line_ids=[line for line, _ in lines])


@pytest.mark.parametrize("count", [1, 5])
def test_many_carts_are_read_in_four_statements(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    variants = [make_variant() for _ in range(count)]
    carts = [make_cart(*[(each, n + 1) for each in variants]) for n in range(count)]
    with django_assert_num_queries(4):
        views = view_carts(carts)
    assert [view.totals.subtotal for view in views] == [1000 * count * (n + 1) for n in range(count)]
