"""`reconcile_payments` over every gateway's double: days that agree, and each kind of difference."""

from contextlib import suppress
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from backend.core import clock
from backend.payments.gateways import registry
from backend.payments.gateways.base import ChargeReport, ChargeState, RefundRequest
from backend.payments.models import Operation, Payment, Refund, RefundState, TransactionKind
from backend.payments.services import request_refund
from backend.payments.services.calls import ref_of
from backend.payments.services.ledger import book
from tests.gateways.harness import Break, Can, Harness
from tests.gateways.shop import begin, hear, order_for, work

pytestmark = pytest.mark.django_db
ASKS = ("paypal", "paymob", "sslcommerz", "zarinpal")
"""Asked about each payment; the others have reports."""


def listed(harness: Harness) -> list[str]:
    """What is told of yesterday, today and tomorrow: a midnight between two lines changes nothing. Without ids."""
    out, today = StringIO(), clock.now().date()
    days = [f"--from={today - timedelta(days=1)}", f"--to={today + timedelta(days=1)}"]
    with suppress(CommandError):
        call_command("reconcile_payments", "--gateway", harness.gateway, *days, stdout=out)
    lines = out.getvalue().splitlines()
    return [" ".join(line.partition(" (")[0].split()[:-1]) if ": " in line else line for line in lines]


def told(harness: Harness, settings: Any) -> list[list[str]]:
    """PayPal has a report where the app may read it: there are two ways, and each is gone."""
    found = [listed(harness)]
    if harness.gateway == "paypal":
        account: Any = harness.account
        settings.GATEWAYS = {"paypal": [account(transaction_search="1")]}
        found.append(listed(harness))
    return found


def only(difference: str, harness: Harness, settings: Any) -> bool:
    return all(found == [difference] for found in told(harness, settings))


def unheard(harness: Harness) -> tuple[Payment, ChargeReport]:
    """A payment whose money the gateway took, and which nobody wrote down."""
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    gateway, ref = registry.get(harness.gateway), ref_of(payment)
    report = gateway.verify(ref)
    if report and report.state is ChargeState.APPROVED:
        report = gateway.capture(ref, amount=payment.amount)
    assert report
    assert report.state is ChargeState.SUCCEEDED
    return payment, report


def write_down(payment: Payment, report: ChargeReport, amount: int) -> None:
    """What our ledger would have, had it heard of that amount."""
    Payment.objects.filter(pk=payment.pk).update(state="SUCCEEDED", capture_id=report.capture_id)
    payment.refresh_from_db()
    gateway_id = report.capture_id or report.reference
    book(payment, TransactionKind.CAPTURE, amount=amount, currency=payment.currency, gateway_id=gateway_id)


def test_days_that_agree_differ_in_nothing(harness: Harness, settings: Any) -> None:
    payment = begin(order_for(harness), harness.gateway)
    begin(order_for(harness), harness.gateway)  # nobody pays it
    harness.pay(payment)
    hear(harness, payment)
    payment.refresh_from_db()
    if Can.REFUND in harness.can:
        settings.GATEWAYS = {harness.gateway: [harness.account_for_parts()]}
        part = harness.total // 4
        request_refund(payment, amount=part, reason="Broken.")
        work()
        harness.finish_refunds()
        work()
    before = Payment.objects.order_by("pk").values_list("pk", "state", "capture_id")
    known = list(before)
    assert only("No differences.", harness, settings)
    assert list(before.all()) == known


def test_money_that_we_never_heard_of_is_listed(harness: Harness, settings: Any) -> None:
    unheard(harness)
    assert only("missing in our ledger: CAPTURE", harness, settings)


def test_money_that_the_gateway_never_took_is_listed(harness: Harness, settings: Any) -> None:
    payment = begin(order_for(harness), harness.gateway)
    book(payment, TransactionKind.CAPTURE, amount=payment.amount, currency=payment.currency, gateway_id="nobody")
    assert only("missing at the gateway: CAPTURE", harness, settings)


def test_another_amount_is_listed_with_both(harness: Harness, settings: Any) -> None:
    payment, report = unheard(harness)
    write_down(payment, report, payment.amount - 100)
    assert only("another amount: CAPTURE", harness, settings)


def test_a_refund_that_was_made_there_is_listed(harness: Harness, settings: Any) -> None:
    if harness.gateway == "sslcommerz":
        return  # it tells of refunds that have been asked for by their ids only: see the next story
    payment, report = unheard(harness)
    write_down(payment, report, payment.amount)
    registry.get(harness.gateway).refund(
        ref_of(payment), RefundRequest(uuid4(), payment.amount, payment.currency, created_at=clock.now())
    )
    harness.finish_refunds()
    assert only("missing in our ledger: REFUND", harness, settings)


def test_a_refund_that_was_never_made_is_listed(harness: Harness, settings: Any) -> None:
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    hear(harness, payment)
    payment.refresh_from_db()
    book(payment, TransactionKind.REFUND, amount=payment.amount, currency=payment.currency, gateway_id="nobody")
    Refund.objects.create(
        payment=payment,
        amount=payment.amount,
        currency=payment.currency,
        reason="r",
        reference="REF0",
        state=RefundState.SUCCEEDED,
        created_at=clock.now(),
    )
    missing, unknown = ["missing at the gateway: REFUND"], ["not told by the gateway: REFUND"]
    expected = {
        "paypal": [unknown, missing],  # asked about a refund that it does not know; then its report
        "sslcommerz": [unknown],
        "zarinpal": [["No differences."]],  # what its panel gave back it tells nobody
    }
    assert told(harness, settings) == expected.get(harness.gateway, [missing])


def test_a_refund_that_the_gateway_cancelled_after_all_is_listed(harness: Harness, settings: Any) -> None:
    if harness.gateway != "sslcommerz":
        return  # the others tell what went back with the payment
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    hear(harness, payment)
    payment.refresh_from_db()
    refund = request_refund(payment, amount=payment.amount, reason="Broken.")
    work()
    Refund.objects.filter(pk=refund.pk).update(state=RefundState.SUCCEEDED)
    fake: Any = harness
    fake.command("finish_refunds", status="cancelled")
    assert only("missing at the gateway: REFUND", harness, settings)


def test_a_payment_that_is_not_answered_for_is_listed_and_stops_nothing(harness: Harness) -> None:
    if harness.gateway not in ASKS:
        return  # their reports come whole, or the command says why not
    payments = [begin(order_for(harness), harness.gateway) for _ in range(2)]
    harness.break_(Operation.VERIFY, Break.ERROR_500)
    assert listed(harness) == ["not told by the gateway: CAPTURE"] * len(payments)


def test_a_report_that_may_not_be_read_says_so(harness: Harness, settings: Any) -> None:
    if harness.gateway != "paypal":
        return
    paypal: Any = harness
    settings.GATEWAYS = {"paypal": [paypal.account(transaction_search="1")]}
    paypal.command("rule", no_search=True)
    day = clock.now().date()
    with pytest.raises(CommandError, match="Transaction Search"):
        call_command("reconcile_payments", "--gateway", "paypal", f"--from={day}", f"--to={day}")
