from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.accounts.models import User
from backend.carts.models import Cart
from backend.catalog.models import ProductStatus
from backend.core import clock, schedule
from backend.core.caller import Caller
from backend.core.models import IdempotencyKey, OutboxEvent
from backend.inventory.models import Reservation, StockLevel
from backend.orders.models import Order, OrderEvent
from backend.vendors.models import Vendor, VendorStatus
from schema.server.ids import encode
from tests.conftest import Answer, Gql
from tests.factories.carts import make_cart, row_of
from tests.factories.catalog import make_image, make_product, make_variant, set_prices
from tests.factories.orders import make_order, make_paid_order, pay
from tests.schema.documents import CHECKOUT, operation

pytestmark = pytest.mark.django_db

PLACE, BUY_NOW = operation(CHECKOUT, "OrderPlace"), operation(CHECKOUT, "BuyNow")
BY_TOKEN = operation(CHECKOUT, "OrderByToken")
ANY = """
mutation ($input: OrderPlaceInput!) {
  orderPlace(input: $input) {
    order { id totals { total { amount currency } } }
    replayed userErrors { code message field } shortages { variantId requested available }
  }
}
"""
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "line1": "1 Main St",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "country": "GB",
}


def line_input(variant: Any, quantity: int = 1) -> dict[str, Any]:
    return {"variantId": encode("ProductVariant", variant.pk), "quantity": quantity}


def buy_now(*lines: dict[str, Any], **sent: Any) -> dict[str, Any]:
    """A complete input without a cart; what is sent as ... is left out."""
    whole = {
        "lines": list(lines),
        "email": "ada@example.com",
        "shippingAddress": ADDRESS,
        "idempotencyKey": str(uuid4()),
        **sent,
    }
    return {name: value for name, value in whole.items() if value is not ...}


def of_cart(cart: Cart, **sent: Any) -> dict[str, Any]:
    return {"cartId": encode("Cart", cart.pk), "idempotencyKey": str(uuid4()), **sent}


def everything() -> list[Any]:
    """What a refused placement must leave as it was."""
    counts = [model.objects.count() for model in (Order, OrderEvent, Reservation, IdempotencyKey, OutboxEvent)]
    stock = list(StockLevel.objects.order_by("pk").values())
    return [counts, stock, [row_of(cart) for cart in Cart.objects.order_by("pk")]]


def refused(gql: Gql, sent: dict[str, Any]) -> tuple[str, list[str] | None]:
    """The code and field of the one error of a placement that keeps nothing."""
    before = everything()
    error = gql.refused(ANY, input=sent)
    assert everything() == before
    return error["code"], error["field"]


# Placing ------------------------------------------------------------------------------------------


def test_a_cart_is_ordered_and_read_again_with_its_token(gql: Gql) -> None:
    vendor = Vendor.objects.create(name="Kiln", slug="kiln", status=VendorStatus.APPROVED)
    mug = make_product("Mug", prices={"USD": 1250}, vendor=vendor).variants.get()
    make_image(mug.product, alt="A mug")
    shirt = make_variant(make_product("Shirt", variants=0), options={"Size": "M"}, name="M", prices={"USD": 2000})
    cart = make_cart((mug, 2), (shirt, 1))

    sent = {
        "cartId": encode("Cart", cart.pk),
        "idempotencyKey": "k1",
        "expectedTotal": {"amount": "45.00", "currency": "USD"},
    }
    payload = gql(PLACE, **sent)["orderPlace"]
    assert (payload["userErrors"], payload["shortages"], payload["replayed"]) == ([], [], False)
    order = payload["order"]
    row = Order.objects.get()
    assert (order["id"], order["number"], order["token"]) == (encode("Order", row.pk), row.number, row.token)
    assert (order["status"], order["paymentStatus"], order["fulfillmentStatus"]) == (
        "PENDING_PAYMENT",
        "UNPAID",
        "UNFULFILLED",
    )
    assert order["hold"] == {"expiresAt": order["paymentDueAt"], "secondsLeft": 900}
    assert (datetime.fromisoformat(order["paymentDueAt"]) - datetime.fromisoformat(order["placedAt"])).seconds == 900
    first, second = order["lines"]
    assert (first["productName"], first["variantName"], first["sku"], first["quantity"]) == ("Mug", "", mug.sku, 2)
    assert first["image"] == {"url": "https://images.example/a.jpg", "alt": "A mug"}
    assert first["vendor"] == {"id": encode("Vendor", vendor.pk), "name": "Kiln"}
    assert first["variant"] == {"id": encode("ProductVariant", mug.pk), "product": {"slug": mug.product.slug}}
    assert first["unitPrice"] == {"amount": "12.50", "currency": "USD", "formatted": "$12.50"}
    assert (first["total"]["amount"], second["total"]["amount"]) == ("25.00", "20.00")
    assert (second["variantName"], second["image"], second["vendor"]) == ("M", None, None)
    amounts = {name: money["amount"] for name, money in order["totals"].items()}
    assert amounts == {
        "subtotal": "45.00",
        "discount": "0.00",
        "shipping": "0.00",
        "tax": "0.00",
        "total": "45.00",
        "paid": "0.00",
        "refunded": "0.00",
        "due": "45.00",
    }
    assert order["shippingAddress"]["city"] == order["billingAddress"]["city"] == "London"
    assert order["discounts"] == order["taxes"] == order["payments"] == order["fulfillments"] == []
    assert (order["delivery"], order["invoice"], order["paidAt"]) == (None, None, None)
    again = gql(BY_TOKEN, id=order["id"], token=order["token"])["order"]
    assert {**again, "hold": order["hold"]} == order


