"""A request is freed when it is answered: what waits for the garbage collector holds up the requests that it meets."""

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
from starlette.requests import Request

from backend.catalog.queries import ImageRow, ProductRow, VariantRow
from schema.engine import Batches
from schema.engine.executor import EngineExecutor
from schema.server.context import Context
from tests.conftest import Gql
from tests.factories.catalog import make_image, make_product

pytestmark = pytest.mark.django_db
KINDS = {Request, Context, Batches, EngineExecutor, ProductRow, VariantRow, ImageRow}
LIST = "{ products(first: 5) { nodes { id image { url } variants { id price { amount } } } } }"
PAGE = "query ($slug: String!) { product(slug: $slug) { images { alt } variants { sku availability { status } } } }"


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> Counter[str]:
    return Counter(type(each).__name__ for each in gc.get_objects() if type(each) in KINDS)


@pytest.mark.parametrize("document", ["{ __typename }", LIST, PAGE], ids=["nothing", "list", "page"])
def test_a_query_leaves_nothing_behind(gql: Gql, no_collector: None, document: str) -> None:
    product = make_product(variants=2)
    make_image(product)
    variables = {"slug": product.slug} if document == PAGE else {}
    before = alive()
    assert gql(document, **variables).errors == []
    assert alive() == before
