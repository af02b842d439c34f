"""What can be ordered depends on the context's currency: what has no price in it cannot."""

from typing import Any

import pytest

from backend.catalog.models import ProductVariant
from backend.core import clock
from tests.conftest import Gql
from tests.factories.catalog import make_product, make_stock, make_variant

pytestmark = pytest.mark.django_db
PRODUCT = """query ($slug: String!) @inContext(currency: %s) { product(slug: $slug) {
  availableForSale priceRange { min { amount } } options { values { value available } }
  variants { sku availableForSale availability { status quantity maxPerOrder } } } }"""
STOCK = "fragment Stock on Product { variants { sku availableForSale availability { quantity } } }"
LIST = "query ($filter: ProductFilter) @inContext(currency: USD) { products(filter: $filter) { nodes { slug } } }"


def product_of(gql: Gql, slug: str, currency: str) -> Any:
    return gql(PRODUCT % currency, slug=slug)["product"]


def test_a_product_without_a_price_in_the_currency_is_not_for_sale_in_it(gql: Gql) -> None:
    product = make_product(prices={"EUR": 100}, stock=3)
    dollars, euros = product_of(gql, product.slug, "USD"), product_of(gql, product.slug, "EUR")
    assert [dollars["availableForSale"], dollars["priceRange"]] == [False, None]
    assert euros["availableForSale"] is True
    [in_dollars], [in_euros] = dollars["variants"], euros["variants"]
    assert in_dollars["availableForSale"] is False
    assert in_euros["availableForSale"] is True
    assert in_dollars["availability"] == in_euros["availability"]  # the stock is the same in every currency


def test_one_variant_must_have_both_a_price_and_stock(gql: Gql) -> None:
    # given a variant with stock that is not sold in dollars, and one that is, without stock
    product = make_product(variants=0, options=[{"name": "Size", "values": ["S", "M"]}])
    make_variant(product, options={"Size": "S"}, prices={"EUR": 100}, stock=5)
    make_variant(product, options={"Size": "M"}, prices={"EUR": 100, "USD": 100}, stock=0)
    # then
    dollars, euros = product_of(gql, product.slug, "USD"), product_of(gql, product.slug, "EUR")
    assert dollars["priceRange"] is not None
    assert dollars["availableForSale"] is False
    assert euros["availableForSale"] is True
    assert [value["available"] for value in dollars["options"][0]["values"]] == [False, False]
    assert [value["available"] for value in euros["options"][0]["values"]] == [True, False]
    assert gql(LIST, filter={"available": True})["products"]["nodes"] == []
    assert gql(LIST, filter={"available": False})["products"]["nodes"] == [{"slug": product.slug}]


@pytest.mark.parametrize(("fields", "expected"), [({"stock": 0}, False), ({"stock": 1, "reserved": 1}, False)])
def test_what_has_no_free_units_is_not_for_sale_unless_they_are_promised(
    gql: Gql, fields: dict[str, Any], expected: bool
) -> None:
    denied = make_variant(**fields)
    promised = make_variant(**fields, stock_policy="BACKORDER")
    for variant, answer in ((denied, expected), (promised, True)):
        found = product_of(gql, variant.product.slug, "USD")
        assert found["availableForSale"] is answer
        assert found["variants"][0]["availableForSale"] is answer


def test_stock_is_that_of_all_places_and_variants_that_were_deleted_are_gone(gql: Gql) -> None:
    # given a variant in two places, one that is in none, and one that was deleted
    product = make_product(variants=0)
    spread, nowhere, deleted = (make_variant(product, sku=sku, stock=2) for sku in ("SPREAD", "NOWHERE", "DELETED"))
    make_stock(spread, on_hand=7, reserved=3, location="Elsewhere")
    nowhere.stock_levels.all().delete()
    ProductVariant.objects.filter(pk=deleted.pk).update(deleted_at=clock.now())
    # then a list, the page, and the variant by itself say so
    [row] = gql("{ products { nodes { ...Stock } } }" + STOCK)["products"]["nodes"]
    found = [(each["sku"], each["availableForSale"], each["availability"]["quantity"]) for each in row["variants"]]
    assert found == [("SPREAD", True, 6), ("NOWHERE", False, 0)]
    assert (
        gql("query ($slug: String!) { product(slug: $slug) { ...Stock } }" + STOCK, slug=product.slug)["product"] == row
    )
    alone = "query ($sku: String) { variant(sku: $sku) { availability { quantity } product { ...Stock } } }" + STOCK
    assert gql(alone, sku="NOWHERE")["variant"] == {"availability": {"quantity": 0}, "product": row}
    assert gql(alone, sku="DELETED")["variant"] is None


def test_it_takes_as_many_statements_for_twenty_products_as_for_two(gql: Gql) -> None:
    document = "{ products(first: 50) { nodes { availableForSale variants { availableForSale } } } }"
    counts = []
    for size in (2, 18):
        for _ in range(size):
            make_product(variants=2)
        counts.append(gql(document).statements)
    assert counts[0] == counts[1] <= 5


def test_lists_and_pages_say_the_same(gql: Gql) -> None:
    """A list asks PostgreSQL for its answer, a page takes it from the variants and the stock that it shows."""
    variants: list[dict[str, Any]] = [
        {"prices": prices, "stock": stock, "reserved": reserved, "stock_policy": policy}
        for prices in ({"USD": 100}, {"EUR": 100, "USD": 100})
        for stock, reserved in ((0, 0), (2, 2), (2, 1))
        for policy in ("DENY", "BACKORDER", "PREORDER")
    ]
    for fields in variants:
        make_variant(**fields)
    for currency in ("USD", "EUR"):
        document = (
            f"query @inContext(currency: {currency}) {{ products(first: 50) {{ nodes {{ slug availableForSale }} }} }}"
        )
        listed = gql(document)["products"]["nodes"]
        assert {each["availableForSale"] for each in listed} == {True, False}
        for each in listed:
            assert product_of(gql, each["slug"], currency)["availableForSale"] is each["availableForSale"]


def test_a_page_asks_for_stock_and_prices_once(gql: Gql) -> None:
    product = make_product(variants=2, options=[{"name": "Size", "values": ["S", "M"]}])
    assert gql(PRODUCT % "USD", slug=product.slug).statements == 2  # the product; its variants with their stock
