"""Hostile messages at the webhooks: refused with a status of the client's kind, whatever they hold."""

import hmac
import time
from dataclasses import replace
from typing import Any

import orjson
import pytest
from django.test import Client

from backend.core import clock
from backend.core.caller import GUEST
from backend.core.errors import Invalid
from backend.core.models import OutboxEvent
from backend.core.throttle import Throttle
from backend.orders.models import Order
from backend.payments import personal, webhooks
from backend.payments.gateways.base import GatewayMessage
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import WebhookMessage
from backend.payments.sandbox import charges, signing
from backend.payments.services import delete_rejected_messages, replay_webhook
from tests.factories.accounts import make_user
from tests.factories.orders import make_order
from tests.factories.payments import charge_of, deliver_all, due_deliveries, post, press, send, settle_webhooks, start

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "slug", ["%00", "sandbox%00", "%ff", "sandbox%2f..", "%F0%9F%8E%81", "x" * 5000, "SANDBOX", " "]
)
def test_hostile_gateway_names_are_not_there(http: Any, slug: str) -> None:
    for end in ("", "/"):
        assert http("POST", f"/webhooks/{slug}{end}", content=b"{}").status_code in (404, 404 if end else 301)
    assert WebhookMessage.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", "\udc80".encode(errors="surrogatepass"), b"\x00" * 1000])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_SANDBOX_SIGNATURE": "t=1\x00,v1=\xff"},
        {"HTTP_SANDBOX_SIGNATURE": "\udcff" * 5000},
        {"HTTP_X_SIGNATURE\x00": "\x00\x01"},
        {"HTTP_X_SIGNATURE" + "X" * 5000: "x"},
        {"CONTENT_TYPE": "\x00\xff; charset=\xff"},
        {"CONTENT_TYPE": "application/json; charset=no-such"},
        {"HTTP_USER_AGENT": "\U0001f381\x00" * 1000},
        {"HTTP_CONTENT_ENCODING": "gzip"},
    ],
)
def test_hostile_bodies_and_headers_are_kept_and_refused(client: Client, body: bytes, headers: dict[str, str]) -> None:
    given = {"CONTENT_LENGTH": len(body), **headers}
    assert client.generic("POST", "/webhooks/sandbox/", body, **given).status_code == 400  # type: ignore[arg-type]
    message = WebhookMessage.objects.get()
    assert (message.state, bytes(message.body)) == ("REJECTED", body)
    assert not OutboxEvent.objects.filter(topic="webhook.received").exists()


@pytest.mark.parametrize("length", ["", "abc", "-1", "\xb2", "9" * 5000])
def test_a_length_that_is_none_is_no_server_error(client: Client, length: str) -> None:
    answer = client.generic("POST", "/webhooks/sandbox/", b"{}", CONTENT_LENGTH=length)
    assert answer.status_code == 400


def test_other_methods_are_refused(client: Client) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        assert client.generic(method, "/webhooks/sandbox/").status_code == 405


def test_of_a_large_forgery_only_the_beginning_is_kept() -> None:
    assert post(b"x" * 200_000, "t=1,v1=00") == 400
    assert len(bytes(WebhookMessage.objects.get().body)) == webhooks.KEPT_OF_FORGED_BYTES
    assert post(b"x" * (webhooks.MAX_BODY_BYTES + 1), "t=1,v1=00") == 413


def signed(payment: Any, **changes: Any) -> bytes:
    [delivery] = due_deliveries(payment)
    message = orjson.loads(charges.message(charge_of(payment), delivery))
    for name, value in changes.items():
        (message if name in message else message["charge"])[name] = value
    return orjson.dumps(message)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1000.9},
        {"amount": "1000"},
        {"amount": True},
        {"amount": None},
        {"amount": [1000]},
        {"id": ""},
        {"id": None},
        {"id": {}},
        {"state": "REFUNDED"},
        {"state": []},
        {"charge": "ch_1"},
        {"charge": []},
    ],
)
def test_signed_messages_that_are_not_of_the_right_shape_are_refused(changes: dict[str, Any]) -> None:
    payment = start(make_order())
    press(payment)
    body = signed(payment, **changes)
    assert post(body, signing.sign(body)) == 400
    assert not OutboxEvent.objects.filter(topic="webhook.received").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"merchant_reference": "\x00"},
        {"merchant_reference": "x" * 9000},
        {"merchant_reference": "8c1f6f5c-92a5-4a83-9d0f-3a1b0c1d2e3f"},
        {"currency": "\x00" * 600},
        {"amount": 2**63},
        {"amount": -(2**62)},
        {"id": "evt_\x00" + "x" * 9000},
        {"state": "FAILED", "error_message": "\x00" + "x" * 9000, "error_code": "\x00" * 90},
    ],
)
def test_signed_messages_with_hostile_values_are_taken_and_pay_nothing_wrong(changes: dict[str, Any]) -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    body = signed(payment, **changes)
    assert post(body, signing.sign(body)) == 200
    settle_webhooks()
    assert WebhookMessage.objects.get().state == "PROCESSED"
    order.refresh_from_db()
    assert order.paid in ((order.total,) if "id" in changes else (0,))


