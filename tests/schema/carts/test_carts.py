from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import User
from backend.carts.models import Cart, CartLine
from backend.carts.services import close_ordered
from backend.catalog.models import Product, ProductStatus
from backend.core import clock
from backend.core.caller import Caller
from backend.core.models import OutboxEvent
from backend.inventory.models import StockLevel
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.carts import make_cart, row_of
from tests.factories.catalog import make_image, make_product, make_variant, set_prices
from tests.schema.documents import CART, operation

pytestmark = pytest.mark.django_db

GET, CREATE = operation(CART, "Cart"), operation(CART, "CartCreate")
ADD, UPDATE = operation(CART, "CartLinesAdd"), operation(CART, "CartLinesUpdate")
REMOVE, CLEAR = operation(CART, "CartLinesRemove"), operation(CART, "CartClear")
BUYER, ADDRESSES = operation(CART, "CartBuyerUpdate"), operation(CART, "CartAddressesUpdate")
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "line1": "1 Main St",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "country": "gb",
}


def cart_id(cart: Cart) -> str:
    return encode("Cart", cart.pk)


def line_input(variant: Any, quantity: int = 1) -> dict[str, Any]:
    return {"variantId": encode("ProductVariant", variant.pk), "quantity": quantity}


def line_id(cart: Cart, n: int = 0) -> str:
    return encode("CartLine", cart.lines.order_by("pk")[n].pk)


# The journey of a cart ----------------------------------------------------------------------------


def test_a_cart_is_made_filled_changed_and_emptied(gql: Gql) -> None:
    mug = make_product("Mug", prices={"USD": 1250}, compare_at={"USD": 1500}).variants.get()
    shirt = make_variant(make_product("Shirt", variants=0), options={"Size": "M"}, name="M", prices={"USD": 2000})
    make_image(mug.product, alt="A mug")

    payload = gql(CREATE, input={"email": "ada@example.com", "lines": [line_input(mug, 2)]})["cartCreate"]
    assert payload["userErrors"] == []
    cart = payload["cart"]
    assert (cart["currency"], cart["version"], cart["itemCount"], cart["email"]) == ("USD", 1, 2, "ada@example.com")
    [line] = cart["lines"]
    assert line["variant"]["product"]["name"] == "Mug"
    assert line["variant"]["image"] == {"url": "https://images.example/a.jpg", "alt": "A mug"}
    assert line["variant"]["availability"] == {"status": "IN_STOCK", "quantity": 10, "maxPerOrder": 10}
    assert line["unitPrice"] == {"amount": "12.50", "currency": "USD", "formatted": "$12.50"}
    assert line["compareAtUnitPrice"]["amount"] == "15.00"
    assert (line["discount"]["amount"], line["total"]["amount"]) == ("0.00", "25.00")

    cart = gql(ADD, cartId=cart["id"], lines=[line_input(shirt), line_input(mug)])["cartLinesAdd"]["cart"]
    assert [(each["variant"]["sku"], each["quantity"]) for each in cart["lines"]] == [(mug.sku, 3), (shirt.sku, 1)]
    assert cart["lines"][1]["variant"]["options"] == [{"name": "Size", "value": "M"}]
    assert cart["lines"][1]["compareAtUnitPrice"] is None
    assert (cart["version"], cart["totals"]["total"]["amount"]) == (2, "57.50")

    cart = gql(UPDATE, cartId=cart["id"], lineId=cart["lines"][0]["id"], quantity=1)["cartLinesUpdate"]["cart"]
    assert cart["totals"]["subtotal"]["amount"] == cart["totals"]["total"]["amount"] == "32.50"
    cart = gql(REMOVE, cartId=cart["id"], lineIds=[cart["lines"][0]["id"]])["cartLinesRemove"]["cart"]
    assert [each["variant"]["sku"] for each in cart["lines"]] == [shirt.sku]
    cart = gql(BUYER, cartId=cart["id"], phone="+1 555", note="Hi")["cartBuyerUpdate"]["cart"]
    assert (cart["email"], cart["phone"], cart["note"]) == ("ada@example.com", "+1 555", "Hi")
    cart = gql(ADDRESSES, cartId=cart["id"], shipping=ADDRESS)["cartAddressesUpdate"]["cart"]
    assert (cart["shippingAddress"]["country"], cart["shippingAddress"]["line2"]) == ("GB", "")
    assert cart["billingAddress"] is None
    cart = gql(CLEAR, cartId=cart["id"])["cartClear"]["cart"]
    assert (cart["lines"], cart["itemCount"], cart["totals"]["total"]["amount"]) == ([], 0, "0.00")
    assert gql(GET, id=cart["id"])["cart"] == cart
    assert StockLevel.objects.filter(reserved__gt=0).count() == 0


