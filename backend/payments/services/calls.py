"""Asking gateways: the question is written down before it is asked, and the answer after.

What a crash leaves between the two is a call without an answer; the sweep asks what became of it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from backend.core import clock
from backend.payments.gateways import registry
from backend.payments.gateways.base import (
    ChargeReport,
    GatewayRefused,
    GatewayUnavailable,
    PaymentGateway,
    PaymentRef,
)
from backend.payments.models import GatewayCall, Operation, Outcome, Payment, Refund
from backend.payments.services.ledger import sums_of
from backend.payments.texts import fitting, fitting_json

Answer = TypeVar("Answer")
LEASE = timedelta(minutes=2)
"""A call that has not answered for so long died with its process: another may be made."""
EXCLUSIVE = (Operation.CAPTURE, Operation.CANCEL, Operation.REFUND)
"""These move money: one at a time for each payment."""


class CallRunning(GatewayUnavailable):
    """Another process moves this payment's money at this moment."""

    def __init__(self, refund_id: UUID | None) -> None:
        super().__init__("another call about this payment is running")
        self.refund_id = refund_id


class Overtaken(GatewayUnavailable):
    """Another process has taken this payment's money, or was refused it, since the gateway was asked about it."""

    def __init__(self) -> None:
        super().__init__("another process was quicker")


def ask(
    payment: Payment,
    operation: Operation,
    question: Callable[[PaymentGateway, PaymentRef], Answer],
    *,
    refund: Refund | None = None,
    known_at: datetime | None = None,
) -> Answer:
    """Put a question to the payment's gateway. Must not run inside a transaction.

    `known_at` is when the gateway was asked what makes us take the money now.
    Raises what the gateway raises, GatewayNotOffered, CallRunning, and Overtaken where money was to be taken.
    """
    gateway = registry.get(payment.gateway, payment.account)
    call = _begin(payment, operation, refund, known_at)
    try:
        answer = question(gateway, ref_of(payment))
    except GatewayRefused as error:
        _finish(call, Outcome.REFUSED, error_code=error.code.value, gateway_code=error.gateway_code, message=str(error))
        raise
    except GatewayUnavailable as error:
        _finish(call, Outcome.UNAVAILABLE, message=str(error))
        raise
    _finish(call, Outcome.ANSWERED, excerpt=_excerpt(answer))
    return answer


def ref_of(payment: Payment) -> PaymentRef:
    """The payment as adapters know it; one statement."""
    sums = sums_of(payment)
    return PaymentRef(
        payment_id=payment.pk,
        reference=payment.reference,
        amount=payment.amount,
        currency=payment.currency,
        attempt=payment.attempt,
        capture_id=payment.capture_id or payment.reference,
        captured=sums.captured,
        refunded=sums.refunded,
        created_at=payment.created_at,
        data=payment.data,
    )


def unanswered(payment: Payment, operation: Operation, refund: Refund | None = None) -> bool:
    """Whether such a call was made before, and what came of it is not known."""
    lost = GatewayCall.objects.filter(payment=payment, operation=operation, refund=refund)
    return lost.filter(outcome__in=[Outcome.ASKED, Outcome.UNAVAILABLE]).exists()


@transaction.atomic
def _begin(payment: Payment, operation: Operation, refund: Refund | None, known_at: datetime | None) -> GatewayCall:
    moment = clock.now()
    if operation in EXCLUSIVE:
        now = Payment.objects.select_for_update().get(pk=payment.pk)
        running = GatewayCall.objects.filter(
            payment=payment, operation__in=EXCLUSIVE, outcome=Outcome.ASKED, started_at__gt=moment - LEASE
        ).first()
        if running is not None:
            raise CallRunning(running.refund_id)
        if operation == Operation.CAPTURE and (now.state != payment.state or _tried_since(payment, known_at)):
            raise Overtaken  # a message and the returning buyer are often heard at once
    return GatewayCall.objects.create(payment=payment, refund=refund, operation=operation, started_at=moment)


def _tried_since(payment: Payment, known_at: datetime | None) -> bool:
    if known_at is None:
        return False
    return GatewayCall.objects.filter(payment=payment, operation=Operation.CAPTURE, finished_at__gte=known_at).exists()


def _finish(call: GatewayCall, outcome: Outcome, *, excerpt: Mapping[str, Any] | None = None, **told: str) -> None:
    call.outcome = outcome
    call.finished_at = clock.now()
    call.error_code = fitting(told.get("error_code", ""), 60)
    call.gateway_code = fitting(told.get("gateway_code", ""), 100)
    call.message = fitting(told.get("message", ""), 500)
    call.excerpt = fitting_json(excerpt or {})
    call.save()


def _excerpt(answer: Any) -> dict[str, Any]:
    """What an answer says, for people; adapters keep secrets out of `excerpt`."""
    if not isinstance(answer, ChargeReport):
        return {}
    told = {"state": answer.state.value, "amount": answer.amount, "currency": answer.currency}
    return {**told, **answer.excerpt}
