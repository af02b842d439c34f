"""What the stories need of a gateway's double: a buyer's hands, the gateway's outgoing mail, and ways to break."""

import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import httpx

from backend.payments.gateways.accounts import Account
from backend.payments.models import Operation, Payment

ROOT = Path(__file__).parent.parent.parent
STARTS_S = 20


class Can(Enum):
    """What a gateway offers: stories that need more are skipped for it."""

    AUTHENTICATE = "asks the buyer to authenticate"
    WEBHOOKS = "sends messages"
    REFUND = "gives money back by itself"
    PARTIAL_REFUND = "gives back a part"
    REFUSE_REFUND = "refuses to give back"
    MANUAL_CAPTURE = "sets money aside"


class Break(Enum):
    """How calls of one operation go wrong until `mend`."""

    LOST_BEFORE = "no answer comes, and nothing was done"
    LOST_AFTER = "no answer comes, but it was done"
    ERROR_500 = "500, and nothing was done"
    GARBAGE = "200 with a body that makes no sense, and nothing was done"


@dataclass(frozen=True)
class Sent:
    """A request that the gateway, or the buyer's browser, sends to the shop."""

    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    method: str = "POST"


class Process(Protocol):
    def begin(self) -> None: ...

    def end(self) -> None: ...


Running = TypeVar("Running", bound=Process)


@contextmanager
def running(double: Running) -> Iterator[Running]:
    """The double's process, as long as it is needed."""
    double.begin()
    try:
        yield double
    finally:
        double.end()


class Harness(Protocol):
    gateway: str
    currency: str
    total: int
    """What orders of the stories cost, in minor units: divisible by 4, and a quarter can be given back."""
    country: str
    can: frozenset[Can]
    operations: frozenset[Operation]
    """The calls that the pay story makes, START and VERIFY at least, and REFUND and CAPTURE where there are such."""

    def begin(self) -> None:
        """Once a session: start the double."""
        ...

    def end(self) -> None: ...

    def reset(self) -> None:
        """Before each test: nothing broken, nothing in the outgoing mail."""
        ...

    def account(self) -> Account:
        """What stands in settings.GATEWAYS; with a time-out of half a second or so."""
        ...

    def account_for_parts(self) -> Account:
        """The same with what the gateway needs to give back a part; the account where it needs nothing more."""
        ...

    def pay(self, payment: Payment) -> None:
        """The buyer pays: as far as the gateway's page leads, which may be an approval only."""
        ...

    def pay_with_authentication(self, payment: Payment) -> None: ...

    def decline(self, payment: Payment) -> None: ...

    def abandon(self, payment: Payment) -> None: ...

    def messages(self, payment: Payment) -> list[Sent]:
        """Take the gateway's outgoing messages about a payment, oldest first, as it signs them now."""
        ...

    def forge(self, message: Sent) -> Sent:
        """The same message, changed or signed by somebody else."""
        ...

    def returns(self, payment: Payment) -> Sent | None:
        """How the buyer's browser comes back to `callback_url`; None where it goes to the storefront itself."""
        ...

    def break_(self, operation: Operation, how: Break) -> None: ...

    def mend(self) -> None: ...

    def misreport(self, payment: Payment, *, amount_off: int = 0, currency: str = "") -> None:
        """From now on the gateway tells of the payment with another amount or currency."""
        ...

    def refuse_refunds(self) -> None: ...

    def finish_refunds(self) -> None:
        """Refunds that the gateway works on for days are made now."""
        ...

    def taken(self, payment: Payment) -> int:
        """Minor units that the gateway has taken from the buyer."""
        ...

    def given_back(self, payment: Payment) -> int: ...


class ProcessHarness:
    """Starts `python -m <module> --port 0`, a `tests.gateways.fakes.base` fake, and talks to its control routes."""

    module: ClassVar[str]
    options: tuple[str, ...] = ()
    process: "subprocess.Popen[str] | None" = None
    control: httpx.Client

    @property
    def url(self) -> str:
        return str(self.control.base_url).rstrip("/")

    def begin(self) -> None:
        command = [sys.executable, "-m", self.module, "--port", "0", *self.options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], STARTS_S)
        line = self.process.stdout.readline() if ready else ""
        assert line.startswith("http://"), f"{self.module} did not start"
        self.control = httpx.Client(base_url=line.strip(), timeout=10)

    def end(self) -> None:
        if self.process is not None:
            self.control.close()
            self.process.terminate()
            self.process.wait(10)

    def command(self, name: str, **data: Any) -> Any:
        """Ask the fake's control route of that name. Its refusals are errors of the test."""
        answer = self.control.post(f"/_control/{name}", json=data)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reset(self) -> None:
        self.command("reset")

    def break_(self, operation: Operation, how: Break) -> None:
        self.command("break", operation=operation.value, how=how.name)

    def mend(self) -> None:
        self.command("mend")

    def refuse_refunds(self) -> None:
        self.command("refuse_refunds")

    def finish_refunds(self) -> None:
        self.command("finish_refunds")
