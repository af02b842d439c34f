"""PaymentStart and PaymentVerify as clients send them; our own copy of the contract's documents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import User
from backend.core import clock, schedule
from backend.core.caller import Caller
from backend.core.models import IdempotencyKey, OutboxEvent
from backend.inventory.models import StockLevel
from backend.orders.models import Order, OrderEvent, OrderStatus
from backend.orders.services import expire_unpaid_orders
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import Payment, PaymentTransaction, Refund, SandboxCharge
from backend.payments.sandbox.scenarios import LATE_S, Delivery
from schema.server.ids import encode
from tests.conftest import Answer, Gql
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order, make_paid_order
from tests.factories.payments import deliver_all, press, send, settle_webhooks, start
from tests.schema.documents import operation

pytestmark = pytest.mark.django_db

SOURCE = (Path(__file__).parent / "payment.graphql").read_text(encoding="utf-8")
START, VERIFY = operation(SOURCE, "PaymentStart"), operation(SOURCE, "PaymentVerify")
WITH_SCENARIO = """
mutation ($input: PaymentStartInput!) {
  paymentStart(input: $input) { payment { id status } replayed userErrors { code message field } }
}
"""
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
HUGE = "x" * 500_000
HOSTILE = ["", "\x00", "x\x00", "\u202e", FAMILY, "' OR 1=1 --", "../../etc/passwd", "{{7*7}}", HUGE]


def start_input(order: Order, **sent: Any) -> dict[str, Any]:
    return {
        "orderId": encode("Order", order.pk),
        "token": order.token,
        "gateway": "sandbox",
        "returnUrl": "https://shop.example/thanks",
        "idempotencyKey": str(uuid4()),
        **sent,
    }


def verify_input(payment: Payment, **sent: Any) -> dict[str, Any]:
    return {"paymentId": encode("Payment", payment.pk), "token": payment.order.token, **sent}


def everything() -> list[Any]:
    """What a refusal must leave as it was, to the last column."""
    models: list[Any] = [
        Order,
        OrderEvent,
        Payment,
        PaymentTransaction,
        Refund,
        SandboxCharge,
        StockLevel,
        OutboxEvent,
        IdempotencyKey,
    ]
    return [list(model.objects.order_by("pk").values()) for model in models]


def refused(gql: Gql, document: str, sent: dict[str, Any]) -> tuple[str, list[str] | None]:
    """The code and field of the one error of a request that changes nothing."""
    before = everything()
    error = gql.refused(document, **sent)
    assert everything() == before
    return error["code"], error["field"]


# Starting -----------------------------------------------------------------------------------------


def test_a_payment_begins_and_sends_the_buyer_to_the_gateways_page(gql: Gql) -> None:
    order = make_order()
    payload = gql(START, **start_input(order))["paymentStart"]
    row = Payment.objects.get()
    assert payload == {
        "payment": {
            "id": encode("Payment", row.pk),
            "status": "REQUIRES_ACTION",
            "gateway": "sandbox",
            "amount": {"amount": "10.00", "currency": "USD", "formatted": "$10.00"},
            "nextAction": {
                "__typename": "RedirectAction",
                "url": f"http://localhost:8000/sandbox/pay/{row.reference}/",
            },
        },
        "replayed": False,
        "userErrors": [],
    }
    assert (row.order_id, row.amount, row.currency, row.return_url) == (
        order.pk,
        order.total,
        "USD",
        "https://shop.example/thanks",
    )


def test_the_same_key_brings_back_the_same_payment_as_it_is_now(gql: Gql) -> None:
    order = make_order()
    sent = start_input(order, idempotencyKey="k")
    first, second = gql(START, **sent)["paymentStart"], gql(START, **sent)["paymentStart"]
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert second["payment"] == first["payment"]
    payment = Payment.objects.get()
    press(payment)
    deliver_all(payment)
    third = gql(START, **sent)["paymentStart"]
    assert third["payment"] == {**first["payment"], "status": "SUCCEEDED", "nextAction": None}
    assert Payment.objects.count() == SandboxCharge.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{"returnUrl": "https://shop.example/other"}, {"gateway": "nobody"}, {"orderId": ...}],
    ids=["returnUrl", "gateway", "order"],
)
def test_the_same_key_with_other_input_is_refused(gql: Gql, change: dict[str, Any]) -> None:
    sent = start_input(make_order(), idempotencyKey="k")
    gql(START, **sent)
    if "orderId" in change:
        change = {name: value for name, value in start_input(make_order()).items() if name in ("orderId", "token")}
    assert refused(gql, START, {**sent, **change}) == ("IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"])


def test_a_key_cannot_be_used_to_see_anothers_payment(gql: Gql) -> None:
    sent = start_input(make_order(), idempotencyKey="k")
    gql(START, **sent)
    assert refused(gql, START, {**sent, "token": "wrong"})[0] == "NOT_FOUND"
    assert refused(gql, START, {**sent, "token": None})[0] == "NOT_FOUND"


def test_asked_twice_in_one_request_it_is_one_payment(gql: Gql) -> None:
    order = make_order()
    document = """mutation ($input: PaymentStartInput!) {
      a: paymentStart(input: $input) { payment { id } replayed }
      b: paymentStart(input: $input) { payment { id } replayed }
    }"""
    sent = {**start_input(order), "orderToken": order.token}
    del sent["token"]
    answer = gql(document, input=sent)
    assert answer["a"]["payment"] == answer["b"]["payment"]
    assert (answer["a"]["replayed"], answer["b"]["replayed"]) == (False, True)


def customers_order() -> Order:
    variant = make_variant()
    return make_order((variant, 1), caller=Caller(User.objects.create_user("owner@example.com").pk))


def expired_order() -> Order:
    order = make_order()
    schedule.move_clock(seconds=901)
    order.refresh_from_db()
    assert order.status == OrderStatus.EXPIRED
    return order


def overdue_order() -> Order:
    """Its time is over, though nobody has told it yet."""
    order = make_order()
    clock.move_offset(901)
    return order


def cancelled_order() -> Order:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)
    return order


REFUSALS: dict[str, tuple[Callable[[], dict[str, Any]], str, list[str] | None]] = {
    "a wrong token": (lambda: start_input(make_order(), token="wrong"), "NOT_FOUND", None),
    "no token": (lambda: start_input(make_order(), token=None), "NOT_FOUND", None),
    "another order's token": (lambda: start_input(make_order(), token=make_order().token), "NOT_FOUND", None),
    "another customer's order": (lambda: start_input(customers_order(), token=None), "NOT_FOUND", None),
    "an unknown order": (lambda: start_input(Order(pk=uuid4(), token="x")), "NOT_FOUND", None),
    "another kind of id": (
        lambda: start_input(make_order(), orderId=encode("Cart", uuid4())),
        "NOT_FOUND",
        ["input", "orderId"],
    ),
    "an unknown gateway": (
        lambda: start_input(make_order(), gateway="nobody"),
        "GATEWAY_UNAVAILABLE",
        ["input", "gateway"],
    ),
    "an expired order": (lambda: start_input(expired_order()), "ORDER_NOT_PAYABLE", None),
    "an overdue order": (lambda: start_input(overdue_order()), "ORDER_NOT_PAYABLE", None),
    "a cancelled order": (lambda: start_input(cancelled_order()), "ORDER_NOT_PAYABLE", None),
    "a paid order": (lambda: start_input(make_paid_order()), "ORDER_NOT_PAYABLE", None),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_paid_is_refused_and_nothing_is_kept(gql: Gql, case: str) -> None:
    make, code, field = REFUSALS[case]
    sent = make()
    for _ in range(2):
        assert refused(gql, START, sent) == (code, field)


URLS = [
    *HOSTILE,
    "javascript:alert(1)",
    "JaVaScRiPt://shop.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example/",
    "/thanks",
    "https:evil.example",
    "https://",
    "https://shop.example/\x00",
    "https://shop.example/\x7f",
    "https://shop.example/a b",
    "https://shop.example/\r\nSet-Cookie: a=b",
    " https://shop.example/",
    "https://shop.example\\@evil.example/",
    "https://shop.example@evil.example/",
    "https://user:password@shop.example/",
    "https://[::1/",
    "https://shop.example:99999/",
    "https://shop.example/" + "\U0001f381" * 2000,
]


@pytest.mark.parametrize("url", URLS, ids=lambda url: repr(url[:40]))
def test_hostile_return_addresses_are_refused(gql: Gql, url: str) -> None:
    assert refused(gql, START, start_input(make_order(), returnUrl=url)) == ("INVALID", ["input", "returnUrl"])


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_hostile_text_in_any_other_place_is_refused(gql: Gql, text: str) -> None:
    order = make_order()
    for name, code, field in (
        ("orderId", "NOT_FOUND", ["input", "orderId"]),
        ("token", "NOT_FOUND", None),
        ("gateway", "GATEWAY_UNAVAILABLE", ["input", "gateway"]),
    ):
        assert refused(gql, START, start_input(order, **{name: text})) == (code, field)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "REQUIRED"),
        ("  ", "REQUIRED"),
        ("\x00", "INVALID"),
        ("a\nb", "INVALID"),
        ("k" * 256, "INVALID"),
        (HUGE, "INVALID"),
    ],
)
def test_keys_that_are_none_are_refused(gql: Gql, key: str, code: str) -> None:
    sent = start_input(make_order(), idempotencyKey=key)
    assert refused(gql, START, sent) == (code, ["input", "idempotencyKey"])


@pytest.mark.parametrize("key", ["k" * 255, "\U0001f381", "' OR 1=1 --"])
def test_odd_keys_are_keys(gql: Gql, key: str) -> None:
    sent = start_input(make_order(), idempotencyKey=key)
    assert [gql(START, **sent)["paymentStart"]["replayed"] for _ in range(2)] == [False, True]


@pytest.mark.parametrize("name", ["orderId", "gateway", "returnUrl", "idempotencyKey"])
@pytest.mark.parametrize("value", [None, ..., [1], {"a": 1}, True])
def test_input_of_a_wrong_kind_is_told_before_anything_runs(gql: Gql, name: str, value: Any) -> None:
    sent = {**start_input(make_order()), name: value}
    before = everything()
    answer = gql(START, **{key: each for key, each in sent.items() if each is not ...})
    assert set(answer.codes) == {"BAD_USER_INPUT"}
    assert (answer.statements, everything()) == (0, before)


def test_a_gateway_that_does_not_answer_keeps_the_payment_for_the_same_key(gql: Gql) -> None:
    order = make_order()
    sent = {
        "orderId": encode("Order", order.pk),
        "orderToken": order.token,
        "gateway": "sandbox",
        "returnUrl": "https://shop.example/",
        "idempotencyKey": "k",
        "scenario": "START_TIMEOUT",
    }
    error = gql.refused(WITH_SCENARIO, input=sent)
    assert (error["code"], error["field"]) == ("GATEWAY_UNAVAILABLE", ["input", "gateway"])
    payload = gql(WITH_SCENARIO, input=sent)["paymentStart"]
    assert (payload["payment"]["status"], payload["replayed"]) == ("REQUIRES_ACTION", True)
    assert Payment.objects.count() == SandboxCharge.objects.count() == 1


@pytest.mark.parametrize("over", ["EXPIRED", "CANCELLED", "PAID"])
def test_a_lost_answer_is_not_fetched_for_an_order_that_is_over_by_then(gql: Gql, monkeypatch: Any, over: str) -> None:
    def deaf(self: Any, request: Any) -> Any:
        raise GatewayUnavailable("deaf")

    sent = start_input(make_order())
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "start", deaf)
        assert gql.refused(START, **sent)["code"] == "GATEWAY_UNAVAILABLE"
    Order.objects.update(status=over)
    assert refused(gql, START, sent) == ("ORDER_NOT_PAYABLE", None)


# Verifying ----------------------------------------------------------------------------------------


def test_asking_settles_the_order_and_asking_again_changes_nothing(gql: Gql) -> None:
    order = make_order()
    payment = start(order, scenario="WEBHOOK_MISSING")
    waiting = gql(VERIFY, **verify_input(payment))["paymentVerify"]
    assert waiting["payment"]["status"] == "REQUIRES_ACTION"
    press(payment)
    payload = gql(VERIFY, **verify_input(payment))["paymentVerify"]
    assert payload == {
        "payment": {
            "id": encode("Payment", payment.pk),
            "status": "SUCCEEDED",
            "order": {"id": encode("Order", order.pk), "status": "PAID", "paymentStatus": "PAID"},
        },
        "userErrors": [],
    }
    before = everything()
    assert gql(VERIFY, **verify_input(payment))["paymentVerify"] == payload
    assert everything() == before


@pytest.mark.parametrize(("button", "status"), [("decline", "FAILED"), ("close", "CANCELLED")])
def test_asking_tells_of_a_refusal_and_the_order_stays_payable(gql: Gql, button: str, status: str) -> None:
    payment = start(make_order())
    press(payment, button)
    found = gql(VERIFY, **verify_input(payment))["paymentVerify"]["payment"]
    assert (found["status"], found["order"]["status"]) == (status, "PENDING_PAYMENT")
    assert gql(START, **start_input(payment.order))["paymentStart"]["userErrors"] == []


@pytest.mark.parametrize("scenario", ["WRONG_AMOUNT", "WRONG_CURRENCY"])
def test_another_amount_is_flagged_and_never_paid_whoever_tells_it_first(gql: Gql, scenario: str) -> None:
    for webhook_first in (True, False):
        payment = start(make_order(), scenario=scenario)
        press(payment)
        if webhook_first:
            deliver_all(payment)
        found = gql(VERIFY, **verify_input(payment))["paymentVerify"]["payment"]
        assert (found["status"], found["order"]["status"], found["order"]["paymentStatus"]) == (
            "FLAGGED",
            "PENDING_PAYMENT",
            "UNPAID",
        )
        send(payment, Delivery(event_id=f"evt_right_{payment.pk}", state="SUCCEEDED"))
        settle_webhooks()
        assert gql(VERIFY, **verify_input(payment))["paymentVerify"]["payment"]["status"] == "FLAGGED"
    assert not PaymentTransaction.objects.exists()


def test_asking_after_the_time_is_over_settles_what_came_late(gql: Gql) -> None:
    payment = start(make_order(), scenario="WEBHOOK_LATE")
    press(payment)
    clock.move_offset(901)
    assert expire_unpaid_orders() == 1
    early = gql(VERIFY, **verify_input(payment))["paymentVerify"]["payment"]
    assert (early["status"], early["order"]["status"]) == ("PROCESSING", "EXPIRED")
    clock.move_offset(LATE_S)
    found = gql(VERIFY, **verify_input(payment))["paymentVerify"]["payment"]
    assert (found["status"], found["order"]["status"]) == ("SUCCEEDED", "PAID")


VERIFY_REFUSALS: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "a wrong token": (lambda: verify_input(start(make_order()), token="wrong"), "NOT_FOUND"),
    "no token": (lambda: verify_input(start(make_order()), token=None), "NOT_FOUND"),
    "another order's token": (lambda: verify_input(start(make_order()), token=make_order().token), "NOT_FOUND"),
    "another customer's payment": (lambda: verify_input(start(customers_order()), token=None), "NOT_FOUND"),
    "an unknown payment": (
        lambda: {"paymentId": encode("Payment", uuid4()), "token": make_order().token},
        "NOT_FOUND",
    ),
    "an order's id": (lambda: verify_input(start(make_order()), paymentId=encode("Order", uuid4())), "NOT_FOUND"),
}


@pytest.mark.parametrize("case", VERIFY_REFUSALS)
def test_what_cannot_be_asked_about_is_refused_and_nothing_changes(gql: Gql, case: str) -> None:
    make, code = VERIFY_REFUSALS[case]
    sent = make()
    SandboxCharge.objects.update(state="SUCCEEDED")  # asking would change a lot
    assert refused(gql, VERIFY, sent) == (code, ["input", "paymentId"])


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
@pytest.mark.parametrize("name", ["paymentId", "token"])
def test_hostile_text_finds_no_payment(gql: Gql, name: str, text: str) -> None:
    sent = verify_input(start(make_order()), **{name: text})
    assert refused(gql, VERIFY, sent) == ("NOT_FOUND", ["input", "paymentId"])


def test_a_gateway_that_does_not_answer_is_told_and_nothing_changes(gql: Gql, monkeypatch: Any) -> None:
    def deaf(self: Any, *asked: Any) -> Any:
        raise GatewayUnavailable("deaf")

    monkeypatch.setattr(SandboxGateway, "verify", deaf)
    payment = start(make_order())
    assert refused(gql, VERIFY, verify_input(payment)) == ("GATEWAY_UNAVAILABLE", ["input", "paymentId"])


# Cost ---------------------------------------------------------------------------------------------


def test_statements_do_not_depend_on_lines_or_earlier_payments(gql: Gql) -> None:
    def cost(lines: int, earlier: int) -> list[int]:
        order = make_order(*[(make_variant(), 1) for _ in range(lines)])
        for _ in range(earlier):
            start(order)
        started: Answer = gql(START, **start_input(order))
        payment = Payment.objects.order_by("created_at").last()
        assert payment is not None
        asked = gql(VERIFY, **verify_input(payment))
        press(payment)
        settled = gql(VERIFY, **verify_input(payment))
        assert settled["paymentVerify"]["payment"]["order"]["status"] == "PAID"
        return [started.statements, asked.statements, settled.statements]

    cost(1, 0)  # the first request of all also teaches the connection to count
    few, many = cost(1, 0), cost(20, 20)
    assert few == many
    assert all(0 < statements <= 40 for statements in few)
