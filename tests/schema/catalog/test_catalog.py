"""Reading the catalog: pages, filters, visibility, and a number of statements that does not grow."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.catalog.models import Product, ProductStatus
from backend.catalog.queries import ProductSort, page_products
from backend.core import clock
from backend.core.context import default_context
from backend.core.paging import page_request
from backend.vendors.models import Vendor, VendorStatus
from bench.operations import BENCH_LIST, PRODUCT_LIST, PRODUCT_PAGE
from tests.conftest import Gql
from tests.factories.catalog import make_category, make_image, make_product

pytestmark = pytest.mark.django_db
SORTS = [sort.value for sort in ProductSort]
PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $sort: ProductSort, $filter: ProductFilter) {
  products(first: $first, after: $after, last: $last, before: $before, sort: $sort, filter: $filter) {
    totalCount nodes { slug } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


def slugs(answer: Any) -> list[str]:
    return [node["slug"] for node in answer["products"]["nodes"]]


def make_shelf(count: int) -> list[Product]:
    """Products with ties in every sort key."""
    return [
        make_product(
            f"Chair {'ABC'[n % 3]}",
            prices={"USD": 1000 + n % 3},
            compare_at={"USD": 1500 + 10 * (n % 2)},
            rating_average=n % 3,
            sales_count=n % 4,
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_in_both_directions_show_everything_once(gql: Gql, sort: str) -> None:
    make_shelf(11)
    whole = slugs(gql(PAGE, first=100, sort=sort))
    assert len(set(whole)) == 11
    forward: list[str] = []
    cursor, more = None, True
    while more:
        answer = gql(PAGE, first=3, after=cursor, sort=sort)["products"]
        forward += [node["slug"] for node in answer["nodes"]]
        cursor, more = answer["pageInfo"]["endCursor"], answer["pageInfo"]["hasNextPage"]
    assert forward == whole
    backward: list[str] = []
    cursor, more = None, True
    while more:
        answer = gql(PAGE, last=4, before=cursor, sort=sort)["products"]
        backward = [node["slug"] for node in answer["nodes"]] + backward
        cursor, more = answer["pageInfo"]["startCursor"], answer["pageInfo"]["hasPreviousPage"]
    assert backward == whole


@pytest.mark.parametrize("sort", SORTS)
def test_rows_that_come_and_go_around_a_cursor_move_nothing(gql: Gql, sort: str) -> None:
    make_shelf(9)
    whole = slugs(gql(PAGE, first=100, sort=sort))
    first = gql(PAGE, first=3, sort=sort)["products"]
    Product.objects.filter(slug__in=whole[:3]).delete()
    for _ in range(3):
        make_product("Newcomer", prices={"USD": 1001}, rating_average=1, sales_count=1)
    rest = slugs(gql(PAGE, first=100, after=first["pageInfo"]["endCursor"], sort=sort))
    assert [slug for slug in rest if slug in whole] == whole[3:]


@pytest.mark.parametrize("sort", SORTS)
def test_a_deep_page_reads_as_little_as_the_first(sort: str) -> None:
    shop, order = default_context(), ProductSort(sort)
    make_shelf(60)
    middle = page_products(shop=shop, request=page_request(first=40), sort=order).cursors[-1]
    with CaptureQueriesContext(connection) as captured:
        page_products(shop=shop, request=page_request(first=5, after=middle), sort=order)
    [statement] = captured.captured_queries
    assert "OFFSET" not in statement["sql"]
    assert ") < (" in statement["sql"] or ") > (" in statement["sql"]


def test_cursors_of_another_order_and_rubbish_are_refused(gql: Gql) -> None:
    make_shelf(3)
    cursor = gql(PAGE, first=1, sort="NEWEST")["products"]["pageInfo"]["endCursor"]
    assert gql(PAGE, first=1, after=cursor, sort="PRICE_ASC").codes == ["BAD_USER_INPUT"]
    for rubbish in ("", "x", "W10", "WyJORVdFU1QiLCJ4Iiwic29tZSJd", "é", "\x00"):
        assert gql(PAGE, first=1, after=rubbish, sort="NEWEST").codes == ["BAD_USER_INPUT"]


def test_page_sizes_have_limits(gql: Gql) -> None:
    assert gql(PAGE, first=-1).codes == ["BAD_USER_INPUT"]
    assert gql(PAGE, last=-1).codes == ["BAD_USER_INPUT"]
    make_shelf(25)
    assert len(slugs(gql("{ products { nodes { slug } } }"))) == 20


def test_only_what_may_be_seen_is_shown(gql: Gql) -> None:
    seen = make_product("Seen")
    suspended = Vendor.objects.create(name="V", slug="v", status=VendorStatus.SUSPENDED)
    hidden = [
        make_product("Draft", status=ProductStatus.DRAFT),
        make_product("Archived", status=ProductStatus.ARCHIVED),
        make_product("Tomorrow", published_at=clock.now() + timedelta(days=1)),
        make_product("Deleted", deleted_at=clock.now()),
        make_product("Suspended", vendor=suspended),
    ]
    euro_only = make_product("Euro", prices={"EUR": 100})
    assert slugs(gql(PAGE)) == [seen.slug]
    assert gql(PAGE)["products"]["totalCount"] == 1
    for product in hidden:
        assert gql("query ($s: String) { product(slug: $s) { id } }", s=product.slug).data == {"product": None}
    found = gql("query ($s: String) { product(slug: $s) { priceRange { min { amount } } } }", s=euro_only.slug)
    assert found["product"] == {"priceRange": None}


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"brands": ["Oak"]}, ["oak"]),
        ({"tags": ["red", "none"]}, ["red"]),
        ({"categorySlugs": ["root"]}, ["oak", "red"]),
        ({"categorySlugs": ["leaf"]}, ["red"]),
        ({"categorySlugs": ["unknown"]}, []),
        ({"price": {"min": "20"}}, ["red"]),
        ({"price": {"max": "19.99"}}, ["oak", "sold-out"]),
        ({"price": {"min": "10", "max": "10.00"}}, ["oak", "sold-out"]),
        ({"available": True}, ["oak", "red"]),
        ({"available": False}, ["sold-out"]),
        ({"onSale": True}, ["red"]),
        ({"minRating": 4}, ["oak"]),
        ({"options": [{"name": "Size", "values": ["Size 2"]}]}, ["red"]),
        ({"brands": ["Oak"], "tags": ["red"]}, []),
        ({"vendorSlugs": ["nobody"]}, []),
        ({"ids": []}, []),
        ({"brands": ["'; DROP TABLE catalog_product; --"]}, []),
    ],
)
def test_filters_narrow_one_by_one_and_together(gql: Gql, filter: dict[str, Any], expected: list[str]) -> None:
    root = make_category("Root", slug="root")
    leaf = make_category("Leaf", parent=root, slug="leaf")
    make_product(slug="oak", brand="Oak", category=root, rating_average=4.5)
    make_product(slug="red", tags=["red"], category=leaf, prices={"USD": 2000}, compare_at={"USD": 4000}, variants=2)
    make_product(slug="sold-out", stock=0)
    answer = gql(PAGE, filter=filter, sort="NAME_ASC")["products"]
    assert sorted(node["slug"] for node in answer["nodes"]) == expected
    assert answer["totalCount"] == len(expected)


@pytest.mark.parametrize(
    "filter",
    [
        {"price": {"min": "-1"}},
        {"price": {"max": "NaN"}},
        {"price": {"min": "1e40"}},
        {"price": {"min": "0.001"}},
        {"minRating": 6},
        {"brands": ["x"] * 101},
        {"tags": ["\x00"]},
        {"options": [{"name": "\x00", "values": []}]},
        {"attributes": [{"key": "a", "min": "1e30"}]},
    ],
)
def test_filters_that_cannot_be_meant_are_bad_input(gql: Gql, filter: dict[str, Any]) -> None:
    answer = gql(PAGE, filter=filter)
    assert answer.codes == ["BAD_USER_INPUT"]


def test_facet_counts_are_what_the_list_would_have(gql: Gql) -> None:
    for n in range(6):
        make_product(brand="Oak" if n % 2 else "Elm", tags=["a", "b"][: n % 3], variants=1 + n % 2, stock=n % 4)
    query = """query ($filter: ProductFilter) { products(first: 1, filter: $filter) {
        totalCount facets { key label kind values { value label count } } } }"""
    chosen = {"brands": ["Oak"]}
    facets = {facet["key"]: facet["values"] for facet in gql(query, filter=chosen)["products"]["facets"]}
    assert {value["value"] for value in facets["brands"]} == {"Oak", "Elm"}
    for value in facets["brands"]:
        assert gql(query, filter={"brands": [value["value"]]})["products"]["totalCount"] == value["count"]
    for value in facets["tags"]:
        assert gql(query, filter={**chosen, "tags": [value["value"]]})["products"]["totalCount"] == value["count"]
    for value in facets["available"]:
        wanted = {**chosen, "available": value["value"] == "true"}
        assert gql(query, filter=wanted)["products"]["totalCount"] == value["count"]
    for value in facets["options.Size"]:
        wanted = {**chosen, "options": [{"name": "Size", "values": [value["value"]]}]}
        assert gql(query, filter=wanted)["products"]["totalCount"] == value["count"]


CATEGORY_TREE = """{ categories(first: 50) { nodes { id name slug productCount
    children { id name slug children { id name slug } } products(first: 2) { nodes { slug } } } } }"""


@pytest.mark.parametrize(
    ("document", "most"),
    [(BENCH_LIST, 5), (PRODUCT_LIST, 9), (CATEGORY_TREE, 6)],
    ids=["bench list", "ProductList", "CategoryTree"],
)
def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(gql: Gql, document: str, most: int) -> None:
    def fill(count: int) -> None:
        vendor = Vendor.objects.create(name=f"V{count}", slug=f"v{count}", status=VendorStatus.APPROVED)
        for _ in range(count):
            root = make_category()
            make_category(parent=make_category(parent=root))
            make_image(make_product(category=root, vendor=vendor, variants=3))

    fill(1)
    small = gql(document)
    fill(15)
    large = gql(document)
    assert small.errors == large.errors == []
    assert small.statements == large.statements <= most


def test_the_product_page_takes_as_many_statements_for_twenty_variants_as_for_two(gql: Gql) -> None:
    category = make_category(parent=make_category())
    counts = []
    for variants in (2, 20):
        product = make_product(variants=variants, category=category)
        make_image(product)
        answer = gql(PRODUCT_PAGE, slug=product.slug)
        assert len(answer["product"]["variants"]) == variants
        counts.append(answer.statements)
    assert counts[0] == counts[1] <= 5


def test_a_page_knows_its_categories_ancestors(gql: Gql) -> None:
    """They come with the category, in one statement."""
    root = make_category()
    below = make_category(parent=root)
    product = make_product(category=make_category(parent=below))
    alone, at_root = make_product(), make_product(category=root)
    query = "query ($s: String!) { product(slug: $s) { category { slug ancestors { slug ancestors { slug } } } } }"
    page = gql(query, s=product.slug)
    assert page["product"]["category"]["ancestors"] == [
        {"slug": root.slug, "ancestors": []},
        {"slug": below.slug, "ancestors": [{"slug": root.slug}]},
    ]
    assert page.statements == 2
    assert gql(query, s=at_root.slug)["product"]["category"] == {"slug": root.slug, "ancestors": []}
    assert gql(query, s=alone.slug)["product"]["category"] is None


def test_texts_are_translated_and_fall_back(gql: Gql) -> None:
    product = make_product("Chair", translations={"de": {"name": "Stuhl"}})
    query = "query ($s: String) @inContext(language: %s) { product(slug: $s) { name description } }"
    assert gql(query % "DE", s=product.slug)["product"]["name"] == "Stuhl"
    assert gql(query % "EN", s=product.slug)["product"]["name"] == "Chair"


def test_either_an_id_or_a_natural_key_finds_a_thing(gql: Gql) -> None:
    product = make_product()
    found = gql("query ($s: String) { product(slug: $s) { id variants { id sku } } }", s=product.slug)["product"]
    assert gql("query ($i: ID) { product(id: $i) { slug } }", i=found["id"])["product"]["slug"] == product.slug
    variant = found["variants"][0]
    assert gql("query ($s: String) { variant(sku: $s) { id } }", s=variant["sku"])["variant"]["id"] == variant["id"]
    assert gql("query ($i: ID) { product(id: $i) { slug } }", i=variant["id"]).data == {"product": None}
    assert gql("{ product { id } }").codes == ["BAD_USER_INPUT"]
    assert gql('{ product(id: "x", slug: "y") { id } }').codes == ["BAD_USER_INPUT"]
