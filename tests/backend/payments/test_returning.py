"""The buyer's way back through our own address, and messages that are checked later or given up."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from backend.core import clock
from backend.core.caller import GUEST
from backend.core.models import OutboxEvent
from backend.orders.models import Order
from backend.payments.gateways.base import (
    GatewayMessage,
    GatewayUnavailable,
    IncomingMessage,
    SignatureInvalid,
)
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import Payment, WebhookMessage
from backend.payments.services import (
    note_dead_webhook,
    process_webhook,
    verify_payment,
    verify_returned,
    verify_silent_payments,
)
from tests.factories.orders import make_order
from tests.factories.payments import charge_of, post, press, start

pytestmark = pytest.mark.django_db


def address(payment: Payment) -> str:
    return f"/payments/return/{payment.gateway}/{payment.pk}/"


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_buyer_is_sent_on_to_the_storefront_whatever_the_browser_brings(method: str) -> None:
    payment = start(make_order())
    client = Client(enforce_csrf_checks=True)
    answer = getattr(client, method)(address(payment), {"Status": "OK", "payment": "x", "\x00": "y" * 5000})
    assert answer.status_code == 303
    assert answer["Location"].startswith("https://shop.example/thanks?from=test&payment=")
    assert answer["Location"].endswith("&status=processing")
    payment.refresh_from_db()
    assert payment.state == "REQUIRES_ACTION"
    assert OutboxEvent.objects.get(topic="payment.returned").data == {}  # the sandbox needs nothing of it


def test_a_worker_asks_the_gateway_and_believes_nobody_else() -> None:
    order = make_order()
    payment = start(order)
    verify_returned(payment.pk, {"status": "succeeded"})
    order.refresh_from_db()
    assert order.paid == 0
    press(payment)
    verify_returned(payment.pk, {"status": "failed"})
    order.refresh_from_db()
    assert order.status == "PAID"
    answer = Client().get(address(payment))
    assert answer["Location"].endswith("&status=succeeded")
    assert not OutboxEvent.objects.filter(topic="payment.returned").exists()


@pytest.mark.parametrize(
    ("length", "status"), [("abc", 400), ("-1", 400), ("²", 400), ("9" * 50, 400), ("999999", 413)]
)
def test_a_form_whose_length_is_none_or_too_large_is_refused(length: str, status: int) -> None:
    payment = start(make_order())
    kind = "application/x-www-form-urlencoded"
    answer = Client().generic("POST", address(payment), b"a=1", content_type=kind, CONTENT_LENGTH=length)
    assert answer.status_code == status
    assert not OutboxEvent.objects.filter(topic="payment.returned").exists()


def test_a_buyer_who_asks_without_end_is_told_what_is_known(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.QUESTIONS_PER_PAYMENT = "3/hour"
    order = make_order()
    payment, other = start(order), start(order)
    verify, asked = SandboxGateway.verify, list[Any]()

    def count(self: Any, ref: Any) -> Any:
        asked.append(ref.payment_id)
        return verify(self, ref)

    monkeypatch.setattr(SandboxGateway, "verify", count)
    for _ in range(10):
        found = verify_payment(caller=GUEST, payment_id=payment.pk, token=order.token)
        verify_returned(payment.pk, {})
        assert found.state == "REQUIRES_ACTION"
    assert asked == [payment.pk] * 3
    verify_payment(caller=GUEST, payment_id=other.pk, token=order.token)
    assert asked[3:] == [other.pk]
    press(payment)
    clock.move_offset(121)
    verify_silent_payments()  # the shop itself asks when it is time
    payment.refresh_from_db()
    assert payment.state == "SUCCEEDED"


def test_payments_that_there_are_not_lead_nowhere() -> None:
    payment = start(make_order())
    assert Client().get(f"/payments/return/sandbox/{uuid4()}/").status_code == 404
    assert Client().get(f"/payments/return/other/{payment.pk}/").status_code == 404
    assert Client().put(address(payment)).status_code == 405
    assert Client().post(address(payment), b"x" * 70_000, content_type="text/plain").status_code == 413


# Messages that are checked later ------------------------------------------------------------------


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        SandboxGateway, "capabilities", replace(SandboxGateway.capabilities, webhooks_checked_later=True)
    )


def asks(payment: Payment) -> Any:
    return lambda self, message: GatewayMessage("evt_1", payment_id=str(payment.pk), kind="something.happened")


def test_a_message_that_a_worker_checks_is_answered_at_once(later: None, monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    for name in ("parse_webhook", "read_webhook"):
        monkeypatch.setattr(SandboxGateway, name, asks(payment))
    assert [post(b"{}", "") for _ in range(2)] == [200, 200]
    assert set(WebhookMessage.objects.values_list("state", flat=True)) == {"RECEIVED"}
    for message in WebhookMessage.objects.order_by("pk"):
        process_webhook(message.pk)
    first, second = WebhookMessage.objects.order_by("pk")
    assert (first.state, first.kind, first.payment) == ("PROCESSED", "something.happened", payment)
    assert (second.state, second.reason) == ("REJECTED", "repeated")
    order.refresh_from_db()
    assert order.status == "PAID"


def test_a_forged_message_that_a_worker_checks_is_cut_and_rejected(
    later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forged(self: Any, message: IncomingMessage) -> GatewayMessage:
        raise SignatureInvalid

    monkeypatch.setattr(SandboxGateway, "parse_webhook", forged)
    assert post(b"x" * 9000, "") == 200
    process_webhook(WebhookMessage.objects.get().pk)
    message = WebhookMessage.objects.get()
    assert (message.state, len(bytes(message.body))) == ("REJECTED", 4096)


def test_a_check_that_gets_no_answer_is_tried_again(later: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf(self: Any, message: IncomingMessage) -> GatewayMessage:
        raise GatewayUnavailable("deaf")

    monkeypatch.setattr(SandboxGateway, "parse_webhook", deaf)
    post(b"{}", "")
    message = WebhookMessage.objects.get()
    with pytest.raises(GatewayUnavailable):
        process_webhook(message.pk)
    message.refresh_from_db()
    assert message.state == "RECEIVED"


def test_a_message_that_names_only_a_reference_waits_for_the_payment_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    reference = charge_of(payment).pk
    for name in ("parse_webhook", "read_webhook"):
        monkeypatch.setattr(SandboxGateway, name, lambda self, message: GatewayMessage("evt_1", reference=reference))
    Payment.objects.update(reference="")
    assert post(b"{}", "") == 200
    message = WebhookMessage.objects.get()
    with pytest.raises(GatewayUnavailable):
        process_webhook(message.pk)
    Payment.objects.update(reference=reference)
    process_webhook(message.pk)
    order.refresh_from_db()
    assert order.status == "PAID"


def test_a_message_finds_its_payment_by_the_id_of_the_money_too(monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    Payment.objects.update(capture_id="cap_1")
    for name in ("parse_webhook", "read_webhook"):
        monkeypatch.setattr(SandboxGateway, name, lambda self, message: GatewayMessage("evt_1", reference="cap_1"))
    post(b"{}", "")
    process_webhook(WebhookMessage.objects.get().pk)
    order.refresh_from_db()
    assert order.status == "PAID"


def test_a_reference_that_nobody_ever_has_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("parse_webhook", "read_webhook"):
        monkeypatch.setattr(SandboxGateway, name, lambda self, message: GatewayMessage("evt_1", reference="nobody's"))
    post(b"{}", "")
    clock.move_offset(301)
    process_webhook(WebhookMessage.objects.get().pk)
    message = WebhookMessage.objects.get()
    assert (message.state, message.reason) == ("PROCESSED", "no payment of ours")


def test_a_message_that_a_worker_gave_up_waits_for_staff() -> None:
    payment = start(make_order())
    press(payment)
    message = WebhookMessage.objects.create(
        gateway="sandbox", event_id="evt_1", body=b"{}", state="VERIFIED", received_at=clock.now()
    )
    for _ in range(2):
        note_dead_webhook(message.pk)
    message.refresh_from_db()
    assert message.state == "FAILED"
    process_webhook(message.pk)
    assert Order.objects.get().paid == 0
