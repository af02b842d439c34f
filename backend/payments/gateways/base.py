"""What the shop asks of a payment gateway. One module a gateway implements it; `registry` finds them.

Amounts are minor units of their currency as ISO 4217 (and `backend.core.money`) has it; each adapter converts to what
its gateway wants. Methods may wait for another machine: they are never called inside a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from backend.payments.gateways.accounts import Account
from backend.payments.gateways.errors import (
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    RefundRefused,
    SignatureInvalid,
)

__all__ = [
    "Account",
    "Buyer",
    "Capabilities",
    "CaptureMode",
    "ChargeReport",
    "ChargeState",
    "DisputeReport",
    "DisputeState",
    "ErrorCode",
    "Flow",
    "GatewayMessage",
    "GatewayRefused",
    "GatewayUnavailable",
    "IncomingMessage",
    "Line",
    "Method",
    "PaymentGateway",
    "PaymentRef",
    "PostalAddress",
    "RefundOutcome",
    "RefundRefused",
    "RefundReport",
    "RefundRequest",
    "SignatureInvalid",
    "StartRequest",
    "Started",
]


class Flow(Enum):
    """How a buyer meets the gateway."""

    REDIRECT = "REDIRECT"
    CLIENT_SECRET = "CLIENT_SECRET"


class CaptureMode(Enum):
    """Whether money is taken at once, or set aside until staff take it."""

    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"


class ChargeState(Enum):
    """What a gateway says of a payment, in words that all gateways share."""

    OPEN = "OPEN"
    """The buyer has not finished. An attempt that failed and can be tried again on the same page is OPEN still."""
    PROCESSING = "PROCESSING"
    """The buyer is done; the gateway does not know yet."""
    APPROVED = "APPROVED"
    """The buyer has agreed, and nothing is taken until `capture`: the shop calls it at once."""
    AUTHORIZED = "AUTHORIZED"
    """Money is set aside; `capture` takes it, `cancel` gives it up."""
    SUCCEEDED = "SUCCEEDED"
    """The money was taken. What went back since stands in `amount_refunded`: there is no refunded state."""
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Method(Enum):
    """How a buyer paid, as buyers call it."""

    CARD = "CARD"
    WALLET = "WALLET"
    MOBILE = "MOBILE"
    BANK = "BANK"
    CASH = "CASH"
    INSTALLMENTS = "INSTALLMENTS"
    OTHER = "OTHER"


class RefundOutcome(Enum):
    PENDING = "PENDING"
    """Taken on, not made yet: the shop asks again by `find_refund`."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class DisputeState(Enum):
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do; the shop asks nothing of it that stands False here."""

    flow: Flow
    currencies: frozenset[str] | None = None
    """ISO 4217 codes that it takes; None for all."""
    countries: frozenset[str] | None = None
    """ISO 3166 codes of the buyers that it serves; None for all."""
    minimum: Mapping[str, int] = field(default_factory=dict)
    """Currency -> the least amount, in minor units."""
    maximum: Mapping[str, int] = field(default_factory=dict)
    manual_capture: bool = False
    partial_capture: bool = False
    cancel: bool = False
    """Whether `cancel` ends a payment that is open or authorized."""
    refund: bool = True
    partial_refund: bool = True
    idempotent_refunds: bool = True
    """Whether repeating `refund` with the same key is harmless. If not, `find_refund` is asked first."""
    webhooks: bool = True
    webhook_headers: frozenset[str] = frozenset()
    """Header names (lower case) that `parse_webhook` needs later; those that hold "signature" are always kept."""
    webhooks_checked_later: bool = False
    """Whether `parse_webhook` asks the gateway over the network: then a worker calls it, after the answer."""
    disputes: bool = False
    reports: bool = False
    """Whether it is a `optional.ReportsDays` too."""
    unclaimed: bool = False
    """Whether it is a `optional.ListsUnclaimed` too."""
    looks: bool = False
    """Whether it is a `optional.Looks` too: one whose `verify` may take money."""
    saved_methods: bool = False
    """Whether it is a `optional.SavesMethods` too."""
    checks: bool = False
    """Whether it is a `optional.ChecksItself` too."""
    play_money: bool = False
    """Never offered in production."""


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Empty strings where unknown; `country` is ISO 3166 alpha-2."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Buyer:
    email: str
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    billing: PostalAddress = PostalAddress()
    shipping: PostalAddress | None = None
    """None where nothing is shipped."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the order, to describe the purchase. Lines need not add up to the amount: there are shipping,
    discounts and payments of a part."""

    name: str
    sku: str
    quantity: int
    total: int


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a gateway needs to begin. Repeating it with the same `payment_id` must be harmless.

    `return_url` is the storefront's, with our ids in its query: a gateway keeps that and may add to it. `callback_url`
    is ours: it takes a browser's GET and POST with whatever the gateway adds (see `read_return`), and sends the buyer
    on to `return_url`. Adapters of redirecting gateways give out `callback_url`.
    """

    payment_id: UUID
    order_number: str
    amount: int
    currency: str
    return_url: str
    callback_url: str = ""
    webhook_url: str = ""
    attempt: int = 1
    """The order's how manieth payment this is, for gateways whose ids are too short for a UUID."""
    description: str = ""
    language: str = "en"
    buyer: Buyer = Buyer(email="")
    lines: tuple[Line, ...] = ()
    capture: CaptureMode = CaptureMode.AUTOMATIC
    customer: str = ""
    """The gateway's own id of a signed-in customer, from `SavesMethods.create_customer`."""
    saved_method: str = ""
    """One of the customer's: an adapter makes sure that it is."""
    save_method: bool = False
    scenario: str = ""
    """Sandbox only."""
    created_at: datetime | None = None
    """When the payment was recorded: the same at every repetition, for what a gateway wants to know of time."""

    @property
    def key(self) -> str:
        """For gateways with idempotency keys: the same for every repetition of this start."""
        return f"pay:{self.payment_id}:start"


