"""Stripe's own report of days: what moved the account's balance."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from backend.payments.gateways.optional import ReportLine
from backend.payments.gateways.stripe.amounts import from_stripe
from backend.payments.gateways.stripe.client import PAGE, Client, understood, unless_refused

CAPTURES = ("charge", "payment")
REFUNDS = ("refund", "payment_refund")


def report_days(client: Client, first: date, last: date) -> list[ReportLine]:
    """Every movement of these days, both included, in UTC, as `ReportsDays` says.

    The balance may be kept in another currency: amounts are those of the charges, refunds and disputes themselves.
    """
    begin = int(datetime.combine(first, time(), UTC).timestamp())
    end = int(datetime.combine(last + timedelta(days=1), time(), UTC).timestamp())
    with unless_refused():
        rows = client.all(
            lambda v1: v1.balance_transactions.list(
                {"created": {"gte": begin, "lt": end}, "limit": PAGE, "expand": ["data.source"]}
            )
        )
    with understood():
        return [line for row in rows for line in _lines(row)]


def _lines(row: Mapping[str, Any]) -> Iterator[ReportLine]:
    source = row.get("source")
    if not isinstance(source, Mapping):
        return
    at = datetime.fromtimestamp(row["created"], UTC)
    currency = str(source.get("currency", "")).upper()
    metadata = source.get("metadata") or {}
    payment_id = str(metadata.get("payment_id", ""))
    if row["type"] in CAPTURES:
        intent = source.get("payment_intent") or source["id"]
        amount = from_stripe(source["amount_captured"], currency)
        yield ReportLine("CAPTURE", str(intent), amount, currency, at, payment_id)
        if row["fee"] and str(row["currency"]).upper() == currency:
            yield ReportLine("FEE", str(intent), from_stripe(row["fee"], currency), currency, at, payment_id)
    elif row["type"] in REFUNDS:
        amount = from_stripe(source["amount"], currency)
        yield ReportLine("REFUND", str(source["id"]), amount, currency, at, payment_id)
    elif source.get("object") == "dispute" and row["amount"] < 0:
        amount = from_stripe(source["amount"], currency)
        yield ReportLine("CHARGEBACK", str(source["id"]), amount, currency, at, payment_id)
