"""SSLCommerz, whose stand-in keeps what it is told."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from backend.payments.gateways.accounts import Account, account
from backend.payments.models import Operation, Payment
from tests.gateways.fakes.sslcommerz import PASSWORD, STORE_ID
from tests.gateways.harness import Can, ProcessHarness, Sent


class SslcommerzHarness(ProcessHarness):
    """It never asks a buyer to authenticate apart from the payment, and sets no money aside."""

    module = "tests.gateways.fakes.sslcommerz"
    gateway = "sslcommerz"
    currency = "BDT"
    total = 100_000
    country = "BD"
    can = frozenset({Can.WEBHOOKS, Can.REFUND, Can.PARTIAL_REFUND, Can.REFUSE_REFUND})
    operations = frozenset({Operation.START, Operation.VERIFY, Operation.REFUND})

    def account(self, **changed: str) -> Account:
        values = {
            "store_id": STORE_ID,
            "store_passwd": PASSWORD,
            "api_url": self.url,
            "timeout_s": "0.5",
            "foreign_currencies": "",
            "unsigned": "reject",
            "refund_keys": "1",
        }
        return account("sslcommerz", **(values | changed))

    def account_for_parts(self) -> Account:
        return self.account()

    def pay(self, payment: Payment) -> None:
        self.act(payment, "VALID")

    def pay_with_authentication(self, payment: Payment) -> None:
        raise NotImplementedError

    def decline(self, payment: Payment) -> None:
        self.act(payment, "FAILED")

    def abandon(self, payment: Payment) -> None:
        self.act(payment, "CANCELLED")

    def act(self, payment: Payment, status: str, risk: Any = "0") -> None:
        self.command("act", reference=payment.reference, status=status, risk=risk)

    def messages(self, payment: Payment) -> list[Sent]:
        mail = self.command("messages", reference=payment.reference)
        return [Sent(body=each["body"].encode(), content_type=each["content_type"]) for each in mail]

    def forge(self, message: Sent) -> Sent:
        return self.changed(message, bank_tran_id="BANK-OF-SOMEBODY-ELSE")

    def changed(self, message: Sent, **fields: str) -> Sent:
        """The same message with other fields, and the signature that it had."""
        form = dict(parse_qsl(message.body.decode(), keep_blank_values=True)) | fields
        return Sent(body=urlencode(form).encode(), content_type=message.content_type)

    def returns(self, payment: Payment) -> Sent | None:
        form = self.command("returns", reference=payment.reference)
        return Sent(body=urlencode(form).encode(), content_type="application/x-www-form-urlencoded")

    def misreport(self, payment: Payment, *, amount_off: int = 0, currency: str = "") -> None:
        self.command("misreport", reference=payment.reference, amount_off=amount_off, currency=currency)

    def taken(self, payment: Payment) -> int:
        return int(self.command("sums", reference=payment.reference)["taken"])

    def given_back(self, payment: Payment) -> int:
        return int(self.command("sums", reference=payment.reference)["given_back"])


HARNESS = SslcommerzHarness()
