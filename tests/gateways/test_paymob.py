"""What only Paymob does: its HMAC, orders of many transactions, children, keys of two kinds, money set aside."""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from django.test import Client

from backend.core import clock
from backend.orders.models import Order
from backend.payments.gateways.base import (
    Buyer,
    CaptureMode,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    IncomingMessage,
    PaymentRef,
    RefundRefused,
    RefundRequest,
    SignatureInvalid,
    StartRequest,
)
from backend.payments.gateways.paymob.adapter import PaymobGateway
from backend.payments.gateways.paymob.reading import Rules
from backend.payments.gateways.paymob.signing import FIELDS, is_signed, of_object, of_query, signature
from backend.payments.models import Operation, Payment, PaymentTransaction, Refund, WebhookMessage
from backend.payments.services.capturing import cancel_payment, capture_payment
from tests.gateways.fakes import paymob as double
from tests.gateways.harness import Break, Sent, running
from tests.gateways.harnesses.paymob import PaymobHarness
from tests.gateways.known import known_answers
from tests.gateways.shop import (
    begin,
    come_back,
    deliver,
    deliver_all,
    hear,
    order_for,
    refunds_of,
    sweep,
    sweep_refunds,
    work,
)
from tests.gateways.telling import assert_paid_once, assert_unpaid
from tests.gateways.test_stories import decide_refund, paid

pytestmark = pytest.mark.django_db
KNOWN = known_answers("paymob")
RULES = Rules(integrations=frozenset(), live=None, digits=None, expires=clock.now() - clock.now())


@pytest.fixture(scope="module")
def process() -> Iterator[PaymobHarness]:
    with running(PaymobHarness()) as harness:
        yield harness


@pytest.fixture
def merchant(process: PaymobHarness, settings: Any) -> PaymobHarness:
    process.reset()
    settings.GATEWAYS = {"paymob": [process.account()]}
    return process


@pytest.fixture
def aside(merchant: PaymobHarness, settings: Any) -> PaymobHarness:
    """Money is set aside until staff take it."""
    settings.GATEWAYS = {"paymob": [replace(merchant.account(), manual_capture=True)]}
    return merchant


def asked(**changed: Any) -> StartRequest:
    request = StartRequest(
        payment_id=uuid4(),
        order_number="1001",
        amount=25_075,
        currency="EGP",
        return_url="https://shop.example/thanks",
        callback_url="https://api.shop.example/payments/return/",
        webhook_url="https://api.shop.example/webhooks/paymob/",
        buyer=Buyer(email="ada@example.com", first_name="Ada"),
    )
    return replace(request, **changed)


def ref(request: StartRequest, reference: str, **changed: Any) -> PaymentRef:
    made = PaymentRef(
        payment_id=request.payment_id,
        reference=reference,
        amount=request.amount,
        currency=request.currency,
        capture_id=reference,
    )
    return replace(made, **changed)


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


# The signature ------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", KNOWN["cases"], ids=lambda each: each["name"])
def test_known_answers_are_ours_and_the_doubles(known: dict[str, Any]) -> None:
    values = of_object(known["obj"])
    assert list(values) == KNOWN["field_order"] == list(double.SIGNED) == list(FIELDS)
    assert "".join(value or "" for value in values.values()) == known["concatenation"]
    assert signature(values, KNOWN["secret"]) == known["hmac"] == double.digest(known["obj"], KNOWN["secret"])
    assert is_signed(values, KNOWN["secret"], known["hmac"])
    assert not is_signed(values, "another secret", known["hmac"])
    assert not known["hmac"].startswith("9e33607b581cfeee")  # what Python's own words for booleans give


@pytest.mark.parametrize("name", ["order", "order_id"])
def test_the_known_return_is_signed_under_both_names(name: str) -> None:
    query = dict(KNOWN["redirect_query"])
    query[name] = query.pop("order")
    assert is_signed(of_query(query), KNOWN["secret"], query["hmac"])
    assert not is_signed(of_query(query | {"success": "True"}), KNOWN["secret"], query["hmac"])


