"""A suspended vendor's products vanish at once, by every door; its orders go on."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.catalog.models import Product
from backend.core.caller import GUEST, Role
from backend.core.ids import encode
from backend.orders.models import OrderStatus
from backend.vendors.models import Vendor
from tests.conftest import Gql
from tests.factories.accounts import make_user
from tests.factories.carts import make_cart
from tests.factories.catalog import make_category, make_product
from tests.factories.orders import make_order, pay
from tests.factories.vendors import make_vendor
from tests.schema.vendors.documents import APPROVE, SUSPEND

SHOP = """query ($slug: String!, $id: ID!, $sku: String!, $variant: ID!, $vendor: ID!, $category: String!) {
  products { totalCount nodes { slug } facets { values { value count } } }
  filtered: products(filter: { ids: [$id] }) { totalCount }
  bySlug: product(slug: $slug) { id } byId: product(id: $id) { id }
  bySku: variant(sku: $sku) { id } variant(id: $variant) { id }
  product: node(id: $id) { id } node(id: $variant) { id } nodes(ids: [$id, $variant, $vendor]) { id }
  vendor: node(id: $vendor) { id }
  category(slug: $category) { productCount products { totalCount nodes { slug } } } }"""
ORDER = """mutation ($cartId: ID!) { orderPlace(input: { cartId: $cartId, idempotencyKey: "k" }) {
  order { id } userErrors { code message field } } }"""
ADD = """mutation ($variantId: ID!) { cartCreate(input: { lines: [{ variantId: $variantId }] }) {
  cart { id } userErrors { code } } }"""
CART = "query ($id: ID!) { cart(id: $id) { warnings { code } } }"
OFFERED = """query ($id: ID!) { cart(id: $id) { lines {
  variant { availableForSale product { availableForSale } } } } }"""


@pytest.fixture
def vendor(db: None) -> Vendor:
    return make_vendor("Hill")


@pytest.fixture
def product(vendor: Vendor) -> Product:
    return make_product("Chair", vendor=vendor, category=make_category(), stock=5)


@pytest.fixture
def decide(gql: Gql, vendor: Vendor) -> Callable[..., None]:
    admin = gql.signed_in(make_user(role=Role.ADMIN, password=None))

    def run(document: str, **given: Any) -> None:
        [payload] = admin(document, id=encode("Vendor", vendor.pk), **given).data.values()
        assert payload["userErrors"] == []

    return run


def seen(gql: Gql, product: Product) -> Any:
    variant = product.variants.get()
    answer = gql(
        SHOP,
        slug=product.slug,
        id=encode("Product", product.pk),
        sku=variant.sku,
        variant=encode("ProductVariant", variant.pk),
        vendor=encode("Vendor", product.vendor_id or 0),
        category=product.category.slug if product.category else "",
    )
    assert answer.errors == []
    return answer.data


def test_its_products_vanish_by_every_door_and_come_back(
    gql: Gql, product: Product, decide: Callable[..., None]
) -> None:
    before = seen(gql, product)
    assert (before["products"]["totalCount"], before["category"]["productCount"]) == (1, 1)
    assert None not in before.values()
    decide(SUSPEND, reason="Bad glue.")
    gone = seen(gql, product)
    assert gone.pop("category") == {"productCount": 0, "products": {"totalCount": 0, "nodes": []}}
    lists = gone.pop("products"), gone.pop("filtered")
    assert [each["totalCount"] for each in lists] == [0, 0]
    assert not [value for facet in lists[0]["facets"] for value in facet["values"] if value["count"]]
    assert gone.pop("nodes") == [None, None, None]
    assert set(gone.values()) == {None}
    decide(APPROVE)
    assert seen(gql, product) == before


def test_what_carts_hold_of_it_cannot_be_ordered_nor_put_in(
    gql: Gql, product: Product, decide: Callable[..., None]
) -> None:
    variant = product.variants.get()
    cart = encode("Cart", make_cart((variant, 1), caller=GUEST).pk)
    decide(SUSPEND, reason="Bad glue.")
    assert gql.refused(ORDER, cartId=cart)["code"] == "NOT_PURCHASABLE"
    assert gql.refused(ADD, variantId=encode("ProductVariant", variant.pk))["code"] == "NOT_PURCHASABLE"
    assert gql(CART, id=cart)["cart"]["warnings"] == [{"code": "NOT_PURCHASABLE"}]
    decide(APPROVE)
    assert gql(ORDER, cartId=cart)["orderPlace"]["userErrors"] == []


def test_what_carts_hold_of_it_is_not_for_sale(gql: Gql, product: Product, decide: Callable[..., None]) -> None:
    cart = encode("Cart", make_cart((product.variants.get(), 1), caller=GUEST).pk)

    def offered() -> Any:
        [line] = gql(OFFERED, id=cart)["cart"]["lines"]
        return line["variant"]["availableForSale"], line["variant"]["product"]["availableForSale"]

    assert offered() == (True, True)
    decide(SUSPEND, reason="Bad glue.")
    assert offered() == (False, False)
    decide(APPROVE)
    Product.objects.filter(pk=product.pk).update(status="DRAFT")
    assert offered() == (False, False)


def test_its_orders_go_on(gql: Gql, product: Product, decide: Callable[..., None]) -> None:
    order = make_order((product.variants.get(), 2))
    decide(SUSPEND, reason="Bad glue.")
    shown = gql(
        "query ($id: ID!, $token: String!) { order(id: $id, token: $token) { lines { quantity vendor { name } } } }",
        id=encode("Order", order.pk),
        token=order.token,
    )
    assert shown["order"]["lines"] == [{"quantity": 2, "vendor": {"name": "Hill"}}]
    assert pay(order).status == OrderStatus.PAID
