"""Forms hear of everything that is at fault in one round, over GraphQL as clients send it."""

from typing import Any
from uuid import uuid4

import pytest

from backend.carts.models import Cart
from backend.catalog.models import Product, ProductStatus
from backend.core.models import IdempotencyKey
from backend.inventory.models import StockLevel
from backend.orders.models import Order
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.carts import make_cart, row_of
from tests.factories.catalog import make_product, make_variant

pytestmark = pytest.mark.django_db

ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "line1": "1 Main St",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "country": "GB",
}
PLACE = """
mutation ($input: OrderPlaceInput!) %s {
  orderPlace(input: $input) {
    order { id currency lines { productName } } replayed
    userErrors { code message field } shortages { variantId requested available }
  }
}
"""


def place(gql: Gql, sent: dict[str, Any], context: str = "") -> dict[str, Any]:
    return dict(gql(PLACE % context, input={"idempotencyKey": str(uuid4()), **sent})["orderPlace"])


def told(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_an_order_names_everything_at_fault_with_its_path_and_keeps_nothing(gql: Gql) -> None:
    short = make_variant(stock=1)
    lines = [{"variantId": "x"}, {"variantId": encode("ProductVariant", short.pk), "quantity": 2}]
    sent = {"lines": lines, "email": "nobody", "expectedTotal": {"amount": "1.001", "currency": "USD"}}
    payload = place(gql, {**sent, "shippingAddress": {**ADDRESS, "city": None, "country": "XX"}})
    assert sorted(told(payload)) == [
        ("INVALID", ["input", "email"]),
        ("INVALID", ["input", "expectedTotal", "amount"]),
        ("INVALID", ["input", "shippingAddress", "country"]),
        ("NOT_FOUND", ["input", "lines", "0", "variantId"]),
        ("OUT_OF_STOCK", ["input", "lines", "1", "quantity"]),
        ("REQUIRED", ["input", "shippingAddress", "city"]),
    ]
    assert payload["shortages"] == [{"variantId": lines[1]["variantId"], "requested": 2, "available": 1}]
    assert not Order.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_refused_carts_order_says_which_products_it_is_about(gql: Gql) -> None:
    gone, short = make_product("Chair").variants.get(), make_product("Lamp", stock=3).variants.get()
    cart = make_cart((gone, 1), (short, 3))
    StockLevel.objects.filter(variant=short).update(reserved=3)
    Product.objects.filter(pk=gone.product_id).update(status=ProductStatus.ARCHIVED)
    payload = place(gql, {"cartId": encode("Cart", cart.pk)})
    assert told(payload) == [("NOT_PURCHASABLE", ["input", "cartId"]), ("OUT_OF_STOCK", ["input", "cartId"])]
    first, second = (error["message"] for error in payload["userErrors"])
    assert first.startswith(f"Chair ({gone.sku}): ")
    assert second.startswith(f"Lamp ({short.sku}): ")
    assert [each["variantId"] for each in payload["shortages"]] == [encode("ProductVariant", short.pk)]
    assert Cart.objects.get().status == "OPEN"


@pytest.mark.parametrize("context", ["@inContext(currency: EUR)", "@inContext(language: DE)"])
def test_the_same_key_in_another_context_is_a_conflict(gql: Gql, context: str) -> None:
    variant = make_variant()
    lines = [{"variantId": encode("ProductVariant", variant.pk)}]
    sent = {"lines": lines, "email": "ada@example.com", "shippingAddress": ADDRESS, "idempotencyKey": "k"}
    first = place(gql, sent)
    assert first["order"]["currency"] == "USD"
    other = place(gql, sent, context)
    assert (other["order"], told(other)) == (None, [("IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"])])
    again = place(gql, sent, "@inContext(currency: USD, language: EN)")
    assert (again["replayed"], again["order"]["id"]) == (True, first["order"]["id"])
    assert Order.objects.count() == 1


def test_an_empty_address_is_refused_part_by_part(gql: Gql) -> None:
    cart = make_cart(shipping=None)
    before = row_of(cart)
    document = """mutation ($input: CartAddressesUpdateInput!) {
      cartAddressesUpdate(input: $input) { cart { id } userErrors { code message field } } }"""
    payload = gql(document, input={"cartId": encode("Cart", cart.pk), "shippingAddress": {}})["cartAddressesUpdate"]
    parts = ("firstName", "lastName", "line1", "city", "country")
    assert told(payload) == [("REQUIRED", ["input", "shippingAddress", part]) for part in parts]
    assert (payload["cart"], row_of(cart)) == (None, before)
