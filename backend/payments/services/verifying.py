"""Asking gateways what is true, and believing authentic webhooks."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from backend.core import clock, outbox
from backend.core.caller import Caller
from backend.core.errors import NotFound
from backend.core.throttle import Throttle
from backend.orders.services import access_order
from backend.payments.errors import GatewayDown
from backend.payments.gateways import registry
from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    GatewayMessage,
    GatewayUnavailable,
    IncomingMessage,
    PaymentGateway,
    PaymentRef,
    SignatureInvalid,
)
from backend.payments.models import Operation, Payment, PaymentState, WebhookMessage, WebhookState
from backend.payments.services.calls import CallRunning, ask
from backend.payments.services.capturing import take_approved
from backend.payments.services.settling import DECIDED, apply_report, settle_report
from backend.payments.texts import fitting

logger = logging.getLogger(__name__)
KEPT_OF_FORGED_BYTES = 4 * 1024
IN_FLIGHT = timedelta(minutes=5)
"""A message can be quicker than the answer that tells us the payment's reference."""


class PaymentNotFound(NotFound):
    default_message = "There is no such payment, or the token is not its order's."


class PaymentUnknown(GatewayUnavailable):
    """A message names a payment that we do not know yet: worth another look, soon."""


def verify_payment(*, caller: Caller, payment_id: UUID, token: str | None) -> Payment:
    """Ask the gateway about a payment and settle what it says. Must not run inside a transaction.

    A payment that money or a difference has decided is not asked about again, and one that is asked about without end
    only so often: what is known is the answer then. Raises PaymentNotFound, GatewayDown.
    """
    payment = Payment.objects.select_related("order").filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound(field=["paymentId"])
    try:
        access_order(caller=caller, order_id=payment.order_id, token=token)
    except NotFound as error:
        raise PaymentNotFound(field=["paymentId"]) from error
    if payment.state in DECIDED or not _may_ask(payment):
        return payment
    try:
        return ask_gateway(payment)
    except CallRunning:  # its message came at the same moment, and a worker takes the money
        return Payment.objects.select_related("order").get(pk=payment.pk)
    except GatewayUnavailable as error:
        raise GatewayDown(field=["paymentId"]) from error


def verify_returned(payment_id: UUID, brought: Mapping[str, str]) -> None:
    """The buyer's browser is back: ask, with what `read_return` has found in it. Raises GatewayUnavailable."""
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    if payment.state not in DECIDED and _may_ask(payment):
        ask_gateway(payment, data=brought)


def _may_ask(payment: Payment) -> bool:
    """Anybody with the order's token can make us ask: one buyer must not use up what the gateway answers to us."""
    return Throttle("payment questions", settings.QUESTIONS_PER_PAYMENT).allows(payment.pk)


def process_webhook(message_id: int) -> None:
    """Settle what a stored, authentic webhook reports. The second time does nothing.

    One whose gateway checks its messages over the network is checked here first. Raises GatewayUnavailable.
    """
    message = WebhookMessage.objects.get(pk=message_id)
    if message.state == WebhookState.RECEIVED and not check_webhook(message):
        return
    if message.state != WebhookState.VERIFIED:
        return
    read = registry.get(message.gateway, message.account).read_webhook(incoming(message))
    payment = _payment_of(message, read)
    if payment is None and (read.report or read.payment_id or read.reference):
        if clock.now() - message.received_at < IN_FLIGHT and _may_be_in_flight(read):
            raise PaymentUnknown("no payment of ours, yet")
    elif payment is not None and read.report is None:
        ask_gateway(payment, data=read.data)
    with transaction.atomic():
        if payment is not None and read.report is not None:
            payment = settle_report(payment.order_id, payment.pk, read.report)
        message.state = WebhookState.PROCESSED
        message.reason = "" if payment is not None else "no payment of ours"
        message.payment = payment
        message.kind = fitting(read.kind, 100)
        message.processed_at = clock.now()
        message.save(update_fields=["state", "reason", "payment", "kind", "processed_at"])
    if payment is not None and read.report is not None:
        _take_if_approved(payment, read.report, known_at=message.received_at)


