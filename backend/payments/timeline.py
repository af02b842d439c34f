"""Everything that happened to a payment, in order: calls, messages, steps, money, refunds and disputes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from backend.core.money import Money
from backend.payments.models import (
    Dispute,
    DisputeStatus,
    GatewayCall,
    Payment,
    PaymentTransaction,
    PaymentTransition,
    Refund,
    WebhookMessage,
)


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    kind: str
    what: str
    detail: str = ""


def timeline_of(payment: Payment) -> list[Moment]:
    """Oldest first; one statement for each kind."""
    found = [
        Moment(payment.created_at, "BEGUN", f"{_money(payment.amount, payment.currency)} at {payment.gateway}"),
        *_calls(payment),
        *_messages(payment),
        *_steps(payment),
        *_money_moves(payment),
        *_refunds(payment),
        *_disputes(payment),
    ]
    return sorted(found, key=lambda moment: moment.at)


def _calls(payment: Payment) -> Iterator[Moment]:
    for call in GatewayCall.objects.filter(payment=payment).order_by("pk"):
        took = f" in {(call.finished_at - call.started_at).total_seconds():.2f} s" if call.finished_at else ""
        told = " ".join(filter(None, (call.error_code, call.gateway_code, call.message)))
        detail = told or ", ".join(f"{name}: {value}" for name, value in call.excerpt.items())
        yield Moment(call.started_at, "CALL", f"{call.operation}: {call.outcome}{took}", detail)


def _messages(payment: Payment) -> Iterator[Moment]:
    for message in WebhookMessage.objects.filter(payment=payment).defer("body").order_by("pk"):
        named = message.kind or message.event_id
        yield Moment(message.received_at, "WEBHOOK", f"{named}: {message.state}", message.reason)


def _steps(payment: Payment) -> Iterator[Moment]:
    for step in PaymentTransition.objects.filter(payment=payment).select_related("by").order_by("pk"):
        by = f" (by {step.by})" if step.by else ""
        yield Moment(step.at, "STEP", f"{step.before} → {step.after}", f"{step.reason}{by}")


def _money_moves(payment: Payment) -> Iterator[Moment]:
    for line in PaymentTransaction.objects.filter(payment=payment).order_by("pk"):
        yield Moment(line.created_at, "MONEY", f"{line.kind} {_money(line.amount, line.currency)}", line.gateway_id)


def _refunds(payment: Payment) -> Iterator[Moment]:
    for refund in Refund.objects.filter(payment=payment).select_related("requested_by").order_by("pk"):
        by = f" (by {refund.requested_by})" if refund.requested_by else ""
        detail = " ".join(filter(None, (refund.reason + by, refund.error_code, refund.error_message)))
        yield Moment(refund.created_at, "REFUND", f"{_money(refund.amount, refund.currency)}: {refund.state}", detail)


def _disputes(payment: Payment) -> Iterator[Moment]:
    for dispute in Dispute.objects.filter(payment=payment).order_by("pk"):
        until = f", answer until {dispute.respond_by:%Y-%m-%d}" if dispute.respond_by else ""
        amount = _money(dispute.amount, dispute.currency)
        yield Moment(dispute.opened_at, "DISPUTE", f"{amount}: {DisputeStatus.OPEN}", f"{dispute.reason}{until}")
        if dispute.closed_at:
            yield Moment(dispute.closed_at, "DISPUTE", f"{amount}: {dispute.state}", dispute.reason)


def _money(amount: int, currency: str) -> str:
    return Money(amount, currency).format("en")
