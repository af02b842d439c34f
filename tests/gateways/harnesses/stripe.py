"""Stripe by PaymentIntents: localstripe, behind the proxy that adds and checks what it does not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from stripe import WebhookSignature

from backend.core import clock
from backend.payments.gateways.accounts import Account, account
from backend.payments.models import Operation, Payment
from tests.gateways.fakes import localstripe
from tests.gateways.fakes.stripe_api import KEY, SECRET
from tests.gateways.harness import Can, ProcessHarness, Sent


class StripeHarness(ProcessHarness):
    module = "tests.gateways.fakes.stripe"
    gateway = "stripe"
    currency = "USD"
    total = 2000
    country = "DE"
    can = frozenset(Can)
    operations = frozenset({Operation.START, Operation.VERIFY, Operation.REFUND})
    flow = "CLIENT_SECRET"

    def begin(self) -> None:
        if why := localstripe.missing():
            pytest.skip(why)
        super().begin()

    def account(self, **changed: str) -> Account:
        values = {
            "secret_key": KEY,
            "publishable_key": "pk_test_double",
            "webhook_secret": SECRET,
            "flow": self.flow,
            "extra_currencies": "",
            "timeout_s": "0.7",
            "api_url": self.url,
        }
        return account("stripe", **(values | changed))

    def account_for_parts(self) -> Account:
        return self.account()

    def pay(self, payment: Payment) -> None:
        self._act(payment, "pay")

    def pay_with_authentication(self, payment: Payment) -> None:
        self._act(payment, "authenticate")

    def decline(self, payment: Payment) -> None:
        self._act(payment, "decline")

    def abandon(self, payment: Payment) -> None:
        """Nothing tells Stripe."""

    def messages(self, payment: Payment) -> list[Sent]:
        return [signed(event) for event in self.command("events", payment_id=str(payment.pk))]

    def forge(self, message: Sent) -> Sent:
        return replace(message, headers={"Stripe-Signature": signature(message.body, "whsec_somebody_else")})

    def returns(self, payment: Payment) -> Sent | None:
        return None

    def misreport(self, payment: Payment, *, amount_off: int = 0, currency: str = "") -> None:
        self.command("misreport", payment_id=str(payment.pk), amount_off=amount_off, currency=currency)

    def taken(self, payment: Payment) -> int:
        return int(self._sums(payment)["taken"])

    def given_back(self, payment: Payment) -> int:
        return int(self._sums(payment)["given_back"])

    def _act(self, payment: Payment, act: str) -> None:
        self.command("act", payment_id=str(payment.pk), act=act)

    def _sums(self, payment: Payment) -> dict[str, Any]:
        found: dict[str, Any] = self.command("sums", payment_id=str(payment.pk))
        return found


def signed(event: dict[str, Any], secret: str = SECRET) -> Sent:
    body = json.dumps(event, indent=2).encode()
    return Sent(body=body, headers={"Stripe-Signature": signature(body, secret)})


def signature(body: bytes, secret: str, *, at: int | None = None) -> str:
    moment = int(clock.now().timestamp()) if at is None else at
    return str(WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=moment))


HARNESS = StripeHarness()
