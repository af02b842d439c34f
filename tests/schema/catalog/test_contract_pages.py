"""The contract's lists page both ways, by its own documents: their `first` has a default, whatever else is given."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Gql
from tests.factories.catalog import make_category, make_product
from tests.schema.documents import operation

OWN = (Path(__file__).parent / "catalog.graphql").read_text(encoding="utf-8")
CONTRACT = Path(__file__).parents[4] / "shared" / "contract" / "catalog.graphql"
SOURCES = [
    pytest.param(lambda: OWN, id="own copy"),
    pytest.param(
        lambda: CONTRACT.read_text(encoding="utf-8"),
        id="contract",
        marks=pytest.mark.skipif(not CONTRACT.is_file(), reason="../shared/contract is not here"),
    ),
]
pytestmark = pytest.mark.django_db


def slugs(page: Any) -> list[str]:
    return [node["slug"] for node in page["nodes"]]


@pytest.mark.parametrize("source", SOURCES)
def test_product_list_pages_backward_although_first_has_a_default(gql: Gql, source: Any) -> None:
    # given
    document = operation(source(), "ProductList")
    for n in range(7):
        make_product(f"Chair {n}")
    whole = gql(document, sort="NAME_ASC")["products"]
    # when
    end = gql(document, last=3, sort="NAME_ASC")["products"]
    before = gql(document, last=3, before=end["pageInfo"]["startCursor"], sort="NAME_ASC")["products"]
    # then
    assert slugs(end) == slugs(whole)[4:]
    assert slugs(before) == slugs(whole)[1:4]
    assert [end["pageInfo"]["hasNextPage"], end["pageInfo"]["hasPreviousPage"]] == [False, True]
    assert [before["pageInfo"]["hasNextPage"], before["pageInfo"]["hasPreviousPage"]] == [True, True]


@pytest.mark.parametrize("argument", ["first", "last"])
def test_sizes_are_capped_at_a_hundred(gql: Gql, argument: str) -> None:
    category = make_category()
    for _ in range(101):
        make_product(category=category)
    root = gql(f"{{ products({argument}: 101) {{ nodes {{ slug }} }} }}")["products"]
    assert len(slugs(root)) == 100
    nested = f"query ($s: String) {{ category(slug: $s) {{ products({argument}: 1000) {{ nodes {{ slug }} }} }} }}"
    assert len(slugs(gql(nested, s=category.slug)["category"]["products"])) == 100


def test_a_cursor_with_a_time_without_zone_is_refused_and_nothing_is_warned_of(gql: Gql) -> None:
    document = "query ($after: String) { products(after: $after, sort: NEWEST) { nodes { slug } } }"
    naive = "WyJORVdFU1QiLCIyMDI1LTAzLTAzVDA5OjAwOjAwIiw3XQ"  # ["NEWEST","2025-03-03T09:00:00",7]
    assert gql(document, after=naive).codes == ["BAD_USER_INPUT"]
    huge = "WyJSQVRJTkdfREVTQyIsIjFlOTk5OTk5Iiw3XQ"  # ["RATING_DESC","1e999999",7]
    assert gql(document.replace("NEWEST", "RATING_DESC"), after=huge).codes == ["BAD_USER_INPUT"]


@pytest.mark.skipif(not CONTRACT.is_file(), reason="../shared/contract is not here")
@pytest.mark.parametrize("name", ["ProductList", "CategoryPage"])
def test_our_copy_is_the_contracts(name: str) -> None:
    assert operation(OWN, name).split() == operation(CONTRACT.read_text(encoding="utf-8"), name).split()
