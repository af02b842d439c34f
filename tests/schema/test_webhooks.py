"""Webhooks as uvicorn hands them over: taken on few threads, kept before they are answered, refused in a flood."""

import asyncio
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from backend.core.models import OutboxEvent
from backend.payments import webhooks
from backend.payments.models import WebhookMessage
from backend.payments.sandbox import charges, signing
from schema.server import webhooks as server
from tests.conftest import connection_of_test
from tests.factories.orders import make_order
from tests.factories.payments import charge_of, due_deliveries, press, start

pytestmark = pytest.mark.django_db
PATH = "/webhooks/sandbox/"


def signed() -> tuple[bytes, dict[str, str]]:
    payment = start(make_order())
    press(payment)
    body = charges.message(charge_of(payment), due_deliveries(payment)[0])
    return body, {signing.HEADER: signing.sign(body), "content-type": "application/json"}


def announced() -> int:
    return OutboxEvent.objects.filter(topic="webhook.received").count()


def test_an_authentic_message_is_kept_and_announced_once(http: Any) -> None:
    body, headers = signed()
    for path in (PATH, PATH, "/webhooks/sandbox/default/"):
        assert http("POST", path, content=body, headers=headers).status_code == 200
    assert sorted(WebhookMessage.objects.values_list("state", "reason")) == [
        ("REJECTED", "repeated"),
        ("REJECTED", "repeated"),
        ("VERIFIED", ""),
    ]
    assert announced() == 1
    assert all(bytes(row.body) == body for row in WebhookMessage.objects.all())


def test_a_webhook_takes_one_transaction_of_two_statements(http: Any) -> None:
    body, headers = signed()
    with CaptureQueriesContext(connection_of_test()) as queries:
        assert http("POST", PATH, content=body, headers=headers).status_code == 200
    written = [each["sql"].split(" (")[0] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert written == ['INSERT INTO "payments_webhookmessage"', 'INSERT INTO "core_outboxevent"']


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PATH, 405),
        ("OPTIONS", PATH, 405),
        ("POST", "/webhooks/sandbox", 301),
        ("POST", "/webhooks/nobody/", 404),
        ("POST", "/webhooks/sandbox/nobody/", 404),
        ("POST", "/webhooks/sandbox/a/b/", 404),
        ("POST", "/webhooks//", 404),
        ("POST", "/webhooks/%00/", 404),
        ("POST", "/webhooks/sandbox%0A/", 404),
        ("POST", PATH + "?a=%ff%00", 400),
        ("POST", PATH + "?" + "&".join(f"a{n}=1" for n in range(1100)), 400),
        ("POST", PATH, 400),
    ],
)
def test_what_is_no_message_of_a_gateway_is_refused(http: Any, method: str, path: str, status: int) -> None:
    answer = http(method, path, content=b"{}", headers={b"sandbox-signature": b"t=1\xff,v1=\xff"})
    assert answer.status_code == status
    assert announced() == 0


def test_a_query_that_is_no_text_is_the_clients_mistake() -> None:
    assert asyncio.run(answer_to(scope(query_string=b"\xff"), b"{}")) == [400]
    assert WebhookMessage.objects.count() == 0


def test_of_a_body_that_is_too_large_no_more_is_read_than_shows_it(http: Any) -> None:
    assert http("POST", PATH, content=b"x" * (webhooks.MAX_BODY_BYTES + 1)).status_code == 413
    parts = iter([b"x" * webhooks.MAX_BODY_BYTES, b"x"])  # a third would raise StopIteration

    async def stream() -> dict[str, Any]:
        return {"type": "http.request", "body": next(parts), "more_body": True}

    assert asyncio.run(answer_to(scope(), stream=stream)) == [413]


def test_a_message_that_breaks_off_is_neither_kept_nor_answered() -> None:
    parts: Any = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def stream() -> dict[str, Any]:
        return next(parts)

    assert asyncio.run(answer_to(scope(), stream=stream)) == []
    assert WebhookMessage.objects.count() == 0


def test_a_message_that_could_not_be_kept_is_asked_for_again(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    body, headers = signed()

    def away(*_: object, **__: object) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr("backend.core.outbox.emit_many", away)
        assert http("POST", PATH, content=body, headers=headers).status_code == 500
    assert (WebhookMessage.objects.count(), announced()) == (0, 0)
    assert http("POST", PATH, content=body, headers=headers).status_code == 200
    assert announced() == 1


def test_a_flood_is_refused_beyond_what_may_wait_and_nothing_that_was_taken_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten at once where four may wait, on one thread: which of them are refused does not depend on time."""
    monkeypatch.setattr(server, "MAX_WAITING", 4)
    running, most = 0, 0

    async def db(function: Any, *arguments: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return HttpResponse(status=200)

    monkeypatch.setattr(server, "db", db)
    shop = server.Webhooks(no_django)
    shop._threads = asyncio.Semaphore(1)

    async def floods() -> list[list[int]]:
        answers = []
        for _ in range(2):  # the second finds the places given back
            answers += await asyncio.gather(*(answer_to(scope(), b"{}", shop=shop) for _ in range(10)))
        return answers

    assert sorted(status for [status] in asyncio.run(floods())) == [200] * 8 + [503] * 12
    assert most == 1


async def no_django(*_: Any) -> None:
    raise AssertionError("not Django's")


def scope(**changes: Any) -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": [], **changes}


async def answer_to(
    scope: dict[str, Any], body: bytes = b"", *, stream: Any = None, shop: server.Webhooks | None = None
) -> list[int]:
    """The statuses that were sent: one, or none."""
    sent: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    await (shop or server.Webhooks(no_django))(scope, stream or receive, send)
    return sent
