"""Stripe's messages: signatures, the known answer of its documents, and what each names."""

import json
from datetime import UTC, datetime
from queue import Queue
from typing import Any

import pytest

from backend.core import clock
from backend.payments.gateways.accounts import account
from backend.payments.gateways.base import GatewayMessage, IncomingMessage, SignatureInvalid
from backend.payments.gateways.stripe import GATEWAY
from backend.payments.gateways.stripe.adapter import StripeGateway
from backend.payments.models import Payment, WebhookMessage
from tests.gateways.fakes.stripe_api import SECRET
from tests.gateways.harness import Sent
from tests.gateways.harnesses.stripe import StripeHarness, signature, signed
from tests.gateways.known import known_answers
from tests.gateways.shop import begin, deliver, order_for, verify, work

KNOWN = known_answers("stripe")
T, V1, BODY = KNOWN["timestamp"], KNOWN["v1"], KNOWN["body"].encode()


def adapter(secret: str = KNOWN["secret"]) -> StripeGateway:
    values = {"secret_key": "sk_test_x", "publishable_key": "pk_test_x", "webhook_secret": secret}
    more = {"flow": "CLIENT_SECRET", "extra_currencies": "", "timeout_s": "1", "api_url": "http://127.0.0.1:1"}
    return GATEWAY(account("stripe", **values, **more))


def parse(header: str, body: bytes = BODY, secret: str = KNOWN["secret"]) -> GatewayMessage:
    return adapter(secret).parse_webhook(IncomingMessage(body=body, headers={"stripe-signature": header}))


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 0)


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(T + seconds, UTC))


def test_the_known_answer_is_ours_and_the_doubles(then: None) -> None:
    read = parse(f"t={T},v1={V1}")
    assert (read.event_id, read.reference, read.kind) == ("evt_kat_0001", "pi_kat_0001", "payment_intent.succeeded")
    assert read.report is None
    assert signature(BODY, KNOWN["secret"], at=T) == f"t={T},v1={V1}"


@pytest.mark.parametrize(
    "header",
    [f"t={T},v1={'0' * 64},v1={V1},v0={'1' * 64}", f"v0=x,v1={V1},t={T}", f"t={T},v1={V1},scheme=="],
)
def test_one_signature_of_several_is_enough(then: None, header: str) -> None:
    assert parse(header).event_id == "evt_kat_0001"


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"v1={V1}",
        f"t={T}",
        f"t={T},v0={V1}",
        f"t={T},v1={V1[:-1]}",
        f"t={T},v1={V1[:-1]}0",
        f"t={T + 1},v1={V1}",
        f"t=,v1={V1}",
        f"t=x,v1={V1}",
        "=,=,=",
        ",",
        f"t={T},v1=\u00e9",
        "t=" + "9" * 5000 + f",v1={V1}",
    ],
)
def test_what_stripe_did_not_sign_is_refused(then: None, header: str) -> None:
    with pytest.raises(SignatureInvalid):
        parse(header)


def test_other_bytes_or_another_secret_are_refused(then: None) -> None:
    for body in (BODY + b"\n", BODY.replace(b"1999", b"9999"), b"", b"\xff\xfe", BODY.upper()):
        with pytest.raises(SignatureInvalid):
            parse(f"t={T},v1={V1}", body)
    for secret in ("whsec_other", "", " "):
        with pytest.raises(SignatureInvalid):
            parse(f"t={T},v1={V1}", secret=secret)


