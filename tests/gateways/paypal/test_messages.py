"""PayPal's messages: checked by PayPal with the bytes that came; disputes are recorded as they are told."""

import json
from dataclasses import replace

import pytest

from backend.orders.models import Order
from backend.payments.gateways.base import (
    GatewayUnavailable,
    IncomingMessage,
    PaymentRef,
    SignatureInvalid,
)
from backend.payments.gateways.http import close_circuits
from backend.payments.gateways.paypal import PayPalGateway
from backend.payments.models import Dispute, Payment, PaymentTransaction, WebhookMessage
from tests.gateways.fakes.paypal_messages import raw_event, signed_text
from tests.gateways.harnesses.paypal import PayPalHarness
from tests.gateways.known import known_answers
from tests.gateways.paypal.kit import gateway, incoming
from tests.gateways.shop import (
    begin,
    deliver,
    deliver_all,
    order_for,
    work,
)
from tests.gateways.telling import assert_paid_once, assert_unpaid
from tests.gateways.test_stories import paid

pytestmark = pytest.mark.django_db
KNOWN = known_answers("paypal")
KNOWN_CERT_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-known-answer"


# Messages -----------------------------------------------------------------------------------------


def known_message(**changed: str) -> IncomingMessage:
    headers = {**KNOWN["headers"], "PAYPAL-CERT-URL": KNOWN_CERT_URL, **changed}
    return incoming(KNOWN["body"].encode(), headers)


@pytest.fixture
def knowing(paypal: PayPalHarness) -> PayPalGateway:
    paypal.command("trust", url=KNOWN_CERT_URL, certificate=KNOWN["certificate_pem"], webhook_id=KNOWN["webhook_id"])
    return gateway(paypal, webhook_id=KNOWN["webhook_id"])


def test_the_known_answer_holds_for_the_double() -> None:
    headers = KNOWN["headers"]
    text = signed_text(
        headers["PAYPAL-TRANSMISSION-ID"],
        headers["PAYPAL-TRANSMISSION-TIME"],
        KNOWN["webhook_id"],
        KNOWN["body"].encode(),
    )
    assert text.decode() == KNOWN["message"]
    assert text.endswith(str(KNOWN["crc32"]).encode())


def test_the_known_message_is_authentic_byte_for_byte(knowing: PayPalGateway) -> None:
    read = knowing.parse_webhook(known_message())
    assert (read.event_id, read.kind, read.report) == ("WH-KAT-0001", "PAYMENT.CAPTURE.COMPLETED", None)


@pytest.mark.parametrize(
    "body",
    [
        KNOWN["body"].replace("10.50", "10.51"),
        KNOWN["body"].replace(":", ": ", 1),
        json.dumps(json.loads(KNOWN["body"]) | {"more": 1}),
        KNOWN["body"] + "\n ",
    ],
)
def test_another_byte_is_another_message(knowing: PayPalGateway, body: str) -> None:
    message = replace(known_message(), body=body.encode())
    if body.strip() == KNOWN["body"]:
        assert knowing.parse_webhook(message).event_id == "WH-KAT-0001"  # space around a value is no part of it
        return
    with pytest.raises(SignatureInvalid):
        knowing.parse_webhook(message)


def test_numbers_and_escapes_reach_paypal_as_they_came(paypal: PayPalHarness) -> None:
    body = '{"id": "WH-1",  "event_type":"X.Y","resource":{"a":1.0,"b":1e2,"c":"\\u00e9 é \\/"}}'.encode()
    headers = paypal.command("sign", body=body.decode())
    assert gateway(paypal).parse_webhook(incoming(body, headers)).event_id == "WH-1"
    assert raw_event('{"x":1,"webhook_event":' + body.decode() + "}") == body


@pytest.mark.parametrize("name", [*sorted(KNOWN["headers"]), "PAYPAL-CERT-URL"])
def test_a_message_without_a_header_is_not_even_asked_about(
    knowing: PayPalGateway, paypal: PayPalHarness, name: str
) -> None:
    for value in ("", "x" * 501):
        with pytest.raises(SignatureInvalid):
            knowing.parse_webhook(known_message(**{name: value}))
    assert paypal.command("calls") == []


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/c",
        "https://paypal.com.evil.example/c",
        "https://evilpaypal.com/c",
        "https://[",
        "file:///c",
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_asked_about(
    knowing: PayPalGateway, paypal: PayPalHarness, url: str
) -> None:
    with pytest.raises(SignatureInvalid):
        knowing.parse_webhook(known_message(**{"PAYPAL-CERT-URL": url}))
    assert paypal.command("calls") == []


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff", b'{"id": "1"}', b'{"id":"","event_type":"x","resource":{}}']
    + [b'{"id":"1","event_type":"CHECKOUT.ORDER.APPROVED","resource":%s}' % each for each in (b"1", b"{}", b"null")]
    + [b'{"id":"1","event_type":"CUSTOMER.DISPUTE.CREATED","resource":{"disputed_transactions":[]}}']
    + [b'{"id":"1","event_type":"PAYMENT.X","resource":{}},"webhook_id":"other","webhook_event":{"a":1}'],
)
def test_a_body_that_is_no_event_is_not_even_asked_about(
    knowing: PayPalGateway, paypal: PayPalHarness, body: bytes
) -> None:
    with pytest.raises(SignatureInvalid):
        knowing.parse_webhook(replace(known_message(), body=body))
    assert paypal.command("calls") == []


def test_another_webhooks_message_is_not_ours(paypal: PayPalHarness, knowing: PayPalGateway) -> None:
    with pytest.raises(SignatureInvalid):
        gateway(paypal).parse_webhook(known_message())


