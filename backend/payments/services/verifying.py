"""Asking gateways what is true, and believing authentic webhooks."""

import logging
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from backend.core import clock
from backend.core.caller import Caller
from backend.core.errors import NotFound
from backend.orders.services import access_order
from backend.payments.gateways import registry
from backend.payments.gateways.base import ChargeReport, GatewayUnavailable
from backend.payments.models import Payment, PaymentState, WebhookMessage, WebhookState
from backend.payments.services.settling import apply_report
from backend.payments.services.starting import GatewayDown

logger = logging.getLogger(__name__)
OPEN = (PaymentState.PENDING, PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING)
SILENT = timedelta(minutes=2)
FORGOTTEN = timedelta(days=2)
BATCH = 200


class PaymentNotFound(NotFound):
    default_message = "There is no such payment, or the token is not its order's."


def verify_payment(*, caller: Caller, payment_id: UUID, token: str | None) -> Payment:
    """Ask the gateway about a payment and settle what it says. Must not run inside a transaction.

    Raises PaymentNotFound, GatewayDown.
    """
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound(field=["paymentId"])
    try:
        access_order(caller=caller, order_id=payment.order_id, token=token)
    except NotFound as error:
        raise PaymentNotFound(field=["paymentId"]) from error
    try:
        return _ask(payment)
    except GatewayUnavailable as error:
        raise GatewayDown(field=["paymentId"]) from error


def verify_silent_payments() -> int:
    """Ask about payments that nothing was heard of for two minutes; returns how many were asked about."""
    now = clock.now()
    silent = Payment.objects.filter(
        state__in=OPEN, created_at__lte=now - SILENT, created_at__gte=now - FORGOTTEN
    ).order_by("created_at")[:BATCH]
    for payment in silent:
        try:
            _ask(payment)
        except GatewayUnavailable:
            logger.warning("%s did not answer about payment %s", payment.gateway, payment.pk)
    return len(silent)


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


def _ask(payment: Payment) -> Payment:
    report = registry.get(payment.gateway).verify(reference=payment.reference, payment_id=payment.pk)
    return payment if report is None else apply_report(payment.pk, report)


def _payment_of(gateway: str, report: ChargeReport) -> Payment | None:
    """By our own id, which the gateway keeps for us: it is there even when the gateway's first answer was lost."""
    try:
        return Payment.objects.filter(gateway=gateway, pk=report.payment_id).first()
    except (ValidationError, ValueError):
        return None