@pytest.mark.parametrize(("seconds", "holds"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_signature_holds_for_five_minutes_on_both_sides(
    monkeypatch: pytest.MonkeyPatch, seconds: int, holds: bool
) -> None:
    at(monkeypatch, seconds)
    if holds:
        assert parse(f"t={T},v1={V1}").event_id
        return
    with pytest.raises(SignatureInvalid):
        parse(f"t={T},v1={V1}")


@pytest.mark.parametrize(
    "event",
    [
        [],
        "text",
        None,
        {},
        {"id": "evt_1"},
        {"id": "evt_1", "type": "charge.refunded"},
        {"id": "evt_1", "type": "charge.refunded", "data": []},
        {"id": "evt_1", "type": "charge.refunded", "data": {"object": 1}},
        {"id": 1, "type": "charge.refunded", "data": {"object": {}}},
        {"id": "", "type": "charge.refunded", "data": {"object": {}}},
        {"id": "evt_1", "type": 1, "data": {"object": {}}},
        {"id": "evt_1", "type": "x", "data": {"object": {"object": "payment_intent"}}},
        {"id": "evt_1", "type": "x", "data": {"object": {"object": "payment_intent", "id": 7}}},
        {"id": "evt_1", "type": "x", "data": {"object": {"object": "charge", "metadata": "x"}}},
        {"id": "evt_1", "type": "x", "data": {"object": {"object": "charge", "metadata": {"payment_id": 5}}}},
    ],
)
def test_what_is_signed_and_no_event_is_refused(then: None, event: Any) -> None:
    body = json.dumps(event).encode()
    with pytest.raises(SignatureInvalid):
        parse(signature(body, KNOWN["secret"], at=T), body)


INTENT, OURS = "pi_1", {"payment_id": "11111111-1111-1111-1111-111111111111"}


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"object": "payment_intent", "id": INTENT, "metadata": OURS}, (OURS["payment_id"], INTENT)),
        ({"object": "checkout.session", "id": "cs_1", "client_reference_id": "x"}, ("x", "cs_1")),
        ({"object": "charge", "id": "ch_1", "metadata": OURS, "payment_intent": INTENT}, (OURS["payment_id"], INTENT)),
        ({"object": "charge", "id": "ch_1", "payment_intent": {"id": INTENT}}, ("", INTENT)),
        ({"object": "refund", "id": "re_1", "metadata": None, "payment_intent": INTENT}, ("", INTENT)),
        ({"object": "refund", "id": "re_1", "metadata": {}, "payment_intent": None}, ("", "")),
        ({"object": "dispute", "id": "du_1", "metadata": {}, "payment_intent": INTENT}, ("", INTENT)),
        ({"object": "setup_intent", "id": "seti_1", "metadata": OURS}, ("", "")),
        ({"object": "customer", "id": "cus_1"}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_each_kind_names_its_payment_or_none(then: None, told: dict[str, Any], named: tuple[str, str]) -> None:
    body = json.dumps({"id": "evt_1", "type": "some.thing", "data": {"object": told}}).encode()
    read = parse(signature(body, KNOWN["secret"], at=T), body)
    assert (read.payment_id, read.reference, read.report) == (*named, None)


@pytest.mark.django_db
def test_localstripes_own_signed_messages_settle_a_payment(
    stripe: StripeHarness, settings: Any, door: tuple[str, "Queue[Sent]"]
) -> None:
    settings.GATEWAYS = {"stripe": [stripe.account()]}
    url, came = door
    stripe.command("localstripe", url=url, secret=SECRET)
    payment = begin(order_for(stripe), "stripe")
    stripe.pay(payment)
    message = came.get(timeout=10)
    while str(payment.pk).encode() not in message.body:  # it sends a second late: of a test before, perhaps
        message = came.get(timeout=10)
    assert json.loads(message.body)["type"] == "payment_intent.succeeded"
    assert deliver(stripe, message) == 200
    work()
    payment.refresh_from_db()
    assert (payment.state, payment.order.payments.count()) == ("SUCCEEDED", 1)
    stored = WebhookMessage.objects.get()
    assert (stored.kind, stored.state) == ("payment_intent.succeeded", "PROCESSED")


@pytest.mark.django_db
def test_messages_about_others_payments_and_other_things_change_nothing(shop: StripeHarness) -> None:
    payment = begin(order_for(shop), "stripe")
    for kind, told in (
        ("customer.created", {"object": "customer", "id": "cus_1"}),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_x", "metadata": {"payment_id": "no uuid"}}),
    ):
        event = {"id": f"evt_{kind}", "type": kind, "data": {"object": told}}
        assert deliver(shop, signed(event)) == 200
    work()
    assert set(WebhookMessage.objects.values_list("state", flat=True)) == {"PROCESSED"}
    assert verify(payment).state == "REQUIRES_ACTION"
    assert Payment.objects.count() == 1
