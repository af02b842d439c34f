"""Our ledger beside a gateway's own report: what one has and the other has not, and what differs.

A gateway without reports is asked about each payment of those days; money that it took for a payment that we have not
even recorded is not found that way.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import cast

from django.db.models import Q

from backend.core.errors import Invalid
from backend.payments.comparing import ANOTHER, MISSING_HERE, MISSING_THERE, Difference, differences_of, written
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.base import PaymentGateway
from backend.payments.gateways.optional import ReportLine, ReportsDays
from backend.payments.models import Payment, PaymentTransaction

MARGIN = timedelta(days=1)
"""Gateways and we write movements down at other moments: one near midnight is looked for on the days beside."""
Key = tuple[str, str]


def reconcile(*, gateway_id: str, first: date, last: date, account: str = DEFAULT) -> list[Difference]:
    """What differs in these days (UTC, both included), by kind and the gateway's ids. Asks the gateway: no transaction.

    Raises GatewayNotOffered, Invalid, GatewayUnavailable.
    """
    gateway = registry.get(gateway_id, account)
    if last < first:
        raise Invalid("The days end before they begin.")
    day = timedelta(days=1)
    begin = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC) + day
    if not gateway.capabilities.reports:
        return [each for payment in _payments(gateway, begin, end) for each in differences_of(payment)]
    reporting = cast(ReportsDays, gateway)
    told = list(reporting.report_days(first - day, last + day))
    ours = list(
        PaymentTransaction.objects.filter(
            payment__gateway=gateway_id,
            payment__account=account,
            kind__in=reporting.reported,
            created_at__gte=begin - MARGIN,
            created_at__lt=end + MARGIN,
        ).order_by("created_at", "pk")
    )
    return list(_differences(ours, [line for line in told if line.kind in reporting.reported], begin, end))


def _differences(
    ours: Iterable[PaymentTransaction], told: Iterable[ReportLine], begin: datetime, end: datetime
) -> Iterator[Difference]:
    theirs: dict[Key, ReportLine] = {(line.kind, line.gateway_id): line for line in told}
    known: set[Key] = set()
    for row in ours:
        key = (row.kind, row.gateway_id)
        known.add(key)
        line = theirs.get(key)
        have = written(row.amount, row.currency)
        if line is None:
            if begin <= row.created_at < end:
                yield Difference(MISSING_THERE, row.kind, row.gateway_id, ours=have)
        elif (line.amount, line.currency) != (row.amount, row.currency):
            said = written(line.amount, line.currency)
            yield Difference(ANOTHER, row.kind, row.gateway_id, ours=have, theirs=said)
    for key, line in theirs.items():
        if key not in known and begin <= line.at < end:
            said = written(line.amount, line.currency)
            yield Difference(MISSING_HERE, line.kind, line.gateway_id, theirs=said)


def _payments(gateway: PaymentGateway, begin: datetime, end: datetime) -> Iterable[Payment]:
    """Begun in these days, or whose money moved then."""
    moved = PaymentTransaction.objects.filter(created_at__gte=begin, created_at__lt=end).values("payment_id")
    theirs = Payment.objects.filter(gateway=gateway.id, account=gateway.account.name)
    return theirs.filter(Q(created_at__gte=begin, created_at__lt=end) | Q(pk__in=moved)).order_by("created_at", "pk")
