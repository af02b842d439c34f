"""Watching an order: replay first, then live; over graphql-transport-ws and server-sent events."""

from typing import Any

import pytest
from django.db import transaction
from django_redis import get_redis_connection

from backend.orders.models import Order, OrderEventType
from backend.orders.services import lock_order, record_event
from schema.orders import subscriptions
from schema.server.context import Context
from schema.server.ids import encode
from tests.factories.orders import make_order, pay
from tests.schema.orders.watching import events, watch

pytestmark = pytest.mark.django_db(transaction=True)


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


NOBODYS = "8c1f6f5c-92a5-4a83-9d0f-3a1b0c1d2e3f"


@pytest.mark.parametrize(
    "asked",
    [
        {"token": "wrong"},
        {"token": "é"},
        {"token": "\x00"},
        {"token": ""},
        {"token": None},
        {"orderId": encode("Order", NOBODYS)},
        {"orderId": encode("Order", NOBODYS), "token": None},
    ],
)
def test_a_wrong_token_and_an_order_that_is_not_there_see_the_same_nothing(asked: dict[str, str | None]) -> None:
    order = make_order()
    assert refusal(order, **asked) == refusal(order, token=make_order().token)
    assert refusal(order, **asked)["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("id", [encode("Cart", NOBODYS), "rubbish", "", "\x00", "é"])
def test_an_id_that_is_no_orders_is_refused(id: str) -> None:
    assert refusal(make_order(), orderId=id)["extensions"]["code"] in ("NOT_FOUND", "BAD_USER_INPUT")


def refusal(order: Order, **asked: Any) -> dict[str, Any]:
    """The one error of a subscription that never began."""
    [result] = watch(order, 2, **asked)
    assert result.data is None
    [error] = result.errors
    return dict(error.formatted)


@pytest.mark.parametrize("after", ["", "x", "ZXZlbnQ6LTE", "ZXZlbnQ6eA", "é"])
def test_a_cursor_that_is_none_is_refused(after: str) -> None:
    [result] = watch(make_order(), 1, after=after)
    assert [error.extensions["code"] for error in result.errors] == ["BAD_USER_INPUT"]


def test_a_replay_takes_as_many_statements_for_twenty_events_as_for_two() -> None:
    counts = []
    for more in (1, 19):
        order = make_order()
        with transaction.atomic():
            locked = lock_order(order.pk)
            for _ in range(more):
                record_event(locked, OrderEventType.PAYMENT_STARTED, "Again.")
        context = Context()
        seen = events(watch(order, more + 1, context=context))
        assert [event["sequence"] for event in seen] == list(range(1, more + 2))
        assert {event["order"]["status"] for event in seen} == {"PENDING_PAYMENT"}
        counts.append(context.statements.total)
    assert counts[0] == counts[1] <= 3
