import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from backend.accounts.models import User
from backend.carts import services as carts
from backend.carts.checking import NewLine
from backend.carts.errors import CartNotFound, NotPurchasable, QuantityLimit, VariantNotFound
from backend.carts.models import Cart, CartStatus
from backend.catalog.models import Product, ProductStatus, StockPolicy
from backend.core import clock
from backend.core.addresses import Address
from backend.core.caller import GUEST, Caller
from backend.core.context import ShopContext, default_context
from backend.core.errors import CurrencyMismatch, DomainError, IdempotencyConflict, Invalid, NotFound, Required
from backend.core.models import IdempotencyKey, OutboxEvent
from backend.core.money import MAX_MINOR
from backend.inventory.errors import OutOfStock
from backend.inventory.models import Reservation, StockLevel, StockMovement
from backend.orders.errors import AddressRequired, CartEmpty, EmailRequired, PriceChanged
from backend.orders.models import Order, OrderEvent, OrderEventType, OrderLine, OrderStatus, PaymentStatus
from backend.orders.services import ExpectedTotal, Placement, PlaceOrder, place_order
from tests.factories.carts import ADDRESS, make_cart, row_of
from tests.factories.catalog import make_image, make_product, make_variant, set_prices
from tests.factories.orders import buy_now

pytestmark = pytest.mark.django_db


def run(request: PlaceOrder, caller: Caller = GUEST, shop: ShopContext | None = None) -> Placement:
    return place_order(caller=caller, shop=shop or default_context(), request=request)


def from_cart(cart: Cart, **sent: Any) -> PlaceOrder:
    sent.setdefault("idempotency_key", str(uuid4()))
    return PlaceOrder(cart_id=cart.pk, **sent)


def refused(error: type[DomainError], request: PlaceOrder, caller: Caller = GUEST) -> DomainError:
    """Place what must be refused with exactly this one error; nothing is kept of it."""
    carts_before = [row_of(cart) for cart in Cart.objects.order_by("pk")]
    stock_before = list(StockLevel.objects.order_by("pk").values())
    kept = (Order, OrderLine, OrderEvent, Reservation, IdempotencyKey, OutboxEvent)
    before = [model.objects.count() for model in kept]
    with pytest.raises(error) as refusal:
        run(request, caller)
    assert len(refusal.value.parts) == 1
    assert [model.objects.count() for model in kept] == before
    assert list(StockLevel.objects.order_by("pk").values()) == stock_before
    assert [row_of(cart) for cart in Cart.objects.order_by("pk")] == carts_before
    return refusal.value.parts[0]


# What an order is ---------------------------------------------------------------------------------


def test_a_cart_becomes_an_order_that_waits_fifteen_minutes_for_its_money() -> None:
    first, second = make_variant(prices={"USD": 1250}, stock=5), make_variant(prices={"USD": 400}, stock=5)
    cart = make_cart((first, 2), (second, 1))
    placement = run(from_cart(cart))
    order = Order.objects.get(pk=placement.order.pk)
    assert not placement.replayed
    assert (order.status, order.payment_status) == (OrderStatus.PENDING_PAYMENT, PaymentStatus.UNPAID)
    assert (order.subtotal, order.total, order.paid) == (2900, 2900, 0)
    assert order.payment_due_at == order.placed_at + timedelta(minutes=15)
    assert re.fullmatch(r"CG-\d{5,}", order.number)
    assert len(order.token) >= 40
    lines = list(order.lines.order_by("pk").values_list("variant_id", "quantity", "unit_price", "total"))
    assert lines == [(first.pk, 2, 1250, 2500), (second.pk, 1, 400, 400)]
    held = StockLevel.objects.order_by("pk").values_list("variant_id", "on_hand", "reserved")
    assert list(held) == [(first.pk, 5, 2), (second.pk, 5, 1)]
    cart.refresh_from_db()
    assert (cart.status, order.cart_id) == (CartStatus.ORDERED, cart.pk)
    assert not StockMovement.objects.exists()


def test_the_first_event_and_its_announcement_are_written_with_the_order() -> None:
    order = run(buy_now((make_variant(), 1))).order
    [event] = order.events.all()
    assert (event.sequence, event.type, event.status) == (1, OrderEventType.PLACED, OrderStatus.PENDING_PAYMENT)
    [told] = OutboxEvent.objects.filter(topic__startswith="order.")
    assert (told.topic, told.key) == ("order.placed", str(order.pk))
    assert told.data == {"order_id": str(order.pk), "sequence": 1}
    order.refresh_from_db()
    assert order.last_sequence == 1


