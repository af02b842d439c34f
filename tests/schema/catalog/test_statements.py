"""Whole pages of the contract take as many statements for much as for little."""

from pathlib import Path
from typing import Any

import pytest

from backend.catalog.models import Category
from backend.vendors.models import Vendor, VendorStatus
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.catalog import make_attribute, make_category, make_image, make_product
from tests.schema.documents import operation

pytestmark = pytest.mark.django_db
OWN = (Path(__file__).parent / "catalog.graphql").read_text(encoding="utf-8")
REFETCH = """query Refetch($id: ID!, $ids: [ID!]!) {
  node(id: $id) { __typename id ... on Product { name } ... on ProductVariant { sku } ... on Category { slug } }
  nodes(ids: $ids) { __typename id } }"""
NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
  ... on Product { name image { url } category { name } vendor { name } variants { sku price { amount } } }
  ... on ProductVariant { sku price { amount } availability { status } product { name } image { url } }
  ... on Category { slug productCount ancestors { slug } children { slug } image { url } } } }"""


def make_page(size: int) -> Category:
    """A category with that many levels above it, categories below it, and products of all kinds in it."""
    category = make_category()
    for _ in range(size):
        category = make_category(parent=category)
    for n in range(size):
        make_category(parent=category)
        vendor = Vendor.objects.create(name=f"V{n}", slug=f"v{category.pk}-{n}", status=VendorStatus.APPROVED)
        product = make_product(category=category, vendor=vendor, brand=f"B{n}", tags=[f"t{n}"], variants=1 + n)
        make_attribute(product, "material", text=f"M{n}")
        make_attribute(product, "weight", number=n)
        for _ in range(1 + n % 3):
            make_image(product)
    category.refresh_from_db()
    return category


@pytest.mark.parametrize("filter", [None, {"available": True, "attributes": [{"key": "weight", "min": 0}]}])
def test_a_category_page_takes_as_many_statements_for_twelve_of_everything_as_for_two(gql: Gql, filter: Any) -> None:
    counts = []
    for size in (2, 12):
        answer = gql(operation(OWN, "CategoryPage"), slug=make_page(size).slug, filter=filter)
        page = answer["category"]
        shown = [len(page["ancestors"]), len(page["children"]), len(page["products"]["edges"])]
        assert shown == [size] * 3
        counts.append(answer.statements)
    assert counts[0] == counts[1] <= 18


def ids_of(category: Category) -> list[str]:
    products = list(category.products.order_by("pk"))
    variants = [product.variants.latest("pk") for product in products]
    children = Category.objects.get_children(category)
    return [
        encode(kind, row.pk)
        for kind, rows in (("Product", products), ("ProductVariant", variants), ("Category", children))
        for row in rows
    ]


@pytest.mark.parametrize("document", [REFETCH, NODES], ids=["Refetch", "with what belongs to them"])
def test_nodes_take_as_many_statements_for_thirty_six_ids_as_for_six(gql: Gql, document: str) -> None:
    counts = []
    for size in (2, 12):
        ids = ids_of(make_page(size))
        given = {"id": ids[0]} if document is REFETCH else {}
        answer = gql(document, ids=ids, **given)
        assert [node["id"] for node in answer["nodes"]] == ids
        assert len(ids) == 3 * size
        counts.append(answer.statements)
    assert counts[0] == counts[1] <= 16