def note_dead_webhook(message_id: int) -> None:
    """A worker gave up on a message: it is kept for staff. Emits webhook.given_up for one that is authentic."""
    with transaction.atomic():
        message = WebhookMessage.objects.select_for_update().get(pk=message_id)
        if message.state not in (WebhookState.VERIFIED, WebhookState.RECEIVED):
            return
        if message.state == WebhookState.VERIFIED:
            message.state = WebhookState.FAILED
            outbox.emit("webhook.given_up", key=str(message.pk))
        message.reason = "given up: staff can replay it"
        message.save()
    logger.error("Webhook message %s of %s was given up", message.pk, message.gateway)


def incoming(message: WebhookMessage) -> IncomingMessage:
    return IncomingMessage(
        body=bytes(message.body), headers=message.headers, query=message.query, received_at=message.received_at
    )


def check_webhook(message: WebhookMessage) -> bool:
    """Authenticate a message that was only stored, as the view does for others. Raises GatewayUnavailable."""
    gateway = registry.get(message.gateway, message.account)
    try:
        read = gateway.parse_webhook(incoming(message))
    except SignatureInvalid:
        # Anybody can send these: what is kept to look at must not fill the disk.
        reject_webhook(message, "not authentic", kept=KEPT_OF_FORGED_BYTES)
        return False
    return accept_webhook(message, read)


def accept_webhook(message: WebhookMessage, read: GatewayMessage, *, then: Callable[[], object] | None = None) -> bool:
    """Keep an authentic message, new or stored, under its event id, and do `then` in the same transaction.

    Returns whether it is the first with that id; another is kept and means nothing.
    """
    stored = message.pk is not None
    message.event_id = fitting(read.event_id, 255)
    message.kind = fitting(read.kind, 100)
    message.state = WebhookState.VERIFIED
    try:
        with transaction.atomic():
            message.save(update_fields=["event_id", "kind", "state"] if stored else None)
            if then is not None:
                then()
    except IntegrityError:
        if not stored:
            message.pk = None  # what was never written has no number
        reject_webhook(message, "repeated")
        return False
    return True


def reject_webhook(message: WebhookMessage, reason: str, *, kept: int | None = None) -> None:
    """Keep a message, new or stored, that means nothing; `kept` bytes of its body at most."""
    message.body = bytes(message.body)[:kept]
    message.state = WebhookState.REJECTED
    message.reason = reason
    message.save()


def ask_gateway(payment: Payment, *, data: Mapping[str, str] | None = None) -> Payment:
    """Settle what the gateway says now, and take what the buyer has agreed to. Must not run inside a transaction.

    Raises GatewayUnavailable, GatewayNotOffered.
    """

    def question(gateway: PaymentGateway, ref: PaymentRef) -> ChargeReport | None:
        return gateway.verify(replace(ref, data={**ref.data, **(data or {})}))

    known_at = clock.now()
    report = ask(payment, Operation.VERIFY, question)
    if report is None:
        return payment
    return _take_if_approved(apply_report(payment.pk, report), report, known_at=known_at)


def _take_if_approved(payment: Payment, report: ChargeReport, *, known_at: datetime) -> Payment:
    if report.state is ChargeState.APPROVED and payment.state == PaymentState.PROCESSING:
        return take_approved(payment, known_at=known_at)
    return payment


def _payment_of(message: WebhookMessage, read: GatewayMessage) -> Payment | None:
    """By our own id, which the gateway keeps for us: it is there even when the gateway's first answer was lost."""
    ours = Payment.objects.filter(gateway=message.gateway, account=message.account)
    payment_id = read.report.payment_id if read.report else read.payment_id
    try:
        found = ours.filter(pk=payment_id).first() if payment_id else None
    except (ValidationError, ValueError):
        return None
    reference = read.report.reference if read.report else read.reference
    if found is None and not payment_id and reference:
        named = fitting(reference, 255)
        return ours.filter(reference=named).first() or ours.filter(capture_id=named).first()
    return found


def _may_be_in_flight(read: GatewayMessage) -> bool:
    """Only a message that has no id of ours can be early: ours are stored before the gateway hears them."""
    return not (read.payment_id or (read.report and read.report.payment_id))
