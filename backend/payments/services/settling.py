"""What a gateway reports meets what we know. Webhooks, returning buyers and sweeps all come through here."""

import logging
from dataclasses import replace
from uuid import UUID

from django.db import transaction

from backend.orders.models import Order
from backend.orders.services import (
    apply_capture,
    flag_payment,
    lock_order,
    note_payment_authorized,
    note_payment_failed,
)
from backend.payments.gateways.base import ChargeReport, ChargeState
from backend.payments.models import OPEN_STATES, Payment, PaymentState, TransactionKind
from backend.payments.services.following import follow
from backend.payments.services.ledger import book, derived, step, sums_of
from backend.payments.services.refunding import refundable, request_refund
from backend.payments.texts import fitting, fitting_json

logger = logging.getLogger(__name__)
SETTLED = (PaymentState.SUCCEEDED, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED)
"""States that money has made: no later message takes them back."""
DECIDED = (*SETTLED, PaymentState.FLAGGED)
"""Nobody needs to ask the gateway about these: money was taken, or a person has to say what is true."""
SECOND = "second_capture"
FINAL = (*DECIDED, PaymentState.FAILED, PaymentState.CANCELLED)


def apply_report(payment_id: UUID, report: ChargeReport) -> Payment:
    """Settle a report in a transaction of its own, as `settle_report` does."""
    with transaction.atomic():
        order_id = Payment.objects.values_list("order_id", flat=True).get(pk=payment_id)
        return settle_report(order_id, payment_id, report)


def settle_report(order_id: UUID, payment_id: UUID, report: ChargeReport) -> Payment:
    """Bring a payment in step with a gateway's report; the same report again changes nothing.

    Locks the order, then the payment. A report whose reference, account, amount or currency is not ours flags the
    payment and pays nothing, and no later report takes the flag away. A payment that is settled stays so: what differs
    then goes to the log, and only refunds and disputes are followed. Emits order.paid, order.payment_failed,
    order.payment_flagged, refund.requested. Must run inside a transaction.
    """
    order = lock_order(order_id)
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    difference = _difference(payment, report)
    if payment.state in DECIDED:
        if difference or payment.state == PaymentState.FLAGGED:
            logger.warning(
                "Not applied to %s payment %s: %s", payment.state, payment.pk, fitting(difference, 200) or "flagged"
            )
            return payment
        if _is_second(payment, report):
            _note_second(order, payment, report)
            return payment
        follow(order, payment, report)
        return payment
    if difference:
        _flag(order, payment, difference)
        return payment
    _STEPS[report.state](order, payment, report)
    return payment


def take_money(order: Order, payment: Payment, report: ChargeReport, *, by: int | None = None) -> None:
    """Book what a gateway has taken, beyond what is booked already; what the order cannot take goes back."""
    told = report.amount if report.amount_captured is None else report.amount_captured
    sums = sums_of(payment)
    captured = sums.captured
    new = told - captured
    if new <= 0:
        return
    _remember(payment, report)
    payment.error_code = payment.error_message = payment.gateway_code = ""
    gateway_id = report.capture_id or report.reference
    book(
        payment,
        TransactionKind.CAPTURE,
        amount=new,
        currency=report.currency,
        gateway_id=f"{gateway_id}:{told}" if captured else gateway_id,
        excerpt=report.excerpt,
    )
    step(payment, derived(payment, replace(sums, captured=told)), reason="The gateway took the money.", by=by)
    payment.save()
    outcome = apply_capture(order, amount=new)
    back = min(outcome.refund_due, new, refundable(payment)) if outcome.refund_due else 0
    if back:
        request_refund(payment, amount=back, reason="The order could not take it.")
    follow(order, payment, report)


def _difference(payment: Payment, report: ChargeReport) -> str:
    """What does not fit, in words; empty when all does."""
    if report.payment_id != str(payment.pk) or not _is_reference(payment, report.reference):
        return "another payment's reference"
    if payment.merchant_account and report.merchant_account not in ("", payment.merchant_account):
        return "another merchant account"
    if report.currency != payment.currency:
        return f"{report.currency} in place of {payment.currency}"
    if report.amount != payment.amount:
        return f"{report.amount} in place of {payment.amount} minor units"
    captured = report.amount_captured
    if captured is not None and not 0 <= captured <= payment.amount:
        return f"{captured} taken in place of {payment.amount} minor units"
    return ""


def _is_reference(payment: Payment, reference: str) -> bool:
    """Whether the gateway's id is this payment's; one whose first answer was lost takes any that is free."""
    if payment.reference:
        return reference == payment.reference
    if not reference or reference != fitting(reference, 255):
        return False
    own = Payment.objects.filter(gateway=payment.gateway, account=payment.account)
    return not own.filter(reference=reference).exists()


