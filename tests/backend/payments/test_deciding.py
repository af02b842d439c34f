"""What staff decide: flagged payments, and messages to settle once more."""

from typing import Any

import pytest

from backend.core.caller import GUEST, Caller, Role
from backend.core.errors import DomainError
from backend.orders.models import Order
from backend.payments.models import Payment, PaymentTransaction, PaymentTransition, Refund, WebhookMessage
from backend.payments.services import decide_flagged, execute_refund, process_webhook, replay_webhook
from tests.factories.accounts import make_user
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, due_deliveries, press, send, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Caller:
    permissions = frozenset({"payments.change_payment", "payments.change_webhookmessage"})
    return Caller(make_user(role=Role.ORDER_MANAGER).pk, permissions=permissions)


def flagged(scenario: str) -> Payment:
    payment = start(make_order(), scenario=scenario)
    press(payment)
    deliver_all(payment)
    payment.refresh_from_db()
    assert payment.state == "FLAGGED"
    return payment


def decide(caller: Caller, payment: Payment, *, accept: bool, **changes: Any) -> Payment:
    return decide_flagged(caller=caller, payment_id=payment.pk, accept=accept, **{"reason": "I asked them.", **changes})


def test_money_that_is_accepted_pays_the_order_and_what_is_too_much_goes_back(manager: Caller) -> None:
    payment = flagged("WRONG_AMOUNT")
    decide(manager, payment, accept=True)
    payment.refresh_from_db()
    order = Order.objects.get()
    assert (payment.state, order.status, payment.error_code) == ("SUCCEEDED", "PAID", "")
    last = PaymentTransition.objects.order_by("pk").last()
    assert last is not None
    assert last.by_id == manager.user_id
    with pytest.raises(DomainError):
        decide(manager, payment, accept=False)


def test_money_that_is_given_back_never_counts(manager: Caller) -> None:
    payment = flagged("WRONG_CURRENCY")
    with pytest.raises(DomainError) as refusal:
        decide(manager, payment, accept=True)
    assert refusal.value.code == "CURRENCY_MISMATCH"
    decide(manager, payment, accept=False)
    execute_refund(Refund.objects.get().pk)
    payment.refresh_from_db()
    order = Order.objects.get()
    assert (payment.state, order.status, order.paid, order.refunded) == ("REFUNDED", "PENDING_PAYMENT", 0, 0)
    assert list(PaymentTransaction.objects.order_by("pk").values_list("kind", "currency")) == [
        ("CAPTURE", "EUR"),
        ("REFUND", "EUR"),
    ]


def test_only_flagged_payments_whose_money_was_taken_are_decided(manager: Caller) -> None:
    payment = start(make_order())
    for accept in (True, False):
        with pytest.raises(DomainError):
            decide(manager, payment, accept=accept)
    Payment.objects.update(state="FLAGGED")
    for accept in (True, False):
        with pytest.raises(DomainError):
            decide(manager, payment, accept=accept)
    assert not PaymentTransaction.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\nb"])
def test_a_decision_needs_a_reason(manager: Caller, reason: str) -> None:
    with pytest.raises(DomainError) as refusal:
        decide(manager, flagged("WRONG_AMOUNT"), accept=True, reason=reason)
    assert refusal.value.field == ["reason"]


def test_others_decide_nothing() -> None:
    payment = flagged("WRONG_AMOUNT")
    message = WebhookMessage.objects.latest("pk")
    for caller in (GUEST, Caller(make_user().pk)):
        with pytest.raises(DomainError) as refusal:
            decide(caller, payment, accept=True)
        assert refusal.value.code == "FORBIDDEN"
        with pytest.raises(DomainError):
            replay_webhook(caller=caller, message_id=message.pk)
    assert not PaymentTransaction.objects.exists()


def test_a_message_is_settled_once_more_and_pays_once(manager: Caller) -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    deliver_all(payment)
    message = WebhookMessage.objects.get()
    for _ in range(2):
        replay_webhook(caller=manager, message_id=message.pk)
        process_webhook(message.pk)
    message.refresh_from_db()
    order.refresh_from_db()
    assert (message.state, order.paid, PaymentTransaction.objects.count()) == ("PROCESSED", order.total, 1)


def test_a_message_that_was_given_up_is_heard_after_all(manager: Caller) -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    [delivery] = due_deliveries(payment)
    send(payment, delivery)
    WebhookMessage.objects.update(state="FAILED")
    message = replay_webhook(caller=manager, message_id=WebhookMessage.objects.get().pk)
    process_webhook(message.pk)
    order.refresh_from_db()
    assert order.status == "PAID"


def test_a_forged_message_is_never_replayed(manager: Caller) -> None:
    payment = start(make_order(), scenario="WEBHOOK_BAD_SIGNATURE")
    press(payment)
    deliver_all(payment)
    for message_id in (WebhookMessage.objects.get().pk, 10**9):
        with pytest.raises(DomainError):
            replay_webhook(caller=manager, message_id=message_id)
    assert Order.objects.get().paid == 0
