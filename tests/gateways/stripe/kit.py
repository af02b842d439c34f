"""Requests of the shop to Stripe, and a buyer's hands, without a database."""

from typing import Any
from uuid import uuid4

from backend.payments.gateways.base import PaymentRef, RefundRequest, Started, StartRequest
from tests.gateways.harnesses.stripe import StripeHarness


def request_of(**changed: Any) -> StartRequest:
    sent = {
        "payment_id": uuid4(),
        "order_number": "1001",
        "amount": 1999,
        "currency": "USD",
        "return_url": "https://shop.example/thanks",
        "callback_url": "https://api.shop.example/payments/return/stripe/1/",
        "description": "Shop 1001",
    }
    return StartRequest(**(sent | changed))


def ref_of(request: StartRequest, started: Started | None = None, **changed: Any) -> PaymentRef:
    reference = started.reference if started else ""
    told = {
        "payment_id": request.payment_id,
        "reference": reference,
        "capture_id": reference,
        "amount": request.amount,
        "currency": request.currency,
    }
    return PaymentRef(**(told | changed))


def refund_of(amount: int, **changed: Any) -> RefundRequest:
    return RefundRequest(**({"refund_id": uuid4(), "amount": amount, "currency": "USD"} | changed))


def act(stripe: StripeHarness, request: StartRequest, what: str = "pay") -> None:
    stripe.command("act", payment_id=str(request.payment_id), act=what)
