"""What the stories need in common: what a gateway can, processes that die, and how a payment has to stand."""

from typing import Any

import pytest

from backend.core.models import OutboxEvent
from backend.orders.models import Order
from backend.payments.models import GatewayCall, Operation, Outcome, Payment, PaymentTransaction
from backend.payments.services import calls
from tests.gateways.harness import Can, Harness


class Killed(BaseException):
    """The process died."""


def need(harness: Harness, *what: Can) -> None:
    missing = [each.value for each in what if each not in harness.can]
    if missing:
        pytest.skip(f"{harness.gateway} never {', '.join(missing)}")


def need_operation(harness: Harness, operation: Operation) -> None:
    if operation not in harness.operations:
        pytest.skip(f"{harness.gateway} takes the money without such a call: see test_aside_stories.py")


def assert_paid_once(harness: Harness, payment: Payment) -> None:
    payment.refresh_from_db()
    order = Order.objects.get(pk=payment.order_id)
    assert (payment.state, order.status, order.payment_status) == ("SUCCEEDED", "PAID", "PAID")
    assert (order.paid, order.refunded) == (harness.total, 0)
    assert (harness.taken(payment), harness.given_back(payment)) == (harness.total, 0)
    captures = PaymentTransaction.objects.filter(payment=payment, kind="CAPTURE")
    assert [(each.amount, each.currency) for each in captures] == [(harness.total, harness.currency)]
    assert OutboxEvent.objects.filter(topic="order.paid", key=str(order.pk)).count() == 1


def assert_unpaid(payment: Payment, *states: str) -> None:
    payment.refresh_from_db()
    order = Order.objects.get(pk=payment.order_id)
    assert payment.state in states
    assert (order.paid, order.status) == (0, "PENDING_PAYMENT")
    assert not PaymentTransaction.objects.filter(payment=payment, kind="CAPTURE").exists()


def kill_after(monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    """The process dies once the gateway has answered, before the answer is written down."""
    original = calls._finish

    def finish(call: GatewayCall, outcome: Outcome, **told: Any) -> None:
        if call.operation == operation:
            raise Killed
        original(call, outcome, **told)

    monkeypatch.setattr(calls, "_finish", finish)
