"""Giving money back: decided in a transaction, carried out after it, recorded once."""

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from backend.core import clock, outbox
from backend.core.errors import Invalid
from backend.orders.models import Order
from backend.orders.services import apply_refund, flag_payment, lock_order, revert_refund
from backend.payments.gateways import registry
from backend.payments.gateways.base import (
    GatewayUnavailable,
    PaymentGateway,
    PaymentRef,
    RefundOutcome,
    RefundRefused,
    RefundReport,
    RefundRequest,
)
from backend.payments.models import (
    Operation,
    Payment,
    Refund,
    RefundState,
    TransactionKind,
)
from backend.payments.patience import REFUND_DOUBTED, SILENT
from backend.payments.services.calls import CallRunning, ask, unanswered
from backend.payments.services.ledger import book, derived, step, sums_of
from backend.payments.texts import fitting

logger = logging.getLogger(__name__)


class RefundTooLarge(Invalid):
    default_message = "There is not so much left to give back. What a dispute took is settled at the gateway alone."


def request_refund(payment: Payment, *, amount: int, reason: str, by: int | None = None, currency: str = "") -> Refund:
    """Decide to give back `amount` (minor units) of a locked payment. Emits refund.requested.

    Raises RefundTooLarge for more than is `refundable`.
    """
    if amount > refundable(payment):
        raise RefundTooLarge(field=["amount"])
    moment = clock.now()
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        currency=currency or payment.currency,
        reason=reason,
        requested_by_id=by,
        created_at=moment,
        next_ask_at=moment + SILENT,
    )
    outbox.emit("refund.requested", key=str(refund.pk))
    return refund


def refundable(payment: Payment) -> int:
    """Minor units that were captured and are not given back, or about to be.

    What a bank took in a dispute has gone back already: a refund on top of it would pay the buyer twice.
    """
    promised = Refund.objects.filter(payment=payment).exclude(state=RefundState.FAILED)
    sums = sums_of(payment)
    left = sums.captured - sums.disputed - (promised.aggregate(sum=Sum("amount"))["sum"] or 0)
    return max(left, 0)


def execute_refund(refund_id: UUID) -> None:
    """Ask the gateway for a decided refund and record it. Safe to run twice; must not run inside a transaction.

    Where the gateway knows no keys, one whose answer was lost is looked for before it is asked for again. Raises
    GatewayUnavailable: run it again.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.state != RefundState.PENDING:
        return
    try:
        report = _look_or_make(refund)
    except RefundRefused as error:
        report = RefundReport(
            reference=refund.reference,
            outcome=RefundOutcome.FAILED,
            amount=refund.amount,
            currency=refund.currency,
            error_code=error.code,
            gateway_code=error.gateway_code,
            error_message=str(error),
        )
    except CallRunning as error:
        if error.refund_id == refund_id:
            return
        raise
    except GatewayUnavailable:
        _doubt(refund)
        raise
    if report is not None:
        _record(refund_id, report)


def settle_refund(order: Order, payment: Payment, refund: Refund, report: RefundReport) -> None:
    """Bring a refund in step with a report; order, payment and refund are locked. The same again changes nothing."""
    if report.outcome is RefundOutcome.FAILED:
        _fail(order, payment, refund, report)
        return
    refund.reference = fitting(report.reference, 255) or refund.reference
    if report.outcome is RefundOutcome.PENDING or refund.state == RefundState.SUCCEEDED:
        refund.save()
        return
    refund.state = RefundState.SUCCEEDED
    refund.error_code = refund.error_message = refund.gateway_code = ""
    refund.save()
    book(
        payment,
        TransactionKind.REFUND,
        amount=refund.amount,
        currency=refund.currency,
        gateway_id=refund.reference or str(refund.pk),
    )
    step(payment, derived(payment), reason=refund.reason)
    payment.save()
    if payment.counted:
        apply_refund(order, amount=refund.amount)


def _look_or_make(refund: Refund) -> RefundReport | None:
    """None: it is not known yet."""
    payment = refund.payment
    asked = RefundRequest(
        refund_id=refund.pk,
        amount=refund.amount,
        currency=refund.currency,
        reason=refund.reason,
        reference=refund.reference,
        created_at=refund.created_at,
    )

    def look(gateway: PaymentGateway, ref: PaymentRef) -> RefundReport | None:
        return gateway.find_refund(ref, asked)

    def make(gateway: PaymentGateway, ref: PaymentRef) -> RefundReport:
        return gateway.refund(ref, asked)

    if refund.reference:
        return ask(payment, Operation.FIND_REFUND, look, refund=refund)
    can = registry.get(payment.gateway, payment.account).capabilities
    if not can.idempotent_refunds and unanswered(payment, Operation.REFUND, refund):
        found = ask(payment, Operation.FIND_REFUND, look, refund=refund)
        if found is not None:
            return found
    return ask(payment, Operation.REFUND, make, refund=refund)


@transaction.atomic
def _doubt(refund: Refund) -> None:
    """Where repeating may pay twice and the gateway cannot tell for days, a person has to look."""
    payment = refund.payment
    can = registry.get(payment.gateway, payment.account).capabilities
    if can.idempotent_refunds or clock.now() - refund.created_at < REFUND_DOUBTED:
        return
    if not unanswered(payment, Operation.REFUND, refund):
        return
    order = lock_order(payment.order_id)
    locked = Refund.objects.select_for_update().get(pk=refund.pk)
    if locked.state == RefundState.PENDING:
        locked.state = RefundState.REVIEW
        locked.save()
        flag_payment(order, "The gateway does not tell whether it gave money back: staff will look at it.")


@transaction.atomic
def _record(refund_id: UUID, report: RefundReport) -> None:
    order_id, payment_id = Refund.objects.values_list("payment__order_id", "payment_id").get(pk=refund_id)
    order = lock_order(order_id)
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    if refund.state in (RefundState.PENDING, RefundState.REVIEW):
        settle_refund(order, payment, refund, report)


def _fail(order: Order, payment: Payment, refund: Refund, report: RefundReport) -> None:
    """People have to give it back by other means: the order's timeline tells them."""
    if refund.state == RefundState.FAILED:
        return
    was_made = refund.state == RefundState.SUCCEEDED
    refund.state = RefundState.FAILED
    refund.error_code = report.error_code.value if report.error_code else ""
    refund.error_message = fitting(report.error_message, 500)
    refund.gateway_code = fitting(report.gateway_code, 100)
    refund.save()
    if was_made:
        gateway_id = refund.reference or str(refund.pk)
        book(
            payment,
            TransactionKind.REFUND_REVERSAL,
            amount=refund.amount,
            currency=refund.currency,
            gateway_id=gateway_id,
        )
        step(payment, derived(payment), reason="The gateway took a refund back.")
        payment.save()
        if payment.counted:
            revert_refund(order, amount=refund.amount)
    flag_payment(order, "The gateway refused to give money back: staff will look at it.")
