"""Taking money that a buyer has agreed to, or that was set aside; giving up what is not needed."""

import logging
from datetime import datetime
from uuid import UUID

from backend.core.errors import DomainError, Invalid
from backend.orders.queries import takes_money
from backend.payments.gateways import registry
from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    PaymentGateway,
    PaymentRef,
)
from backend.payments.models import Operation, Payment, PaymentState
from backend.payments.services.calls import Overtaken, ask
from backend.payments.services.settling import apply_report

logger = logging.getLogger(__name__)


class NotCapturable(DomainError):
    code = "NOT_CAPTURABLE"
    default_message = "No money of this payment is set aside."


def take_approved(payment: Payment, *, known_at: datetime) -> Payment:
    """Take what the buyer agreed to at the gateway; nothing is taken for an order that cannot take it any more.

    `known_at` is when the gateway was asked. Of one who tried since then, what is known by now is returned.
    Must not run inside a transaction. Raises GatewayUnavailable: the sweep asks and tries again.
    """
    if not takes_money(payment.order, amount=payment.amount):
        return give_up(payment, "The order cannot be paid any more.")

    def take(gateway: PaymentGateway, ref: PaymentRef) -> ChargeReport:
        return gateway.capture(ref, amount=payment.amount)

    try:
        report = ask(payment, Operation.CAPTURE, take, known_at=known_at)
    except Overtaken:
        return Payment.objects.select_related("order").get(pk=payment.pk)
    except GatewayRefused as error:
        return _after_refusal(payment, error)
    return apply_report(payment.pk, report)


def capture_payment(payment_id: UUID, *, amount: int | None = None) -> Payment:
    """Take money that was set aside, all of it when no amount is named. Must not run inside a transaction.

    Raises NotCapturable, Invalid, GatewayUnavailable, GatewayRefused.
    """
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    if payment.state != PaymentState.AUTHORIZED:
        raise NotCapturable
    wanted = payment.amount if amount is None else amount
    partial = registry.get(payment.gateway, payment.account).capabilities.partial_capture
    if not 0 < wanted <= payment.amount or (wanted < payment.amount and not partial):
        raise Invalid("The gateway takes all of it, or a part where it can.", field=["amount"])
    report = ask(payment, Operation.CAPTURE, lambda gateway, ref: gateway.capture(ref, amount=wanted))
    return apply_report(payment.pk, report)


def cancel_payment(payment_id: UUID) -> Payment:
    """End an open payment, or give up what was set aside. Must not run inside a transaction.

    Raises Invalid where the gateway cannot, GatewayUnavailable, GatewayRefused.
    """
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    if not registry.get(payment.gateway, payment.account).capabilities.cancel:
        raise Invalid("This gateway's payments cannot be cancelled.")
    report = ask(payment, Operation.CANCEL, lambda gateway, ref: gateway.cancel(ref))
    return apply_report(payment.pk, report)


def give_up(payment: Payment, why: str) -> Payment:
    """End a payment whose order needs it no more, at the gateway where that can be. Raises GatewayUnavailable."""
    can = registry.get(payment.gateway, payment.account).capabilities
    if can.cancel:
        try:
            return cancel_payment(payment.pk)
        except GatewayRefused:
            logger.warning("Payment %s could not be cancelled at its gateway: it lapses there", payment.pk)
    return apply_report(payment.pk, _ended(payment, ChargeState.CANCELLED, ErrorCode.EXPIRED, why))


def _after_refusal(payment: Payment, error: GatewayRefused) -> Payment:
    """Refused because it was done already, or for good: the gateway says which."""
    report = ask(payment, Operation.VERIFY, lambda gateway, ref: gateway.verify(ref))
    if report is None:
        raise GatewayUnavailable("the gateway does not know the payment that it refused to take") from error
    if report.state is not ChargeState.APPROVED:
        return apply_report(payment.pk, report)
    # Buyers read this; what the gateway has said stands in the call's record.
    declined = "The payment was declined."
    return apply_report(payment.pk, _ended(payment, ChargeState.FAILED, error.code, declined, error.gateway_code))


def _ended(payment: Payment, state: ChargeState, code: ErrorCode, message: str, gateway_code: str = "") -> ChargeReport:
    return ChargeReport(
        reference=payment.reference,
        payment_id=str(payment.pk),
        state=state,
        amount=payment.amount,
        currency=payment.currency,
        error_code=code.value,
        error_message=message,
        gateway_code=gateway_code,
    )
