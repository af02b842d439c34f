"""What only SSLCommerz does: its signature, hints from browsers, the validation API, refunds without an answer."""

import html
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx
import pytest
from django.test import Client

from backend.core.models import OutboxEvent
from backend.payments.gateways.base import (
    Buyer,
    ChargeState,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    IncomingMessage,
    PaymentRef,
    PostalAddress,
    RefundRefused,
    RefundRequest,
    SignatureInvalid,
    StartRequest,
)
from backend.payments.gateways.sslcommerz import SslcommerzGateway, _report, is_signed, payment_id_of, short_id
from backend.payments.models import Operation, Payment, WebhookMessage
from tests.gateways.fakes import sslcommerz as double
from tests.gateways.harness import Break, Sent, running
from tests.gateways.harnesses.sslcommerz import SslcommerzHarness
from tests.gateways.known import known_answers
from tests.gateways.shop import begin, come_back, deliver, order_for, refunds_of, sweep_refunds, verify, work
from tests.gateways.telling import assert_paid_once, assert_unpaid
from tests.gateways.test_stories import decide_refund, paid

pytestmark = pytest.mark.django_db
KNOWN = known_answers("sslcommerz")


@pytest.fixture(scope="module")
def process() -> Iterator[SslcommerzHarness]:
    with running(SslcommerzHarness()) as harness:
        yield harness


@pytest.fixture
def store(process: SslcommerzHarness, settings: Any) -> SslcommerzHarness:
    process.reset()
    settings.GATEWAYS = {"sslcommerz": [process.account()]}
    return process


def message(form: dict[str, str]) -> IncomingMessage:
    return IncomingMessage(body=httpx.QueryParams(form).__str__().encode(), headers={})


def signed(form: dict[str, str], *, names: list[str] | None = None) -> dict[str, str]:
    """As SSLCommerz signs it, over all fields or over some."""
    form = {name: value for name, value in form.items() if not name.startswith("verify_")}
    names = sorted(form) if names is None else names
    known = KNOWN["store_password"]
    return form | {"verify_key": ",".join(names), "verify_sign": double.signature(form, names, known)}


def asked(**changed: Any) -> StartRequest:
    request = StartRequest(
        payment_id=uuid4(),
        order_number="1001",
        amount=125_050,
        currency="BDT",
        return_url="https://shop.example/thanks",
        callback_url="https://api.shop.example/payments/return/",
        webhook_url="https://api.shop.example/webhooks/sslcommerz/",
        description="Shop 1001",
        buyer=Buyer(email="ada@example.com", first_name="Ada", billing=PostalAddress(line1="1 Road", country="BD")),
    )
    return replace(request, **changed)


def ref(request: StartRequest, reference: str, **data: str) -> PaymentRef:
    return PaymentRef(
        payment_id=request.payment_id, reference=reference, amount=request.amount, currency=request.currency, data=data
    )


# The signature ------------------------------------------------------------------------------------


def test_the_known_answer_is_ours_and_the_doubles() -> None:
    form, password = dict(KNOWN["form"]), KNOWN["store_password"]
    assert is_signed(form, password)
    assert double.signature(form, form["verify_key"].split(","), password) == KNOWN["verify_sign"]
    assert dict(parse_qsl(KNOWN["form_body"], keep_blank_values=True)) == form


@pytest.mark.parametrize("name", ["amount", "status", "val_id", "tran_id", "store_id", "card_issuer", "value_a"])
def test_a_changed_field_breaks_the_signature(name: str) -> None:
    form = dict(KNOWN["form"])
    assert not is_signed(form | {name: "1.00"}, KNOWN["store_password"])
    assert not is_signed(form, "another password")


def test_a_field_that_is_signed_and_missing_is_no_signature() -> None:
    form = dict(KNOWN["form"])
    del form["card_type"]
    assert not is_signed(form, KNOWN["store_password"])
    assert not is_signed({}, KNOWN["store_password"])


@pytest.mark.parametrize(
    "left_out", ["amount", "bank_tran_id", "currency_amount", "currency_type", "store_id", "val_id"]
)
def test_a_signature_that_leaves_out_what_matters_is_none(left_out: str) -> None:
    form = dict(KNOWN["form"])
    names = [name for name in form["verify_key"].split(",") if name != left_out]
    assert not is_signed(signed(form, names=names), KNOWN["store_password"])


def test_a_field_that_comes_twice_is_no_message(store: SslcommerzHarness) -> None:
    body = KNOWN["form_body"].encode()
    gateway = SslcommerzGateway(store.account())
    assert gateway.parse_webhook(IncomingMessage(body=body, headers={})).reference == "ORD-1001-1"
    for hostile in (body + b"&amount=1.00", b"\xff=\xff", b"", b"{}"):
        with pytest.raises(SignatureInvalid):
            gateway.parse_webhook(IncomingMessage(body=hostile, headers={}))


