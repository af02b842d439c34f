"""Beginning a payment: our record first, the gateway outside any transaction, its answer after."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from backend.core import clock, idempotency
from backend.core.caller import Caller
from backend.core.errors import CurrencyMismatch, DomainError, Invalid
from backend.core.money import Money
from backend.core.throttle import TooManyAttempts
from backend.orders.errors import OrderNotPayable
from backend.orders.models import Order
from backend.orders.services import (
    access_order,
    check_payable,
    lock_order,
    note_payment_failed,
    note_payment_started,
)
from backend.payments.errors import GatewayDown
from backend.payments.gateways import registry
from backend.payments.gateways.base import ErrorCode, GatewayRefused, GatewayUnavailable, Started
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import Operation, Payment, PaymentState
from backend.payments.patience import SILENT
from backend.payments.return_urls import check_return_url
from backend.payments.services.calls import ask
from backend.payments.services.describing import country_of, start_request, vendors_of
from backend.payments.services.ledger import step
from backend.payments.services.saving import check_saving, with_customer
from backend.payments.services.settling import FINAL
from backend.payments.texts import fitting, fitting_json

logger = logging.getLogger(__name__)
SCOPE = "paymentStart"
ATTEMPTS_AN_HOUR = 40
"""Of one order: who tries stolen cards, or floods a gateway in our name, needs many."""


class PaymentDeclined(DomainError):
    code = "PAYMENT_DECLINED"
    default_message = "The payment was declined. Make another attempt, with a new key."


class AmountNotDue(Invalid):
    default_message = "A part of what is due: more than nothing, and no more than that."


@dataclass(frozen=True, slots=True)
class StartPayment:
    """What a client sends. `scenario` scripts the sandbox and is empty for every other gateway."""

    order_id: UUID
    token: str | None
    gateway: str
    return_url: str
    idempotency_key: str
    scenario: str = ""
    amount: Money | None = None
    """A part of what is due, for several payments of one order; None for all of it."""
    saved_method: str = ""
    save_method: bool = False
    """Signed-in customers only: pay with what the gateway keeps for them, or let it keep what they pay with."""


@dataclass(frozen=True, slots=True)
class StartedPayment:
    payment: Payment
    replayed: bool


def start_payment(*, caller: Caller, request: StartPayment) -> StartedPayment:
    """Begin to pay what is due on an order. Must not run inside a transaction.

    Emits order.payment_started. Raises OrderNotFound, OrderNotPayable, GatewayNotOffered, Invalid, PaymentDeclined,
    IdempotencyConflict, TooManyAttempts, and GatewayDown: then the payment is kept, and the same key asks the gateway
    again.
    """
    check_return_url(request.return_url)
    payment, replayed = _record(caller, request)
    if not _unanswered(payment):
        return StartedPayment(payment=payment, replayed=replayed)
    payment = with_customer(caller, payment)
    sent = start_request(payment)
    try:
        started = ask(payment, Operation.START, lambda gateway, _: gateway.start(sent))
    except GatewayUnavailable as error:
        raise GatewayDown(field=["gateway"]) from error
    except GatewayRefused as error:
        _record_refusal(payment.pk, error)
        raise _refusal(error) from error
    try:
        payment = _record_answer(payment.pk, started)
    except IntegrityError:
        # It named another payment's number. Whoever is sent to that page pays for the other one: nobody is.
        logger.exception("%s began payment %s with a number that another payment has", payment.gateway, payment.pk)
        known = GatewayRefused("The gateway gave a number that another payment has.", code=ErrorCode.INVALID_REQUEST)
        _record_refusal(payment.pk, known)
        raise _refusal(known) from None
    return StartedPayment(payment=payment, replayed=replayed)


def _refusal(error: GatewayRefused) -> DomainError:
    """What the client is told: its own input, the buyer's card, or something that only the shop can mend."""
    if error.code in (ErrorCode.MISCONFIGURED, ErrorCode.INVALID_REQUEST):
        return GatewayDown("The payment gateway cannot be used now: choose another.", field=["gateway"])
    if error.code in (ErrorCode.INVALID_AMOUNT, ErrorCode.CURRENCY_NOT_SUPPORTED):
        return GatewayNotOffered("The gateway does not take this amount or currency.", field=["gateway"])
    return PaymentDeclined(field=["gateway"])