def test_what_the_shop_does_not_do_yet_is_honestly_empty(gql: Gql) -> None:
    cart = gql(GET, id=cart_id(make_cart((make_variant(), 1))))["cart"]
    assert cart["coupons"] == cart["discounts"] == cart["deliveryOptions"] == cart["taxes"] == cart["warnings"] == []
    assert (cart["delivery"], cart["pricesIncludeTax"]) == (None, False)
    assert cart["totals"]["shipping"]["amount"] == cart["totals"]["tax"]["amount"] == "0.00"


def test_a_cart_keeps_its_currency_and_speaks_the_contexts_language(gql: Gql) -> None:
    mug = make_product("Mug", prices={"USD": 1250, "EUR": 1100}, translations={"de": {"name": "Becher"}})
    variant = mug.variants.get()
    document = CREATE.replace(") {\n  cartCreate", ") @inContext(language: DE, currency: EUR) {\n  cartCreate")
    cart = gql(document, input={"lines": [line_input(variant)]})["cartCreate"]["cart"]
    assert cart["currency"] == "EUR"
    [line] = cart["lines"]
    assert line["unitPrice"] == {"amount": "11.00", "currency": "EUR", "formatted": "11,00\xa0€"}
    assert line["variant"]["product"]["name"] == "Becher"
    assert gql(GET, id=cart["id"])["cart"]["totals"]["total"]["currency"] == "EUR"


def test_a_changed_price_is_told_until_the_next_write(gql: Gql) -> None:
    variant = make_variant(sku="MUG", prices={"USD": 1000})
    cart = make_cart((variant, 1))
    set_prices(variant, {"USD": 1250})
    shown = gql(GET, id=cart_id(cart))["cart"]
    assert shown["warnings"] == [
        {
            "code": "PRICE_CHANGED",
            "message": "The price of MUG changed from 10.00 to 12.50 USD.",
            "lineId": line_id(cart),
        }
    ]
    assert shown["totals"]["total"]["amount"] == "12.50"
    assert gql(BUYER, cartId=cart_id(cart))["cartBuyerUpdate"]["cart"]["warnings"] == []


def test_a_line_that_is_no_longer_sold_is_shown_with_a_warning(gql: Gql) -> None:
    variant = make_variant()
    cart = make_cart((variant, 1))
    Product.objects.update(status=ProductStatus.ARCHIVED)
    shown = gql(GET, id=cart_id(cart))["cart"]
    assert [each["code"] for each in shown["warnings"]] == ["NOT_PURCHASABLE"]
    assert shown["lines"][0]["variant"]["sku"] == variant.sku


def test_null_empties_and_what_is_left_out_stays(gql: Gql) -> None:
    cart = make_cart()
    key = cart_id(cart)
    gql(ADDRESSES, cartId=key, shipping=ADDRESS, billing={**ADDRESS, "city": "Paris"})
    assert gql(ADDRESSES, cartId=key, shipping=ADDRESS)["cartAddressesUpdate"]["cart"]["billingAddress"] is not None
    emptied = gql(ADDRESSES, cartId=key, shipping=ADDRESS, billing=None)["cartAddressesUpdate"]["cart"]
    assert emptied["billingAddress"] is None
    assert gql(BUYER, cartId=key, email=None)["cartBuyerUpdate"]["cart"]["email"] is None


def test_a_cart_is_found_by_its_global_id(gql: Gql) -> None:
    cart = make_cart()
    document = "query ($id: ID!) { node(id: $id) { __typename id ... on Cart { version } } }"
    node = gql(document, id=cart_id(cart))["node"]
    assert node == {"__typename": "Cart", "id": cart_id(cart), "version": cart.version}
    close_ordered(cart)
    for key in (cart_id(cart), encode("Cart", uuid4()), encode("Cart", "x\x00")):
        assert gql(document, id=key)["node"] is None


