"""What a gateway reports meets what we know. Webhooks, returning buyers and sweeps all come through here."""

import logging
from uuid import UUID

from django.db import transaction

from backend.core import clock
from backend.orders.models import Order
from backend.orders.services import apply_capture, flag_payment, lock_order, note_payment_failed
from backend.payments.gateways.base import ChargeReport, ChargeState
from backend.payments.models import Payment, PaymentState, PaymentTransaction, TransactionKind
from backend.payments.services.refunding import request_refund
from backend.payments.texts import fitting

logger = logging.getLogger(__name__)
SETTLED = (PaymentState.SUCCEEDED, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED)
"""States that money has made: no later message takes them back."""
DECIDED = (*SETTLED, PaymentState.FLAGGED)
"""No report changes these: money was taken, or a person has to say what is true."""
FINAL = (*DECIDED, PaymentState.FAILED, PaymentState.CANCELLED)


@transaction.atomic
def apply_report(payment_id: UUID, report: ChargeReport) -> Payment:
    """Bring a payment in step with a gateway's report; the same report again changes nothing.

    Locks the order, then the payment. A report whose reference, amount or currency is not ours flags the payment
    and pays nothing, and no later report takes the flag away. A payment that is settled stays so: what differs then
    goes to the log. Emits order.paid, order.payment_failed, order.payment_flagged, refund.requested.
    """
    order = lock_order(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    difference = _difference(payment, report)
    if payment.state in DECIDED:
        if difference or payment.state == PaymentState.FLAGGED:
            logger.warning("Not applied to %s payment %s: %s", payment.state, payment.pk, report)
        return payment
    if difference:
        _flag(order, payment, difference)
    elif report.state is ChargeState.SUCCEEDED:
        _succeed(order, payment, report)
    elif report.state in (ChargeState.FAILED, ChargeState.CANCELLED):
        _fail(order, payment, report)
    elif report.state is ChargeState.PROCESSING and payment.state not in FINAL:
        payment.state = PaymentState.PROCESSING
        payment.save()
    return payment


def _difference(payment: Payment, report: ChargeReport) -> str:
    """What does not fit, in words; empty when all does."""
    if report.payment_id != str(payment.pk) or not _is_reference(payment, report.reference):
        return "another payment's reference"
    if report.currency != payment.currency:
        return f"{report.currency} in place of {payment.currency}"
    if report.amount != payment.amount:
        return f"{report.amount} in place of {payment.amount} minor units"
    return ""


def _is_reference(payment: Payment, reference: str) -> bool:
    """Whether the gateway's id is this payment's; one whose first answer was lost takes any that is free."""
    if payment.reference:
        return reference == payment.reference
    if not reference or reference != fitting(reference, 255):
        return False
    return not Payment.objects.filter(gateway=payment.gateway, reference=reference).exists()


def _flag(order: Order, payment: Payment, difference: str) -> None:
    payment.state = PaymentState.FLAGGED
    payment.error_code = "MISMATCH"
    payment.error_message = fitting(f"The gateway reported {difference}.", 500)
    payment.save()
    flag_payment(order, fitting(f"A payment does not fit: the gateway reported {difference}.", 500))


def _succeed(order: Order, payment: Payment, report: ChargeReport) -> None:
    payment.reference = report.reference
    payment.state = PaymentState.SUCCEEDED
    payment.method = payment.method or "CARD"
    payment.error_code = payment.error_message = ""
    payment.save()
    PaymentTransaction.objects.create(
        payment=payment,
        kind=TransactionKind.CAPTURE,
        amount=report.amount,
        currency=report.currency,
        gateway_id=report.reference,
        created_at=clock.now(),
    )
    outcome = apply_capture(order, amount=report.amount)
    if outcome.refund_due:
        request_refund(payment, amount=min(outcome.refund_due, payment.amount), reason="The order could not take it.")


def _fail(order: Order, payment: Payment, report: ChargeReport) -> None:
    if payment.state in FINAL:
        return
    cancelled = report.state is ChargeState.CANCELLED
    payment.state = PaymentState.CANCELLED if cancelled else PaymentState.FAILED
    payment.error_code = fitting(report.error_code, 60)
    payment.error_message = fitting(report.error_message, 500)
    payment.save()
    note_payment_failed(order, payment.error_message or "The payment failed.")