def test_an_order_needs_no_cart(gql: Gql) -> None:
    variant = make_variant()
    sent = {"lines": [line_input(variant)], "email": "ada@example.com", "shipping": ADDRESS, "idempotencyKey": "k"}
    order = gql(BUY_NOW, **sent)["orderPlace"]["order"]
    assert (order["email"], order["totals"]["total"]["amount"]) == ("ada@example.com", "10.00")
    assert not Cart.objects.exists()


def test_a_repeated_request_brings_back_the_order_as_it_is_now(gql: Gql) -> None:
    variant = make_variant()
    sent = {"lines": [line_input(variant)], "email": "ada@example.com", "shipping": ADDRESS, "idempotencyKey": "k"}
    first = gql(BUY_NOW, **sent)["orderPlace"]
    pay(Order.objects.get())
    second = gql(BUY_NOW, **sent)["orderPlace"]
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert (second["order"]["id"], second["order"]["status"]) == (first["order"]["id"], "PAID")
    assert Order.objects.count() == 1


def test_names_are_kept_in_the_language_in_which_they_were_bought(gql: Gql) -> None:
    mug = make_product("Mug", prices={"EUR": 1100}, translations={"de": {"name": "Becher"}}).variants.get()
    german = BUY_NOW.replace(") {\n  orderPlace", ") @inContext(language: DE, currency: EUR) {\n  orderPlace")
    sent = {"lines": [line_input(mug)], "email": "ada@example.com", "shipping": ADDRESS, "idempotencyKey": "k"}
    order = gql(german, **sent)["orderPlace"]["order"]
    assert order["lines"][0]["total"]["formatted"] == "11,00\xa0€"
    english = gql(BY_TOKEN, id=order["id"], token=order["token"])["order"]
    assert (english["lines"][0]["productName"], english["currency"]) == ("Becher", "EUR")


def test_a_paid_order_has_no_hold_and_nothing_due(gql: Gql) -> None:
    order = make_paid_order()
    shown = gql(BY_TOKEN, id=encode("Order", order.pk), token=order.token)["order"]
    assert (shown["status"], shown["hold"], shown["paymentDueAt"]) == ("PAID", None, None)
    assert (shown["totals"]["paid"]["amount"], shown["totals"]["due"]["amount"]) == ("10.00", "0.00")


def test_the_hold_counts_down_and_ends_with_the_order(gql: Gql) -> None:
    order = make_order()
    sent = {"id": encode("Order", order.pk), "token": order.token}
    schedule.move_clock(seconds=14 * 60 + 59)
    shown = gql(BY_TOKEN, **sent)["order"]
    assert shown["status"] == "PENDING_PAYMENT"
    assert 0 <= shown["hold"]["secondsLeft"] <= 1
    schedule.move_clock(seconds=2)
    shown = gql(BY_TOKEN, **sent)["order"]
    assert (shown["status"], shown["hold"]) == ("EXPIRED", None)
    assert datetime.fromisoformat(shown["paymentDueAt"]) == order.payment_due_at  # when its time was over
    assert shown["totals"]["due"]["amount"] == "0.00"


