"""What tests of PayPal begin with."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from backend.payments.gateways.base import (
    Buyer,
    IncomingMessage,
    PaymentRef,
    PostalAddress,
    StartRequest,
)
from backend.payments.gateways.paypal import PayPalGateway
from tests.gateways.harnesses.paypal import PayPalHarness


def gateway(paypal: PayPalHarness, **values: str) -> PayPalGateway:
    return PayPalGateway(paypal.account(**values))


def asked(**changed: Any) -> StartRequest:
    request = StartRequest(
        payment_id=uuid4(),
        order_number="1001",
        amount=1050,
        currency="USD",
        return_url="https://shop.example/thanks",
        callback_url="https://api.shop.example/payments/return/paypal/1/",
        description="Shop 1001",
        buyer=Buyer(
            email="ada@example.com",
            first_name="Ada",
            last_name="Lovelace",
            shipping=PostalAddress(line1="1 Road", city="Berlin", postal_code="10115", country="DE"),
        ),
    )
    return replace(request, **changed)


def ref(request: StartRequest, reference: str, **changed: Any) -> PaymentRef:
    own = {"payment_id": request.payment_id, "amount": request.amount, "currency": request.currency}
    return PaymentRef(**{**own, "reference": reference, "data": {"intent": "CAPTURE"}, **changed})


def begun(paypal: PayPalHarness, at: PayPalGateway, **changed: Any) -> PaymentRef:
    request = asked(**changed)
    started = at.start(request)
    return ref(request, started.reference, data=started.data)


def approve(paypal: PayPalHarness, payment: PaymentRef, **data: Any) -> None:
    paypal.command("approve", payment=str(payment.payment_id), **data)


def incoming(body: bytes, headers: Any) -> IncomingMessage:
    return IncomingMessage(body=body, headers={name.lower(): value for name, value in headers.items()})
