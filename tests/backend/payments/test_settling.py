"""Reports that contradict each other or us: what was flagged waits for a person, what was settled stays."""

from dataclasses import replace
from typing import Any

import pytest

from backend.catalog.models import ProductVariant
from backend.core import clock
from backend.core.caller import GUEST
from backend.core.models import OutboxEvent
from backend.orders.models import Order, OrderEvent
from backend.orders.services import expire_unpaid_orders
from backend.payments.gateways.base import ChargeReport, ChargeState
from backend.payments.models import Payment, PaymentTransaction, Refund, WebhookMessage
from backend.payments.sandbox.scenarios import Delivery
from backend.payments.services import (
    apply_report,
    execute_refund,
    process_webhook,
    request_refund,
    verify_payment,
    verify_silent_payments,
)
from backend.payments.services.refunding import RefundTooLarge
from tests.factories.catalog import make_product
from tests.factories.orders import make_order
from tests.factories.payments import due_deliveries, press, send, settle_webhooks, start

pytestmark = pytest.mark.django_db


def report_of(payment: Payment, state: ChargeState = ChargeState.SUCCEEDED, **changes: Any) -> ChargeReport:
    report = ChargeReport(
        reference=payment.reference,
        payment_id=str(payment.pk),
        state=state,
        amount=payment.amount,
        currency=payment.currency,
    )
    return replace(report, **changes)


def everything() -> list[Any]:
    """All that a report could change."""
    models: list[Any] = [Order, OrderEvent, Payment, PaymentTransaction, Refund, OutboxEvent]
    return [list(model.objects.order_by("pk").values()) for model in models]


DIFFERENCES: dict[str, dict[str, Any]] = {
    "more": {"amount": 1001},
    "less": {"amount": 999},
    "nothing": {"amount": 0},
    "below nothing": {"amount": -1000},
    "another currency": {"currency": "EUR"},
    "another reference": {"reference": "ch_other"},
    "another payment": {"payment_id": "8c1f6f5c-92a5-4a83-9d0f-3a1b0c1d2e3f"},
    "hostile currency": {"currency": "\x00\ud800" + "x" * 9000},
}


@pytest.mark.parametrize("difference", DIFFERENCES)
@pytest.mark.parametrize("state", [ChargeState.SUCCEEDED, ChargeState.FAILED, ChargeState.PROCESSING])
def test_a_flag_stays_whatever_is_reported_after_it(difference: str, state: ChargeState) -> None:
    payment = start(make_order())
    flagged = apply_report(payment.pk, report_of(payment, **DIFFERENCES[difference]))
    assert (flagged.state, flagged.error_code) == ("FLAGGED", "MISMATCH")
    before = everything()
    apply_report(payment.pk, report_of(payment, state))
    apply_report(payment.pk, report_of(payment, state, **DIFFERENCES[difference]))
    assert everything() == before
    order = Order.objects.get()
    assert (order.status, order.paid, PaymentTransaction.objects.count()) == ("PENDING_PAYMENT", 0, 0)
    assert list(order.events.order_by("sequence").values_list("type", flat=True)) == [
        "PLACED",
        "PAYMENT_STARTED",
        "PAYMENT_FLAGGED",
    ]


def test_a_wrong_webhook_then_a_right_one_and_the_buyer_and_the_sweep_settle_nothing() -> None:
    order = make_order()
    payment = start(order, scenario="WEBHOOK_MISSING")
    press(payment)
    send(payment, Delivery(event_id="evt_1", state="SUCCEEDED", amount_off=-1))
    send(payment, Delivery(event_id="evt_2", state="SUCCEEDED"))
    settle_webhooks()
    assert verify_payment(caller=GUEST, payment_id=payment.pk, token=order.token).state == "FLAGGED"
    clock.move_offset(121)
    assert verify_silent_payments() == 0
    order.refresh_from_db()
    assert (order.status, order.paid) == ("PENDING_PAYMENT", 0)


def test_what_was_settled_stays_when_a_later_report_differs(caplog: pytest.LogCaptureFixture) -> None:
    payment = start(make_order())
    apply_report(payment.pk, report_of(payment))
    before = everything()
    apply_report(payment.pk, report_of(payment))
    assert caplog.records == []
    apply_report(payment.pk, report_of(payment, amount=1))
    apply_report(payment.pk, report_of(payment, ChargeState.FAILED))
    assert everything() == before
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("lines", [1, 12])
def test_a_settlement_takes_as_many_statements_however_many_lines_the_order_has(
    lines: int, django_assert_num_queries: Any
) -> None:
    """From the stored message to the paid order, its stock, its events and the announcement."""
    order = make_order(*[(make_product().variants.get(), 2) for _ in range(lines)])
    payment = start(order)
    press(payment)
    for delivery in due_deliveries(payment):
        send(payment, delivery)
    message = WebhookMessage.objects.get()
    with django_assert_num_queries(21):  # the test's savepoint stands for the transaction
        process_webhook(message.pk)
    with django_assert_num_queries(1):  # a message that comes to the worker twice
        process_webhook(message.pk)
    order.refresh_from_db()
    assert order.status == "PAID"


def test_a_report_that_is_settled_again_reads_and_writes_nothing(django_assert_num_queries: Any) -> None:
    payment = start(make_order())
    report = report_of(payment)
    apply_report(payment.pk, report)
    with django_assert_num_queries(5):  # two locks, whose order it is, and a savepoint
        apply_report(payment.pk, report)