def test_event_ids_of_other_gateways_are_stored_as_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their parsers may let through what PostgreSQL cannot hold."""
    monkeypatch.setattr(SandboxGateway, "parse_webhook", lambda self, message: GatewayMessage("\ud800\x00e", None))
    assert post(b"{}", "") == 200
    assert WebhookMessage.objects.get().event_id == "?e"


def test_a_message_sent_again_later_is_neither_authentic_nor_settled_twice() -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    body = signed(payment)
    signature = signing.sign(body)
    assert [post(body, signature), post(body, signature)] == [200, 200]
    clock.move_offset(signing.TOLERANCE_S + 1)
    assert post(body, signature) == 400
    # nor with the old digest under a new time
    fresh = f"t={int(clock.now().timestamp())},{signature.split(',')[1]}"
    assert post(body, fresh) == 400
    settle_webhooks()
    order.refresh_from_db()
    assert order.paid == order.total
    assert sorted(WebhookMessage.objects.values_list("state", flat=True)) == ["PROCESSED"] + ["REJECTED"] * 3


def test_a_message_is_kept_before_anything_reads_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, message: Any) -> GatewayMessage:
        raise RuntimeError("a bug in a gateway's parser")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "parse_webhook", broken)
        with pytest.raises(RuntimeError):
            post(b'{"id": "evt_1"}', "t=1,v1=00", client=client)
    message = WebhookMessage.objects.get()
    assert (message.state, bytes(message.body)) == ("RECEIVED", b'{"id": "evt_1"}')
    assert message.headers["sandbox-signature"] == "t=1,v1=00"
    settle_webhooks()  # a worker authenticates it, as anybody's
    message.refresh_from_db()
    assert (message.state, message.reason) == ("REJECTED", "not authentic")


def test_signatures_are_compared_in_constant_time_and_by_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    moment, digest = signing.sign(b"{}").split(",v1=")
    compared: list[tuple[bytes, bytes]] = []

    def compare(expected: bytes, given: bytes) -> bool:
        compared.append((expected, given))
        return expected != given  # the wrong way round: what is believed is this answer and no other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    forged = "0" * 64
    assert [signing.is_authentic(b"{}", f"{moment},v1={each}") for each in (digest, forged)] == [False, True]
    assert compared == [(digest.encode(), digest.encode()), (digest.encode(), forged.encode())]


def test_a_signature_from_the_future_is_refused() -> None:
    body = b"{}"
    assert post(body, signing.sign(body, timestamp=int(time.time()) + signing.TOLERANCE_S + 60)) == 400


def test_the_time_of_a_signature_is_part_of_what_is_signed() -> None:
    payment = start(make_order())
    press(payment)
    body = signed(payment)
    moment, digest = signing.sign(body).split(",")
    assert post(body, f"t={int(moment[2:]) + 1},{digest}") == 400
    assert post(body + b" ", f"{moment},{digest}") == 400
    assert post(body, f"{moment},{digest}") == 200


def test_a_flood_of_forgeries_is_refused_and_most_of_it_not_kept(settings: Any) -> None:
    settings.FORGED_WEBHOOKS_KEPT = "3/hour"
    clear = Throttle("forged webhooks", settings.FORGED_WEBHOOKS_KEPT).clear
    clear("sandbox")
    assert {post(b"{}", "t=1,v1=00") for _ in range(10)} == {400}
    assert WebhookMessage.objects.count() == 3
    payment = start(make_order())
    press(payment)
    [delivery] = due_deliveries(payment)
    assert send(payment, delivery) == 200
    clear("sandbox")


def test_messages_that_meant_nothing_are_forgotten_after_a_month_and_no_others() -> None:
    payment = start(make_order())
    press(payment)
    [delivery] = due_deliveries(payment)
    for _ in range(2):
        send(payment, delivery)
    settle_webhooks()
    assert post(b"{}", "t=1,v1=00") == 400
    assert delete_rejected_messages() == 0
    clock.move_offset(31 * 24 * 3600)
    assert delete_rejected_messages() == 2
    assert WebhookMessage.objects.get().state == "PROCESSED"


def test_what_gateways_wrote_of_somebody_who_leaves_is_forgotten_and_the_books_stay() -> None:
    user = make_user(password=None)
    order = make_order()
    Order.objects.filter(pk=order.pk).update(customer=user)
    theirs, anothers = start(order), start(make_order())
    for payment in (theirs, anothers):
        press(payment)
        deliver_all(payment)
    waiting = WebhookMessage.objects.create(
        gateway="sandbox", payment=theirs, body=b"{}", state="VERIFIED", event_id="evt_w", received_at=clock.now()
    )
    personal.erase(user.pk)
    kept = {each.payment_id: bytes(each.body) for each in WebhookMessage.objects.exclude(pk=waiting.pk)}
    assert (kept[theirs.pk], bool(kept[anothers.pk])) == (b"", True)
    waiting.refresh_from_db()
    assert bytes(waiting.body) == b"{}"
    assert theirs.transactions.count() == 1
    empty = WebhookMessage.objects.get(payment=theirs, state="PROCESSED")
    with pytest.raises(Invalid):
        replay_webhook(
            caller=replace(GUEST, permissions=frozenset({"payments.change_webhookmessage"})), message_id=empty.pk
        )


# A mistake of ours ----------------------------------------------------------------------------------


def test_a_message_that_our_reading_stumbles_over_is_tried_again_by_the_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = start(make_order())
    press(payment)
    [delivery] = due_deliveries(payment)
    body = charges.message(charge_of(payment), delivery)
    client.raise_request_exception = False

    def stumble(self: Any, message: Any) -> Any:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "read_webhook", stumble)
        assert post(body, signing.sign(body), client=client) == 500
        with pytest.raises(RuntimeError):
            settle_webhooks()
    clock.move_offset(3600)  # the signature held when it came
    settle_webhooks()
    payment.refresh_from_db()
    assert payment.state == "SUCCEEDED"
    assert post(body, signing.sign(body), client=client) == 200
    settle_webhooks()
    assert sorted(WebhookMessage.objects.values_list("state", flat=True)) == ["PROCESSED", "REJECTED"]
    assert payment.transactions.count() == 1
