"""What the shop asks of a payment gateway. One module a gateway implements it; `registry` names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from uuid import UUID


class Flow(Enum):
    """How a buyer meets the gateway."""

    REDIRECT = "REDIRECT"
    CLIENT_SECRET = "CLIENT_SECRET"


class ChargeState(Enum):
    """What a gateway says of a payment, in words that all gateways share."""

    OPEN = "OPEN"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a gateway needs to begin. `payment_id` is our reference there and makes repeating harmless.

    `amount` is in minor units of `currency`. `return_url` has our ids in its query already: a gateway keeps that and
    may add to it.
    """

    payment_id: UUID
    order_number: str
    amount: int
    currency: str
    return_url: str
    scenario: str


@dataclass(frozen=True, slots=True)
class Started:
    """`reference` is the gateway's own id; `next_action` is what the buyer does next, ready for the API."""

    reference: str
    next_action: dict[str, str]


@dataclass(frozen=True, slots=True)
class ChargeReport:
    """What a gateway says is true of a payment. Amounts in minor units."""

    reference: str
    payment_id: str
    state: ChargeState
    amount: int
    currency: str
    error_code: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class GatewayMessage:
    """An authentic webhook: its own id, and what it reports; None for messages that tell nothing we need."""

    event_id: str
    report: ChargeReport | None


class GatewayUnavailable(Exception):
    """The gateway did not answer, or not in a way that can be understood. It may have acted all the same."""


class RefundRefused(Exception):
    """The gateway will not give this money back."""


class SignatureInvalid(Exception):
    """A webhook that the gateway did not send."""


class PaymentGateway(Protocol):
    """Methods may wait for another machine: never call them inside a transaction."""

    id: str
    name: str
    flow: Flow

    def currencies(self) -> frozenset[str] | None:
        """ISO 4217 codes that it takes; None for all."""
        ...

    def start(self, request: StartRequest) -> Started:
        """Begin a payment. The same `payment_id` again gives the same answer. Raises GatewayUnavailable."""
        ...

    def verify(self, *, reference: str, payment_id: UUID) -> ChargeReport | None:
        """What is true now; None when it knows no such payment. Raises GatewayUnavailable."""
        ...

    def refund(self, *, reference: str, amount: int, currency: str, key: str) -> str:
        """Give money back once for each key; returns the refund's id. Raises GatewayUnavailable, RefundRefused."""
        ...

    def parse_webhook(self, *, body: bytes, headers: Mapping[str, str]) -> GatewayMessage:
        """Authenticate a raw message and read it. Raises SignatureInvalid; header names are in lower case."""
        ...

    def read_webhook(self, body: bytes) -> GatewayMessage:
        """Read a message that was authenticated when it came. Raises SignatureInvalid when it is not one."""
        ...