# Refusals -----------------------------------------------------------------------------------------

WRITES: dict[str, tuple[str, Callable[[Cart], dict[str, Any]]]] = {
    "add": (ADD, lambda cart: {"lines": [line_input(cart.lines.get().variant)]}),
    "update": (UPDATE, lambda cart: {"lineId": line_id(cart), "quantity": 2}),
    "remove": (REMOVE, lambda cart: {"lineIds": [line_id(cart)]}),
    "clear": (CLEAR, lambda cart: {}),
    "buyer": (BUYER, lambda cart: {"note": "x"}),
    "addresses": (ADDRESSES, lambda cart: {"shipping": ADDRESS}),
}


def unreachable_ids() -> dict[str, str]:
    owner = Caller(User.objects.create_user("owner@example.com").pk)
    ordered = make_cart()
    close_ordered(ordered)
    expired = make_cart()
    Cart.objects.filter(pk=expired.pk).update(expires_at=clock.now())
    return {
        "unknown": encode("Cart", uuid4()),
        "a customer's": cart_id(make_cart(caller=owner)),
        "ordered": cart_id(ordered),
        "expired": cart_id(expired),
        "of another type": encode("Order", uuid4()),
        "no id": "nonsense",
        "empty": "",
        "nul": "\x00",
        "not ascii": "\N{GRINNING FACE}",
        "not a uuid": encode("Cart", "1' OR 1=1"),
        "long": "x" * 500_000,
    }


@pytest.mark.parametrize("write", WRITES)
def test_a_cart_that_is_not_there_or_not_ones_own_cannot_be_written(gql: Gql, write: str) -> None:
    document, variables = WRITES[write]
    sent = variables(make_cart((make_variant(), 1)))
    before = [row_of(cart) for cart in Cart.objects.order_by("pk")]
    answers = {}
    for name, key in unreachable_ids().items():
        answers[name] = gql.refused(document, **sent, cartId=key)
    assert {(each["code"], tuple(each["field"])) for each in answers.values()} == {("NOT_FOUND", ("input", "cartId"))}
    after = {row["id"]: row for row in (row_of(cart) for cart in Cart.objects.all())}
    assert all(after[row["id"]] == row for row in before)
    assert not OutboxEvent.objects.exists()


def test_a_cart_that_is_not_there_or_not_ones_own_cannot_be_read(gql: Gql) -> None:
    for key in unreachable_ids().values():
        assert gql(GET, id=key)["cart"] is None


@pytest.mark.parametrize("write", WRITES)
def test_a_version_that_is_no_longer_current_is_refused_everywhere(gql: Gql, write: str) -> None:
    document, variables = WRITES[write]
    cart = make_cart((make_variant(), 1))
    before = row_of(cart)
    document = document.replace("input: {", f"input: {{ expectedVersion: {cart.version - 1},", 1)
    error = gql.refused(document, **variables(cart), cartId=cart_id(cart))
    assert (error["code"], error["field"]) == ("CART_VERSION_CONFLICT", ["input", "expectedVersion"])
    assert row_of(cart) == before
    current = document.replace(f"expectedVersion: {cart.version - 1}", f"expectedVersion: {cart.version}")
    [payload] = (gql(current, **variables(cart), cartId=cart_id(cart)).data or {}).values()
    assert payload["userErrors"] == []
    assert payload["cart"]["version"] == cart.version + 1


@pytest.mark.parametrize("write", WRITES)
def test_every_write_can_be_sent_twice_and_never_breaks(gql: Gql, write: str) -> None:
    document, variables = WRITES[write]
    cart = make_cart((make_variant(), 1))
    sent = variables(cart)
    answers = [gql(document, **sent, cartId=cart_id(cart)) for _ in range(2)]
    assert [answer.errors for answer in answers] == [[], []]
    [again] = (answers[1].data or {}).values()
    assert [each["code"] for each in again["userErrors"]] == (["NOT_FOUND"] if write == "remove" else [])


