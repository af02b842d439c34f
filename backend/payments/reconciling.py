"""Our ledger beside a gateway's own report: what one has and the other has not, and what differs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import cast

from backend.core.errors import Invalid
from backend.core.money import Money
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.optional import ReportLine, ReportsDays
from backend.payments.models import PaymentTransaction, TransactionKind

COMPARED = (TransactionKind.CAPTURE, TransactionKind.REFUND, TransactionKind.CHARGEBACK)
MARGIN = timedelta(days=1)
"""Gateways and we write movements down at other moments: one near midnight is looked for on the days beside."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    kind: str
    gateway_id: str
    ours: str = ""
    theirs: str = ""


def reconcile(*, gateway_id: str, first: date, last: date, account: str = DEFAULT) -> list[Difference]:
    """What differs in these days (UTC, both included), by kind and the gateway's ids. Asks the gateway: no transaction.

    Raises GatewayNotOffered, Invalid for a gateway without reports, GatewayUnavailable.
    """
    gateway = registry.get(gateway_id, account)
    if not gateway.capabilities.reports:
        raise Invalid(f"{gateway.name} has no reports to compare with.")
    if last < first:
        raise Invalid("The days end before they begin.")
    day = timedelta(days=1)
    told = list(cast(ReportsDays, gateway).report_days(first - day, last + day))
    begin = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC) + day
    ours = list(
        PaymentTransaction.objects.filter(
            payment__gateway=gateway_id,
            payment__account=account,
            kind__in=COMPARED,
            created_at__gte=begin - MARGIN,
            created_at__lt=end + MARGIN,
        ).order_by("created_at", "pk")
    )
    return list(_differences(ours, told, begin, end))


def _differences(
    ours: Iterable[PaymentTransaction], told: Iterable[ReportLine], begin: datetime, end: datetime
) -> Iterator[Difference]:
    theirs: dict[Key, ReportLine] = {(line.kind, line.gateway_id): line for line in told if line.kind in COMPARED}
    known: set[Key] = set()
    for row in ours:
        key = (row.kind, row.gateway_id)
        known.add(key)
        line = theirs.get(key)
        have = _written(row.amount, row.currency)
        if line is None:
            if begin <= row.created_at < end:
                yield Difference("missing at the gateway", row.kind, row.gateway_id, ours=have)
        elif (line.amount, line.currency) != (row.amount, row.currency):
            said = _written(line.amount, line.currency)
            yield Difference("another amount", row.kind, row.gateway_id, ours=have, theirs=said)
    for key, line in theirs.items():
        if key not in known and begin <= line.at < end:
            said = _written(line.amount, line.currency)
            yield Difference("missing in our ledger", line.kind, line.gateway_id, theirs=said)


def _written(amount: int, currency: str) -> str:
    return f"{Money(amount, currency).amount} {currency}"
