"""Beginning a payment: our record first, the gateway outside any transaction, its answer after."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from backend.core import clock, idempotency
from backend.core.caller import Caller
from backend.core.errors import DomainError, Invalid
from backend.orders.services import access_order, check_payable, lock_order, note_payment_started
from backend.payments.gateways import registry
from backend.payments.gateways.base import GatewayUnavailable, Started, StartRequest
from backend.payments.models import Payment, PaymentState
from backend.payments.patience import SILENT
from backend.payments.return_urls import check_return_url, return_url
from backend.payments.services.settling import FINAL

SCOPE = "paymentStart"


class GatewayDown(DomainError):
    code = "GATEWAY_UNAVAILABLE"
    default_message = "The payment gateway did not answer. Repeat the request with the same key."


@dataclass(frozen=True, slots=True)
class StartPayment:
    """What a client sends. `scenario` scripts the sandbox and is empty for every other gateway."""

    order_id: UUID
    token: str | None
    gateway: str
    return_url: str
    idempotency_key: str
    scenario: str = ""


@dataclass(frozen=True, slots=True)
class StartedPayment:
    payment: Payment
    replayed: bool


def start_payment(*, caller: Caller, request: StartPayment) -> StartedPayment:
    """Begin to pay what is due on an order. Must not run inside a transaction.

    Emits order.payment_started. Raises OrderNotFound, OrderNotPayable, GatewayNotOffered, Invalid,
    IdempotencyConflict, and GatewayDown: then the payment is kept, and the same key asks the gateway again.
    """
    check_return_url(request.return_url)
    payment, replayed = _record(caller, request)
    if not _unanswered(payment):
        return StartedPayment(payment=payment, replayed=replayed)
    gateway = registry.get(payment.gateway)
    try:
        started = gateway.start(
            StartRequest(
                payment_id=payment.pk,
                order_number=payment.order.number,
                amount=payment.amount,
                currency=payment.currency,
                return_url=return_url(payment),
                scenario=payment.scenario,
            )
        )
    except GatewayUnavailable as error:
        raise GatewayDown(field=["gateway"]) from error
    return StartedPayment(payment=_record_answer(payment.pk, started, gateway.name), replayed=replayed)


def _unanswered(payment: Payment) -> bool:
    """Whether the gateway's answer to its start is missing still."""
    return payment.state == PaymentState.PENDING and not payment.reference


@transaction.atomic
def _record(caller: Caller, request: StartPayment) -> tuple[Payment, bool]:
    order = lock_order(access_order(caller=caller, order_id=request.order_id, token=request.token).pk)
    earlier = idempotency.claim(
        scope=SCOPE,
        key=request.idempotency_key,
        request=[request.order_id, request.gateway, request.return_url, request.scenario],
    )
    if earlier is not None:
        payment = Payment.objects.select_related("order").get(pk=earlier)
        if _unanswered(payment):
            check_payable(order)  # the gateway will be asked once more: not to pay for what is over by now
        return payment, True
    check_payable(order)
    gateway = registry.for_currency(request.gateway, order.currency)
    if request.scenario and gateway.id != "sandbox":
        raise Invalid("Only the sandbox follows a script.", field=["scenario"])
    moment = clock.now()
    payment = Payment.objects.create(
        order=order,
        gateway=gateway.id,
        amount=order.total - order.paid,
        currency=order.currency,
        return_url=request.return_url,
        scenario=request.scenario,
        created_at=moment,
        next_ask_at=moment + SILENT,
    )
    idempotency.record(scope=SCOPE, key=request.idempotency_key, result_id=payment.pk)
    return payment, False


@transaction.atomic
def _record_answer(payment_id: UUID, started: Started, gateway_name: str) -> Payment:
    order = lock_order(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.reference:
        return payment  # another request with the same key was quicker
    payment.reference = started.reference
    payment.next_action = started.next_action
    if payment.state == PaymentState.PENDING:
        payment.state = PaymentState.REQUIRES_ACTION
    payment.save()
    if payment.state not in FINAL:  # else a webhook was quicker, and it is over already
        note_payment_started(order, gateway_name)
    return payment