def test_an_answer_without_a_verdict_is_no_verdict(knowing: PayPalGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for told in ({}, {"verification_status": None}, {"verification_status": "MAYBE"}):
        monkeypatch.setattr(knowing._api, "post_raw", lambda *args, told=told, **more: told)
        with pytest.raises(GatewayUnavailable):
            knowing.parse_webhook(known_message())


def test_a_message_waits_while_paypal_cannot_be_asked(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    paypal.pay(payment)
    messages = paypal.messages(payment)
    paypal.command("break", operation="CHECK", how="ERROR_500")
    assert [deliver(paypal, each) for each in messages] == [200]
    work()
    assert WebhookMessage.objects.get().state == "RECEIVED"
    paypal.mend()
    close_circuits()
    deliver(paypal, messages[0])
    work()
    assert_paid_once(paypal, payment)


def test_messages_about_other_things_are_taken_and_mean_nothing(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    paypal.about("tell", payment, kind="BILLING.PLAN.CREATED", resource_type="plan", resource={"id": "P-1"})
    assert deliver_all(paypal, payment) == [200]
    assert WebhookMessage.objects.get().state == "PROCESSED"
    assert_unpaid(payment, "REQUIRES_ACTION")


# Disputes -----------------------------------------------------------------------------------------


def ledger(payment: Payment, *kinds: str) -> list[tuple[str, int]]:
    rows = PaymentTransaction.objects.filter(payment=payment, kind__in=kinds).order_by("pk")
    return list(rows.values_list("kind", "amount"))


@pytest.mark.parametrize("named", [True, False])
def test_a_dispute_is_recorded_by_our_id_or_by_its_capture(paypal: PayPalHarness, named: bool) -> None:
    payment = paid(paypal)
    payment.refresh_from_db()
    about = {"custom": str(payment.pk)} if named else {"seller_transaction_id": payment.capture_id}
    told = {"status": "OPEN", "disputed_transactions": [about]}
    paypal.about("dispute", payment, kind="CUSTOMER.DISPUTE.CREATED", dispute=told)
    paypal.about("dispute", payment, kind="CUSTOMER.DISPUTE.UPDATED", dispute=told)
    deliver_all(paypal, payment)
    dispute = Dispute.objects.get()
    assert (dispute.payment_id, dispute.state, dispute.amount, dispute.reference) == (
        payment.pk,
        "OPEN",
        1000,
        "PP-D-4012",
    )
    assert (dispute.reason, dispute.respond_by is None) == ("MERCHANDISE_OR_SERVICE_NOT_RECEIVED", False)
    assert ledger(payment, "CHARGEBACK", "CHARGEBACK_REVERSAL") == [("CHARGEBACK", 1000)]
    assert "PAYMENT_FLAGGED" in Order.objects.get().events.values_list("type", flat=True)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("RESOLVED_SELLER_FAVOUR", "WON"),
        ("RESOLVED_BUYER_FAVOUR", "LOST"),
        ("RESOLVED_WITH_PAYOUT", "WON"),
        ("CANCELED_BY_BUYER", "WON"),
        ("SOMETHING_NEW", "OPEN"),
    ],
)
@pytest.mark.parametrize("in_order", [True, False])
def test_a_dispute_ends_in_whatever_order_it_is_told(
    paypal: PayPalHarness, outcome: str, state: str, in_order: bool
) -> None:
    payment = paid(paypal)
    opened = {"kind": "CUSTOMER.DISPUTE.CREATED", "dispute": {"status": "OPEN"}}
    ended = {
        "kind": "CUSTOMER.DISPUTE.RESOLVED",
        "dispute": {"status": "RESOLVED", "dispute_outcome": {"outcome_code": outcome}},
    }
    for told in (opened, ended) if in_order else (ended, opened):
        paypal.about("dispute", payment, **told)
        deliver_all(paypal, payment)
    assert Dispute.objects.get().state == state
    back = [("CHARGEBACK_REVERSAL", 1000)] if state == "WON" else []
    assert ledger(payment, "CHARGEBACK", "CHARGEBACK_REVERSAL") == [("CHARGEBACK", 1000), *back]


def test_a_reversal_holds_the_payment_and_books_nothing_twice(paypal: PayPalHarness) -> None:
    payment = paid(paypal)
    paypal.about("change", payment, tell="PAYMENT.CAPTURE.REVERSED")
    deliver_all(paypal, payment)
    payment.refresh_from_db()
    assert (payment.held, payment.state) == (True, "SUCCEEDED")
    assert ledger(payment, "CHARGEBACK") == []
    assert "PAYMENT_FLAGGED" in Order.objects.get().events.values_list("type", flat=True)


def test_a_capture_that_paypal_doubts_is_held(paypal: PayPalHarness) -> None:
    payment = paid(paypal)
    paypal.about(
        "change", payment, capture={"status_details": {"reason": "CHARGEBACK"}}, tell="PAYMENT.CAPTURE.PENDING"
    )
    deliver_all(paypal, payment)
    payment.refresh_from_db()
    assert payment.held


def test_a_returning_browser_cannot_tell_of_disputes(paypal: PayPalHarness) -> None:
    payment = paid(paypal)
    hostile = {"dispute": "PP-D-1", "dispute_state": "LOST", "reversed": "1", "token": payment.reference}
    known = PaymentRef(payment.pk, "", 1000, "USD")
    assert gateway(paypal).read_return(known, hostile) == {"order": payment.reference}
