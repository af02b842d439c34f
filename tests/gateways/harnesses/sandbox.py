"""The sandbox lives in the shop itself: its harness presses the page's buttons and patches its adapter."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from backend.core.models import OutboxEvent
from backend.payments.gateways.accounts import Account
from backend.payments.gateways.errors import GatewayUnavailable, RefundRefused
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import Operation, Payment, SandboxCharge
from backend.payments.sandbox import charges, signing
from backend.payments.sandbox.scenarios import Delivery
from tests.gateways.harness import Break, Can, Sent


class SandboxHarness:
    gateway = "sandbox"
    currency = "USD"
    total = 1000
    country = "DE"
    can = frozenset(Can)
    operations = frozenset({Operation.START, Operation.VERIFY, Operation.REFUND})

    def __init__(self) -> None:
        self._patches: list[Any] = []

    def begin(self) -> None:
        pass

    def end(self) -> None:
        self.mend()

    def reset(self) -> None:
        self.mend()

    def account(self) -> Account:
        return Account("sandbox")

    def account_for_parts(self) -> Account:
        return self.account()

    def pay(self, payment: Payment) -> None:
        charges.press(self._charge(payment).pk, "pay")

    def pay_with_authentication(self, payment: Payment) -> None:
        SandboxCharge.objects.filter(pk=self._charge(payment).pk).update(scenario="AUTHENTICATE")
        assert charges.press(self._charge(payment).pk, "pay").state == "AUTHENTICATING"
        charges.press(self._charge(payment).pk, "authenticate")

    def decline(self, payment: Payment) -> None:
        charges.press(self._charge(payment).pk, "decline")

    def abandon(self, payment: Payment) -> None:
        charges.press(self._charge(payment).pk, "close")

    def messages(self, payment: Payment) -> list[Sent]:
        charge = self._charge(payment)
        due = OutboxEvent.objects.filter(topic="sandbox.webhook_due", key=charge.pk).order_by("pk")
        bodies = [charges.message(charge, Delivery(**event.data)) for event in due]
        due.delete()
        return [Sent(body=body, headers={signing.HEADER: signing.sign(body)}) for body in bodies]

    def forge(self, message: Sent) -> Sent:
        return Sent(body=message.body, headers={signing.HEADER: signing.sign(b"something else")})

    def returns(self, payment: Payment) -> Sent | None:
        return Sent(method="GET", query={"status": "succeeded"})

    def break_(self, operation: Operation, how: Break) -> None:
        name = operation.value.lower()
        original: Callable[..., Any] = getattr(SandboxGateway, name)

        def broken(gateway: Any, *args: Any, **kwargs: Any) -> Any:
            if how is Break.LOST_AFTER:
                original(gateway, *args, **kwargs)
            raise GatewayUnavailable(how.value)

        self._patch(name, broken)

    def mend(self) -> None:
        while self._patches:
            self._patches.pop().stop()

    def misreport(self, payment: Payment, *, amount_off: int = 0, currency: str = "") -> None:
        changed = {"amount": payment.amount + amount_off} | ({"currency": currency} if currency else {})
        SandboxCharge.objects.filter(pk=self._charge(payment).pk).update(**changed)

    def refuse_refunds(self) -> None:
        def refuse(gateway: Any, *args: Any) -> Any:
            raise RefundRefused("not this one")

        self._patch("refund", refuse)

    def finish_refunds(self) -> None:
        pass

    def taken(self, payment: Payment) -> int:
        return self._charge(payment).captured

    def given_back(self, payment: Payment) -> int:
        return self._charge(payment).refunded

    def _charge(self, payment: Payment) -> SandboxCharge:
        return SandboxCharge.objects.get(merchant_reference=str(payment.pk))

    def _patch(self, name: str, by: Any) -> None:
        each = patch.object(SandboxGateway, name, by)
        each.start()
        self._patches.append(each)


HARNESS = SandboxHarness()