@pytest.mark.parametrize(
    ("quantity", "code"), [(0, "INVALID"), (-1, "INVALID"), (1000, "QUANTITY_LIMIT"), (2**31 - 1, "QUANTITY_LIMIT")]
)
def test_odd_quantities_are_refused(gql: Gql, quantity: int, code: str) -> None:
    variant, other = make_variant(stock=5000), make_variant()
    cart = make_cart((other, 1))
    before = row_of(cart)
    error = gql.refused(ADD, cartId=cart_id(cart), lines=[line_input(other), line_input(variant, quantity)])
    assert (error["code"], error["field"]) == (code, ["input", "lines", "1", "quantity"])
    assert row_of(cart) == before


def test_a_number_beyond_the_api_is_refused_before_anything_is_read(gql: Gql) -> None:
    cart, variant = make_cart(), make_variant()
    answer = gql(ADD, cartId=cart_id(cart), lines=[line_input(variant, 2**31)])
    assert [each["extensions"]["code"] for each in answer.errors] == ["BAD_USER_INPUT"]
    assert not CartLine.objects.exists()


@pytest.mark.parametrize(
    "id",
    [
        "",
        "nonsense",
        "\x00",
        "x" * 100_000,
        encode("ProductVariant", 10**17),
        encode("ProductVariant", "9" * 40),
        encode("ProductVariant", -1),
        encode("Product", 1),
        encode("ProductVariant", "1; DROP TABLE carts_cart"),
    ],
)
def test_ids_that_are_no_variants_are_not_found(gql: Gql, id: str) -> None:
    cart = make_cart()
    error = gql.refused(ADD, cartId=cart_id(cart), lines=[{"variantId": id}])
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "lines", "0", "variantId"])
    assert not CartLine.objects.exists()


def test_what_is_not_on_sale_and_what_is_short_are_refused_with_their_line(gql: Gql) -> None:
    draft, short = make_product(status=ProductStatus.DRAFT).variants.get(), make_variant(stock=1)
    cart = make_cart()
    error = gql.refused(ADD, cartId=cart_id(cart), lines=[line_input(short), line_input(draft)])
    assert (error["code"], error["field"]) == ("NOT_PURCHASABLE", ["input", "lines", "1", "variantId"])
    error = gql.refused(ADD, cartId=cart_id(cart), lines=[line_input(short, 2)])
    assert (error["code"], error["field"]) == ("OUT_OF_STOCK", ["input", "lines", "0", "quantity"])
    assert error["message"] == "2 were asked for, 1 are left."
    assert not CartLine.objects.exists()


def test_every_line_at_fault_has_its_own_error(gql: Gql) -> None:
    cart = make_cart()
    short = [make_variant(stock=0) for _ in range(2)]
    lines = [line_input(make_variant()), *map(line_input, short)]
    payload = gql(ADD, cartId=cart_id(cart), lines=lines)["cartLinesAdd"]
    assert [each["field"][2] for each in payload["userErrors"]] == ["1", "2"]
    assert {each["code"] for each in payload["userErrors"]} == {"OUT_OF_STOCK"}
    assert payload["cart"] is None


def test_a_line_of_another_cart_is_not_found(gql: Gql) -> None:
    variant = make_variant()
    cart, other = make_cart((variant, 1)), make_cart((variant, 2))
    before = row_of(other)
    error = gql.refused(UPDATE, cartId=cart_id(cart), lineId=line_id(other), quantity=9)
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "lines", "0", "id"])
    error = gql.refused(REMOVE, cartId=cart_id(cart), lineIds=[line_id(cart), line_id(other)])
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "lineIds", "1"])
    assert row_of(other) == before
    assert cart.lines.count() == 1


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_a_currency_without_prices_is_refused(gql: Gql, currency: str) -> None:
    error = gql.refused(CREATE, input={"currency": currency})
    assert (error["code"], error["field"]) == ("CURRENCY_MISMATCH", ["input", "currency"])
    assert not Cart.objects.exists()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("email", "nobody"),
        ("email", "a\x00@example.com"),
        ("email", "<script>alert(1)</script>"),
        ("phone", "\x00"),
        ("phone", "5" * 33),
        ("note", "a\x00b"),
        ("note", "x" * 2001),
        ("note", "\x1b[31m"),
    ],
)
def test_hostile_texts_are_refused_by_name(gql: Gql, part: str, value: str) -> None:
    cart = make_cart()
    before = row_of(cart)
    error = gql.refused(BUYER, cartId=cart_id(cart), **{part: value})
    assert (error["code"], error["field"]) == ("INVALID", ["input", part])
    assert row_of(cart) == before