@pytest.mark.parametrize("name", FIELDS)
def test_a_change_of_any_signed_value_is_noticed(name: str) -> None:
    known = KNOWN["cases"][0]
    assert not is_signed(of_object(known["obj"]) | {name: "x"}, KNOWN["secret"], known["hmac"])


@pytest.mark.parametrize("absent", ["", "false"])
def test_missing_values_are_taken_both_ways(absent: str) -> None:
    values = of_object(KNOWN["cases"][0]["obj"]) | {"source_data.pan": None}
    assert is_signed(values, "secret", signature(values, "secret", absent=absent))
    assert not is_signed(values, "secret", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":"TRANSACTION"}',
        b'{"type":"TRANSACTION","obj":{"order":7}}',
        b'{"type":"X","obj":{}}',
    ],
)
def test_what_is_no_message_is_refused(merchant: PaymobHarness, body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        PaymobGateway(merchant.account()).parse_webhook(IncomingMessage(body, {}, {"hmac": "0" * 128}))
    assert deliver(merchant, Sent(body=body)) == 400


def test_a_saved_card_is_no_payment(merchant: PaymobHarness) -> None:
    """Its message has eight signed values of its own."""
    obj = {
        "card_subtype": "Visa", "created_at": "2026-01-15T10:20:30", "email": "a@b.example", "id": 7,
        "masked_pan": "xxxx-2346", "merchant_id": 9, "order_id": "717000001", "token": "t0ken",
    }  # fmt: skip
    text = "".join(str(obj[name]) for name in sorted(obj))
    signed = hmac.new(double.HMAC_SECRET.encode(), text.encode(), hashlib.sha512).hexdigest()
    payment = begin(order_for(merchant), "paymob")
    body = json.dumps({"type": "TOKEN", "obj": obj | {"order_id": f"{payment.reference}0"}}).encode()
    assert deliver(merchant, Sent(body=body, query={"hmac": signed})) == 400
    body = json.dumps({"type": "TOKEN", "obj": obj}).encode()
    assert deliver(merchant, Sent(body=body, query={"hmac": signed})) == 200
    work()
    assert WebhookMessage.objects.get(kind="TOKEN").state == "PROCESSED"
    assert_unpaid(payment, "REQUIRES_ACTION")


# Messages that are signed, and do not fit ---------------------------------------------------------


@pytest.mark.parametrize("fields", [{"integration_id": 1}, {"is_live": True}], ids=str)
def test_another_integration_or_mode_is_refused(merchant: PaymobHarness, fields: dict[str, Any]) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.pay(payment)
    merchant.command("change", reference=payment.reference, fields=fields)
    assert deliver_all(merchant, payment) == [400]
    assert_unpaid(payment, "REQUIRES_ACTION")
    sweep()
    assert_unpaid(payment, "FLAGGED")


def test_a_message_about_another_order_pays_that_one(merchant: PaymobHarness) -> None:
    """Our id in it is not signed: whoever writes another there gets nothing, and flags nobody."""
    cheap, dear = (begin(order_for(merchant), "paymob") for _ in range(2))
    merchant.pay(cheap)
    [message] = merchant.messages(cheap)
    order = json.loads(message.body)["obj"]["order"]
    lie = merchant.changed(message, order=order | {"merchant_order_id": f"{dear.pk}-000000"})
    assert deliver(merchant, lie) == 200
    work()
    assert_unpaid(dear, "REQUIRES_ACTION")
    assert_paid_once(merchant, cheap)


@pytest.mark.parametrize("fields", [{"owner": "302001"}, {"created_at": "1-01-15T10:20:30"}], ids=str)
def test_what_could_be_moved_over_to_a_neighbor_is_asked_about(merchant: PaymobHarness, fields: Any) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.pay(payment)
    merchant.command("change", reference=payment.reference, fields=fields)
    merchant.break_(Operation.VERIFY, Break.ERROR_500)
    deliver_all(merchant, payment)
    assert_unpaid(payment, "REQUIRES_ACTION")
    merchant.mend()
    sweep()
    assert_paid_once(merchant, payment)


def test_a_signed_message_needs_no_question(merchant: PaymobHarness) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.pay(payment)
    merchant.break_(Operation.VERIFY, Break.ERROR_500)
    deliver_all(merchant, payment)
    assert_paid_once(merchant, payment)


# One order, many transactions ---------------------------------------------------------------------


def test_a_decline_and_then_a_payment_on_the_same_page(merchant: PaymobHarness) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.decline(payment)
    deliver_all(merchant, payment)
    come_back(merchant, payment)
    assert_unpaid(payment, "REQUIRES_ACTION")
    assert (fresh(payment).error_code, fresh(payment).gateway_code) == ("INSUFFICIENT_FUNDS", "INSUFFICIENT_FUNDS")
    merchant.pay(payment)
    hear(merchant, payment)
    assert_paid_once(merchant, payment)


@pytest.mark.parametrize("answers", [True, False])
def test_the_reason_of_a_decline_is_asked_and_without_an_answer_it_is_a_decline(
    merchant: PaymobHarness, answers: bool
) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.decline(payment)
    if not answers:
        merchant.break_(Operation.VERIFY, Break.ERROR_500)
    deliver_all(merchant, payment)
    assert_unpaid(payment, "REQUIRES_ACTION")
    assert fresh(payment).error_code == ("INSUFFICIENT_FUNDS" if answers else "CARD_DECLINED")


def test_a_late_decline_and_an_old_success_change_nothing(merchant: PaymobHarness) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.decline(payment)
    declined = merchant.messages(payment)
    merchant.pay(payment)
    success = merchant.messages(payment)
    for message in [*success, *declined, *success]:
        deliver(merchant, message)
        work()
    assert_paid_once(merchant, payment)
    decide_refund(payment, merchant.total)
    work()
    WebhookMessage.objects.all().delete()
    deliver(merchant, success[0])
    work()
    assert fresh(payment).state == "REFUNDED"


def test_a_payment_that_waits_is_open(merchant: PaymobHarness) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.act(payment, "pending")
    deliver_all(merchant, payment)
    sweep()
    assert_unpaid(payment, "REQUIRES_ACTION")
    assert fresh(payment).error_code == ""


@pytest.mark.parametrize(
    ("act", "state", "code"), [("", "CANCELLED", "EXPIRED"), ("decline", "FAILED", "INSUFFICIENT_FUNDS")]
)
def test_a_page_that_is_over_ends_the_payment(merchant: PaymobHarness, act: str, state: str, code: str) -> None:
    payment = begin(order_for(merchant), "paymob")
    if act:
        merchant.act(payment, act)
    clock.move_offset(3600 + 12 * 60)
    sweep()
    assert fresh(payment).state == "REQUIRES_ACTION"
    clock.move_offset(3600)
    sweep()
    assert (fresh(payment).state, fresh(payment).error_code) == (state, code)


def test_answers_in_the_old_shape_are_read(merchant: PaymobHarness) -> None:
    """In an envelope, with booleans as texts."""
    merchant.command("set", texts=True)
    payment = begin(order_for(merchant), "paymob")
    merchant.decline(payment)
    sweep()
    assert_unpaid(payment, "REQUIRES_ACTION")
    merchant.pay(payment)
    sweep()
    assert_paid_once(merchant, payment)
    decide_refund(payment, 25_000)
    work()
    assert refunds_of(payment) == [(25_000, "SUCCEEDED")]


@pytest.mark.parametrize("query", [{}, {"hmac": "0" * 128}, {"order": "1"}, {"id": "x"}, {"success": "True"}], ids=str)
def test_a_return_that_is_not_signed_is_no_hint(merchant: PaymobHarness, query: dict[str, str]) -> None:
    payment = begin(order_for(merchant), "paymob")
    merchant.decline(payment)
    sent = merchant.command("returns", reference=payment.reference)
    gateway, known = PaymobGateway(merchant.account()), ref(asked(), payment.reference)
    assert gateway.read_return(known, sent) == {"transaction": sent["id"]}
    assert gateway.read_return(known, (sent | query) if query else {}) == {}
    address = f"/payments/return/paymob/{payment.pk}/?{urlencode(sent | query)}"
    assert Client().get(address).status_code == 303
    work()
    assert_unpaid(payment, "REQUIRES_ACTION")


# Giving back --------------------------------------------------------------------------------------


def test_a_refund_made_in_the_dashboard_is_booked_and_pays_nothing(merchant: PaymobHarness) -> None:
    """Its message says success, as that of a payment does."""
    payment = paid(merchant)
    merchant.command("dashboard_refund", reference=payment.reference, amount=25_000)
    assert deliver_all(merchant, payment) == [200]
    order = Order.objects.get()
    assert (order.paid, order.refunded, fresh(payment).state) == (merchant.total, 25_000, "PARTIALLY_REFUNDED")
    assert PaymentTransaction.objects.filter(kind="CAPTURE").count() == 1


def test_a_refund_that_waits_is_followed(merchant: PaymobHarness) -> None:
    payment = paid(merchant)
    merchant.command("set", pending_refunds=True)
    decide_refund(payment, 25_000)
    work()
    assert refunds_of(payment) == [(25_000, "PENDING")]
    merchant.command("set", pending_refunds=False)
    sweep_refunds(merchant)
    assert refunds_of(payment) == [(25_000, "SUCCEEDED")]
    assert merchant.given_back(payment) == 25_000


@pytest.mark.parametrize(("also", "state"), [(0, "SUCCEEDED"), (10_000, "REVIEW")])
def test_a_refund_without_an_answer_is_found_by_what_went_back(merchant: PaymobHarness, also: int, state: str) -> None:
    """Unless something else went back too: then nobody can tell, and nothing is sent again."""
    payment = paid(merchant)
    decide_refund(payment, 25_000)
    merchant.break_(Operation.REFUND, Break.LOST_AFTER)
    work()
    if also:
        merchant.command("dashboard_refund", reference=payment.reference, amount=also)
    merchant.mend()
    sweep_refunds(merchant)
    assert refunds_of(payment) == [(25_000, state)]
    assert merchant.given_back(payment) == 25_000 + also


def test_two_refunds_without_answers_are_two(merchant: PaymobHarness) -> None:
    payment = paid(merchant)
    for how in (Break.LOST_AFTER, Break.LOST_BEFORE):
        decide_refund(payment, 25_000)
        merchant.break_(Operation.REFUND, how)
        work()
        merchant.mend()
    sweep_refunds(merchant)
    assert refunds_of(payment) == [(25_000, "SUCCEEDED")] * 2
    assert merchant.given_back(payment) == 50_000


def test_refusals_of_refunds_are_told_in_our_words(merchant: PaymobHarness) -> None:
    payment = paid(merchant)
    known = ref(asked(payment_id=payment.pk, amount=merchant.total), payment.reference, capture_id=payment.capture_id)
    gateway = PaymobGateway(merchant.account())
    for sums, code in ((merchant.total + 1, ErrorCode.REFUND_TOO_LARGE), (0, ErrorCode.REFUND_TOO_LARGE)):
        with pytest.raises(RefundRefused) as refusal:
            gateway.refund(known, RefundRequest(uuid4(), sums, "EGP"))
        assert (refusal.value.code, refusal.value.gateway_code) == (code, "400 amount_cents")
    with pytest.raises(RefundRefused) as refusal:
        PaymobGateway(merchant.account(secret_key="egy_sk_test_wrong")).refund(known, RefundRequest(uuid4(), 1, "EGP"))
    assert refusal.value.code is ErrorCode.MISCONFIGURED
    assert merchant.given_back(payment) == 0


# Money set aside ----------------------------------------------------------------------------------


def test_money_is_set_aside_and_taken_once(aside: PaymobHarness) -> None:
    payment = begin(order_for(aside), "paymob")
    aside.pay(payment)
    hear(aside, payment)
    assert (fresh(payment).state, aside.taken(payment)) == ("AUTHORIZED", 0)
    aside.break_(Operation.CAPTURE, Break.LOST_AFTER)
    with pytest.raises(GatewayUnavailable):
        capture_payment(payment.pk)
    aside.mend()
    clock.move_offset(121)
    capture_payment(payment.pk)
    assert_paid_once(aside, payment)


def test_money_set_aside_is_given_up(aside: PaymobHarness) -> None:
    payment = begin(order_for(aside), "paymob")
    aside.pay(payment)
    hear(aside, payment)
    cancel_payment(payment.pk)
    assert (fresh(payment).state, aside.taken(payment)) == ("CANCELLED", 0)


def test_nothing_is_taken_or_given_up_where_nothing_is_set_aside(merchant: PaymobHarness) -> None:
    gateway, request = PaymobGateway(merchant.account()), asked()
    started = gateway.start(request)
    known = ref(request, started.reference)
    with pytest.raises(GatewayRefused):
        gateway.cancel(known)
    merchant.command("act", reference=started.reference, act="pay")
    for change in (gateway.cancel, lambda payment: gateway.capture(payment, amount=1)):
        with pytest.raises(GatewayRefused):
            change(known)


def test_accounts_that_set_nothing_aside_do_not_offer_it(merchant: PaymobHarness) -> None:
    assert PaymobGateway(merchant.account()).capabilities.manual_capture
    assert not PaymobGateway(merchant.account(auth_integrations="")).capabilities.manual_capture
    started = PaymobGateway(merchant.account()).start(asked(capture=CaptureMode.MANUAL))
    merchant.command("act", reference=started.reference, act="pay")


# Keys ---------------------------------------------------------------------------------------------


def test_questions_by_the_old_token_where_the_secret_key_does_not_do(merchant: PaymobHarness, settings: Any) -> None:
    merchant.command("set", only_bearer=True)
    payment = begin(order_for(merchant), "paymob")
    merchant.pay(payment)
    sweep()
    assert_unpaid(payment, "REQUIRES_ACTION")
    settings.GATEWAYS = {"paymob": [merchant.account(api_key=double.API_KEY)]}
    sweep()
    assert_paid_once(merchant, payment)
    merchant.command("set", token="another")  # ours is over: a new one is fetched
    decide_refund(payment, 25_000)
    merchant.break_(Operation.REFUND, Break.LOST_AFTER)
    work()
    merchant.mend()
    sweep_refunds(merchant)
    assert refunds_of(payment) == [(25_000, "SUCCEEDED")]


def test_a_wrong_api_key_tells_nothing_about_a_payment(merchant: PaymobHarness) -> None:
    request = asked()
    started = PaymobGateway(merchant.account()).start(request)
    with pytest.raises(GatewayUnavailable):
        PaymobGateway(merchant.account(api_key="wrong")).verify(ref(request, started.reference))


def test_the_old_way_to_begin(merchant: PaymobHarness, settings: Any) -> None:
    """Token, order, payment key, frame; messages as ever."""
    settings.GATEWAYS = {"paymob": [merchant.account(api_key=double.API_KEY, iframe_id=double.IFRAME)]}
    payment = begin(order_for(merchant), "paymob")
    assert payment.next_action
    assert payment.next_action["url"] == (
        f"{merchant.url}/api/acceptance/iframes/{double.IFRAME}?payment_token=key-{payment.reference}"
    )
    assert httpx.get(payment.next_action["url"]).status_code == 200
    merchant.pay(payment)
    hear(merchant, payment)
    assert_paid_once(merchant, payment)


def test_the_old_way_refuses_a_wrong_key(merchant: PaymobHarness) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        PaymobGateway(merchant.account(api_key="wrong", iframe_id="1")).start(asked())
    assert refusal.value.code is ErrorCode.MISCONFIGURED


# Beginning ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "request_", "code", "own"),
    [
        ({}, {"currency": "USD"}, ErrorCode.CURRENCY_NOT_SUPPORTED, "400 currency"),
        ({}, {"webhook_url": "http://shop.example"}, ErrorCode.INVALID_REQUEST, "400 notification_url"),
        ({"integrations": "1"}, {}, ErrorCode.MISCONFIGURED, "404"),
        ({"secret_key": "egy_sk_test_wrong"}, {}, ErrorCode.MISCONFIGURED, "401"),
        ({"digits": "0"}, {}, ErrorCode.INVALID_AMOUNT, ""),
    ],
    ids=str,
)
def test_refusals_are_told_in_our_words(
    merchant: PaymobHarness, account: Any, request_: Any, code: ErrorCode, own: str
) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        PaymobGateway(merchant.account(**account)).start(asked(**request_))
    assert (refusal.value.code, refusal.value.gateway_code) == (code, own)
    assert "ada@example.com" not in str(refusal.value)


