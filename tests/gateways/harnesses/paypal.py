"""PayPal: its fake holds every request against PayPal's published schema, and `mend` tells what it did not allow."""

from typing import Any

from backend.core.money import exponent
from backend.payments.gateways.accounts import Account, account
from backend.payments.gateways.amounts import to_major, to_minor
from backend.payments.models import Operation, Payment
from tests.gateways.fakes.paypal import CLIENT_ID, CLIENT_SECRET
from tests.gateways.fakes.paypal_books import MERCHANT_ID
from tests.gateways.fakes.paypal_messages import WEBHOOK_ID
from tests.gateways.harness import Can, ProcessHarness, Sent


class PayPalHarness(ProcessHarness):
    module = "tests.gateways.fakes.paypal"
    gateway = "paypal"
    currency = "USD"
    total = 1000
    country = "DE"
    can = frozenset(Can)
    operations = frozenset({Operation.START, Operation.VERIFY, Operation.CAPTURE, Operation.REFUND})

    def account(self, **values: str) -> Account:
        return account(
            "paypal",
            **{
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "webhook_id": WEBHOOK_ID,
                "api_url": self.url,
                "timeout_s": "0.5",
                "merchant_id": MERCHANT_ID,
                "brand_name": "Cartograph",
                "shipping_preference": "NO_SHIPPING",
                "more_currencies": "",
                "expires_hours": "6",
                "transaction_search": "0",
                **values,
            },
        )

    def about(self, name: str, payment: Payment, **data: Any) -> Any:
        return self.command(name, payment=str(payment.pk), **data)

    def account_for_parts(self) -> Account:
        return self.account()

    def pay(self, payment: Payment) -> None:
        self.about("approve", payment)

    def pay_with_authentication(self, payment: Payment) -> None:
        """It is on PayPal's page: to us it looks like any approval. test_paypal.py has what PayPal asks for later."""
        self.about("approve", payment)

    def decline(self, payment: Payment) -> None:
        self.about("approve", payment, refusal="INSTRUMENT_DECLINED")

    def abandon(self, payment: Payment) -> None:
        """Nothing is told: the order stays open until PayPal forgets it."""

    def messages(self, payment: Payment) -> list[Sent]:
        return [Sent(body=each["body"].encode(), headers=each["headers"]) for each in self.about("messages", payment)]

    def forge(self, message: Sent) -> Sent:
        """One character: what it says stays the same, and so does what a careless check would read."""
        return Sent(body=message.body.replace(b": ", b":", 1), headers=message.headers)

    def returns(self, payment: Payment) -> Sent | None:
        return Sent(method="GET", query={"token": payment.reference, "PayerID": "FAKEPAYER1"})

    def mend(self) -> None:
        super().mend()
        violations = self.command("violations")
        assert not violations, violations

    def misreport(self, payment: Payment, *, amount_off: int = 0, currency: str = "") -> None:
        told = currency or payment.currency
        digits = exponent(payment.currency)
        value = to_major(payment.amount + amount_off, payment.currency, digits=digits)
        self.about("misreport", payment, value=value, currency=told)

    def taken(self, payment: Payment) -> int:
        return to_minor(self.about("sums", payment)[0], payment.currency)

    def given_back(self, payment: Payment) -> int:
        return to_minor(self.about("sums", payment)[1], payment.currency)


HARNESS = PayPalHarness()