def test_a_message_of_another_store_is_refused(store: SslcommerzHarness) -> None:
    with pytest.raises(SignatureInvalid):
        SslcommerzGateway(store.account()).parse_webhook(message(signed(KNOWN["form"] | {"store_id": "another"})))


def test_ids_are_short_and_lead_back() -> None:
    ours = uuid4()
    assert (len(short_id(ours)), payment_id_of(short_id(ours) + "ab12")) == (26, str(ours))
    assert payment_id_of("ORD-1001-1") == payment_id_of("") == ""


# Beginning ----------------------------------------------------------------------------------------


def test_the_double_refuses_what_the_real_one_refuses(store: SslcommerzHarness) -> None:
    gateway = SslcommerzGateway(store.account())
    for wrong, code in (
        ({"amount": 999}, ErrorCode.INVALID_REQUEST),
        ({"amount": 50_000_001}, ErrorCode.INVALID_REQUEST),
        ({"currency": "XYZ"}, ErrorCode.INVALID_REQUEST),
        ({"callback_url": "ftp://shop.example"}, ErrorCode.INVALID_REQUEST),
        ({"callback_url": "http://shop.example/" + "x" * 250}, ErrorCode.INVALID_REQUEST),
        ({"buyer": Buyer(email="")}, ErrorCode.INVALID_REQUEST),
    ):
        with pytest.raises(GatewayRefused) as refusal:
            gateway.start(asked(**wrong))
        assert (refusal.value.code, bool(refusal.value.gateway_code)) == (code, True)
    with pytest.raises(GatewayRefused) as refusal:
        SslcommerzGateway(store.account(store_passwd="wrong")).start(asked())
    assert refusal.value.code is ErrorCode.MISCONFIGURED
    assert "wrong" not in f"{refusal.value}{refusal.value.gateway_code}"


def test_the_double_wants_a_form_and_new_ids(store: SslcommerzHarness) -> None:
    address = f"{store.url}{'/gwprocess/v4/api.php'}"
    assert httpx.post(address, json={"store_id": double.STORE_ID}).json()["status"] == "FAILED"
    gateway, request = SslcommerzGateway(store.account()), asked()
    first, second = gateway.start(request), gateway.start(request)
    assert first.reference != second.reference
    assert {payment_id_of(each.reference) for each in (first, second)} == {str(request.payment_id)}


def test_hostile_names_and_long_ones_are_taken(store: SslcommerzHarness) -> None:
    long = "&amount=1=;\n অমিত" * 30
    buyer = Buyer(email="a@example.com", first_name=long, phone="0" * 40, billing=PostalAddress(line1=long, city=long))
    parcel = PostalAddress(line1=long, country="BD")
    assert SslcommerzGateway(store.account()).start(asked(buyer=replace(buyer, shipping=parcel), order_number=long))


# Hints, messages and the validation API -----------------------------------------------------------


def test_a_returning_buyer_brings_a_hint_that_is_not_believed(store: SslcommerzHarness) -> None:
    """Anybody can post a form with status VALID: nothing was paid, so nothing is."""
    payment = begin(order_for(store), "sslcommerz")
    url = f"/payments/return/sslcommerz/{payment.pk}/"
    form = KNOWN["form"] | {"tran_id": payment.reference}
    assert Client(enforce_csrf_checks=True).post(url, form).status_code == 303
    work()
    assert_unpaid(payment, "REQUIRES_ACTION")


def test_the_page_sends_the_buyer_back_by_a_form_that_is_signed(store: SslcommerzHarness) -> None:
    started = SslcommerzGateway(store.account()).start(asked())
    assert started.next_action
    answer = httpx.post(started.next_action["url"], data={"act": "VALID"})
    assert 'action="https://api.shop.example/payments/return/"' in answer.text
    form = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', answer.text)}
    assert is_signed(form, double.PASSWORD)
    assert form["tran_id"] == started.reference


def test_only_the_hint_of_what_a_buyer_brings_is_kept(store: SslcommerzHarness) -> None:
    payment = begin(order_for(store), "sslcommerz")
    store.pay(payment)
    form = store.command("returns", reference=payment.reference)
    assert form["card_no"]
    Client().post(f"/payments/return/sslcommerz/{payment.pk}/", form)
    assert OutboxEvent.objects.get(topic="payment.returned").data == {"val_id": form["val_id"]}


