"""A list of 773 fields, in process and without a database: graphql-core against the engine, on the same types.

24 products with image, category, price, and 3 variants with their prices; documents are parsed and validated
beforehand. `python -m bench.lists` prints milliseconds of CPU as JSON.
"""

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

import orjson
import strawberry
from graphql import parse, validate

from schema.engine import Batches, EngineSchema, batched, root_query

FIELDS = 773
ROUNDS = 40
"""Rounds of both ways in turn: what else the machine does meets both alike. The medians are compared."""
LIST = """{ products { totalCount pageInfo { hasNextPage } nodes {
  id name slug image { url alt } category { id name slug } price { amount currency }
  variants { id name sku price { amount currency } } } } }"""


class Context:
    """A request's context; no thread: a hop is not what is measured here."""

    def __init__(self) -> None:
        self.batches = Batches(self)

    async def run_sync(self, function: Callable[[], Any]) -> Any:
        return function()


@strawberry.type
class Money:
    amount: int
    currency: str


@strawberry.type
class Named:
    id: strawberry.ID
    name: str
    slug: str


@strawberry.type
class Image:
    url: str
    alt: str


@strawberry.type
class PageInfo:
    has_next_page: bool


CATEGORIES = [Named(id=strawberry.ID(f"c{n}"), name=f"Category {n}", slug=f"category-{n}") for n in range(5)]


@strawberry.type
class Variant:
    id: strawberry.ID
    name: str
    sku: str
    minor: strawberry.Private[int]

    @batched
    def price(variants: list[Any]) -> list[Money]:
        return [Money(amount=variant.minor, currency="USD") for variant in variants]


@strawberry.type
class Product:
    id: strawberry.ID
    name: str
    slug: str
    number: strawberry.Private[int]

    @batched
    def image(products: list[Any]) -> list[Image]:
        return [Image(url=f"/{product.number}.webp", alt=product.name) for product in products]

    @batched
    def category(products: list[Any]) -> list[Named]:
        return [CATEGORIES[product.number % 5] for product in products]

    @batched
    def price(products: list[Any]) -> list[Money]:
        return [Money(amount=1000 + product.number, currency="USD") for product in products]

    @batched
    def variants(products: list[Any]) -> list[list[Variant]]:
        return [VARIANTS[product.number] for product in products]


PRODUCTS = [Product(id=strawberry.ID(f"p{n}"), name=f"Product {n}", slug=f"p-{n}", number=n) for n in range(24)]
VARIANTS = [
    [Variant(id=strawberry.ID(f"v{n}-{k}"), name=f"V{k}", sku=f"S-{n}-{k}", minor=1000 + k) for k in range(3)]
    for n in range(24)
]


@strawberry.type
class Products:
    total_count: int
    page_info: PageInfo
    nodes: list[Product]


@strawberry.type
class Query:
    @root_query
    def products() -> Products:
        return Products(total_count=5000, page_info=PageInfo(has_next_page=True), nodes=PRODUCTS)


# The same list of ready objects: graphql-core's best case, without a future for each batched value.


@strawberry.type
class ReadyVariant:
    id: strawberry.ID
    name: str
    sku: str
    price: Money


@strawberry.type
class ReadyProduct:
    id: strawberry.ID
    name: str
    slug: str
    image: Image
    category: Named
    price: Money
    variants: list[ReadyVariant]


@strawberry.type
class ReadyProducts:
    total_count: int
    page_info: PageInfo
    nodes: list[ReadyProduct]


def _ready() -> list[ReadyProduct]:
    return [
        ReadyProduct(
            id=each.id,
            name=each.name,
            slug=each.slug,
            image=Image(url=f"/{each.number}.webp", alt=each.name),
            category=CATEGORIES[each.number % 5],
            price=Money(amount=1000 + each.number, currency="USD"),
            variants=[
                ReadyVariant(id=v.id, name=v.name, sku=v.sku, price=Money(amount=v.minor, currency="USD"))
                for v in VARIANTS[each.number]
            ],
        )
        for each in PRODUCTS
    ]


READY = _ready()


@strawberry.type(name="Query")
class ReadyQuery:
    @strawberry.field
    def products(self) -> ReadyProducts:
        return ReadyProducts(total_count=5000, page_info=PageInfo(has_next_page=True), nodes=READY)


class Way:
    """One schema, ready to answer."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema
        self._document = parse(LIST)
        assert not validate(schema._schema, self._document)

    async def answer(self) -> Any:
        executor: Any = self._schema.execution_context_class.build(
            self._schema._schema, self._document, context_value=Context()
        )
        result = executor.execute_operation()
        if isawaitable(result):
            result = await result
        assert result.errors is None
        return result.data

    async def cpu_ms(self, times: int) -> float:
        started = time.process_time()
        for _ in range(times):
            await self.answer()
        return (time.process_time() - started) * 1000 / times


def count_fields(data: Any) -> int:
    if isinstance(data, list):
        return sum(map(count_fields, data))
    return len(data) + sum(map(count_fields, data.values())) if isinstance(data, dict) else 0


async def measure() -> dict[str, float]:
    ways = {
        "engine": (Way(EngineSchema(Query)), 20),
        "graphql_core": (Way(EngineSchema(Query, breadth_first=False)), 2),
        "graphql_core_ready_objects": (Way(EngineSchema(ReadyQuery, breadth_first=False)), 2),
    }
    answers = [orjson.dumps(await way.answer()) for way, _ in ways.values()]
    assert len(set(answers)) == 1
    assert count_fields(orjson.loads(answers[0])) == FIELDS
    gc.collect()
    gc.freeze()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 2):
        for name, (way, times) in ways.items():
            spent = await way.cpu_ms(times)
            if turn >= 2:  # the first two warm up
                taken[name].append(spent)
    return {name: statistics.median(each) for name, each in taken.items()}


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(measure())) + b"\n")