@dataclass(frozen=True, slots=True)
class Started:
    """`reference` is the gateway's own id, unique among its payments. `next_action` is what the buyer does next:
    {"type": "REDIRECT", "url"} or {"type": "CLIENT_SECRET", "client_secret", "publishable_key"}, or
    None for nothing. `data` is kept with
    the payment for later calls: never secrets."""

    reference: str
    next_action: dict[str, str] | None
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaymentRef:
    """A payment of ours, for every call after `start`. `reference` is empty when start's answer was lost: look it up by
    `payment_id` where the gateway can, or answer None. `data` is what `Started` and reports left, and what a returning
    buyer brought (`read_return`)."""

    payment_id: UUID
    reference: str
    amount: int
    currency: str
    order_number: str = ""
    attempt: int = 1
    capture_id: str = ""
    """The gateway's id of the money taken, from `ChargeReport.capture_id`; the reference where there is no other."""
    captured: int = 0
    refunded: int = 0
    """As our ledger has it."""
    created_at: datetime | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    def key(self, operation: str) -> str:
        """For gateways with idempotency keys: the same whenever the same is asked of this payment."""
        return f"pay:{self.payment_id}:{operation}"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """`refund_id` is our own row's: two refunds of the same amount differ in it."""

    refund_id: UUID
    amount: int
    currency: str
    reason: str = ""
    reference: str = ""
    """The gateway's id of the refund, once it has told one."""
    created_at: datetime | None = None
    """When it was decided: gateways forget keys after weeks."""

    @property
    def key(self) -> str:
        return f"refund:{self.refund_id}"


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What a gateway says of a refund. `refund_id` is ours where it keeps it for us; empty for one made at the gateway
    itself, which is booked by its `reference`."""

    reference: str
    outcome: RefundOutcome
    amount: int
    currency: str
    refund_id: str = ""
    error_code: ErrorCode | None = None
    gateway_code: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """A buyer's bank wants the money back. `amount` in minor units of `currency`."""

    reference: str
    state: DisputeState
    amount: int
    currency: str
    reason: str = ""
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChargeReport:
    """What a gateway says is true of a payment.

    `amount` and `currency` are what the payment is for, to be compared with ours. `payment_id` is our id as the gateway
    kept it. `merchant_account` is who got the money, compared with `PaymentGateway.merchant_account` unless empty.
    """

    reference: str
    payment_id: str
    state: ChargeState
    amount: int
    currency: str
    error_code: str = ""
    """A value of ErrorCode where it failed."""
    error_message: str = ""
    gateway_code: str = ""
    """The gateway's own word for the error."""
    amount_captured: int | None = None
    """None: all of `amount` once SUCCEEDED."""
    amount_refunded: int | None = None
    """None where the gateway does not tell."""
    capture_id: str = ""
    method: Method | None = None
    merchant_account: str = ""
    fee: int | None = None
    """What the gateway keeps, in minor units of `currency`."""
    held: bool = False
    """Paid, but the gateway doubts it (risk): staff are told, and decide."""
    refunds: tuple[RefundReport, ...] = ()
    disputes: tuple[DisputeReport, ...] = ()
    next_action: Mapping[str, str] | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    """Added to what is kept with the payment: never secrets."""
    excerpt: Mapping[str, Any] = field(default_factory=dict)
    """A few of the answer's own fields for people to look at: no secrets, no card data beyond the last four digits."""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A webhook as it came. Header names are in lower case; `query` is the address's, decoded."""

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    received_at: datetime | None = None
    """Signatures that hold for minutes are compared with this: a worker may look at a message long after it came."""