def _unanswered(payment: Payment) -> bool:
    """Whether the gateway's answer to its start is missing still."""
    return payment.state == PaymentState.PENDING and not payment.reference


@transaction.atomic
def _record(caller: Caller, request: StartPayment) -> tuple[Payment, bool]:
    order = lock_order(access_order(caller=caller, order_id=request.order_id, token=request.token).pk)
    earlier = idempotency.claim(
        scope=SCOPE,
        key=request.idempotency_key,
        request=[
            request.order_id,
            request.gateway,
            request.return_url,
            request.scenario,
            *([] if request.amount is None else [request.amount.minor, request.amount.currency]),
            *([request.saved_method, request.save_method] if request.saved_method or request.save_method else []),
        ],
    )
    if earlier is not None:
        payment = Payment.objects.select_related("order").get(pk=earlier)
        if _unanswered(payment):
            check_payable(order)  # the gateway will be asked once more: not to pay for what is over by now
        return payment, True
    check_payable(order)
    amount = _amount(order, request.amount)
    gateway = registry.choose(
        request.gateway,
        currency=order.currency,
        country=country_of(order),
        amount=amount,
        vendors=vendors_of(order),
    )
    if request.saved_method or request.save_method:
        check_saving(caller, gateway, request.saved_method)
    if request.scenario and gateway.id != "sandbox":
        raise Invalid("Only the sandbox follows a script.", field=["scenario"])
    moment = clock.now()
    earlier_ones = Payment.objects.filter(order=order)
    if earlier_ones.filter(created_at__gt=moment - timedelta(hours=1)).count() >= ATTEMPTS_AN_HOUR:
        raise TooManyAttempts("This order was begun to be paid too often: go on with one of its payments, or wait.")
    payment = Payment.objects.create(
        order=order,
        gateway=gateway.id,
        account=gateway.account.name,
        merchant_account=gateway.merchant_account,
        attempt=earlier_ones.count() + 1,
        manual_capture=gateway.account.manual_capture and gateway.capabilities.manual_capture,
        amount=amount,
        currency=order.currency,
        return_url=request.return_url,
        scenario=request.scenario,
        saved_method=request.saved_method,
        save_method=request.save_method,
        created_at=moment,
        next_ask_at=moment + SILENT,
    )
    idempotency.record(scope=SCOPE, key=request.idempotency_key, result_id=payment.pk)
    return payment, False


def _amount(order: Order, wanted: Money | None) -> int:
    aside = Payment.objects.filter(order=order, state=PaymentState.AUTHORIZED).aggregate(sum=Sum("amount"))["sum"] or 0
    due = order.total - order.paid + order.refunded - aside
    if aside and due <= 0:
        raise OrderNotPayable("Its money is set aside already, and waits for the shop to take it.")
    if wanted is None:
        return due
    if wanted.currency != order.currency:
        raise CurrencyMismatch(f"The order is in {order.currency}.", field=["amount"])
    if not 0 < wanted.minor <= due:
        raise AmountNotDue(field=["amount"])
    return wanted.minor


@transaction.atomic
def _record_answer(payment_id: UUID, started: Started) -> Payment:
    order = lock_order(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.reference:
        return payment  # another request with the same key was quicker
    payment.reference = started.reference
    payment.next_action = started.next_action
    payment.data = {**payment.data, **fitting_json(started.data)}
    if payment.state == PaymentState.PENDING and started.next_action:
        step(payment, PaymentState.REQUIRES_ACTION, reason="The buyer is sent to the gateway.")
    elif payment.state == PaymentState.PENDING:
        step(payment, PaymentState.PROCESSING, reason="The buyer has nothing to do.")
    payment.save()
    if payment.state not in FINAL:  # else a webhook was quicker, and it is over already
        note_payment_started(order, registry.name_of(payment.gateway))
    return payment


@transaction.atomic
def _record_refusal(payment_id: UUID, error: GatewayRefused) -> None:
    order = lock_order(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.state != PaymentState.PENDING:
        return
    payment.error_code = error.code.value
    payment.error_message = "The gateway refused to begin."  # for buyers: its own words are in the call's record
    payment.gateway_code = fitting(error.gateway_code, 100)
    step(payment, PaymentState.FAILED, reason="The gateway refused to begin.")
    payment.save()
    note_payment_failed(order, "The payment could not be begun.")
