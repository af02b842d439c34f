"""What some gateways can besides: a gateway that says so in its capabilities has these methods too."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from backend.payments.gateways.base import ChargeReport, Method, PaymentRef


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One movement in a gateway's own report. `kind` is CAPTURE, REFUND, FEE or CHARGEBACK; `gateway_id` is what
    our ledger has for it."""

    kind: str
    gateway_id: str
    amount: int
    currency: str
    at: datetime
    payment_id: str = ""


class ReportsDays(Protocol):
    reported: frozenset[str]
    """The kinds of movements that its report has under the ids that our ledger has."""

    def report_days(self, first: date, last: date) -> Iterable[ReportLine]:
        """Every movement of these days, both included, in UTC. Raises GatewayUnavailable."""
        ...


class Looks(Protocol):
    def look(self, payment: PaymentRef) -> ChargeReport | None:
        """What is true of a payment, as far as it is told without taking anything. Raises GatewayUnavailable."""
        ...


class ListsUnclaimed(Protocol):
    def unclaimed(self) -> list[str]:
        """References of the latest payments that buyers made and that nobody has taken. Raises GatewayUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A way to pay that a gateway keeps for a customer."""

    id: str
    method: Method
    label: str
    """For people: "Visa •••• 4242"."""
    expires: str = ""
    """YYYY-MM."""


class SavesMethods(Protocol):
    def create_customer(self, *, key: str, email: str, name: str) -> str:
        """The gateway's id for a customer of ours; the same key gives the same."""
        ...

    def begin_saving(self, customer: str, *, key: str) -> Mapping[str, str]:
        """What the browser needs to save a method without paying: a `next_action`."""
        ...

    def saved_methods(self, customer: str) -> list[SavedMethod]: ...

    def forget_method(self, customer: str, method_id: str) -> bool:
        """Whether it was the customer's, and is gone."""
        ...


class Verdict(Enum):
    GOOD = "ok"
    DOUBTED = "look"
    """It works, and a person should look whether it is meant so."""
    BAD = "FAILED"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about an account. `said` is for people: never secrets."""

    what: str
    said: str
    verdict: Verdict = Verdict.GOOD


class ChecksItself(Protocol):
    def is_live(self) -> bool:
        """Whether the account moves real money; also where that cannot be told. Asks nobody."""
        ...

    def check(self) -> Iterator[Finding]:
        """Ask the gateway whether it knows the account, and compare what it tells with the settings. Changes nothing.

        Raises GatewayUnavailable, and GatewayRefused where the account is at fault.
        """
        ...
