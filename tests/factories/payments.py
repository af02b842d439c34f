"""Payments for tests: begun, pressed and reported through the sandbox as a buyer and a gateway would."""

from typing import Any
from uuid import uuid4

from django.test import Client

from backend.core.caller import GUEST
from backend.core.models import OutboxEvent
from backend.orders.models import Order
from backend.payments.models import Payment, SandboxCharge
from backend.payments.sandbox import charges, signing
from backend.payments.sandbox.scenarios import Delivery
from backend.payments.services import process_webhook, start_payment
from backend.payments.services.starting import StartPayment


def start_request(order: Order, **changes: Any) -> StartPayment:
    given: dict[str, Any] = {
        "order_id": order.pk,
        "token": order.token,
        "gateway": "sandbox",
        "return_url": "https://shop.example/thanks?from=test",
        "idempotency_key": str(uuid4()),
        **changes,
    }
    return StartPayment(**given)


def start(order: Order, **changes: Any) -> Payment:
    return start_payment(caller=GUEST, request=start_request(order, **changes)).payment


def charge_of(payment: Payment) -> SandboxCharge:
    return SandboxCharge.objects.get(merchant_reference=str(payment.pk))


def press(payment: Payment, button: str = "pay") -> SandboxCharge:
    return charges.press(charge_of(payment).pk, button)


def due_deliveries(payment: Payment) -> list[Delivery]:
    """The webhooks that the sandbox has planned for a payment, in order."""
    events = OutboxEvent.objects.filter(topic="sandbox.webhook_due", key=charge_of(payment).pk).order_by("pk")
    return [Delivery(**event.data) for event in events]


def send(payment: Payment, delivery: Delivery, *, client: Client | None = None) -> int:
    """Post a webhook to the shop as the sandbox does; returns the shop's status code."""
    body = charges.message(charge_of(payment), delivery)
    signature = signing.sign(body)
    if delivery.forged:
        signature = signature[:-8] + "00000000"
    return post(body, signature, client=client)


def post(body: bytes, signature: str, *, gateway: str = "sandbox", client: Client | None = None) -> int:
    answer = (client or Client()).post(
        f"/webhooks/{gateway}/", body, content_type="application/json", headers={signing.HEADER: signature}
    )
    return answer.status_code


def settle_webhooks() -> None:
    """Do what the worker does with every message that was accepted."""
    for event in OutboxEvent.objects.filter(topic="webhook.received").order_by("pk"):
        process_webhook(int(event.key))


def deliver_all(payment: Payment) -> None:
    for delivery in due_deliveries(payment):
        send(payment, delivery)
    settle_webhooks()