def test_names_prices_and_addresses_stay_as_they_were() -> None:
    product = make_product("Mug", translations={"de": {"name": "Becher"}})
    variant = product.variants.get()
    image = make_image(product)
    shop = ShopContext(language="de", currency="USD", country="DE")
    order = run(buy_now((variant, 1)), shop=shop).order
    Product.objects.filter(pk=product.pk).update(name="Cup", translations={})
    set_prices(variant, {"USD": 9999})
    line = order.lines.get()
    assert (line.product_name, line.unit_price, line.sku, line.image_id) == ("Becher", 1000, variant.sku, image.pk)
    order.refresh_from_db()
    assert (order.language, order.shipping_address) == ("de", ADDRESS.as_json())


def test_a_translation_longer_than_the_column_is_cut() -> None:
    product = make_product("Mug", translations={"de": {"name": "B" * 300}})
    shop = ShopContext(language="de", currency="USD", country="DE")
    order = run(buy_now((product.variants.get(), 1)), shop=shop).order
    assert order.lines.get().product_name == "B" * 255


def test_an_order_without_a_cart_leaves_none_behind() -> None:
    order = run(buy_now((make_variant(), 1), phone="1", note="n", billing_address=None)).order
    order.refresh_from_db()
    assert not Cart.objects.exists()
    assert (order.cart_id, order.email, order.phone, order.note) == (None, "ada@example.com", "1", "n")
    assert order.billing_address == order.shipping_address


def test_lines_of_the_same_variant_count_together() -> None:
    variant = make_variant(stock=3)
    order = run(buy_now((variant, 1), (variant, 2))).order
    assert list(order.lines.values_list("quantity", "total")) == [(3, 3000)]
    assert refused(OutOfStock, buy_now((variant, 1), (variant, 1))).field == ["lines", "0", "quantity"]


def test_what_the_request_says_of_the_buyer_goes_before_the_cart() -> None:
    cart = make_cart((make_variant(), 1), email="old@example.com")
    order = run(from_cart(cart, email="new@example.com", note="hello")).order
    assert (order.email, order.note, order.shipping_address["city"]) == ("new@example.com", "hello", "London")


def test_the_currency_is_the_carts_and_else_the_requests_and_else_the_contexts() -> None:
    variant = make_variant(prices={"USD": 1000, "EUR": 900})
    euros = ShopContext(language="en", currency="EUR", country="DE")
    assert run(from_cart(make_cart((variant, 1))), shop=euros).order.total == 1000
    assert run(buy_now((variant, 1), currency="USD"), shop=euros).order.total == 1000
    order = run(buy_now((variant, 1)), shop=euros).order
    assert (order.total, order.currency) == (900, "EUR")


def test_an_order_of_nothing_but_gifts_is_paid_at_once() -> None:
    variant = make_variant(prices={"USD": 0}, stock=2)
    order = run(buy_now((variant, 2))).order
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (OrderStatus.PAID, PaymentStatus.PAID)
    assert order.payment_due_at is None
    types = list(order.events.values_list("sequence", "type"))
    assert types == [(1, OrderEventType.PLACED), (2, OrderEventType.PAID)]
    level = variant.stock_levels.get()
    assert (level.on_hand, level.reserved) == (0, 0)
    assert Product.objects.get(pk=variant.product_id).sales_count == 2


def test_a_back_order_takes_what_is_there_and_owes_the_rest() -> None:
    variant = make_variant(stock=2, stock_policy=StockPolicy.BACKORDER)
    run(buy_now((variant, 5)))
    run(buy_now((variant, 5)))
    level = variant.stock_levels.get()
    assert (level.on_hand, level.reserved) == (2, 2)


def test_what_needs_no_shipping_needs_no_address() -> None:
    download = make_variant(requires_shipping=False)
    order = run(buy_now((download, 1), shipping_address=None)).order
    assert (order.shipping_address, order.billing_address) == (None, None)
    refused(AddressRequired, buy_now((download, 1), (make_variant(), 1), shipping_address=None))


# Refusals -----------------------------------------------------------------------------------------


def test_every_short_line_is_named_and_nothing_is_kept() -> None:
    plenty, few, none = make_variant(stock=9), make_variant(stock=2), make_variant(stock=1, reserved=1)
    request = buy_now((plenty, 1), (few, 3), (none, 1))
    with pytest.raises(OutOfStock) as refusal:
        run(request)
    assert {each.variant_id: each[1:] for each in refusal.value.shortages} == {few.pk: (3, 2), none.pk: (1, 0)}
    assert sorted(part.field for part in refusal.value.parts) == [
        ["lines", "1", "quantity"],
        ["lines", "2", "quantity"],
    ]
    assert not Order.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert list(StockLevel.objects.order_by("pk").values_list("reserved", flat=True)) == [0, 0, 1]