def test_the_double_refuses_what_the_real_one_refuses(merchant: PaymobHarness) -> None:
    billing = dict.fromkeys(double.BILLING, "NA")
    sent = {
        "amount": 25075, "currency": "EGP", "payment_methods": [double.INTEGRATION], "billing_data": billing,
        "special_reference": "r", "items": [{"name": "n", "amount": 25075, "quantity": 1}],
    }  # fmt: skip
    headers = {"Authorization": f"Token {double.SECRET_KEY}"}
    for wrong in (
        {"amount": 250.75},
        {"amount": "250.75"},
        {"amount": 25074},
        {"amount": True},
        {"special_reference": ""},
        {"billing_data": {}},
        {"payment_methods": []},
        {"redirection_url": "shop"},
    ):
        assert httpx.post(f"{merchant.url}/v1/intention/", json=sent | wrong, headers=headers).status_code in (400, 404)
    assert httpx.post(f"{merchant.url}/v1/intention/", json=sent).status_code == 401
    assert httpx.post(f"{merchant.url}/v1/intention/", json=sent, headers=headers).status_code == 201
    assert httpx.post(f"{merchant.url}/v1/intention/", json=sent, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("digits", "currency", "minor", "cents"),
    [(None, "EGP", 25_075, 25_075), (None, "OMR", 1_500, 1_500), (2, "OMR", 1_500, 150), (None, "PKR", 100, 100)],
)
def test_cents_as_the_account_counts_them(digits: int | None, currency: str, minor: int, cents: int) -> None:
    rules = replace(RULES, digits=digits)
    assert (rules.cents(minor, currency), rules.minor(cents, currency)) == (cents, minor)