def test_the_val_id_of_another_order_pays_nothing(store: SslcommerzHarness) -> None:
    cheap, dear = (begin(order_for(store), "sslcommerz") for _ in range(2))
    store.pay(cheap)
    form = store.command("returns", reference=cheap.reference)
    Client().post(f"/payments/return/sslcommerz/{dear.pk}/", form)
    work()
    assert_unpaid(dear, "REQUIRES_ACTION")
    verify(cheap)
    assert_paid_once(store, cheap)


@pytest.mark.parametrize("hint", ["", "x", "0" * 30, "' OR 1=1", "é" * 20])
def test_unusable_hints_are_left_out_or_ignored(store: SslcommerzHarness, hint: str) -> None:
    gateway, request = SslcommerzGateway(store.account()), asked()
    started = gateway.start(request)
    store.command("act", reference=started.reference, status="VALID")
    payment = ref(request, started.reference)
    report = gateway.verify(replace(payment, data=gateway.read_return(payment, {"val_id": hint})))
    assert report is not None
    assert (report.state, report.amount, report.currency) == (ChargeState.SUCCEEDED, 125_050, "BDT")


def test_the_attempt_that_was_paid_counts_after_one_that_failed(store: SslcommerzHarness) -> None:
    payment = begin(order_for(store), "sslcommerz")
    store.decline(payment)
    store.pay(payment)
    verify(payment)
    assert_paid_once(store, payment)


def test_validated_before_is_paid_too_and_the_fee_is_told(store: SslcommerzHarness) -> None:
    gateway, request = SslcommerzGateway(store.account()), asked()
    started = gateway.start(request)
    store.command("act", reference=started.reference, status="VALID")
    first, again = (gateway.verify(ref(request, started.reference)) for _ in range(2))
    assert first
    assert again
    assert (first.excerpt["status"], again.excerpt["status"]) == ("VALID", "VALIDATED")
    assert first.state is again.state is ChargeState.SUCCEEDED
    assert first.fee == 3126
    assert "XXXXXX" not in json.dumps(dict(first.excerpt))
    assert first.excerpt["card_last4"] == "1111"


@pytest.mark.parametrize("risk", [1, "1"])
def test_a_risky_payment_is_held_for_staff(store: SslcommerzHarness, risk: Any) -> None:
    payment = begin(order_for(store), "sslcommerz")
    store.act(payment, "VALID", risk)
    assert verify(payment).state == "SUCCEEDED"
    assert Payment.objects.get(pk=payment.pk).held


@pytest.mark.parametrize(("unsigned", "state"), [("reject", "REQUIRES_ACTION"), ("ask", "SUCCEEDED")])
def test_a_true_message_without_a_signature(
    store: SslcommerzHarness, settings: Any, caplog: pytest.LogCaptureFixture, unsigned: str, state: str
) -> None:
    settings.GATEWAYS = {"sslcommerz": [store.account(unsigned=unsigned)]}
    payment = begin(order_for(store), "sslcommerz")
    store.pay(payment)
    [told] = store.messages(payment)
    deliver(store, store.changed(told, verify_sign="0" * 32))
    work()
    payment.refresh_from_db()
    assert payment.state == state
    assert "not signed as it should be" in caplog.text


def test_asking_about_what_is_not_signed_believes_no_lies(store: SslcommerzHarness, settings: Any) -> None:
    settings.GATEWAYS = {"sslcommerz": [store.account(unsigned="ask")]}
    cheap, dear = (begin(order_for(store), "sslcommerz") for _ in range(2))
    store.pay(cheap)
    [told] = store.messages(cheap)
    for lie in ({"tran_id": dear.reference}, {"val_id": "0" * 24}, {"val_id": ""}):
        deliver(store, store.changed(told, **lie))
        work()
    assert set(WebhookMessage.objects.values_list("state", flat=True)) == {"REJECTED"}
    assert_unpaid(dear, "REQUIRES_ACTION")


def test_a_cancelled_attempt_has_no_val_id_and_is_told(store: SslcommerzHarness) -> None:
    payment = begin(order_for(store), "sslcommerz")
    store.abandon(payment)
    [told] = store.messages(payment)
    assert b"val_id" not in told.body
    assert deliver(store, told) == 200
    work()
    assert_unpaid(payment, "CANCELLED")
    assert come_back(store, payment)["Location"].endswith("status=cancelled")


def test_wrong_credentials_tell_nothing_about_a_payment(store: SslcommerzHarness) -> None:
    request = asked()
    started = SslcommerzGateway(store.account()).start(request)
    with pytest.raises(GatewayUnavailable):
        SslcommerzGateway(store.account(store_passwd="wrong")).verify(ref(request, started.reference))