@dataclass(frozen=True, slots=True)
class GatewayMessage:
    """An authentic webhook. `event_id` counts once: derive one where the gateway has none (kind, object and state).

    It names its payment by `payment_id` (ours) or `reference` (the gateway's id of the payment, or of the money that it
    took). With a `report`, that is believed; without one the
    gateway is asked (`verify`), which is the rule where messages may be old. One that names no payment tells nothing.
    """

    event_id: str
    report: ChargeReport | None = None
    payment_id: str = ""
    reference: str = ""
    kind: str = ""
    """The gateway's name for the event, for people."""
    data: Mapping[str, str] = field(default_factory=dict)
    """For `verify`, as `read_return` gives it."""


class PaymentGateway(Protocol):
    """One account at one gateway: `GATEWAY` of its module is made with an `Account`, once a process."""

    id: str
    name: str
    account: Account
    capabilities: Capabilities
    merchant_account: str
    """Who gets the money, as its reports name it; empty where they do not."""

    def start(self, request: StartRequest) -> Started:
        """Begin a payment. Raises GatewayUnavailable, GatewayRefused (then the payment FAILED)."""
        ...

    def verify(self, payment: PaymentRef) -> ChargeReport | None:
        """What is true now; None when it knows no such payment. Raises GatewayUnavailable."""
        ...

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        """Take what was approved or authorized. Asked again after a lost answer, it must not take twice: use
        `payment.key("capture")`, or look first. Raises GatewayUnavailable, GatewayRefused."""
        ...

    def cancel(self, payment: PaymentRef) -> ChargeReport:
        """End an open payment or give up an authorization. Raises GatewayUnavailable, GatewayRefused."""
        ...

    def refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        """Give money back, once for each `refund.key`. Raises GatewayUnavailable, RefundRefused."""
        ...

    def find_refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        """What became of a refund; None when it was surely never made. Raises GatewayUnavailable, also where the
        gateway cannot tell: then it is never repeated, and people are told in the end."""
        ...

    def read_return(self, payment: PaymentRef, sent: Mapping[str, str]) -> Mapping[str, str]:
        """What of a returning buyer's query or form `verify` can use. Nothing of it is believed; the rest is not kept.
        Unusable input is left out, never an error."""
        ...

    def parse_webhook(self, message: IncomingMessage) -> GatewayMessage:
        """Authenticate a raw message and read it. Raises SignatureInvalid; GatewayUnavailable if checked later."""
        ...

    def read_webhook(self, message: IncomingMessage) -> GatewayMessage:
        """Read a message that was authenticated when it came. Raises SignatureInvalid when it is not one."""
        ...
