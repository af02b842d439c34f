"""Zarinpal, whose stand-in keeps what it is told."""

from urllib.parse import parse_qsl

from backend.payments.gateways.accounts import Account, account
from backend.payments.models import Operation, Payment
from tests.gateways.fakes.zarinpal import ACCESS_TOKEN, MERCHANT_ID, TERMINAL_ID
from tests.gateways.harness import Can, ProcessHarness, Sent


class ZarinpalHarness(ProcessHarness):
    """It sends no messages, never asks to authenticate apart from the payment, and gives back by itself only all of a
    payment: parts need its panel's API, which `with_panel` has."""

    module = "tests.gateways.fakes.zarinpal"
    gateway = "zarinpal"
    currency = "IRR"
    total = 1_250_000
    country = "IR"
    can = frozenset({Can.REFUND, Can.PARTIAL_REFUND, Can.REFUSE_REFUND})
    operations = frozenset({Operation.START, Operation.VERIFY, Operation.REFUND})

    def account(self, **changed: str) -> Account:
        values = {
            "merchant_id": MERCHANT_ID,
            "api_url": self.url,
            "timeout_s": "0.5",
            "unit": "IRT",
            "access_token": "",
            "terminal_id": "",
            "refund_method": "PAYA",
            "graphql_url": f"{self.url}/api/v4/graphql/",
        }
        return account("zarinpal", **(values | changed))

    def with_panel(self, **changed: str) -> Account:
        return self.account(access_token=ACCESS_TOKEN, terminal_id=TERMINAL_ID, **changed)

    def account_for_parts(self) -> Account:
        return self.with_panel()

    def pay(self, payment: Payment) -> None:
        self.act(payment, "PAID")

    def pay_with_authentication(self, payment: Payment) -> None:
        raise NotImplementedError

    def decline(self, payment: Payment) -> None:
        self.act(payment, "FAILED")

    def abandon(self, payment: Payment) -> None:
        self.act(payment, "IN_BANK")

    def act(self, payment: Payment, status: str) -> None:
        self.command("act", reference=payment.reference, status=status)

    def messages(self, payment: Payment) -> list[Sent]:
        return []

    def forge(self, message: Sent) -> Sent:
        raise NotImplementedError

    def returns(self, payment: Payment) -> Sent | None:
        query = self.command("returns", reference=payment.reference)
        return Sent(method="GET", query=dict(parse_qsl(query)))

    def misreport(self, payment: Payment, *, amount_off: int = 0, currency: str = "") -> None:
        self.command("misreport", reference=payment.reference, amount_off=amount_off, currency=currency)

    def taken(self, payment: Payment) -> int:
        return int(self.command("sums", reference=payment.reference)["taken"])

    def given_back(self, payment: Payment) -> int:
        return int(self.command("sums", reference=payment.reference)["given_back"])


HARNESS = ZarinpalHarness()
