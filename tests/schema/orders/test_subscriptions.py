"""Watching an order: replay first, then live; over graphql-transport-ws and server-sent events."""

import asyncio
from typing import Any

import pytest
from django_redis import get_redis_connection

from schema.orders import subscriptions
from schema.root import schema
from schema.server.context import Context
from schema.server.ids import encode
from schema.server.pubsub import close
from tests.factories.orders import make_order, pay

pytestmark = pytest.mark.django_db(transaction=True)
QUERY = """subscription ($id: ID!, $token: String, $after: String) {
  orderEvents(orderId: $id, token: $token, after: $after) { cursor sequence type order { status paymentStatus } } }"""


def watch(order: Any, count: int, *, after: str | None = None, token: str | None = None, then: Any = None) -> list[Any]:
    """The first `count` results; `then` is called once the first has come."""

    async def run() -> list[Any]:
        variables = {"id": encode("Order", order.pk), "token": token or order.token, "after": after}
        results = await schema.subscribe(QUERY, variable_values=variables, context_value=Context())
        seen = []
        try:
            async for result in results:  # type: ignore[union-attr]
                seen.append(result)
                if len(seen) == 1 and then is not None:
                    then()
                if len(seen) == count:
                    break
        finally:
            await results.aclose()  # type: ignore[union-attr]
            await close()
        return seen

    return asyncio.run(asyncio.wait_for(run(), 20))


def events(results: list[Any]) -> list[dict[str, Any]]:
    assert [result.errors for result in results] == [None] * len(results)
    return [result.data["orderEvents"] for result in results]


def test_everything_that_happened_comes_first_and_in_order() -> None:
    order = make_order()
    pay(order)
    seen = events(watch(order, 2))
    assert [(event["sequence"], event["type"]) for event in seen] == [(1, "PLACED"), (2, "PAID")]
    assert seen[0]["order"] == {"status": "PAID", "paymentStatus": "PAID"}


def test_a_cursor_takes_up_where_the_line_broke() -> None:
    order = make_order()
    [first] = events(watch(order, 1))
    pay(order)
    assert [event["type"] for event in events(watch(order, 1, after=first["cursor"]))] == ["PAID"]


def test_a_wake_up_brings_what_happens_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "POLL_S", 60.0)
    order = make_order()

    def pay_and_tell() -> None:
        pay(order)
        get_redis_connection("default").publish(f"order:{order.pk}", "order.paid")

    assert [event["type"] for event in events(watch(order, 2, then=pay_and_tell))] == ["PLACED", "PAID"]


def test_a_lost_wake_up_only_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "POLL_S", 0.05)
    order = make_order()
    assert [event["type"] for event in events(watch(order, 2, then=lambda: pay(order)))] == ["PLACED", "PAID"]


@pytest.mark.parametrize("token", ["wrong", "é", "\x00"])
def test_a_wrong_token_sees_nothing(token: str) -> None:
    [result] = watch(make_order(), 1, token=token)
    assert result.data is None
    assert [error.extensions["code"] for error in result.errors] == ["NOT_FOUND"]


@pytest.mark.parametrize("after", ["", "x", "ZXZlbnQ6LTE", "ZXZlbnQ6eA", "é"])
def test_a_cursor_that_is_none_is_refused(after: str) -> None:
    [result] = watch(make_order(), 1, after=after)
    assert [error.extensions["code"] for error in result.errors] == ["BAD_USER_INPUT"]
