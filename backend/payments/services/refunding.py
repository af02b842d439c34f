"""Giving money back: decided in a transaction, carried out after it, recorded once."""

from uuid import UUID

from django.db import transaction

from backend.core import clock, outbox
from backend.core.errors import Invalid
from backend.orders.services import apply_refund, flag_payment, lock_order
from backend.payments.gateways import registry
from backend.payments.gateways.base import RefundRefused
from backend.payments.models import (
    Payment,
    PaymentState,
    PaymentTransaction,
    Refund,
    RefundState,
    TransactionKind,
)
from backend.payments.patience import SILENT
from backend.payments.texts import fitting


class RefundTooLarge(Invalid):
    default_message = "There is not so much left of this payment to give back."


def request_refund(payment: Payment, *, amount: int, reason: str) -> Refund:
    """Decide to give back `amount` (minor units) of a locked payment. Emits refund.requested.

    Raises RefundTooLarge for more than was captured and is not given back, or about to be.
    """
    if amount > _left(payment):
        raise RefundTooLarge(field=["amount"])
    moment = clock.now()
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        currency=payment.currency,
        reason=reason,
        created_at=moment,
        next_ask_at=moment + SILENT,
    )
    outbox.emit("refund.requested", key=str(refund.pk))
    return refund


def execute_refund(refund_id: UUID) -> None:
    """Ask the gateway for a decided refund and record it. Safe to run twice; must not run inside a transaction.

    Raises GatewayUnavailable: run it again, the refund's id is the gateway's idempotency key.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.state != RefundState.PENDING:
        return
    payment = refund.payment
    try:
        reference = registry.get(payment.gateway).refund(
            reference=payment.reference, amount=refund.amount, currency=refund.currency, key=str(refund.pk)
        )
    except RefundRefused as error:
        _record_refusal(refund_id, str(error))
        return
    _record(refund_id, reference)


def _left(payment: Payment) -> int:
    captured = PaymentTransaction.objects.filter(payment=payment, kind=TransactionKind.CAPTURE)
    promised = Refund.objects.filter(payment=payment).exclude(state=RefundState.FAILED)
    return sum(captured.values_list("amount", flat=True)) - sum(promised.values_list("amount", flat=True))


@transaction.atomic
def _record_refusal(refund_id: UUID, message: str) -> None:
    """People have to give it back by other means: the order's timeline tells them."""
    order = lock_order(Refund.objects.values_list("payment__order_id", flat=True).get(pk=refund_id))
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    if refund.state != RefundState.PENDING:
        return
    refund.state = RefundState.FAILED
    refund.error_message = fitting(message, 500)
    refund.save()
    flag_payment(order, "The gateway refused to give money back: staff will look at it.")


@transaction.atomic
def _record(refund_id: UUID, reference: str) -> None:
    order_id = Refund.objects.values_list("payment__order_id", flat=True).get(pk=refund_id)
    order = lock_order(order_id)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    if refund.state != RefundState.PENDING:
        return
    refund.state = RefundState.SUCCEEDED
    refund.reference = reference
    refund.save()
    payment = Payment.objects.select_for_update().get(pk=refund.payment_id)
    PaymentTransaction.objects.create(
        payment=payment,
        kind=TransactionKind.REFUND,
        amount=refund.amount,
        currency=refund.currency,
        gateway_id=reference,
        created_at=clock.now(),
    )
    returned = sum(
        PaymentTransaction.objects.filter(payment=payment, kind=TransactionKind.REFUND).values_list("amount", flat=True)
    )
    payment.state = PaymentState.REFUNDED if returned >= payment.amount else PaymentState.PARTIALLY_REFUNDED
    payment.save()
    apply_refund(order, amount=refund.amount)
