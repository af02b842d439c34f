"""Paymob, whose stand-in keeps what it is told."""

import json
from typing import Any

from backend.payments.gateways.accounts import Account, account
from backend.payments.models import Operation, Payment
from tests.gateways.fakes.paymob import AUTH_INTEGRATION, HMAC_SECRET, INTEGRATION, PUBLIC_KEY, SECRET_KEY
from tests.gateways.harness import Can, ProcessHarness, Sent


class PaymobHarness(ProcessHarness):
    module = "tests.gateways.fakes.paymob"
    gateway = "paymob"
    currency = "EGP"
    total = 100_000
    country = "EG"
    can = frozenset(Can)
    operations = frozenset({Operation.START, Operation.VERIFY, Operation.REFUND})

    def account(self, **changed: str) -> Account:
        values = {
            "secret_key": SECRET_KEY,
            "public_key": PUBLIC_KEY,
            "hmac_secret": HMAC_SECRET,
            "integrations": str(INTEGRATION),
            "auth_integrations": str(AUTH_INTEGRATION),
            "api_url": self.url,
            "timeout_s": "0.5",
            "currency": "EGP",
            "expiration_s": "3600",
            "digits": "",
            "api_key": "",
            "iframe_id": "",
        }
        return account("paymob", **(values | changed))

    def account_for_parts(self) -> Account:
        return self.account()

    def pay(self, payment: Payment) -> None:
        self.act(payment, "pay")

    def pay_with_authentication(self, payment: Payment) -> None:
        self.act(payment, "pending")
        self.act(payment, "pay")

    def decline(self, payment: Payment) -> None:
        self.act(payment, "decline")

    def abandon(self, payment: Payment) -> None:
        """An abandoned page tells nobody."""

    def act(self, payment: Payment, act: str) -> int:
        return int(self.command("act", reference=payment.reference, act=act))

    def messages(self, payment: Payment) -> list[Sent]:
        mail = self.command("messages", reference=payment.reference)
        return [Sent(body=each["body"].encode(), query=each["query"]) for each in mail]

    def forge(self, message: Sent) -> Sent:
        return self.changed(message, amount_cents=1)

    def changed(self, message: Sent, **fields: Any) -> Sent:
        """The same message with other fields, and the signature that it had."""
        sent = json.loads(message.body)
        sent["obj"] |= fields
        return Sent(body=json.dumps(sent).encode(), query=message.query)

    def returns(self, payment: Payment) -> Sent | None:
        return Sent(method="GET", query=self.command("returns", reference=payment.reference))

    def misreport(self, payment: Payment, *, amount_off: int = 0, currency: str = "") -> None:
        self.command("misreport", reference=payment.reference, amount_off=amount_off, currency=currency)

    def taken(self, payment: Payment) -> int:
        return int(self.command("sums", reference=payment.reference)["taken"])

    def given_back(self, payment: Payment) -> int:
        return int(self.command("sums", reference=payment.reference)["given_back"])


HARNESS = PaymobHarness()