@pytest.mark.parametrize("field", ["currency_amount", "amount"])
@pytest.mark.parametrize(
    "told", ["1250.49", "1250.51", "1250.5", "1250.501", "0", "-1", "NaN", "1e3", None, 12.5, True]
)
def test_amounts_are_equal_or_they_are_not(field: str, told: Any) -> None:
    request = asked()
    answer = {
        "status": "VALID",
        "currency_type": "BDT",
        "currency_amount": "1250.50",
        "amount": "1250.50",
        "val_id": "v",
    }
    payment = ref(request, "r")
    try:
        report = _report(payment, answer | {field: told})
    except GatewayUnavailable:
        return
    assert (report.amount == request.amount) == (told == "1250.5")


# Refunds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [Break.LOST_AFTER, Break.LOST_BEFORE, Break.GARBAGE])
def test_a_refund_without_an_answer_is_left_to_staff(store: SslcommerzHarness, settings: Any, how: Break) -> None:
    """Unless SSLCommerz confirms that it knows our refund ids again, nobody may ask twice."""
    settings.GATEWAYS = {"sslcommerz": [store.account(refund_keys="0")]}
    store.command("trust", refund_ids=False)
    payment = paid(store)
    decide_refund(payment, 25_000)
    store.break_(Operation.REFUND, how)
    work()
    store.mend()
    sweep_refunds(store)
    assert refunds_of(payment) == [(25_000, "REVIEW")]
    assert store.given_back(payment) == (25_000 if how is Break.LOST_AFTER else 0)


def test_a_refund_that_is_cancelled_at_the_gateway_failed(store: SslcommerzHarness) -> None:
    payment = paid(store)
    decide_refund(payment, 25_000)
    work()
    assert refunds_of(payment) == [(25_000, "PENDING")]
    store.command("finish_refunds", status="cancelled")
    sweep_refunds(store)
    assert refunds_of(payment) == [(25_000, "FAILED")]
    assert store.given_back(payment) == 0


def test_the_double_refuses_refunds_that_the_real_one_refuses(store: SslcommerzHarness) -> None:
    payment = paid(store)
    sent = {
        "bank_tran_id": payment.capture_id,
        "refund_trans_id": "a",
        "refund_amount": "10.00",
        "refund_remarks": "r",
        "store_id": double.STORE_ID,
        "store_passwd": double.PASSWORD,
        "format": "json",
    }
    address = f"{store.url}/validator/api/merchantTransIDvalidationAPI.php"
    for wrong in (
        {"refund_trans_id": ""},
        {"refund_trans_id": "x" * 31},
        {"refund_amount": "1000.01"},
        {"refund_amount": "10"},
        {"refund_remarks": ""},
        {"bank_tran_id": "another"},
    ):
        assert httpx.get(address, params=sent | wrong).json()["status"] == "failed"
    assert httpx.get(address, params=sent | {"store_passwd": "wrong"}).json() == {"APIConnect": "INVALID_REQUEST"}
    assert httpx.get(address, params=sent).json()["status"] == "success"


def test_other_currencies_are_taken_when_told_and_given_back_by_staff(store: SslcommerzHarness) -> None:
    gateway = SslcommerzGateway(store.account(foreign_currencies="USD, EUR"))
    assert gateway.capabilities.currencies == {"BDT", "USD", "EUR"}
    request = asked(currency="USD", amount=1050)
    started = gateway.start(request)
    store.command("act", reference=started.reference, status="VALID")
    report = gateway.verify(ref(request, started.reference))
    assert report
    assert (report.state, report.amount, report.currency, report.fee) == (ChargeState.SUCCEEDED, 1050, "USD", None)
    with pytest.raises(RefundRefused):
        gateway.refund(ref(request, "r"), RefundRequest(refund_id=uuid4(), amount=50, currency="USD"))


def test_wrong_credentials_refuse_a_refund(store: SslcommerzHarness) -> None:
    gateway = SslcommerzGateway(store.account(store_passwd="wrong"))
    with pytest.raises(RefundRefused) as refusal:
        gateway.refund(ref(asked(), "r"), RefundRequest(refund_id=uuid4(), amount=50, currency="BDT"))
    assert refusal.value.code is ErrorCode.MISCONFIGURED


def test_secrets_stay_out_of_logs(store: SslcommerzHarness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    payment = paid(store)
    deliver(store, Sent(body=b"status=VALID", content_type="application/x-www-form-urlencoded"))
    store.break_(Operation.VERIFY, Break.ERROR_500)
    decide_refund(payment, 25_000)
    work()
    assert double.PASSWORD not in caplog.text
    assert "411111" not in caplog.text
