"""What only PayPal does: approval and capture apart, money set aside, refunds that are looked for."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backend.core import clock
from backend.orders.models import Order
from backend.payments.gateways.base import (
    Buyer,
    CaptureMode,
    ChargeState,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    PaymentRef,
    RefundOutcome,
    RefundRefused,
    RefundRequest,
)
from backend.payments.gateways.paypal import reading
from backend.payments.models import Payment, PaymentTransaction
from backend.payments.services.capturing import cancel_payment, capture_payment
from tests.gateways.harnesses.paypal import PayPalHarness
from tests.gateways.paypal.kit import approve, asked, begun, gateway, ref
from tests.gateways.shop import (
    begin,
    come_back,
    deliver_all,
    hear,
    order_for,
    refunds_of,
    sweep,
    sweep_refunds,
    verify,
    work,
)
from tests.gateways.telling import assert_paid_once, assert_unpaid
from tests.gateways.test_stories import decide_refund, paid

pytestmark = pytest.mark.django_db


# The order ----------------------------------------------------------------------------------------


def test_an_order_says_whose_it_is_and_where_to_come_back(paypal: PayPalHarness) -> None:
    request = asked()
    sent = gateway(paypal)._order(request, "CAPTURE")
    unit = sent["purchase_units"][0]
    assert (unit["custom_id"], unit["amount"]["value"]) == (str(request.payment_id), "10.50")
    experience = sent["payment_source"]["paypal"]["experience_context"]
    assert experience["return_url"] == experience["cancel_url"] == request.callback_url
    assert (experience["shipping_preference"], "shipping" in unit) == ("NO_SHIPPING", False)
    assert "ada@example.com" not in str(sent)


def test_paypal_is_told_where_the_parcel_goes_if_the_shop_wants_that(paypal: PayPalHarness) -> None:
    at = gateway(paypal, shipping_preference="SET_PROVIDED_ADDRESS")
    unit = at._order(asked(), "CAPTURE")["purchase_units"][0]
    assert unit["shipping"]["name"] == {"full_name": "Ada Lovelace"}
    assert unit["shipping"]["address"]["country_code"] == "DE"
    assert at.start(asked()).reference
    nothing_shipped = at._order(asked(buyer=Buyer(email="")), "CAPTURE")
    assert nothing_shipped["payment_source"]["paypal"]["experience_context"]["shipping_preference"] == "NO_SHIPPING"


def test_the_same_start_gives_the_same_order(paypal: PayPalHarness) -> None:
    request = asked()
    first, second = (gateway(paypal).start(request) for _ in range(2))
    assert first.reference == second.reference
    assert (first.next_action or {})["url"].endswith(f"/checkoutnow?token={first.reference}")


@pytest.mark.parametrize("rel", ["approve", "payer-action"])
def test_the_link_has_either_name(rel: str) -> None:
    links = [{"rel": "self", "href": "https://x.example"}, {"rel": rel, "href": "https://paypal.example/pay"}]
    assert reading.approve_link({"links": links}) == {"type": "REDIRECT", "url": "https://paypal.example/pay"}
    assert reading.approve_link({"links": [{"rel": rel, "href": "javascript:alert(1)"}]}) is None


def test_wrong_credentials_fail_the_payment_and_are_the_shops_to_mend(paypal: PayPalHarness) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        gateway(paypal, client_secret="wrong").start(asked())
    assert refusal.value.code is ErrorCode.MISCONFIGURED
    with pytest.raises(GatewayUnavailable):
        gateway(paypal, client_secret="wrong").verify(ref(asked(), "ORDER"))


def test_an_order_that_pays_somebody_else_is_flagged(paypal: PayPalHarness, settings: Any) -> None:
    settings.GATEWAYS = {"paypal": [paypal.account(merchant_id="ANOTHER")]}
    payment = begin(order_for(paypal), "paypal")
    paypal.pay(payment)
    verify(payment)
    assert_unpaid(payment, "FLAGGED")


def test_a_returning_buyer_brings_the_order_of_a_lost_start(paypal: PayPalHarness) -> None:
    at = gateway(paypal)
    payment = begun(paypal, at)
    lost = replace(payment, reference="", data={})
    assert at.verify(lost) is None
    hint = at.read_return(lost, {"token": payment.reference, "PayerID": "x"})
    report = at.verify(replace(lost, data=hint))
    assert report is not None
    assert (report.reference, report.payment_id) == (payment.reference, str(payment.payment_id))
    assert at.read_return(payment, {"token": "OTHER"}) == {}
    for odd in ("", "../v1", "a b", "x" * 99, "ORDER\n"):
        assert at.read_return(lost, {"token": odd}) == {}


# Taking -------------------------------------------------------------------------------------------


def test_an_approval_is_captured_once_whoever_asks(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    paypal.pay(payment)
    for _ in range(3):
        hear(paypal, payment)
        sweep()
    assert_paid_once(paypal, payment)
    assert len([call for call in paypal.command("calls") if call.endswith("/capture")]) == 1
    fee = PaymentTransaction.objects.get(payment=payment, kind="FEE")
    assert (fee.amount, fee.currency) == (59, "USD")


def test_a_capture_that_paypal_has_forgotten_the_key_of_is_looked_up(paypal: PayPalHarness) -> None:
    at = gateway(paypal)
    payment = begun(paypal, at)
    approve(paypal, payment)
    first = at.capture(payment, amount=1050)
    paypal.command("rule", forget_keys=True)
    assert at.capture(payment, amount=1050) == first
    assert first.state is ChargeState.SUCCEEDED


def test_a_completed_order_with_a_pending_capture_is_not_paid(paypal: PayPalHarness) -> None:
    paypal.command("rule", capture_status="PENDING")
    payment = begin(order_for(paypal), "paypal")
    paypal.pay(payment)
    hear(paypal, payment)
    assert_unpaid(payment, "PROCESSING")
    paypal.about("change", payment, capture={"status": "COMPLETED"}, tell="PAYMENT.CAPTURE.COMPLETED")
    deliver_all(paypal, payment)
    assert_paid_once(paypal, payment)


@pytest.mark.parametrize("told", ["PAYMENT.CAPTURE.DECLINED", "PAYMENT.CAPTURE.DENIED"])
def test_a_capture_that_is_declined_later_fails(paypal: PayPalHarness, told: str) -> None:
    paypal.command("rule", capture_status="PENDING")
    payment = begin(order_for(paypal), "paypal")
    paypal.pay(payment)
    verify(payment)
    declined = {"status": "DECLINED", "processor_response": {"response_code": "5120"}}
    paypal.about("change", payment, capture=declined, tell=told)
    deliver_all(paypal, payment)
    assert_unpaid(payment, "FAILED")
    assert (payment.error_code, payment.gateway_code) == ("INSUFFICIENT_FUNDS", "5120")


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        ("INSTRUMENT_DECLINED", "CARD_DECLINED"),
        ("TRANSACTION_REFUSED", "DECLINED"),
        ("PAYEE_ACCOUNT_RESTRICTED", "MISCONFIGURED"),
        ("SOMETHING_NEW", "DECLINED"),
    ],
)
def test_a_refused_capture_fails_with_paypals_word(paypal: PayPalHarness, issue: str, code: str) -> None:
    payment = begin(order_for(paypal), "paypal")
    paypal.about("approve", payment, refusal=issue)
    come_back(paypal, payment)
    assert_unpaid(payment, "FAILED")
    assert (payment.error_code, payment.gateway_code) == (code, issue)


def test_paypal_can_ask_the_buyer_back_at_the_capture(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    paypal.about("approve", payment, refusal="PAYER_ACTION_REQUIRED")
    verify(payment)
    assert_unpaid(payment, "PROCESSING")
    paypal.pay(payment)
    hear(paypal, payment)
    assert_paid_once(paypal, payment)


def test_a_capture_that_is_being_made_is_asked_for_again(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    paypal.pay(payment)
    paypal.command("rule", conflict=True)
    with pytest.raises(Exception, match="gateway"):
        verify(payment)
    assert_unpaid(payment, "PROCESSING")
    paypal.command("rule", conflict=False)
    sweep()
    assert_paid_once(paypal, payment)


def test_an_order_that_paypal_has_forgotten_is_cancelled_after_some_hours(paypal: PayPalHarness) -> None:
    at = gateway(paypal)
    payment = replace(begun(paypal, at), created_at=clock.now())
    paypal.command("change", payment=str(payment.payment_id), forgotten=True)
    assert at.verify(payment) is None
    clock.move_offset(6 * 3600)
    report = at.verify(payment)
    assert report is not None
    assert (report.state, report.error_code) == (ChargeState.CANCELLED, "EXPIRED")
    assert at.verify(replace(payment, captured=1050)) is None
    assert at.verify(replace(payment, data={"authorization": "A1"})) is None
    assert gateway(paypal, expires_hours="0").verify(payment) is None


# Set aside ----------------------------------------------------------------------------------------


def set_aside(paypal: PayPalHarness) -> Payment:
    payment = begin(order_for(paypal), "paypal")
    paypal.pay(payment)
    hear(paypal, payment)
    assert_unpaid(payment, "AUTHORIZED")
    assert paypal.taken(payment) == 0
    return payment


def test_money_is_set_aside_and_taken_by_staff(by_hand: PayPalHarness) -> None:
    payment = set_aside(by_hand)
    sweep(2)
    hear(by_hand, payment)
    assert by_hand.taken(payment) == 0
    capture_payment(payment.pk)
    assert_paid_once(by_hand, payment)


def test_a_part_of_what_was_set_aside_is_taken_and_no_more(by_hand: PayPalHarness) -> None:
    payment = set_aside(by_hand)
    captured = capture_payment(payment.pk, amount=600)
    assert (captured.state, by_hand.taken(payment), Order.objects.get().paid) == ("SUCCEEDED", 600, 600)
    at = gateway(by_hand)
    again = PaymentRef(
        payment.pk, payment.reference, 1000, "USD", data={"authorization": captured.data["authorization"]}
    )
    assert at.capture(again, amount=400).amount_captured == 600


def test_what_was_set_aside_is_given_up(by_hand: PayPalHarness) -> None:
    payment = set_aside(by_hand)
    cancelled = cancel_payment(payment.pk)
    assert cancelled.state == "CANCELLED"
    ref = PaymentRef(payment.pk, payment.reference, 1000, "USD", data=cancelled.data)
    assert gateway(by_hand).cancel(ref).state is ChargeState.CANCELLED
    deliver_all(by_hand, payment)
    assert Order.objects.get().paid == 0


def test_a_worker_that_is_late_sets_aside_again_and_takes_nothing(by_hand: PayPalHarness) -> None:
    """It has seen the approval, another has set the money aside meanwhile: it must not take that."""
    at = gateway(by_hand)
    payment = begun(by_hand, at, capture=CaptureMode.MANUAL)
    approve(by_hand, payment)
    first = at.capture(payment, amount=1050)
    assert first.state is ChargeState.AUTHORIZED
    by_hand.command("rule", forget_keys=True)
    assert at.capture(payment, amount=1050).state is ChargeState.AUTHORIZED


def test_an_open_order_cannot_be_ended(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    with pytest.raises(GatewayRefused):
        cancel_payment(payment.pk)
    payment.refresh_from_db()
    assert payment.state == "REQUIRES_ACTION"


# Giving back --------------------------------------------------------------------------------------


def test_a_refund_names_payment_and_refund(paypal: PayPalHarness) -> None:
    payment = paid(paypal)
    refund = decide_refund(payment, 250)
    work()
    refund.refresh_from_db()
    at = gateway(paypal)
    payment.refresh_from_db()
    known = PaymentRef(payment.pk, payment.reference, 1000, "USD", capture_id=payment.capture_id)
    found = at.find_refund(known, RefundRequest(refund.pk, 250, "USD"))
    assert found is not None
    assert (found.reference, found.refund_id, found.outcome) == (
        refund.reference,
        str(refund.pk),
        RefundOutcome.SUCCEEDED,
    )
    assert at.find_refund(known, RefundRequest(uuid4(), 250, "USD")) is None


def test_a_refund_that_paypal_has_forgotten_the_key_of_is_made_once(paypal: PayPalHarness) -> None:
    """Weeks later: found by its id in the order, before anything is asked again."""
    payment = paid(paypal)
    at = gateway(paypal)
    payment.refresh_from_db()
    known = PaymentRef(payment.pk, payment.reference, 1000, "USD", capture_id=payment.capture_id)
    refund = RefundRequest(uuid4(), 250, "USD", created_at=clock.now())
    first = at.refund(known, refund)
    paypal.command("rule", forget_keys=True)
    clock.move_offset(46 * 24 * 3600)
    assert at.refund(known, refund) == first
    assert paypal.given_back(payment) == 250


def test_a_whole_refund_that_was_made_before_is_no_failure(paypal: PayPalHarness) -> None:
    payment = paid(paypal)
    at = gateway(paypal)
    payment.refresh_from_db()
    known = PaymentRef(payment.pk, payment.reference, 1000, "USD", capture_id=payment.capture_id)
    refund = RefundRequest(uuid4(), 1000, "USD", created_at=clock.now())
    first = at.refund(known, refund)
    paypal.command("rule", forget_keys=True)
    assert at.refund(known, refund) == first
    with pytest.raises(RefundRefused) as refusal:
        at.refund(known, RefundRequest(uuid4(), 1, "USD"))
    assert (refusal.value.code, refusal.value.gateway_code) == (ErrorCode.REFUND_TOO_LARGE, "CAPTURE_FULLY_REFUNDED")


@pytest.mark.parametrize(("ends", "state"), [("COMPLETED", "SUCCEEDED"), ("FAILED", "FAILED"), ("CANCELLED", "FAILED")])
def test_a_refund_that_takes_days_counts_when_it_is_made(paypal: PayPalHarness, ends: str, state: str) -> None:
    payment = paid(paypal)
    paypal.command("rule", slow_refunds=True)
    decide_refund(payment, 1000)
    work()
    assert refunds_of(payment) == [(1000, "PENDING")]
    assert Order.objects.get().refunded == 0
    paypal.command("finish_refunds", **{"as": ends})
    sweep_refunds(paypal)
    assert refunds_of(payment) == [(1000, state)]
    assert Order.objects.get().refunded == (1000 if state == "SUCCEEDED" else 0)


def test_money_given_back_in_paypals_own_pages_is_booked(paypal: PayPalHarness) -> None:
    """Such a refund has none of our ids: it is found by its capture."""
    payment = paid(paypal)
    paypal.messages(payment)  # that of the capture, which would make the shop ask too
    paypal.about("refund_there", payment, value="4.00")
    assert deliver_all(paypal, payment) == [200]
    deliver_all(paypal, payment)
    payment.refresh_from_db()
    assert (payment.state, Order.objects.get().refunded) == ("PARTIALLY_REFUNDED", 400)
    assert refunds_of(payment) == [(400, "SUCCEEDED")]
