"""What staff do: give money back, take what is set aside, decide what does not fit, replay messages."""

from uuid import UUID

from django.db import transaction

from backend.core import idempotency, outbox
from backend.core.caller import Caller
from backend.core.errors import CurrencyMismatch, DomainError, Invalid, NotFound, Required
from backend.core.money import Money
from backend.inventory.services import restock_order
from backend.orders.models import Order, OrderEventType
from backend.orders.services import lock_order, record_event
from backend.payments.gateways.base import ChargeReport, ChargeState
from backend.payments.models import (
    Operation,
    Payment,
    PaymentState,
    Refund,
    TransactionKind,
    WebhookMessage,
    WebhookState,
)
from backend.payments.services.calls import ask
from backend.payments.services.ledger import book, derived, step
from backend.payments.services.refunding import RefundTooLarge, refundable, request_refund
from backend.payments.services.settling import take_money

REFUND_SCOPE = "refundCreate"
MAX_REASON = 200


class Forbidden(DomainError):
    code = "FORBIDDEN"
    default_message = "You may not do this."


class NotDecidable(Invalid):
    default_message = "Only a flagged payment whose money the gateway has taken can be decided."


def refund_order(
    *,
    caller: Caller,
    order_id: UUID,
    amount: Money | None,
    reason: str,
    restock: bool,
    idempotency_key: str,
) -> list[Refund]:
    """Decide to give back an amount of an order, all that is left when none is named; the largest part first.

    Spread over its payments, from the one that has most left. `restock` puts what was sold back on the shelves, and
    needs everything to go back. The same key gives the same refunds. Emits refund.requested for each payment. Raises
    Forbidden, NotFound, Required, Invalid, CurrencyMismatch, RefundTooLarge, IdempotencyConflict.
    """
    _check(caller, "payments.add_refund")
    written = _reason(reason)
    with transaction.atomic():
        order = _locked(order_id)
        earlier = idempotency.claim(
            scope=REFUND_SCOPE,
            key=idempotency_key,
            request=[order_id, amount and [amount.minor, amount.currency], written, restock],
        )
        if earlier is not None:
            made = Refund.objects.filter(pk__in=earlier.split(",")).select_related("payment")
            return sorted(made, key=lambda refund: -refund.amount)
        refunds = _spread(order, amount, written, caller.user_id)
        if restock:
            _restock(order)
        idempotency.record(
            scope=REFUND_SCOPE, key=idempotency_key, result_id=",".join(str(refund.pk) for refund in refunds)
        )
    return refunds


def decide_flagged(*, caller: Caller, payment_id: UUID, accept: bool, reason: str) -> Payment:
    """Say what becomes of a flagged payment's money, as the gateway tells of it now: it counts, or it goes back.

    Must not run inside a transaction. What was taken is booked in either case; money that goes back never counts for
    the order. Raises Forbidden, NotFound, NotDecidable, CurrencyMismatch, GatewayUnavailable.
    """
    _check(caller, "payments.change_payment")
    written = _reason(reason)
    payment = Payment.objects.select_related("order").filter(pk=payment_id).first()
    if payment is None:
        raise NotFound
    if payment.state != PaymentState.FLAGGED:
        raise NotDecidable
    report = ask(payment, Operation.VERIFY, lambda gateway, ref: gateway.verify(ref))
    if report is None or report.state is not ChargeState.SUCCEEDED:
        raise NotDecidable
    if accept and report.currency != payment.currency:
        raise CurrencyMismatch(f"The money came in {report.currency}: it cannot count for this order.")
    return _decide(payment.pk, report, accept, written, caller.user_id)


def replay_webhook(*, caller: Caller, message_id: int) -> WebhookMessage:
    """Let the worker settle an authentic message once more. Raises Forbidden, NotFound, Invalid.

    Emits webhook.received.
    """
    _check(caller, "payments.change_webhookmessage")
    with transaction.atomic():
        message = WebhookMessage.objects.select_for_update().filter(pk=message_id).first()
        if message is None:
            raise NotFound
        if message.state == WebhookState.REJECTED or not message.body:
            raise Invalid("Only an authentic message can be replayed.")
        if message.state != WebhookState.RECEIVED:  # a worker checks those first
            message.state = WebhookState.VERIFIED
        message.reason = "replayed"
        message.save()
        outbox.emit("webhook.received", key=str(message.pk))
    return message


def _check(caller: Caller, permission: str) -> None:
    if not caller.may(permission):
        raise Forbidden


def _reason(reason: str) -> str:
    written = reason.strip()
    if not written:
        raise Required("Say why, for those who read it later.", field=["reason"])
    if len(written) > MAX_REASON or not written.isprintable():
        raise Invalid(f"At most {MAX_REASON} characters in one line.", field=["reason"])
    return written


def _locked(order_id: UUID) -> Order:
    try:
        return lock_order(order_id)
    except NotFound as error:
        raise NotFound("There is no such order.", field=["orderId"]) from error


def _spread(order: Order, amount: Money | None, reason: str, by: int | None) -> list[Refund]:
    payments = list(Payment.objects.select_for_update().filter(order=order, counted=True).order_by("created_at", "pk"))
    left = {payment.pk: refundable(payment) for payment in payments}
    payments.sort(key=lambda payment: -left[payment.pk])
    if amount is not None and amount.currency != order.currency:
        raise CurrencyMismatch(f"The order is in {order.currency}.", field=["amount"])
    wanted = sum(left.values()) if amount is None else amount.minor
    if amount is not None and wanted <= 0:
        raise Invalid("More than nothing.", field=["amount"])
    if not 0 < wanted <= sum(left.values()):
        raise RefundTooLarge(field=["amount"])
    refunds = []
    for payment in payments:
        part = min(left[payment.pk], wanted)
        if part:
            refunds.append(request_refund(payment, amount=part, reason=reason, by=by))
            wanted -= part
    return refunds


def _restock(order: Order) -> None:
    if any(refundable(payment) for payment in Payment.objects.filter(order=order, counted=True)):
        raise Invalid("Only with all of the money: a part of the goods comes back by a return.", field=["restock"])
    restock_order(order_id=order.pk)


@transaction.atomic
def _decide(payment_id: UUID, report: ChargeReport, accept: bool, reason: str, by: int | None) -> Payment:
    order = lock_order(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.state != PaymentState.FLAGGED:
        raise NotDecidable
    taken = report.amount if report.amount_captured is None else report.amount_captured
    if taken <= 0:
        raise NotDecidable
    if accept:
        step(payment, PaymentState.PROCESSING, reason=reason, by=by)
        take_money(order, payment, report, by=by)
        return payment
    payment.counted = False
    payment.reference = payment.reference or report.reference
    payment.capture_id = report.capture_id or payment.capture_id
    gateway_id = report.capture_id or report.reference
    book(payment, TransactionKind.CAPTURE, amount=taken, currency=report.currency, gateway_id=gateway_id)
    step(payment, derived(payment), reason=reason, by=by)
    payment.save()
    back = min(taken, refundable(payment))
    if back:
        request_refund(payment, amount=back, reason=reason, by=by, currency=report.currency)
    record_event(order, OrderEventType.PAYMENT_FLAGGED, "A payment that did not fit goes back to the buyer.")
    return payment