def test_what_had_failed_is_paid_when_the_gateway_took_the_money_after_all() -> None:
    payment = start(make_order())
    assert apply_report(payment.pk, report_of(payment, ChargeState.FAILED)).state == "FAILED"
    assert apply_report(payment.pk, report_of(payment)).state == "SUCCEEDED"
    assert Order.objects.get().status == "PAID"


def test_a_flagged_payment_leaves_the_order_payable_by_another() -> None:
    order = make_order()
    flagged, second = start(order), start(order)
    apply_report(flagged.pk, report_of(flagged, amount=1))
    apply_report(second.pk, report_of(second))
    order.refresh_from_db()
    assert (order.status, order.paid) == ("PAID", order.total)


def test_a_flagged_payment_has_nothing_to_give_back() -> None:
    payment = start(make_order())
    payment = apply_report(payment.pk, report_of(payment, amount=1))
    with pytest.raises(RefundTooLarge):
        request_refund(payment, amount=1, reason="A buyer asked.")
    assert not Refund.objects.exists()


def test_a_reference_of_another_payment_is_flagged_and_not_taken() -> None:
    order = make_order()
    first, lost = start(order), start(order)
    Payment.objects.filter(pk=lost.pk).update(reference="", state="PENDING")
    for reference in (first.reference, "", "x" * 256, "a\x00b"):
        Payment.objects.filter(pk=lost.pk).update(state="PENDING")
        lost.refresh_from_db()
        assert apply_report(lost.pk, report_of(lost, reference=reference)).state == "FLAGGED"
    assert PaymentTransaction.objects.count() == 0


def test_what_a_gateway_writes_of_a_failure_is_cut_to_fit() -> None:
    payment = start(make_order())
    words = {"error_code": "\x00" + "E" * 100, "error_message": "\ud800no" * 500}
    failed = apply_report(payment.pk, report_of(payment, ChargeState.FAILED, **words))
    failed.refresh_from_db()
    assert (failed.error_code, len(failed.error_message)) == ("E" * 60, 500)


def test_money_for_a_cancelled_order_goes_back_once() -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    Order.objects.filter(pk=order.pk).update(status="CANCELLED")
    for _ in range(2):
        apply_report(payment.pk, report_of(payment))
    refund = Refund.objects.get()
    for _ in range(2):
        execute_refund(refund.pk)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, order.paid, order.refunded) == ("CANCELLED", order.total, order.total)
    assert payment.state == "REFUNDED"


def test_a_refund_that_the_gateway_refuses_is_told_on_the_orders_timeline() -> None:
    order = make_order()
    payment = start(order)
    payment = apply_report(payment.pk, report_of(payment))  # the sandbox itself knows of no such money
    refund = request_refund(payment, amount=payment.amount, reason="A buyer asked.")
    for _ in range(2):
        execute_refund(refund.pk)
    refund.refresh_from_db()
    order.refresh_from_db()
    assert (refund.state, refund.error_message) == ("FAILED", "There is not so much left to give back.")
    assert (order.status, order.refunded) == ("PAID", 0)
    assert list(order.events.order_by("sequence").values_list("type", flat=True))[-2:] == ["PAID", "PAYMENT_FLAGGED"]
    # and it may be decided again
    assert request_refund(payment, amount=payment.amount, reason="Once more.").state == "PENDING"


def test_no_more_is_promised_back_than_was_taken() -> None:
    payment = start(make_order())
    payment = apply_report(payment.pk, report_of(payment))
    request_refund(payment, amount=payment.amount - 1, reason="Most of it.")
    with pytest.raises(RefundTooLarge):
        request_refund(payment, amount=2, reason="Too much.")
    request_refund(payment, amount=1, reason="The rest.")
    assert sum(Refund.objects.values_list("amount", flat=True)) == payment.amount


def test_late_money_for_what_others_bought_goes_back_once_whoever_reports_it() -> None:
    order = make_order()
    payment = start(order, scenario="WEBHOOK_MISSING")
    press(payment)
    variant = ProductVariant.objects.get()
    clock.move_offset(901)
    assert expire_unpaid_orders() == 1
    make_order((variant, 10))
    assert verify_silent_payments() == 1
    send(payment, Delivery(event_id="evt_late", state="SUCCEEDED"))
    settle_webhooks()
    verify_payment(caller=GUEST, payment_id=payment.pk, token=order.token)
    for refund in Refund.objects.all():
        execute_refund(refund.pk)
        execute_refund(refund.pk)
    order.refresh_from_db()
    assert (order.status, order.paid, order.refunded) == ("EXPIRED", order.total, order.total)
    assert Refund.objects.count() == 1


def test_two_accounts_of_a_gateway_may_have_payments_of_the_same_number() -> None:
    """Paymob counts its orders in each country for itself."""
    first, second = (start(make_order()) for _ in range(2))
    Payment.objects.filter(pk=first.pk).update(reference="717", account="uae")
    Payment.objects.filter(pk=second.pk).update(reference="")
    second.refresh_from_db()
    assert apply_report(second.pk, report_of(second, reference="717")).state == "SUCCEEDED"
    third = start(make_order())
    Payment.objects.filter(pk=third.pk).update(reference="")
    assert apply_report(third.pk, report_of(third, reference="717")).state == "FLAGGED"