def test_a_short_cart_stays_open_and_the_key_free() -> None:
    variant = make_variant(stock=5)
    cart = make_cart((variant, 5))
    StockLevel.objects.update(reserved=1)
    request = from_cart(cart)
    assert refused(OutOfStock, request).field == ["cartId"]
    StockLevel.objects.update(reserved=0)
    assert not run(request).replayed


def nameless() -> Address:
    return replace(ADDRESS, first_name=" ")


def draft_of_ours() -> Callable[[], PlaceOrder]:
    return lambda: buy_now((make_product(status=ProductStatus.DRAFT).variants.get(), 1))


@pytest.mark.parametrize(
    ("error", "make", "field"),
    [
        (CartNotFound, lambda: PlaceOrder(idempotency_key="k", cart_id=uuid4()), ["cartId"]),
        (CartEmpty, lambda: from_cart(make_cart()), ["cartId"]),
        (CartEmpty, lambda: buy_now(), ["lines"]),
        (Required, lambda: PlaceOrder(idempotency_key="k"), ["cartId"]),
        (Invalid, lambda: from_cart(make_cart((make_variant(), 1)), lines=[]), ["lines"]),
        (EmailRequired, lambda: from_cart(make_cart((make_variant(), 1), email="")), ["email"]),
        (EmailRequired, lambda: buy_now((make_variant(), 1), email=" "), ["email"]),
        (AddressRequired, lambda: from_cart(make_cart((make_variant(), 1), shipping=None)), ["shippingAddress"]),
        (AddressRequired, lambda: buy_now((make_variant(), 1), shipping_address=None), ["shippingAddress"]),
        (Invalid, lambda: buy_now((make_variant(), 1), email="nobody"), ["email"]),
        (Invalid, lambda: buy_now((make_variant(), 1), phone="1\x00"), ["phone"]),
        (Invalid, lambda: buy_now((make_variant(), 1), note="\x00"), ["note"]),
        (Required, lambda: buy_now((make_variant(), 1), shipping_address=nameless()), ["shippingAddress", "firstName"]),
        (Required, lambda: buy_now((make_variant(), 1), idempotency_key=" "), ["idempotencyKey"]),
        (Invalid, lambda: buy_now((make_variant(), 1), idempotency_key="x" * 256), ["idempotencyKey"]),
        (Invalid, lambda: buy_now((make_variant(), 1), idempotency_key="a\x00"), ["idempotencyKey"]),
        (Invalid, lambda: buy_now((make_variant(), 0)), ["lines", "0", "quantity"]),
        (Invalid, lambda: buy_now((make_variant(), -5)), ["lines", "0", "quantity"]),
        (QuantityLimit, lambda: buy_now((make_variant(), 2**31 - 1)), ["lines", "0", "quantity"]),
        (QuantityLimit, lambda: buy_now((make_variant(max_per_order=1), 2)), ["lines", "0", "quantity"]),
        (NotPurchasable, draft_of_ours(), ["lines", "0", "variantId"]),
        (NotPurchasable, lambda: buy_now((make_variant(prices={"EUR": 1}), 1)), ["lines", "0", "variantId"]),
        (CurrencyMismatch, lambda: buy_now((make_variant(), 1), currency="JPY"), ["currency"]),
        (CurrencyMismatch, lambda: from_cart(make_cart((make_variant(), 1)), currency="EUR"), ["currency"]),
    ],
)
def test_what_cannot_be_ordered_is_refused(
    error: type[DomainError], make: Callable[[], PlaceOrder], field: list[str]
) -> None:
    assert refused(error, make()).field == field


@pytest.mark.parametrize("variant_id", [None, 10**9])
def test_an_unknown_variant_is_refused(variant_id: int | None) -> None:
    request = PlaceOrder(
        idempotency_key="k", lines=[NewLine(variant_id, 1)], email="ada@example.com", shipping_address=ADDRESS
    )
    assert refused(VariantNotFound, request).field == ["lines", "0", "variantId"]


def test_missing_email_and_address_are_both_named() -> None:
    with pytest.raises(DomainError) as refusal:
        run(from_cart(make_cart((make_variant(), 1), email="", shipping=None)))
    assert [part.code for part in refusal.value.parts] == ["EMAIL_REQUIRED", "ADDRESS_REQUIRED"]
    assert not Order.objects.exists()


