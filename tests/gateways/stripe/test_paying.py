"""What is sent to Stripe to begin, take, give up and find payments, and how its answers are read."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings

from backend.core import clock
from backend.payments.gateways.base import (
    Buyer,
    CaptureMode,
    ChargeState,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    Line,
    Method,
    PostalAddress,
)
from backend.payments.models import Operation
from tests.gateways.harness import Break
from tests.gateways.harnesses.stripe import StripeHarness
from tests.gateways.stripe.conftest import Gateway
from tests.gateways.stripe.kit import act, ref_of, request_of

BUYER = Buyer(
    email="ada@example.com",
    first_name="Ada",
    last_name="Lovelace",
    phone="+491701234567",
    shipping=PostalAddress(line1="Weg 1", city="Berlin", postal_code="10115", country="DE"),
)
SHIPPING = {
    "name": "Ada Lovelace",
    "phone": "+491701234567",
    "address": {"line1": "Weg 1", "city": "Berlin", "postal_code": "10115", "country": "DE"},
}


def sent_to(stripe: StripeHarness, path: str) -> list[dict[str, Any]]:
    return [each for each in stripe.command("seen") if each["path"] == path]


# What is sent -------------------------------------------------------------------------------------


def test_an_intent_is_sent_as_stripe_wants_it_and_not_as_a_double_does(stripe: StripeHarness, gateway: Gateway) -> None:
    request = request_of(buyer=BUYER)
    started = gateway().start(request)
    [sent] = sent_to(stripe, "/v1/payment_intents")
    assert sent["key"] == f"pay:{request.payment_id}:start"
    assert sent["sent"] == {
        "amount": 1999,
        "currency": "usd",
        "automatic_payment_methods": {"enabled": True},
        "description": "Shop 1001",
        "metadata": {"payment_id": str(request.payment_id), "order_number": "1001"},
        "shipping": SHIPPING,
        "expand": ["latest_charge.balance_transaction", "review"],
    }
    action = started.next_action or {}
    assert (action["type"], action["publishable_key"]) == ("CLIENT_SECRET", "pk_test_double")
    assert action["client_secret"].startswith(f"{started.reference}_secret_")
    assert not started.data


def test_a_session_is_sent_with_our_id_on_its_intent(stripe: StripeHarness, gateway: Gateway) -> None:
    lines = (Line(name="Mug", sku="M", quantity=2, total=1000), Line(name="Tea", sku="T", quantity=1, total=500))
    request = request_of(buyer=BUYER, lines=lines, language="de", created_at=clock.now(), save_method=True)
    started = gateway(flow="REDIRECT").start(request)
    [sent] = sent_to(stripe, "/v1/checkout/sessions")
    expires = clock.now() + timedelta(minutes=django_settings.RESERVATION_MINUTES + 31)
    assert abs(sent["sent"].pop("expires_at") - expires.timestamp()) < 60
    metadata = {"payment_id": str(request.payment_id), "order_number": "1001"}
    product = {"name": "Shop 1001", "description": "2 x Mug, 1 x Tea"}
    price = {"currency": "usd", "unit_amount": 1999, "product_data": product}
    assert sent["sent"] == {
        "mode": "payment",
        "client_reference_id": str(request.payment_id),
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": request.callback_url,
        "cancel_url": request.callback_url,
        "locale": "de",
        "adaptive_pricing": {"enabled": False},
        "customer_email": "ada@example.com",
        "metadata": metadata,
        "payment_intent_data": {
            "description": "Shop 1001",
            "metadata": metadata,
            "setup_future_usage": "on_session",
            "shipping": SHIPPING,
        },
        "expand": ["payment_intent.latest_charge.balance_transaction", "payment_intent.review"],
    }
    assert started.reference.startswith("cs_")
    assert started.next_action == {"type": "REDIRECT", "url": f"{stripe.url}/c/pay/{started.reference}"}


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
def test_a_start_that_is_repeated_much_later_gives_the_same(stripe: StripeHarness, gateway: Gateway, flow: str) -> None:
    request = request_of(created_at=clock.now(), buyer=BUYER)
    first = gateway(flow=flow).start(request)
    clock.move_offset(800)
    assert gateway(flow=flow).start(request) == first


def test_the_same_key_for_something_else_tells_nothing(stripe: StripeHarness, gateway: Gateway) -> None:
    request = request_of()
    gateway().start(request)
    with pytest.raises(GatewayUnavailable, match="another request of this key"):
        gateway().start(request_of(payment_id=request.payment_id, amount=2000))
    assert len(sent_to(stripe, "/v1/payment_intents")) == 2  # not repeated: the answer would be the same


# Reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
def test_a_paid_payment_tells_all_that_the_ledger_wants(stripe: StripeHarness, gateway: Gateway, flow: str) -> None:
    request = request_of()
    started = gateway(flow=flow).start(request)
    act(stripe, request)
    report = gateway(flow=flow).verify(ref_of(request, started))
    assert report is not None
    assert (report.state, report.payment_id, report.reference) == (
        ChargeState.SUCCEEDED,
        str(request.payment_id),
        started.reference,
    )
    assert (report.amount, report.currency, report.amount_captured) == (1999, "USD", 1999)
    assert report.capture_id.startswith("pi_")
    assert (report.method, report.fee, report.held) == (Method.CARD, 59, False)
    assert report.excerpt["card"] == "visa 4242"
    assert "secret" not in str(report.excerpt)


def test_a_declined_card_leaves_the_payment_open(stripe: StripeHarness, gateway: Gateway) -> None:
    for flow in ("CLIENT_SECRET", "REDIRECT"):
        request = request_of()
        started = gateway(flow=flow).start(request)
        act(stripe, request, "decline")
        report = gateway(flow=flow).verify(ref_of(request, started))
        assert report is not None
        assert (report.state, report.error_code, report.gateway_code) == (
            ChargeState.OPEN,
            "CARD_DECLINED",
            "generic_decline",
        )
        assert report.next_action == started.next_action


@pytest.mark.parametrize(
    ("fields", "state", "code"),
    [
        ({"status": "processing"}, ChargeState.PROCESSING, ""),
        ({"status": "requires_action"}, ChargeState.OPEN, ""),
        ({"status": "canceled", "cancellation_reason": "automatic"}, ChargeState.CANCELLED, "EXPIRED"),
        ({"status": "canceled", "cancellation_reason": "abandoned"}, ChargeState.CANCELLED, "ABANDONED"),
        ({"status": "canceled", "cancellation_reason": "fraudulent"}, ChargeState.CANCELLED, "FRAUD_SUSPECTED"),
    ],
)
def test_states_that_localstripe_never_has(
    stripe: StripeHarness, gateway: Gateway, fields: dict[str, Any], state: ChargeState, code: str
) -> None:
    request = request_of()
    started = gateway().start(request)
    stripe.command("change", payment_id=str(request.payment_id), fields=fields)
    report = gateway().verify(ref_of(request, started))
    assert report is not None
    assert (report.state, report.error_code) == (state, code)


def test_a_session_that_is_complete_is_not_paid_before_its_intent_is(stripe: StripeHarness, gateway: Gateway) -> None:
    bank, request = gateway(flow="REDIRECT"), request_of()
    started = bank.start(request)
    act(stripe, request, "decline")  # its intent is there now
    told, ref = {"payment_id": str(request.payment_id)}, ref_of(request, started)
    stripe.command("change_session", fields={"status": "complete", "payment_status": "unpaid"}, **told)
    stripe.command("change", fields={"status": "processing"}, **told)
    report = bank.verify(ref)
    assert report is not None
    assert report.state is ChargeState.PROCESSING
    stripe.command("change", fields={"status": "requires_payment_method"}, **told)
    report = bank.verify(ref)
    assert report is not None
    assert (report.state, report.error_code) == (ChargeState.FAILED, "CARD_DECLINED")


def test_a_page_that_expired_is_over(stripe: StripeHarness, gateway: Gateway) -> None:
    bank, request = gateway(flow="REDIRECT"), request_of()
    started = bank.start(request)
    stripe.command("expire", payment_id=str(request.payment_id))
    report = bank.verify(ref_of(request, started))
    assert report is not None
    assert (report.state, report.error_code, report.next_action) == (ChargeState.CANCELLED, "EXPIRED", None)


def test_a_review_holds_the_payment_until_it_is_closed(stripe: StripeHarness, gateway: Gateway) -> None:
    request = request_of()
    started = gateway().start(request)
    act(stripe, request)
    for is_open in (True, False):
        review = {"id": "prv_1", "object": "review", "open": is_open}
        stripe.command("change", payment_id=str(request.payment_id), fields={"review": review})
        report = gateway().verify(ref_of(request, started))
        assert report is not None
        assert report.held is is_open


# Lost answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
@pytest.mark.parametrize("paid", [True, False])
def test_a_start_whose_answer_was_lost_is_found_by_our_id(
    stripe: StripeHarness, gateway: Gateway, flow: str, paid: bool
) -> None:
    for _ in range(2):
        gateway(flow=flow).start(request_of(created_at=clock.now()))
    request = request_of(created_at=clock.now())
    started = gateway(flow=flow).start(request)
    if paid:
        act(stripe, request)
    report = gateway(flow=flow).verify(ref_of(request, created_at=request.created_at))
    assert report is not None
    assert (report.reference, report.payment_id) == (started.reference, str(request.payment_id))
    if not paid:
        assert report.next_action == started.next_action


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
def test_what_stripe_does_not_know_is_none(stripe: StripeHarness, gateway: Gateway, flow: str) -> None:
    bank, request = gateway(flow=flow), request_of()
    assert bank.verify(ref_of(request, created_at=clock.now())) is None
    assert bank.verify(ref_of(request)) is None
    assert bank.verify(ref_of(request, reference="pi_nobodys")) is None
    assert bank.verify(ref_of(request, reference="cs_nobodys")) is None


# Money set aside ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
@pytest.mark.parametrize("amount", [1999, 500])
def test_money_is_set_aside_and_taken_once(stripe: StripeHarness, gateway: Gateway, flow: str, amount: int) -> None:
    bank, request = gateway(flow=flow), request_of(capture=CaptureMode.MANUAL)
    started = bank.start(request)
    act(stripe, request)
    aside = bank.verify(ref_of(request, started))
    assert aside is not None
    assert (aside.state, aside.amount_captured) == (ChargeState.AUTHORIZED, None)
    ref = ref_of(request, started, capture_id=aside.capture_id)
    for _ in range(2):
        report = bank.capture(ref, amount=amount)
        assert (report.state, report.amount, report.amount_captured) == (ChargeState.SUCCEEDED, 1999, amount)
        assert report.refunds == ()  # what was given up is no refund
    stripe.command("forget_keys")
    assert bank.capture(ref, amount=amount).amount_captured == amount
    captures = sent_to(stripe, f"/v1/payment_intents/{aside.capture_id}/capture")
    assert captures[0]["key"] == f"pay:{request.payment_id}:capture:{amount}"
    with pytest.raises(GatewayRefused):
        bank.cancel(ref)


@pytest.mark.parametrize("how", Break)
def test_a_capture_that_goes_wrong_is_made_once(stripe: StripeHarness, gateway: Gateway, how: Break) -> None:
    bank, request = gateway(), request_of(capture=CaptureMode.MANUAL)
    ref = ref_of(request, bank.start(request))
    act(stripe, request)
    stripe.break_(Operation.CAPTURE, how)
    with pytest.raises(GatewayUnavailable):
        bank.capture(ref, amount=1999)
    stripe.mend()
    report = bank.capture(ref, amount=1999)
    assert (report.state, report.amount_captured) == (ChargeState.SUCCEEDED, 1999)


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
@pytest.mark.parametrize("aside", [True, False])
def test_payments_are_given_up(stripe: StripeHarness, gateway: Gateway, flow: str, aside: bool) -> None:
    bank, request = gateway(flow=flow), request_of(capture=CaptureMode.MANUAL)
    started = bank.start(request)
    ref = ref_of(request, started)
    if aside:
        act(stripe, request)
        told = bank.verify(ref)
        assert told is not None
        ref = ref_of(request, started, capture_id=told.capture_id)
    for _ in range(2):
        assert bank.cancel(ref).state is ChargeState.CANCELLED
    stripe.command("forget_keys")
    assert bank.cancel(ref).state is ChargeState.CANCELLED


def test_what_is_paid_cannot_be_given_up_and_what_is_open_cannot_be_taken(
    stripe: StripeHarness, gateway: Gateway
) -> None:
    bank, request = gateway(), request_of()
    ref = ref_of(request, bank.start(request))
    with pytest.raises(GatewayRefused) as refusal:
        bank.capture(ref, amount=1999)
    assert refusal.value.gateway_code == "payment_intent_unexpected_state"
    act(stripe, request)
    with pytest.raises(GatewayRefused):
        bank.cancel(ref)


# Refusals and silence -----------------------------------------------------------------------------


def test_an_amount_that_stripe_does_not_take_is_told_as_such(stripe: StripeHarness, gateway: Gateway) -> None:
    for changed in ({"amount": 49}, {"amount": 5124, "currency": "KWD"}):
        with pytest.raises(GatewayRefused) as refusal:
            gateway().start(request_of(**changed))
        assert refusal.value.code is ErrorCode.INVALID_AMOUNT


def test_a_wrong_key_stops_a_start_and_makes_other_calls_wait(
    stripe: StripeHarness, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    request = request_of()
    started = gateway().start(request)
    bank, ref = gateway(secret_key="sk_test_somebody_elses"), ref_of(request, started)
    for _ in range(7):  # more often than the breaker bears of a gateway that is down
        with pytest.raises(GatewayRefused) as refusal:
            bank.start(request_of())
        assert refusal.value.code is ErrorCode.MISCONFIGURED
    for call in (
        lambda: bank.verify(ref),
        lambda: bank.capture(ref, amount=1),
        lambda: bank.cancel(ref),
    ):
        with pytest.raises(GatewayUnavailable) as silence:
            call()
        assert "sk_test" not in str(silence.value)
    assert gateway().verify(ref) is not None
    written = caplog.text
    assert "Request to Stripe api" not in written  # the SDK's own lines, which would hold whole bodies
    assert "sk_test" not in written
    assert "_secret_" not in written


def test_a_gateway_that_is_down_is_left_alone_for_a_moment(stripe: StripeHarness, gateway: Gateway) -> None:
    stripe.break_(Operation.START, Break.ERROR_500)
    with pytest.raises(GatewayUnavailable, match="status 500"):
        gateway().start(request_of())
    with pytest.raises(GatewayUnavailable):
        gateway().start(request_of())
    with pytest.raises(GatewayUnavailable, match="left alone"):
        gateway().start(request_of())
    with pytest.raises(GatewayUnavailable, match="left alone"):
        gateway().verify(ref_of(request_of(), reference=f"pi_{uuid4().hex}"))
