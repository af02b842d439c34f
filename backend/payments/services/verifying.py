"""Asking gateways what is true, and believing authentic webhooks."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from backend.core import clock
from backend.core.caller import Caller
from backend.core.errors import NotFound
from backend.orders.services import access_order
from backend.payments.gateways import registry
from backend.payments.gateways.base import ChargeReport, GatewayUnavailable
from backend.payments.models import Payment, WebhookMessage, WebhookState
from backend.payments.services.settling import DECIDED, apply_report
from backend.payments.services.starting import GatewayDown


class PaymentNotFound(NotFound):
    default_message = "There is no such payment, or the token is not its order's."


def verify_payment(*, caller: Caller, payment_id: UUID, token: str | None) -> Payment:
    """Ask the gateway about a payment and settle what it says. Must not run inside a transaction.

    A payment that money or a difference has decided is not asked about again. Raises PaymentNotFound, GatewayDown.
    """
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound(field=["paymentId"])
    try:
        access_order(caller=caller, order_id=payment.order_id, token=token)
    except NotFound as error:
        raise PaymentNotFound(field=["paymentId"]) from error
    if payment.state in DECIDED:
        return payment
    try:
        return ask_gateway(payment)
    except GatewayUnavailable as error:
        raise GatewayDown(field=["paymentId"]) from error


def process_webhook(message_id: int) -> None:
    """Settle what a stored, authentic webhook reports. The second time does nothing."""
    message = WebhookMessage.objects.get(pk=message_id)
    if message.state != WebhookState.VERIFIED:
        return
    gateway = registry.get(message.gateway)
    report = gateway.read_webhook(bytes(message.body)).report
    with transaction.atomic():
        payment = None if report is None else _payment_of(message.gateway, report)
        if payment is not None and report is not None:
            apply_report(payment.pk, report)
        message.state = WebhookState.PROCESSED
        message.reason = "" if payment is not None else "no payment of ours"
        message.processed_at = clock.now()
        message.save()


def ask_gateway(payment: Payment) -> Payment:
    """Settle what the gateway says now. Must not run inside a transaction.

    Raises GatewayUnavailable, GatewayNotOffered.
    """
    report = registry.get(payment.gateway).verify(reference=payment.reference, payment_id=payment.pk)
    return payment if report is None else apply_report(payment.pk, report)


def _payment_of(gateway: str, report: ChargeReport) -> Payment | None:
    """By our own id, which the gateway keeps for us: it is there even when the gateway's first answer was lost."""
    try:
        return Payment.objects.filter(gateway=gateway, pk=report.payment_id).first()
    except (ValidationError, ValueError):
        return None
