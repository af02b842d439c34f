"""The shop's side of the stories: orders to pay, the worker's turn, the sweep's."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.test import Client

from backend.core import clock
from backend.core.caller import GUEST
from backend.core.models import OutboxEvent
from backend.orders.models import Order
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.models import Payment, Refund
from backend.payments.patience import LONGEST, SILENT
from backend.payments.services import (
    execute_refund,
    process_webhook,
    retry_silent_refunds,
    start_payment,
    verify_payment,
    verify_returned,
    verify_silent_payments,
)
from backend.payments.services.starting import StartPayment
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order
from tests.gateways.harness import Harness, Sent


def order_for(harness: Harness, *, stock: int = 10) -> Order:
    """One unit of something, for the harness' total in its currency, to its country."""
    order = make_order((make_variant(stock=stock), 1))
    address = {**(order.shipping_address or {}), "country": harness.country, "phone": "01711111111"}
    Order.objects.filter(pk=order.pk).update(
        currency=harness.currency,
        subtotal=harness.total,
        discount=0,
        shipping=0,
        tax=0,
        total=harness.total,
        shipping_address=address,
        billing_address=address,
        phone="01711111111",
    )
    order.refresh_from_db()
    return order


def begin(order: Order, gateway: str, *, key: str = "") -> Payment:
    request = StartPayment(
        order_id=order.pk,
        token=order.token,
        gateway=gateway,
        return_url="https://shop.example/thanks",
        idempotency_key=key or str(uuid4()),
    )
    return start_payment(caller=GUEST, request=request).payment


def verify(payment: Payment) -> Payment:
    return verify_payment(caller=GUEST, payment_id=payment.pk, token=payment.order.token)


def deliver(harness: Harness, message: Sent) -> int:
    """Post a gateway's message to the shop; returns the shop's status code."""
    url = f"/webhooks/{harness.gateway}/" + (f"?{urlencode(message.query)}" if message.query else "")
    answer = Client().post(url, message.body, content_type=message.content_type, headers=dict(message.headers))
    return int(answer.status_code)


def deliver_all(harness: Harness, payment: Payment) -> list[int]:
    codes = [deliver(harness, message) for message in harness.messages(payment)]
    work()
    return codes


def come_back(harness: Harness, payment: Payment) -> Any:
    """The buyer's browser comes back, without our cookies, and is sent on to the storefront."""
    sent = harness.returns(payment)
    if sent is None:
        return None
    url = f"/payments/return/{harness.gateway}/{payment.pk}/" + (f"?{urlencode(sent.query)}" if sent.query else "")
    client = Client(enforce_csrf_checks=True)
    by_get = sent.method == "GET"
    answer = client.get(url) if by_get else client.post(url, sent.body, content_type=sent.content_type)
    assert answer.status_code == 303
    assert answer["Location"].startswith("https://shop.example/thanks?")
    work()
    return answer


def hear(harness: Harness, payment: Payment) -> None:
    """The usual end: the gateway's messages come, the buyer comes back, the storefront asks."""
    deliver_all(harness, payment)
    come_back(harness, payment)
    verify(payment)


def work() -> None:
    """Do everything that the outbox has for payments, until nothing new comes. What is unavailable stays for later."""
    actors = {
        "webhook.received": lambda event: process_webhook(int(event.key)),
        "payment.returned": lambda event: verify_returned(event.key, event.data),
        "refund.requested": lambda event: execute_refund(event.key),
    }
    while True:
        due = list(OutboxEvent.objects.filter(topic__in=actors, relayed_at__isnull=True).order_by("pk"))
        if not due:
            return
        for event in due:
            OutboxEvent.objects.filter(pk=event.pk).update(relayed_at=clock.now())
            try:
                actors[event.topic](event)
            except GatewayUnavailable:
                continue


def sweep(turns: int = 1) -> None:
    """Time goes by, and the sweep runs."""
    for _ in range(turns):
        clock.move_offset(SILENT.total_seconds() + 1)
        retry_silent_refunds()
        verify_silent_payments()
        work()


def sweep_refunds(harness: Harness) -> None:
    """Days go by: every refund that can be made is made."""
    for _ in range(3):
        harness.finish_refunds()
        clock.move_offset(LONGEST.total_seconds() + 1)
        retry_silent_refunds()
        work()


def refunds_of(payment: Payment) -> list[tuple[int, str]]:
    return list(Refund.objects.filter(payment=payment).order_by("created_at", "pk").values_list("amount", "state"))