def test_a_text_of_a_million_characters_is_refused_at_the_door(gql: Gql) -> None:
    cart = make_cart()
    answer = gql(BUYER, cartId=cart_id(cart), note="x" * 1_000_000)
    assert answer.status == 413
    assert [each["extensions"]["code"] for each in answer.errors] == ["PAYLOAD_TOO_LARGE"]


def test_scripts_and_emoji_come_back_as_they_were_sent(gql: Gql) -> None:
    cart = make_cart()
    note = "<script>alert('\N{GRINNING FACE}')</script> \u202etxt"
    assert gql(BUYER, cartId=cart_id(cart), note=note)["cartBuyerUpdate"]["cart"]["note"] == note


@pytest.mark.parametrize(
    ("part", "value", "code"),
    [
        ("city", None, "REQUIRED"),
        ("line1", "  ", "REQUIRED"),
        ("country", "XX", "INVALID"),
        ("postalCode", "1\x00", "INVALID"),
        ("postalCode", "62701", "INVALID"),
        ("postalCode", None, "REQUIRED"),
        ("phone", "call me", "INVALID"),
        ("lastName", "x" * 201, "INVALID"),
    ],
)
def test_an_address_at_fault_names_its_part(gql: Gql, part: str, value: str | None, code: str) -> None:
    cart = make_cart(shipping=None)
    before = row_of(cart)
    error = gql.refused(ADDRESSES, cartId=cart_id(cart), shipping={**ADDRESS, part: value})
    assert (error["code"], error["field"]) == (code, ["input", "shippingAddress", part])
    assert row_of(cart) == before


def test_missing_input_is_told_before_anything_runs(gql: Gql) -> None:
    for document, variables in (
        (ADD, {"lines": []}),
        (UPDATE, {"cartId": "x", "lineId": "y"}),
        (CREATE, {"input": {"lines": [{"quantity": 1}]}}),
        (ADDRESSES, {"cartId": "x", "shipping": {"planet": "Mars"}}),
        (BUYER, {"cartId": "x", "note": 1}),
    ):
        answer = gql(document, **variables)
        assert [each["extensions"]["code"] for each in answer.errors] == ["BAD_USER_INPUT"]
        assert answer.statements == 0


# Cost ---------------------------------------------------------------------------------------------


def statements(gql: Gql, count: int) -> dict[str, int]:
    """How many statements each operation runs on a cart of that many lines."""
    variants = [make_variant() for _ in range(count)]
    for variant in variants:
        make_image(variant.product)
    made = gql(CREATE, input={"lines": [line_input(each) for each in variants]})
    cart = made["cartCreate"]["cart"]
    found = {"create": made.statements}
    runs: dict[str, tuple[str, dict[str, Any]]] = {
        "get": (GET, {"id": cart["id"]}),
        "add": (ADD, {"lines": [line_input(each) for each in variants]}),
        "update": (UPDATE, {"lineId": cart["lines"][0]["id"], "quantity": 3}),
        "buyer": (BUYER, {"note": "x"}),
        "addresses": (ADDRESSES, {"shipping": ADDRESS}),
        "remove": (REMOVE, {"lineIds": [each["id"] for each in cart["lines"]]}),
        "clear": (CLEAR, {}),
    }
    for name, (document, variables) in runs.items():
        answer = gql(document, **({"cartId": cart["id"]} if name != "get" else {}), **variables)
        assert answer.errors == []
        found[name] = answer.statements
    return found


def test_every_operation_runs_the_same_number_of_statements_for_one_line_and_for_twenty(gql: Gql) -> None:
    one, twenty = statements(gql, 1), statements(gql, 20)
    assert one == twenty
    assert one["get"] <= 8
    assert max(one.values()) <= 17