def test_what_is_gone_from_the_catalog_stays_on_the_order(gql: Gql) -> None:
    product = make_product("Mug")
    order = make_order((product.variants.get(), 1))
    order.lines.update(image=None, variant=None)
    [line] = gql(BY_TOKEN, id=encode("Order", order.pk), token=order.token)["order"]["lines"]
    assert (line["productName"], line["variant"], line["image"]) == ("Mug", None, None)


# Refusals -----------------------------------------------------------------------------------------


def test_every_short_line_is_named_and_nothing_is_kept(gql: Gql) -> None:
    plenty, few, none = make_variant(stock=9), make_variant(stock=2), make_variant(stock=0)
    before = everything()
    payload = gql(ANY, input=buy_now(line_input(plenty), line_input(few, 3), line_input(none)))["orderPlace"]
    assert everything() == before
    assert payload["order"] is None
    assert sorted(payload["shortages"], key=lambda each: each["available"]) == [
        {"variantId": encode("ProductVariant", none.pk), "requested": 1, "available": 0},
        {"variantId": encode("ProductVariant", few.pk), "requested": 3, "available": 2},
    ]
    errors = sorted((each["code"], each["field"]) for each in payload["userErrors"])
    assert errors == [
        ("OUT_OF_STOCK", ["input", "lines", "1", "quantity"]),
        ("OUT_OF_STOCK", ["input", "lines", "2", "quantity"]),
    ]