@pytest.mark.parametrize("cents", [None, True, -1, 1.5, "1.5", "x", "", 10**16])
def test_what_is_no_amount_settles_nothing(cents: Any) -> None:
    with pytest.raises(GatewayUnavailable):
        RULES.minor(cents, "EGP")


def test_the_page_sends_the_buyer_back_signed(merchant: PaymobHarness) -> None:
    started = PaymobGateway(merchant.account()).start(asked())
    assert started.next_action
    assert f"publicKey={double.PUBLIC_KEY}&clientSecret=egy_csk_test_" in started.next_action["url"]
    answer = httpx.post(started.next_action["url"], data={"act": "pay"})
    query = dict(httpx.URL(answer.headers["location"]).params)
    assert is_signed(of_query(query), double.HMAC_SECRET, query["hmac"])


def test_secrets_stay_out_of_logs_and_tables(merchant: PaymobHarness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    payment = paid(merchant)
    decide_refund(payment, 25_000)
    merchant.break_(Operation.REFUND, Break.ERROR_500)
    work()
    kept = caplog.text + str(
        [*Payment.objects.values(), *Refund.objects.values(), *PaymentTransaction.objects.values()]
    )
    for secret in (double.SECRET_KEY, double.HMAC_SECRET, double.API_KEY):
        assert secret not in kept
