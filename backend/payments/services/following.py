"""What a gateway tells of a payment whose money was taken: refunds made or taken back, fees, doubts and disputes."""

from backend.core import clock
from backend.orders.models import Order
from backend.orders.services import flag_payment
from backend.payments.gateways.base import (
    ChargeReport,
    DisputeReport,
    DisputeState,
    RefundOutcome,
    RefundReport,
)
from backend.payments.models import (
    Dispute,
    DisputeStatus,
    Payment,
    Refund,
    RefundState,
    TransactionKind,
)
from backend.payments.services.ledger import book, sums_of
from backend.payments.services.refunding import settle_refund
from backend.payments.texts import fitting

OUTSIDE = "Made at the gateway."


def follow(order: Order, payment: Payment, report: ChargeReport) -> None:
    """Bring a settled, locked payment in step with a report that fits it; the same again changes nothing."""
    for refund in report.refunds:
        _follow_refund(order, payment, refund)
    if not report.refunds and report.amount_refunded is not None:
        _follow_sum(order, payment, report, report.amount_refunded)
    for dispute in report.disputes:
        follow_dispute(order, payment, dispute)
    if report.fee:
        book(
            payment,
            TransactionKind.FEE,
            amount=report.fee,
            currency=report.currency,
            gateway_id=report.capture_id or report.reference,
        )
    if report.held and not payment.held:
        payment.held = True
        payment.save()
        flag_payment(order, "The gateway doubts a payment that it took: look at it before anything is shipped.")


def follow_dispute(order: Order, payment: Payment, report: DisputeReport) -> None:
    """Record a dispute; what the bank took is in the ledger from its beginning, and back when it is won."""
    reference = fitting(report.reference, 255)
    dispute, new = Dispute.objects.get_or_create(
        payment=payment,
        reference=reference,
        defaults={
            "state": report.state.value,
            "amount": report.amount,
            "currency": report.currency,
            "reason": fitting(report.reason, 200),
            "respond_by": report.respond_by,
            "opened_at": clock.now(),
        },
    )
    if report.amount > dispute.amount:  # a bank that only inquired takes the money now
        dispute.amount = report.amount
        dispute.save()
    if report.amount > 0:
        book(
            payment,
            TransactionKind.CHARGEBACK,
            amount=report.amount,
            currency=report.currency,
            gateway_id=reference,
        )
    if new:
        flag_payment(order, "The buyer's bank disputes a payment.")
    if report.state is not DisputeState.OPEN and dispute.closed_at is None:
        _close(order, dispute, DisputeStatus(report.state.value))


def _close(order: Order, dispute: Dispute, state: DisputeStatus) -> None:
    dispute.state = state
    dispute.closed_at = clock.now()
    dispute.save()
    if state == DisputeStatus.WON and dispute.amount > 0:
        book(
            dispute.payment,
            TransactionKind.CHARGEBACK_REVERSAL,
            amount=dispute.amount,
            currency=dispute.currency,
            gateway_id=dispute.reference,
        )
    flag_payment(order, f"A dispute about a payment was {state.value.lower()}.")


def _follow_refund(order: Order, payment: Payment, report: RefundReport) -> None:
    refund = _ours(payment, report)
    if refund is not None:
        settle_refund(order, payment, refund, report)
    elif report.outcome is RefundOutcome.SUCCEEDED:
        _book_outside(order, payment, report)


def _ours(payment: Payment, report: RefundReport) -> Refund | None:
    """By our id, by the gateway's, or the oldest of that amount whose answer was lost."""
    refunds = list(Refund.objects.select_for_update().filter(payment=payment).order_by("created_at", "pk"))
    for refund in refunds:
        if str(refund.pk) == report.refund_id or (refund.reference and refund.reference == report.reference):
            return refund
    if report.refund_id:
        return None
    return next(
        (
            refund
            for refund in refunds
            if not refund.reference
            and refund.amount == report.amount
            and refund.state in (RefundState.PENDING, RefundState.REVIEW)
        ),
        None,
    )


def _follow_sum(order: Order, payment: Payment, report: ChargeReport, returned: int) -> None:
    """A gateway that tells only how much went back: what we do not know of was given back there."""
    more = returned - sums_of(payment).refunded
    waiting = Refund.objects.filter(payment=payment, state__in=[RefundState.PENDING, RefundState.REVIEW])
    if more > 0 and not waiting.exists():
        reference = f"{report.reference}:refunded:{returned}"
        outside = RefundReport(
            reference=reference, outcome=RefundOutcome.SUCCEEDED, amount=more, currency=report.currency
        )
        _book_outside(order, payment, outside)


def _book_outside(order: Order, payment: Payment, report: RefundReport) -> None:
    sums = sums_of(payment)
    if report.currency != payment.currency or not 0 < report.amount <= sums.kept:
        flag_payment(order, "The gateway tells of a refund that does not fit what it took: staff will look at it.")
        return
    refund = Refund.objects.create(
        payment=payment,
        amount=report.amount,
        currency=report.currency,
        reason=OUTSIDE,
        created_at=clock.now(),
    )
    settle_refund(order, payment, refund, report)