REFUSALS: dict[str, tuple[Callable[[], dict[str, Any]], str, list[str]]] = {
    "nothing": (lambda: {"idempotencyKey": "k"}, "REQUIRED", ["cartId"]),
    "cart and lines": (lambda: of_cart(make_cart((make_variant(), 1)), lines=[]), "INVALID", ["lines"]),
    "no lines": (lambda: buy_now(), "CART_EMPTY", ["lines"]),
    "an empty cart": (lambda: of_cart(make_cart()), "CART_EMPTY", ["cartId"]),
    "an unknown cart": (lambda: of_cart(Cart(pk=uuid4())), "NOT_FOUND", ["cartId"]),
    "no cart id": (lambda: {"cartId": "\x00", "idempotencyKey": "k"}, "NOT_FOUND", ["cartId"]),
    "a long cart id": (lambda: {"cartId": "x" * 500_000, "idempotencyKey": "k"}, "NOT_FOUND", ["cartId"]),
    "another's cart": (lambda: of_cart(customers_cart()), "NOT_FOUND", ["cartId"]),
    "an expired cart": (lambda: of_cart(expired_cart()), "NOT_FOUND", ["cartId"]),
    "no email": (lambda: buy_now(line_input(make_variant()), email=...), "EMAIL_REQUIRED", ["email"]),
    "null email": (lambda: buy_now(line_input(make_variant()), email=None), "EMAIL_REQUIRED", ["email"]),
    "a cart without email": (
        lambda: of_cart(make_cart((make_variant(), 1), email="")),
        "EMAIL_REQUIRED",
        ["email"],
    ),
    "an odd email": (lambda: buy_now(line_input(make_variant()), email="a\x00@b.example"), "INVALID", ["email"]),
    "no address": (
        lambda: buy_now(line_input(make_variant()), shippingAddress=...),
        "ADDRESS_REQUIRED",
        ["shippingAddress"],
    ),
    "an incomplete address": (
        lambda: buy_now(line_input(make_variant()), shippingAddress={**ADDRESS, "city": ""}),
        "REQUIRED",
        ["shippingAddress", "city"],
    ),
    "an odd billing address": (
        lambda: buy_now(line_input(make_variant()), billingAddress={**ADDRESS, "country": "XX"}),
        "INVALID",
        ["billingAddress", "country"],
    ),
    "an odd phone": (lambda: buy_now(line_input(make_variant()), phone="\x00"), "INVALID", ["phone"]),
    "a long note": (lambda: buy_now(line_input(make_variant()), note="x" * 900_000), "INVALID", ["note"]),
    "a nul note": (lambda: buy_now(line_input(make_variant()), note="\x00"), "INVALID", ["note"]),
    "an empty key": (lambda: buy_now(line_input(make_variant()), idempotencyKey=""), "REQUIRED", ["idempotencyKey"]),
    "a nul key": (lambda: buy_now(line_input(make_variant()), idempotencyKey="\x00"), "INVALID", ["idempotencyKey"]),
    "a long key": (
        lambda: buy_now(line_input(make_variant()), idempotencyKey="x" * 900_000),
        "INVALID",
        ["idempotencyKey"],
    ),
    "zero units": (lambda: buy_now(line_input(make_variant(), 0)), "INVALID", ["lines", "0", "quantity"]),
    "minus units": (lambda: buy_now(line_input(make_variant(), -(2**31))), "INVALID", ["lines", "0", "quantity"]),
    "all units": (
        lambda: buy_now(line_input(make_variant(), 2**31 - 1)),
        "QUANTITY_LIMIT",
        ["lines", "0", "quantity"],
    ),
    "all units twice": (
        lambda: buy_now(*[line_input(variant, 2**31 - 1) for variant in [make_variant()] * 2]),
        "QUANTITY_LIMIT",
        ["lines", "0", "quantity"],
    ),
    "no variant": (lambda: buy_now({"variantId": "\x00"}), "NOT_FOUND", ["lines", "0", "variantId"]),
    "an unknown variant": (
        lambda: buy_now({"variantId": encode("ProductVariant", 10**17)}),
        "NOT_FOUND",
        ["lines", "0", "variantId"],
    ),
    "a draft": (lambda: buy_now(line_input(draft())), "NOT_PURCHASABLE", ["lines", "0", "variantId"]),
    "no price": (
        lambda: buy_now(line_input(make_variant(prices={"EUR": 1}))),
        "NOT_PURCHASABLE",
        ["lines", "0", "variantId"],
    ),
    "a currency without prices": (
        lambda: buy_now(line_input(make_variant()), currency="JPY"),
        "CURRENCY_MISMATCH",
        ["currency"],
    ),
    "another currency than the cart's": (
        lambda: of_cart(make_cart((make_variant(), 1)), currency="EUR"),
        "CURRENCY_MISMATCH",
        ["currency"],
    ),
    "another total": (
        lambda: buy_now(line_input(make_variant()), expectedTotal={"amount": "9.99", "currency": "USD"}),
        "PRICE_CHANGED",
        ["expectedTotal"],
    ),
    "a total in another currency": (
        lambda: buy_now(line_input(make_variant()), expectedTotal={"amount": "10.00", "currency": "EUR"}),
        "CURRENCY_MISMATCH",
        ["expectedTotal", "currency"],
    ),
    "a total with too many digits": (
        lambda: buy_now(line_input(make_variant()), expectedTotal={"amount": "10.001", "currency": "USD"}),
        "INVALID",
        ["expectedTotal", "amount"],
    ),
    "a total below zero": (
        lambda: buy_now(line_input(make_variant()), expectedTotal={"amount": "-10.00", "currency": "USD"}),
        "INVALID",
        ["expectedTotal", "amount"],
    ),
    "a total without end": (
        lambda: buy_now(line_input(make_variant()), expectedTotal={"amount": "NaN", "currency": "USD"}),
        "INVALID",
        ["expectedTotal", "amount"],
    ),
}


def draft() -> Any:
    return make_product(status=ProductStatus.DRAFT).variants.get()


def customers_cart() -> Cart:
    return make_cart((make_variant(), 1), caller=Caller(User.objects.create_user("owner@example.com").pk))


def expired_cart() -> Cart:
    cart = make_cart((make_variant(), 1))
    Cart.objects.update(expires_at=clock.now())
    return cart


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_ordered_is_refused_by_name_and_keeps_nothing(gql: Gql, case: str) -> None:
    make, code, field = REFUSALS[case]
    sent = make()
    for _ in range(2):
        assert refused(gql, sent) == (code, ["input", *field])


def test_a_changed_price_is_refused_until_the_shopper_agrees(gql: Gql) -> None:
    variant = make_variant(prices={"USD": 1000})
    cart = make_cart((variant, 1))
    set_prices(variant, {"USD": 1250})
    seen = {"amount": "10", "currency": "USD"}
    assert refused(gql, of_cart(cart, expectedTotal=seen)) == ("PRICE_CHANGED", ["input", "expectedTotal"])
    payload = gql(ANY, input=of_cart(cart, expectedTotal={"amount": "12.50", "currency": "USD"}))["orderPlace"]
    assert payload["order"]["totals"]["total"]["amount"] == "12.50"


