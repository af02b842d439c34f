"""The same through the whole ASGI application on its pool of database threads, in this process and without a server.

`tests/journeys/test_many_at_once.py` has it over sockets, from a running shop.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection
from pytest_django import Settings

from backend.inventory.models import StockLevel
from backend.orders.models import Order
from schema.asgi import application
from schema.server import db as database
from schema.server.ids import encode
from tests.factories.catalog import make_variant
from tests.schema.documents import CHECKOUT, operation

pytestmark = pytest.mark.django_db(transaction=True)
POOL = 8
BUY_NOW = operation(CHECKOUT, "BuyNow")
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "line1": "1 Main St",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "country": "GB",
}


def send_at_once(document: str, many: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The payloads of the same mutation with many variables; every answer is a 200 without top-level errors."""

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            bodies = ({"query": document, "variables": each} for each in many)
            try:
                return await asyncio.gather(*(client.post("/graphql", json=body) for body in bodies))
            finally:
                await _close_connections()

    answers = asyncio.run(run())
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["errors"] for answer in answers if "errors" in answer.json()] == []
    return [next(iter(answer.json()["data"].values())) for answer in answers]


async def _close_connections() -> None:
    all_here = threading.Barrier(POOL)

    def close() -> None:
        connection.close()
        all_here.wait(30)

    await asyncio.gather(*(database.db(close) for _ in range(POOL)))
    database.close()


@pytest.fixture(autouse=True)
def _pool(settings: Settings) -> None:
    settings.DB_POOL_SIZE = POOL


def buying(variant_id: int, key: str) -> dict[str, Any]:
    lines = [{"variantId": encode("ProductVariant", variant_id), "quantity": 1}]
    return {"lines": lines, "email": "ada@example.com", "shipping": ADDRESS, "idempotencyKey": key}


def test_two_hundred_requests_for_fifty_units_place_fifty_orders() -> None:
    variant = make_variant(stock=50)
    payloads = send_at_once(BUY_NOW, [buying(variant.pk, str(uuid4())) for _ in range(200)])
    placed = [each["order"]["number"] for each in payloads if each["order"]]
    assert len(set(placed)) == Order.objects.count() == 50
    refusals = Counter(error["code"] for each in payloads for error in each["userErrors"])
    assert refusals == {"OUT_OF_STOCK": 150}
    assert sum(len(each["shortages"]) for each in payloads) == 150
    level = StockLevel.objects.get(variant=variant)
    assert (level.on_hand, level.reserved) == (50, 50)


def test_one_request_sent_twenty_times_at_once_places_one_order() -> None:
    variant = make_variant(stock=50)
    payloads = send_at_once(BUY_NOW, [buying(variant.pk, "one")] * 20)
    assert Counter(each["replayed"] for each in payloads) == {False: 1, True: 19}
    assert {each["order"]["id"] for each in payloads} == {encode("Order", Order.objects.get().pk)}
