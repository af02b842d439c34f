"""The same message many times at once, and a message against a buyer who asks."""

import pytest

from backend.core.caller import GUEST
from backend.core.models import OutboxEvent
from backend.payments.models import PaymentTransaction, WebhookMessage
from backend.payments.services import process_webhook, verify_payment
from tests.factories.orders import make_order
from tests.factories.payments import due_deliveries, press, send, settle_webhooks, start
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


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
        press(payment)
        [delivery] = due_deliveries(payment)
        send(payment, delivery)
        message = WebhookMessage.objects.latest("pk").pk
        at_once(
            [
                lambda message=message: process_webhook(message),
                lambda payment=payment, order=order: verify_payment(
                    caller=GUEST, payment_id=payment.pk, token=order.token
                ),
            ]
            * 3
        )
        order.refresh_from_db()
        assert (order.status, order.paid) == ("PAID", order.total)
        assert PaymentTransaction.objects.filter(payment=payment).count() == 1