def test_everything_at_fault_is_named_at_once_and_nothing_is_kept() -> None:
    short, draft = make_variant(stock=1), make_product(status=ProductStatus.DRAFT).variants.get()
    request = replace(
        buy_now((make_variant(), 0), (draft, 1), (short, 2)),
        email="nobody",
        phone="\x00",
        shipping_address=Address(first_name="Ada", country="XX"),
        expected_total=ExpectedTotal(Decimal("-1"), "EUR"),
    )
    with pytest.raises(DomainError) as refusal:
        run(request)
    assert sorted((part.code, *part.field) for part in refusal.value.parts) == [
        ("CURRENCY_MISMATCH", "expectedTotal", "currency"),
        ("INVALID", "email"),
        ("INVALID", "expectedTotal", "amount"),
        ("INVALID", "lines", "0", "quantity"),
        ("INVALID", "phone"),
        ("INVALID", "shippingAddress", "country"),
        ("NOT_PURCHASABLE", "lines", "1", "variantId"),
        ("OUT_OF_STOCK", "lines", "2", "quantity"),
        ("REQUIRED", "shippingAddress", "city"),
        ("REQUIRED", "shippingAddress", "lastName"),
        ("REQUIRED", "shippingAddress", "line1"),
    ]
    for model in (Order, Reservation, IdempotencyKey, OutboxEvent):
        assert not model.objects.exists()


def test_a_total_is_compared_only_when_all_of_it_is_known() -> None:
    for request in (
        buy_now((make_variant(), 0), (make_variant(), 1), expected_total=ExpectedTotal(Decimal("20"), "USD")),
        from_cart(make_cart(), expected_total=ExpectedTotal(Decimal("20"), "USD")),
    ):
        refused(DomainError, request)
    with pytest.raises(DomainError) as refusal:
        run(buy_now((make_variant(), 1), email="", expected_total=ExpectedTotal(Decimal("20"), "USD")))
    assert {part.code for part in refusal.value.parts} == {"EMAIL_REQUIRED", "PRICE_CHANGED"}


def test_a_cart_with_a_line_that_is_no_longer_sold_is_refused() -> None:
    variant = make_variant()
    cart = make_cart((variant, 1))
    Product.objects.update(status=ProductStatus.ARCHIVED)
    assert refused(NotPurchasable, from_cart(cart)).field == ["cartId"]


def test_refusals_of_a_cart_say_which_product_it_is() -> None:
    fine = make_product("Mug").variants.get()
    gone, short = make_product("Chair").variants.get(), make_product("Lamp", stock=3).variants.get()
    cart = make_cart((fine, 1), (gone, 1), (short, 3))
    StockLevel.objects.filter(variant=short).update(reserved=2)
    message = f"Lamp ({short.sku}): 3 were asked for, 1 are left."
    assert refused(OutOfStock, from_cart(cart)).message == message
    Product.objects.filter(pk=gone.product_id).update(status=ProductStatus.ARCHIVED)
    with pytest.raises(DomainError) as refusal:
        run(from_cart(cart))
    assert [(part.field, part.message) for part in refusal.value.parts] == [
        (["cartId"], f"Chair ({gone.sku}): This variant cannot be bought."),
        (["cartId"], message),
    ]


def test_an_id_that_was_guessed_does_not_tell_what_a_draft_is_called() -> None:
    draft = make_product("Secret chair", status=ProductStatus.DRAFT).variants.get()
    assert "Secret" not in refused(NotPurchasable, buy_now((draft, 1))).message


def test_an_expired_and_an_ordered_cart_cannot_be_ordered() -> None:
    variant = make_variant()
    expired, ordered = make_cart((variant, 1)), make_cart((variant, 1))
    run(from_cart(ordered))
    refused(CartNotFound, from_cart(ordered))
    clock.move_offset(31 * 24 * 60 * 60)
    refused(CartNotFound, from_cart(expired))


def test_somebody_elses_cart_cannot_be_ordered() -> None:
    owner = Caller(User.objects.create_user("owner@example.com").pk)
    cart = make_cart((make_variant(), 1), caller=owner)
    refused(CartNotFound, from_cart(cart))
    assert run(from_cart(cart), owner).order.customer_id == owner.user_id


