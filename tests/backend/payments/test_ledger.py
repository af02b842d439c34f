"""The ledger: parts, authorizations, refunds made elsewhere or taken back, fees, doubts and disputes."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backend.core import clock
from backend.core.errors import DomainError
from backend.core.money import Money
from backend.orders.models import Order
from backend.orders.services import expire_unpaid_orders
from backend.payments.gateways.accounts import Account
from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    DisputeReport,
    DisputeState,
    GatewayRefused,
    Method,
    RefundOutcome,
    RefundReport,
)
from backend.payments.models import Dispute, Payment, PaymentTransaction, PaymentTransition, Refund, SandboxCharge
from backend.payments.services import (
    apply_report,
    cancel_payment,
    capture_payment,
    execute_refund,
    wind_up,
)
from backend.payments.services.refunding import RefundTooLarge, refundable, request_refund
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, press, start

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


def pay(payment: Payment) -> Payment:
    press(payment)
    deliver_all(payment)
    payment.refresh_from_db()
    return payment


def ledger(payment: Payment) -> list[tuple[str, int]]:
    return list(PaymentTransaction.objects.filter(payment=payment).order_by("pk").values_list("kind", "amount"))


def steps(payment: Payment) -> list[str]:
    return list(PaymentTransition.objects.filter(payment=payment).order_by("pk").values_list("after", flat=True))


def events(order: Order) -> list[str]:
    return list(order.events.order_by("sequence").values_list("type", flat=True))


# Parts --------------------------------------------------------------------------------------------


def test_an_order_is_paid_in_parts_and_is_paid_once_they_add_up() -> None:
    order = make_order()
    first = pay(start(order, amount=Money(300, "USD")))
    order.refresh_from_db()
    assert (order.status, order.payment_status, order.paid) == ("PENDING_PAYMENT", "PARTIALLY_PAID", 300)
    second = pay(start(order))
    order.refresh_from_db()
    assert (order.status, order.paid, second.amount) == ("PAID", order.total, order.total - 300)
    assert (first.attempt, second.attempt) == (1, 2)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(0, "USD"), "INVALID"),
        (Money(-1, "USD"), "INVALID"),
        (Money(10**9, "USD"), "INVALID"),
        (Money(1, "EUR"), "CURRENCY_MISMATCH"),
    ],
)
def test_a_part_is_no_more_than_what_is_due(amount: Money, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        start(make_order(), amount=amount)
    assert (refusal.value.code, refusal.value.field) == (code, ["amount"])
    assert not Payment.objects.exists()


def test_what_came_in_part_goes_back_when_the_order_expires() -> None:
    order = make_order()
    payment = pay(start(order, amount=Money(300, "USD")))
    clock.move_offset(901)
    expire_unpaid_orders()
    for _ in range(2):
        wind_up(order.pk)
    execute_refund(Refund.objects.get().pk)
    order.refresh_from_db()
    assert (order.status, order.paid, order.refunded) == ("EXPIRED", 300, 300)
    assert ledger(payment) == [("CAPTURE", 300), ("REFUND", 300)]


def test_an_order_that_is_paid_is_not_wound_up() -> None:
    order = make_order()
    pay(start(order))
    wind_up(order.pk)
    assert not Refund.objects.exists()


# Setting aside ------------------------------------------------------------------------------------


@pytest.fixture
def manual(settings: Any) -> None:
    settings.GATEWAYS = {"sandbox": [Account("sandbox", manual_capture=True)]}


def authorized(order: Order) -> Payment:
    payment = start(order)
    press(payment)
    return apply_report(payment.pk, report_of(payment, ChargeState.AUTHORIZED))


def test_money_that_is_set_aside_waits_for_staff_and_so_does_the_order(manual: None) -> None:
    order = make_order()
    payment = authorized(order)
    assert (payment.state, ledger(payment)) == ("AUTHORIZED", [("AUTHORIZE", order.total)])
    clock.move_offset(901)
    assert expire_unpaid_orders() == 0
    order.refresh_from_db()
    assert (order.payment_status, order.paid) == ("AUTHORIZED", 0)
    for _ in range(2):
        apply_report(payment.pk, report_of(payment, ChargeState.AUTHORIZED))
    assert len(ledger(payment)) == 1
    assert capture_payment(payment.pk).state == "SUCCEEDED"
    order.refresh_from_db()
    assert (order.status, order.paid) == ("PAID", order.total)
    with pytest.raises(DomainError):
        capture_payment(payment.pk)


def test_what_is_set_aside_is_not_asked_of_the_buyer_once_more(manual: None) -> None:
    order = make_order()
    part = start(order, amount=Money(400, "USD"))
    press(part)
    apply_report(part.pk, report_of(part, ChargeState.AUTHORIZED))
    rest = authorized(order)
    assert rest.amount == order.total - 400
    with pytest.raises(DomainError) as refusal:
        start(order)
    assert refusal.value.code == "ORDER_NOT_PAYABLE"
    cancel_payment(rest.pk)
    assert start(order).amount == order.total - 400


def test_a_part_of_what_is_set_aside_can_be_taken(manual: None) -> None:
    order = make_order()
    payment = authorized(order)
    with pytest.raises(DomainError):
        capture_payment(payment.pk, amount=order.total + 1)
    capture_payment(payment.pk, amount=400)
    order.refresh_from_db()
    assert (order.status, order.payment_status, order.paid) == ("PENDING_PAYMENT", "PARTIALLY_PAID", 400)


def test_what_is_given_up_is_void_and_the_order_has_its_time_again(manual: None) -> None:
    order = make_order()
    payment = cancel_payment(authorized(order).pk)
    assert (payment.state, ledger(payment)) == ("CANCELLED", [("AUTHORIZE", order.total), ("VOID", order.total)])
    start(order)
    clock.move_offset(901)
    assert expire_unpaid_orders() == 1


def test_an_order_that_is_over_gives_up_what_is_set_aside(manual: None) -> None:
    order = make_order()
    payment = authorized(order)
    clock.move_offset(7 * 86400)
    expire_unpaid_orders()
    wind_up(order.pk)
    payment.refresh_from_db()
    assert (payment.state, SandboxCharge.objects.get().state) == ("CANCELLED", "CANCELLED")


def test_what_was_taken_cannot_be_given_up() -> None:
    payment = pay(start(make_order()))
    with pytest.raises(GatewayRefused):
        cancel_payment(payment.pk)
    payment.refresh_from_db()
    assert payment.state == "SUCCEEDED"


# What a gateway tells later -----------------------------------------------------------------------


def refunded(payment: Payment, amount: int, **changes: Any) -> ChargeReport:
    back = RefundReport(
        reference="re_1", outcome=RefundOutcome.SUCCEEDED, amount=amount, currency=payment.currency, **changes
    )
    return report_of(payment, refunds=(back,))


def test_a_refund_made_at_the_gateway_is_booked_once() -> None:
    payment = pay(start(make_order()))
    for _ in range(3):
        apply_report(payment.pk, refunded(payment, 300))
    payment.refresh_from_db()
    assert payment.state == "PARTIALLY_REFUNDED"
    assert ledger(payment) == [("CAPTURE", payment.amount), ("REFUND", 300)]
    assert Order.objects.get().refunded == 300


def test_a_sum_that_went_back_is_booked_where_the_gateway_tells_no_more() -> None:
    payment = pay(start(make_order()))
    for total in (300, 300, 500):
        apply_report(payment.pk, report_of(payment, amount_refunded=total))
    assert ledger(payment)[1:] == [("REFUND", 300), ("REFUND", 200)]


def test_a_refund_that_does_not_fit_is_flagged_and_not_booked() -> None:
    payment = pay(start(make_order()))
    apply_report(payment.pk, refunded(payment, payment.amount + 1))
    assert ledger(payment) == [("CAPTURE", payment.amount)]
    assert events(payment.order)[-1] == "PAYMENT_FLAGGED"


def test_a_refund_that_is_taken_back_does_not_count_any_more() -> None:
    payment = pay(start(make_order()))
    apply_report(payment.pk, refunded(payment, payment.amount))
    failed = RefundReport(reference="re_1", outcome=RefundOutcome.FAILED, amount=payment.amount, currency="USD")
    for _ in range(2):
        apply_report(payment.pk, report_of(payment, refunds=(failed,)))
    payment.refresh_from_db()
    order = Order.objects.get()
    assert (payment.state, order.refunded, order.payment_status) == ("SUCCEEDED", 0, "PAID")
    assert [kind for kind, _ in ledger(payment)] == ["CAPTURE", "REFUND", "REFUND_REVERSAL"]


def test_fees_doubts_and_methods_are_kept() -> None:
    payment = start(make_order())
    told = {"fee": 35, "held": True, "method": Method.WALLET, "capture_id": "txn_9", "data": {"order": "7"}}
    for _ in range(2):
        apply_report(payment.pk, report_of(payment, **told))
    payment.refresh_from_db()
    assert (payment.method, payment.capture_id, payment.held, payment.data) == ("WALLET", "txn_9", True, {"order": "7"})
    assert ledger(payment) == [("CAPTURE", payment.amount), ("FEE", 35)]
    assert events(payment.order).count("PAYMENT_FLAGGED") == 1


@pytest.mark.parametrize(("end", "kinds"), [("WON", ["CHARGEBACK", "CHARGEBACK_REVERSAL"]), ("LOST", ["CHARGEBACK"])])
def test_a_dispute_is_recorded_and_closed_once(end: str, kinds: list[str]) -> None:
    payment = pay(start(make_order()))
    for state in (DisputeState.OPEN, DisputeState.OPEN, DisputeState(end), DisputeState(end), DisputeState.OPEN):
        dispute = DisputeReport(reference="dp_1", state=state, amount=500, currency="USD", reason="fraudulent")
        apply_report(payment.pk, report_of(payment, disputes=(dispute,)))
    kept = Dispute.objects.get()
    assert (kept.state, kept.reason, bool(kept.closed_at)) == (end, "fraudulent", True)
    assert [kind for kind, _ in ledger(payment)] == ["CAPTURE", *kinds]
    assert events(payment.order).count("PAYMENT_FLAGGED") == 2


def test_another_merchant_account_is_a_difference() -> None:
    payment = start(make_order())
    Payment.objects.update(merchant_account="acct_ours")
    apply_report(payment.pk, report_of(payment, merchant_account="acct_theirs"))
    payment.refresh_from_db()
    assert (payment.state, payment.error_code) == ("FLAGGED", "MISMATCH")


def test_more_taken_than_asked_is_a_difference() -> None:
    payment = start(make_order())
    assert apply_report(payment.pk, report_of(payment, amount_captured=payment.amount + 1)).state == "FLAGGED"


def test_a_failed_try_on_the_gateways_page_is_told_and_the_payment_stays_open() -> None:
    payment = start(make_order())
    for _ in range(2):
        apply_report(payment.pk, report_of(payment, ChargeState.OPEN, error_code="INSUFFICIENT_FUNDS"))
    payment.refresh_from_db()
    assert (payment.state, payment.error_code) == ("REQUIRES_ACTION", "INSUFFICIENT_FUNDS")
    assert events(payment.order).count("PAYMENT_FAILED") == 1
    pay(payment)
    assert (payment.state, payment.error_code) == ("SUCCEEDED", "")


def test_every_step_of_a_payment_is_kept_with_its_reason() -> None:
    payment = pay(start(make_order()))
    assert steps(payment) == ["REQUIRES_ACTION", "SUCCEEDED"]
    assert all(PaymentTransition.objects.values_list("reason", flat=True))


def test_a_report_for_a_refund_of_ours_settles_that_one() -> None:
    payment = pay(start(make_order()))
    refund = Refund.objects.create(
        pk=uuid4(), payment=payment, amount=300, currency="USD", reason="r", created_at=clock.now()
    )
    apply_report(payment.pk, refunded(payment, 300, refund_id=str(refund.pk)))
    refund.refresh_from_db()
    assert (refund.state, refund.reference, Refund.objects.count()) == ("SUCCEEDED", "re_1", 1)


@pytest.mark.parametrize(("end", "left"), [("OPEN", 500), ("LOST", 500), ("WON", 1000)])
def test_what_a_bank_took_is_not_given_back_once_more(end: str, left: int) -> None:
    payment = pay(start(make_order()))
    assert payment.amount == 1000
    for state in (DisputeState.OPEN, DisputeState(end)):
        dispute = DisputeReport(reference="dp_1", state=state, amount=500, currency="USD", reason="fraudulent")
        apply_report(payment.pk, report_of(payment, disputes=(dispute,)))
    assert refundable(payment) == left
    with pytest.raises(RefundTooLarge):
        request_refund(payment, amount=left + 1, reason="It came broken.")
    request_refund(payment, amount=left, reason="It came broken.")
    assert refundable(payment) == 0


def test_a_bank_that_takes_what_went_back_leaves_nothing_and_not_less() -> None:
    order = make_order()
    payments = [pay(start(order, amount=Money(part, "USD"))) for part in (400, order.total - 400)]
    execute_refund(request_refund(payments[0], amount=400, reason="It came broken.").pk)
    dispute = DisputeReport(reference="dp_1", state=DisputeState.OPEN, amount=400, currency="USD", reason="fraudulent")
    apply_report(payments[0].pk, report_of(payments[0], disputes=(dispute,)))
    assert [refundable(payment) for payment in payments] == [0, order.total - 400]