def _flag(order: Order, payment: Payment, difference: str) -> None:
    step(payment, PaymentState.FLAGGED, reason=f"The gateway reported {difference}.")
    payment.error_code = "MISMATCH"
    payment.error_message = fitting(f"The gateway reported {difference}.", 500)
    payment.save()
    flag_payment(order, fitting(f"A payment does not fit: the gateway reported {difference}.", 500))


def _is_second(payment: Payment, report: ChargeReport) -> bool:
    """A buyer can pay twice on some gateways' pages: the gateway then tells of other money than what we have booked."""
    known = ("", payment.capture_id, payment.reference)
    return report.state is ChargeState.SUCCEEDED and bool(payment.capture_id) and report.capture_id not in known


def _note_second(order: Order, payment: Payment, report: ChargeReport) -> None:
    """Nothing is booked: which of the two goes back is for people to say, in the gateway's own pages."""
    capture_id = fitting(report.capture_id, 255)
    if payment.data.get(SECOND) == capture_id:
        return
    payment.data = {**payment.data, SECOND: capture_id}
    payment.save()
    flag_payment(order, f"The buyer seems to have paid twice at once: the gateway tells of {capture_id} too.")


def _remember(payment: Payment, report: ChargeReport) -> None:
    """Everything that later calls and people need of a report that fits."""
    payment.reference = report.reference
    payment.capture_id = fitting(report.capture_id, 255) or payment.capture_id
    payment.method = report.method.value if report.method else payment.method or "CARD"
    payment.data = {**payment.data, **fitting_json(report.data)}


def _wait(order: Order, payment: Payment, report: ChargeReport) -> None:
    """Still open: an attempt may have failed on the gateway's page, or the lost answer of the start is here."""
    if payment.state not in OPEN_STATES:
        return
    if payment.state == PaymentState.PENDING and report.next_action:
        _remember(payment, report)
        payment.next_action = dict(report.next_action)
        step(payment, PaymentState.REQUIRES_ACTION, reason="The answer that was lost came late.")
        payment.save()
    if report.error_code and report.error_code != payment.error_code:
        _note_error(payment, report)
        payment.save()
        note_payment_failed(order, payment.error_message or "The payment failed.")


def _process(order: Order, payment: Payment, report: ChargeReport) -> None:
    if payment.state in OPEN_STATES:
        _remember(payment, report)
        step(payment, PaymentState.PROCESSING, reason="The gateway is at work.")
        payment.save()


def _authorize(order: Order, payment: Payment, report: ChargeReport) -> None:
    if payment.state == PaymentState.AUTHORIZED:
        return
    _remember(payment, report)
    gateway_id = report.capture_id or report.reference
    book(
        payment,
        TransactionKind.AUTHORIZE,
        amount=report.amount,
        currency=report.currency,
        gateway_id=gateway_id,
        excerpt=report.excerpt,
    )
    step(payment, derived(payment), reason="The gateway set the money aside.")
    payment.save()
    note_payment_authorized(order)


def _succeed(order: Order, payment: Payment, report: ChargeReport) -> None:
    take_money(order, payment, report)


def _fail(order: Order, payment: Payment, report: ChargeReport) -> None:
    if payment.state in FINAL:
        return
    if payment.state == PaymentState.AUTHORIZED:
        gateway_id = report.reference
        book(
            payment,
            TransactionKind.VOID,
            amount=sums_of(payment).authorized,
            currency=report.currency,
            gateway_id=gateway_id,
        )
    cancelled = report.state is ChargeState.CANCELLED
    _note_error(payment, report)
    step(
        payment,
        PaymentState.CANCELLED if cancelled else PaymentState.FAILED,
        reason=payment.error_message or payment.error_code,
    )
    payment.save()
    note_payment_failed(order, payment.error_message or "The payment failed.")


def _note_error(payment: Payment, report: ChargeReport) -> None:
    payment.error_code = fitting(report.error_code, 60)
    payment.error_message = fitting(report.error_message, 500)
    payment.gateway_code = fitting(report.gateway_code, 100)


_STEPS = {
    ChargeState.OPEN: _wait,
    ChargeState.PROCESSING: _process,
    ChargeState.APPROVED: _process,
    ChargeState.AUTHORIZED: _authorize,
    ChargeState.SUCCEEDED: _succeed,
    ChargeState.FAILED: _fail,
    ChargeState.CANCELLED: _fail,
}
