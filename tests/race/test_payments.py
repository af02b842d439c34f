"""Whoever hears first: webhooks, buyers who ask, the sweep, the expiry and refunds, all at the same instant."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from backend.core import clock
from backend.core.caller import GUEST, Caller
from backend.core.models import OutboxEvent
from backend.core.money import Money
from backend.inventory.models import StockLevel
from backend.orders.models import Order
from backend.orders.services import expire_unpaid_orders
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import Payment, PaymentTransaction, Refund, SandboxCharge, SandboxRefund, WebhookMessage
from backend.payments.services import (
    execute_refund,
    process_webhook,
    refund_order,
    verify_payment,
    verify_silent_payments,
)
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order
from tests.factories.payments import charge_of, due_deliveries, press, send, settle_webhooks, start
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def reported(payment: Payment) -> Callable[[], Any]:
    """The gateway took the money; settles the webhook that tells of it."""
    press(payment)
    [delivery] = due_deliveries(payment)
    send(payment, delivery)
    message = WebhookMessage.objects.latest("pk").pk
    return lambda: process_webhook(message)


def asking(payment: Payment) -> Callable[[], Any]:
    token = payment.order.token
    return lambda: verify_payment(caller=GUEST, payment_id=payment.pk, token=token)


def test_the_same_webhook_twenty_times_at_once_is_one_payment() -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    [delivery] = due_deliveries(payment)
    statuses = at_once([lambda: send(payment, delivery)] * 20)
    assert statuses == [200] * 20
    settle_webhooks()
    assert WebhookMessage.objects.filter(state="PROCESSED").count() == 1
    assert PaymentTransaction.objects.count() == 1
    assert OutboxEvent.objects.filter(topic="order.paid").count() == 1


def test_a_webhook_and_a_buyer_who_asks_at_the_same_instant_capture_once() -> None:
    for _ in range(5):
        order = make_order()
        payment = start(order)
        at_once([reported(payment), asking(payment)] * 3)
        order.refresh_from_db()
        assert (order.status, order.paid) == ("PAID", order.total)
        assert PaymentTransaction.objects.filter(payment=payment).count() == 1


def test_webhook_buyer_sweep_and_expiry_at_the_same_instant_settle_once() -> None:
    for _ in range(5):
        variant = make_variant()
        order = make_order((variant, 1))
        payment = start(order)
        settle = reported(payment)
        clock.move_offset(901)
        at_once([settle, expire_unpaid_orders, asking(payment), verify_silent_payments] * 3)
        order.refresh_from_db()
        level = StockLevel.objects.get(variant=variant)
        assert (order.status, order.paid, order.refunded) == ("PAID", order.total, 0)
        assert (level.on_hand, level.reserved) == (9, 0)
        assert PaymentTransaction.objects.filter(payment=payment).count() == 1
        assert OutboxEvent.objects.filter(topic="order.paid", key=str(order.pk)).count() == 1


def test_late_money_and_another_buyer_want_the_last_unit() -> None:
    for _ in range(5):
        variant = make_variant(stock=1)
        late = make_order((variant, 1))
        payment = start(late)
        settle = reported(payment)
        clock.move_offset(901)
        expire_unpaid_orders()
        outcomes = at_once([settle, partial(make_order, (variant, 1)), asking(payment)])
        bought = isinstance(outcomes[1], Order)
        for refund in Refund.objects.filter(payment=payment):
            execute_refund(refund.pk)
        late.refresh_from_db()
        level = StockLevel.objects.get(variant=variant)
        assert late.status == ("EXPIRED" if bought else "PAID")
        assert late.paid - late.refunded == (0 if bought else late.total)
        assert (level.on_hand, level.reserved) == ((1, 1) if bought else (0, 0))


def test_two_payments_of_one_order_settle_it_once_and_one_goes_back_once() -> None:
    order = make_order()
    payments = [start(order), start(order)]
    at_once([command for payment in payments for command in (reported(payment), asking(payment))] * 2)
    refund = Refund.objects.get()
    at_once([lambda: execute_refund(refund.pk)] * 10)
    order.refresh_from_db()
    assert (order.status, order.paid, order.refunded) == ("PAID", 2 * order.total, order.total)
    assert SandboxRefund.objects.count() == 1
    assert sorted(Payment.objects.values_list("state", flat=True)) == ["REFUNDED", "SUCCEEDED"]
    assert sorted(PaymentTransaction.objects.values_list("kind", flat=True)) == ["CAPTURE", "CAPTURE", "REFUND"]


def test_refunds_at_once_never_give_back_more_than_was_taken() -> None:
    order = make_order()
    payment = start(order)
    at_once([reported(payment)])
    order.refresh_from_db()
    half = Money(order.total // 2, order.currency)
    staff = replace(GUEST, permissions=frozenset({"payments.add_refund"}))
    asked = [partial(_give_back, staff, order.pk, half, f"key-{number % 4}") for number in range(12)]
    answers = at_once(asked)
    assert len([each for each in answers if isinstance(each, list)]) == 6  # two keys of four, three times each
    refunds = [refund.pk for refund in Refund.objects.all()]
    at_once([partial(_execute, pk) for pk in refunds * 5])
    for pk in refunds:  # one at a time moves a payment's money: the other is tried again
        execute_refund(pk)
    order.refresh_from_db()
    assert (order.refunded, SandboxRefund.objects.count(), charge_of(payment).refunded) == (order.total, 2, order.total)


def _execute(refund_id: UUID) -> None:
    with suppress(GatewayUnavailable):
        execute_refund(refund_id)


def _give_back(caller: Caller, order_id: UUID, amount: Money, key: str) -> Any:
    return refund_order(caller=caller, order_id=order_id, amount=amount, reason="r", restock=False, idempotency_key=key)


def test_a_right_and_a_wrong_report_at_once_never_pay_what_was_flagged() -> None:
    for _ in range(5):
        order = make_order()
        payment = start(order, scenario="WRONG_AMOUNT")
        settle = reported(payment)
        charge = charge_of(payment)
        SandboxCharge.objects.filter(pk=charge.pk).update(scenario="APPROVE")  # asked, it tells the right amount
        at_once([settle, asking(payment)] * 3)
        order.refresh_from_db()
        payment.refresh_from_db()
        assert (payment.state, order.paid) in (("FLAGGED", 0), ("SUCCEEDED", order.total))
        assert PaymentTransaction.objects.filter(payment=payment).count() == (payment.state == "SUCCEEDED")


def test_the_same_start_ten_times_at_once_is_one_payment() -> None:
    order = make_order()
    payments = at_once([lambda: start(order, idempotency_key="k")] * 10)
    assert len({payment.pk for payment in payments}) == 1
    assert {payment.reference for payment in payments} == {SandboxCharge.objects.get().pk}
    assert list(order.events.values_list("type", flat=True)).count("PAYMENT_STARTED") == 1


def test_pay_pressed_ten_times_at_once_still_asks_to_authenticate() -> None:
    payment = start(make_order(), scenario="AUTHENTICATE")
    at_once([lambda: press(payment)] * 10)
    assert (charge_of(payment).state, due_deliveries(payment)) == ("AUTHENTICATING", [])


def test_sweeps_at_once_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    payments = [start(make_order()) for _ in range(6)]
    asked: list[UUID] = []
    monkeypatch.setattr(SandboxGateway, "verify", lambda self, payment: asked.append(payment.payment_id))
    clock.move_offset(121)
    assert sum(at_once([verify_silent_payments] * 4)) == len(payments)
    assert sorted(asked) == sorted(payment.pk for payment in payments)