def test_a_used_key_with_other_input_is_refused(gql: Gql) -> None:
    variant = make_variant()
    gql(ANY, input=buy_now(line_input(variant), idempotencyKey="k"))
    other = buy_now(line_input(variant, 2), idempotencyKey="k")
    assert refused(gql, other) == ("IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"])


def test_an_ordered_cart_is_gone(gql: Gql) -> None:
    cart = make_cart((make_variant(), 1))
    gql(ANY, input=of_cart(cart))
    assert refused(gql, of_cart(cart)) == ("NOT_FOUND", ["input", "cartId"])
    assert gql("query ($id: ID!) { cart(id: $id) { id } }", id=encode("Cart", cart.pk))["cart"] is None


def test_input_of_a_wrong_kind_is_told_before_anything_runs(gql: Gql) -> None:
    for sent in (
        {},
        {"idempotencyKey": None},
        buy_now({"variantId": "x", "quantity": 2**31}),
        buy_now(currency="usd"),
        buy_now(expectedTotal={"amount": "ten", "currency": "USD"}),
        buy_now(shippingAddress={"planet": "Mars"}),
    ):
        answer = gql(ANY, input=sent)
        assert set(answer.codes) == {"BAD_USER_INPUT"}
        assert answer.statements == 0


# Reading ------------------------------------------------------------------------------------------


def test_wrong_tokens_and_unknown_orders_look_the_same(gql: Gql) -> None:
    order, other = make_order(), make_order()
    key = encode("Order", order.pk)
    answers = [
        gql(BY_TOKEN, id=id_sent, token=token)
        for id_sent, token in [
            (key, None),
            (key, ""),
            (key, "wrong"),
            (key, other.token),
            (key, order.token + "x"),
            (key, "\x00"),
            (key, "\N{GRINNING FACE}"),
            (key, "x" * 500_000),
            (encode("Order", uuid4()), order.token),
            (encode("Order", uuid4()), None),
        ]
    ]
    assert {(answer.status, str(answer.data), str(answer.errors), answer.statements) for answer in answers} == {
        (200, "{'order': None}", "[]", 1)
    }


@pytest.mark.parametrize(
    "key", ["", "x", "\x00", encode("Cart", UUID(int=7)), encode("Order", "1"), "\N{GRINNING FACE}"]
)
def test_what_is_no_orders_id_finds_nothing(gql: Gql, key: str) -> None:
    assert gql(BY_TOKEN, id=key, token="x")["order"] is None


def test_an_orders_id_alone_opens_nothing(gql: Gql) -> None:
    order = make_order()
    document = "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }"
    answer = gql(document, id=encode("Order", order.pk))
    assert answer.data == {"node": None, "nodes": [None]}


# Cost ---------------------------------------------------------------------------------------------


def answers(gql: Gql, count: int) -> dict[str, Answer]:
    """The contract's operations on an order of that many lines."""
    variants = [make_variant() for _ in range(count)]
    cart = make_cart(*[(each, 1) for each in variants])
    placed = gql(PLACE, cartId=encode("Cart", cart.pk), idempotencyKey=str(uuid4()))
    order = placed["orderPlace"]["order"]
    lines = [line_input(each) for each in variants]
    buyer = {"email": "ada@example.com", "shipping": ADDRESS, "idempotencyKey": str(uuid4())}
    return {
        "OrderPlace": placed,
        "BuyNow": gql(BUY_NOW, lines=lines, **buyer),
        "OrderByToken": gql(BY_TOKEN, id=order["id"], token=order["token"]),
    }


def test_placing_three_lines_takes_at_most_25_statements_and_twenty_take_no_more(gql: Gql) -> None:
    counts = [
        {name: answer.statements for name, answer in answers(gql, count).items() if answer.errors == []}
        for count in (1, 3, 20)
    ]
    assert counts[0] == counts[1] == counts[2]
    # Two statements of each placement are the savepoint of this test's transaction.
    assert counts[0]["OrderPlace"] <= 15 + 2
    assert counts[0]["BuyNow"] <= 12 + 2
    assert counts[0]["OrderByToken"] <= 3