def test_an_expected_total_that_is_no_longer_true_is_refused() -> None:
    variant = make_variant(prices={"USD": 1000})
    cart = make_cart((variant, 2))
    set_prices(variant, {"USD": 1250})
    refusal = refused(PriceChanged, from_cart(cart, expected_total=ExpectedTotal(Decimal("20.00"), "USD")))
    assert (refusal.field, refusal.message) == (["expectedTotal"], "The total is 25.00 USD, not 20.00.")
    assert run(from_cart(cart, expected_total=ExpectedTotal(Decimal("25.00"), "USD"))).order.total == 2500


def test_an_expected_total_in_another_currency_is_refused() -> None:
    cart = make_cart((make_variant(), 1))
    refusal = refused(CurrencyMismatch, from_cart(cart, expected_total=ExpectedTotal(Decimal("10.00"), "EUR")))
    assert refusal.field == ["expectedTotal", "currency"]


def test_an_order_beyond_any_amount_is_refused() -> None:
    refused(QuantityLimit, buy_now((make_variant(prices={"USD": MAX_MINOR}, stock=2), 2)))


# Repeating ----------------------------------------------------------------------------------------


def test_the_same_key_and_input_bring_back_the_order_as_it_is_now() -> None:
    cart = make_cart((make_variant(stock=5), 1))
    request = from_cart(cart, expected_total=ExpectedTotal(Decimal("10.00"), "USD"))
    first = run(request)
    Order.objects.update(status=OrderStatus.CANCELLED)
    second = run(request)
    assert (second.order.pk, second.replayed) == (first.order.pk, True)
    assert second.order.status == OrderStatus.CANCELLED
    assert Order.objects.count() == 1
    assert StockLevel.objects.get().reserved == 1


def test_the_same_key_with_other_input_is_refused() -> None:
    variant = make_variant()
    request = buy_now((variant, 1), idempotency_key="one")
    run(request)
    assert refused(IdempotencyConflict, buy_now((variant, 2), idempotency_key="one")).field == ["idempotencyKey"]
    refused(IdempotencyConflict, from_cart(make_cart((variant, 1)), idempotency_key="one"))


@pytest.mark.parametrize("change", [{"currency": "EUR"}, {"language": "de"}])
def test_the_contexts_currency_and_language_are_input_too(change: dict[str, str]) -> None:
    variant = make_variant()
    request = buy_now((variant, 1), idempotency_key="one")
    first = run(request)
    with pytest.raises(IdempotencyConflict):
        run(request, shop=replace(default_context(), **change))
    assert Order.objects.get() == first.order
    assert run(replace(request, currency="USD")).replayed  # the same, said aloud


def test_a_carts_order_does_not_depend_on_the_contexts_currency() -> None:
    request = from_cart(make_cart((make_variant(), 1)))
    placed = run(request, shop=replace(default_context(), currency="EUR"))
    assert (placed.order.currency, run(request).replayed) == ("USD", True)


def test_a_customers_key_is_no_other_customers() -> None:
    variant = make_variant()
    callers = [GUEST, *(Caller(User.objects.create_user(f"{n}@example.com").pk) for n in range(2))]
    placements = [run(buy_now((variant, 1), idempotency_key="one"), caller) for caller in callers]
    assert [each.replayed for each in placements] == [False, False, False]


def test_a_deleted_orders_key_says_so() -> None:
    request = buy_now((make_variant(), 1))
    run(request).order.delete()
    assert refused(NotFound, request).field == ["idempotencyKey"]


# Cost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 20])
def test_placing_takes_the_same_few_statements_for_any_number_of_lines(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cart = make_cart(*[(make_variant(), 1) for _ in range(count)])
    with django_assert_num_queries(15):  # of which 2 are the savepoint of this test's transaction
        run(from_cart(cart))


def test_an_order_without_a_cart_takes_fewer(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    variants = [make_variant() for _ in range(3)]
    with django_assert_num_queries(12):
        run(buy_now(*[(each, 1) for each in variants]))


def test_a_second_order_of_the_same_cart_is_impossible_in_the_database_too() -> None:
    cart = make_cart((make_variant(), 1))
    run(from_cart(cart))
    carts_order = Order.objects.get(cart=cart)
    with pytest.raises(CartNotFound):
        carts.clear(caller=GUEST, cart_id=cart.pk)
    assert Order._meta.get_field("cart").unique
    assert carts_order.cart_id == cart.pk


def test_a_customer_who_tells_no_email_is_reached_by_that_of_the_account() -> None:
    user = User.objects.create_user("ada@example.com")
    for email, expected in (("", "ada@example.com"), (None, "ada@example.com"), ("b@example.com", "b@example.com")):
        order = run(buy_now((make_variant(), 1), email=email), caller=Caller(user.pk)).order
        assert (order.email, order.customer_id) == (expected, user.pk)
