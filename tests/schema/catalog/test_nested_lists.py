"""Lists of products below categories: right for each, and as many statements for many categories as for few."""

from typing import Any

import pytest

from backend.catalog.models import Category
from backend.catalog.queries import ProductFilter, facets, facets_by_category, visible_products
from backend.core.context import default_context
from tests.conftest import Gql
from tests.factories.catalog import make_attribute, make_category, make_product

pytestmark = pytest.mark.django_db
ROOTS = """query ($n: Int!, $filter: ProductFilter) { categories(first: $n) { nodes { slug
  products(first: 5, filter: $filter) { totalCount facets { key label kind values { value label count } } nodes { id } }
  children { slug products(first: 2, filter: $filter) { totalCount facets { key values { value count } } } } } } }"""
ONE = """query ($slug: String!, $filter: ProductFilter) { category(slug: $slug) {
  products(first: 5, filter: $filter) { totalCount facets { key label kind values { value label count } } } } }"""
FILTERS: list[Any] = [
    None,
    {"brands": ["Oak"]},
    {"available": True, "options": [{"name": "Size", "values": ["Size 1"]}]},
    {"attributes": [{"key": "material", "values": ["Wool"]}]},
]


def make_branch(products: int) -> Category:
    """A root with a child; the products are shared out between them."""
    root = make_category()
    child = make_category(parent=root)
    for n in range(products):
        product = make_product(
            category=child if n % 2 else root, brand="Oak" if n % 3 else "Elm", tags=["a", "b"], variants=1 + n % 2
        )
        make_attribute(product, "material", text="Wool" if n % 2 else "Linen")
    return root


@pytest.mark.parametrize("filter", FILTERS)
def test_counts_and_facets_take_as_many_statements_for_twelve_categories_as_for_two(gql: Gql, filter: Any) -> None:
    for n in range(12):
        make_branch(2 + n % 3)
    small, large = (gql(ROOTS, n=n, filter=filter) for n in (2, 12))
    assert small.errors == large.errors == []
    assert [len(each["categories"]["nodes"]) for each in (small, large)] == [2, 12]
    assert small.statements == large.statements


@pytest.mark.parametrize("filter", FILTERS)
def test_lists_that_are_read_together_are_what_each_is_alone(gql: Gql, filter: Any) -> None:
    for n in (5, 0, 3):
        make_branch(n)
    make_product("In no category", brand="Oak")
    nodes = gql(ROOTS, n=10, filter=filter)["categories"]["nodes"]
    assert len(nodes) == 3
    for node in nodes:
        alone = gql(ONE, slug=node["slug"], filter=filter)["category"]["products"]
        assert node["products"] == {**alone, "nodes": node["products"]["nodes"]}
        whole = gql(ONE, slug=node["slug"])["category"]["products"]
        if filter is None:
            assert alone["totalCount"] == whole["totalCount"] == len(node["products"]["nodes"])


def test_a_parent_counts_what_its_child_counts_too(gql: Gql) -> None:
    root = make_branch(4)
    found = gql(ROOTS, n=1)["categories"]["nodes"][0]
    assert found["slug"] == root.slug
    assert [found["products"]["totalCount"], found["children"][0]["products"]["totalCount"]] == [4, 2]


def test_facets_of_categories_above_each_other_are_each_ones_own() -> None:
    shop = default_context()
    root = make_branch(6)
    child = Category.objects.get(path__startswith=root.path, depth=2)
    stranger = make_category()
    together = facets_by_category([child, root, stranger, child], ProductFilter(tags=["a"]), shop)
    alone = [
        facets(visible_products(shop).filter(category__path__startswith=each.path), ProductFilter(tags=["a"]), shop)
        for each in (child, root, stranger, child)
    ]
    assert together == alone
    assert together[2] == []
