"""Money that goes back: refunds late, failed or made in the dashboard, disputes, the days' report; in both flows."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backend.core import clock
from backend.orders.models import Order
from backend.payments.gateways.base import ErrorCode, GatewayUnavailable, RefundOutcome, RefundRefused
from backend.payments.models import Dispute, Operation, Payment, PaymentTransaction
from backend.payments.services import request_refund
from tests.gateways.harness import Break
from tests.gateways.harnesses.stripe import StripeHarness
from tests.gateways.shop import begin, deliver, deliver_all, order_for, refunds_of, sweep_refunds, work
from tests.gateways.stripe.conftest import Gateway
from tests.gateways.stripe.kit import act, ref_of, refund_of, request_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(shop: StripeHarness) -> Payment:
    found = begin(order_for(shop), "stripe")
    shop.pay(found)
    deliver_all(shop, found)
    found.refresh_from_db()
    assert found.state == "SUCCEEDED"
    return found


def ledger(payment: Payment) -> list[tuple[str, int]]:
    rows = PaymentTransaction.objects.filter(payment=payment).order_by("pk")
    return list(rows.values_list("kind", "amount"))


def about(payment: Payment) -> dict[str, str]:
    return {"payment_id": str(payment.pk)}


# Refunds ------------------------------------------------------------------------------------------


def test_a_refund_that_the_bank_works_on_is_followed_until_it_is_made(shop: StripeHarness, payment: Payment) -> None:
    shop.command("pend_refunds")
    request_refund(payment, amount=500, reason="")
    work()
    assert refunds_of(payment) == [(500, "PENDING")]
    shop.finish_refunds()
    deliver_all(shop, payment)
    assert refunds_of(payment) == [(500, "SUCCEEDED")]
    assert ledger(payment) == [("CAPTURE", 2000), ("FEE", 59), ("REFUND", 500)]


@pytest.mark.parametrize("pending", [True, False])
def test_a_refund_that_the_bank_takes_back_is_told_to_staff(
    shop: StripeHarness, payment: Payment, pending: bool
) -> None:
    if pending:
        shop.command("pend_refunds")
    request_refund(payment, amount=500, reason="")
    work()
    deliver_all(shop, payment)
    shop.command("fail_refunds", **about(payment))
    deliver_all(shop, payment)
    payment.refresh_from_db()
    assert refunds_of(payment) == [(500, "FAILED")]
    assert (payment.state, Order.objects.get().refunded) == ("SUCCEEDED", 0)
    assert payment.refunds.get().gateway_code == "expired_or_canceled_card"
    moved = [("REFUND", 500), ("REFUND_REVERSAL", 500)]
    assert ledger(payment) == [("CAPTURE", 2000), ("FEE", 59), *([] if pending else moved)]


def test_a_refund_that_was_made_in_the_dashboard_is_booked_once(shop: StripeHarness, payment: Payment) -> None:
    made = shop.command("refund", amount=700, **about(payment))
    messages = shop.messages(payment)
    for _ in range(2):
        for message in messages:
            deliver_one(shop, message)
    payment.refresh_from_db()
    assert (payment.state, refunds_of(payment)) == ("PARTIALLY_REFUNDED", [(700, "SUCCEEDED")])
    assert payment.refunds.get().reference == made


def test_even_its_bare_message_finds_the_payment(shop: StripeHarness, payment: Payment) -> None:
    """A refund of the dashboard has nothing of ours, and names the PaymentIntent only."""
    shop.command("refund", amount=700, **about(payment))
    [bare] = [each for each in shop.messages(payment) if b'"type": "refund.created"' in each.body]
    assert str(payment.pk).encode() not in bare.body
    deliver_one(shop, bare)
    assert refunds_of(payment) == [(700, "SUCCEEDED")]


def test_a_refund_whose_answer_was_lost_is_made_once_even_when_stripe_forgot_the_key(
    shop: StripeHarness, payment: Payment
) -> None:
    request_refund(payment, amount=500, reason="")
    shop.break_(Operation.REFUND, Break.LOST_AFTER)
    work()
    shop.mend()
    shop.command("forget_keys")
    sweep_refunds(shop)
    assert refunds_of(payment) == [(500, "SUCCEEDED")]
    assert shop.given_back(payment) == 500


def test_the_double_gives_back_no_more_than_was_taken(stripe: StripeHarness, gateway: Gateway) -> None:
    request = request_of()
    ref = ref_of(request, gateway().start(request))
    with pytest.raises(RefundRefused):
        gateway().refund(ref, refund_of(1))
    act(stripe, request)
    with pytest.raises(RefundRefused) as refusal:
        gateway().refund(ref, refund_of(2000))
    assert (refusal.value.code, refusal.value.gateway_code) == (ErrorCode.REFUND_TOO_LARGE, "amount")
    whole = refund_of(1999)
    for _ in range(2):
        report = gateway().refund(ref, whole)
        assert (report.outcome, report.amount, report.refund_id) == (
            RefundOutcome.SUCCEEDED,
            1999,
            str(whole.refund_id),
        )
    with pytest.raises(RefundRefused) as refusal:
        gateway().refund(ref, refund_of(1))
    assert (refusal.value.code, refusal.value.gateway_code) == (ErrorCode.NOT_REFUNDABLE, "charge_already_refunded")


def test_a_wrong_key_does_not_end_a_refund(stripe: StripeHarness, gateway: Gateway) -> None:
    request = request_of()
    ref = ref_of(request, gateway().start(request))
    act(stripe, request)
    with pytest.raises(GatewayUnavailable):
        gateway(secret_key="sk_test_rolled").refund(ref, refund_of(1999))


# Disputes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_bank_inquires_then_takes_the_money_and_it_ends(shop: StripeHarness, payment: Payment, end: str) -> None:
    shop.command("dispute", status="warning_needs_response", **about(payment))
    deliver_all(shop, payment)
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.amount, dispute.reason) == ("OPEN", 0, "fraudulent")
    assert dispute.respond_by is not None
    assert ("CHARGEBACK", 2000) not in ledger(payment)
    shop.command("dispute", status="needs_response", **about(payment))
    deliver_all(shop, payment)
    assert ledger(payment)[-1] == ("CHARGEBACK", 2000)
    shop.command("dispute", status=end, **about(payment))
    for _ in range(2):
        deliver_all(shop, payment)
    dispute.refresh_from_db()
    assert dispute.state == end.upper()
    back = [("CHARGEBACK_REVERSAL", 2000)] if end == "won" else []
    assert ledger(payment) == [("CAPTURE", 2000), ("FEE", 59), ("CHARGEBACK", 2000), *back]
    told = Order.objects.get().events.filter(type="PAYMENT_FLAGGED")
    assert told.count() == 2


# The days' report ---------------------------------------------------------------------------------


def reconcile() -> None:
    today = clock.now().date()
    days = {"--from": today - timedelta(days=1), "--to": today + timedelta(days=1)}
    call_command("reconcile_payments", "--gateway", "stripe", *(f"{name}={day}" for name, day in days.items()))


def test_days_agree_with_the_balance(shop: StripeHarness, payment: Payment) -> None:
    for _ in range(2):
        request_refund(payment, amount=500, reason="")
        work()
    reconcile()


def test_what_only_stripe_knows_is_listed(
    shop: StripeHarness, payment: Payment, capsys: pytest.CaptureFixture[str]
) -> None:
    made = shop.command("refund", amount=700, **about(payment))
    other = begin(order_for(shop), "stripe")
    shop.pay(other)
    with pytest.raises(CommandError, match="2 differences"):
        reconcile()
    told = capsys.readouterr().out
    assert f"missing in our ledger: REFUND {made} (theirs 7.00 USD)" in told
    assert "missing in our ledger: CAPTURE pi_" in told


def test_pages_of_a_report_are_read_to_the_end(
    stripe: StripeHarness, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.payments.gateways.stripe.days.PAGE", 2)
    bank, today = gateway(), clock.now().date()
    for _ in range(5):
        request = request_of()
        bank.start(request)
        act(stripe, request)
    lines = bank.report_days(today, today)
    assert [line.kind for line in lines].count("CAPTURE") == 5
    assert {(line.amount, line.currency) for line in lines} == {(1999, "USD"), (59, "USD")}
    assert bank.report_days(today + timedelta(days=2), today + timedelta(days=3)) == []


def deliver_one(shop: StripeHarness, message: Any) -> None:
    assert deliver(shop, message) == 200
    work()
