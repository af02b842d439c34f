"""PayPal's own report of days: Transaction Search, which the app has to be allowed in the dashboard.

It lags behind by three hours at most. An account may be used for other things: what does not name a payment of ours
in its custom field is left out.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from backend.payments.gateways.amounts import to_minor
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.optional import ReportLine
from backend.payments.gateways.paypal.api import Api, Refusal
from backend.payments.gateways.paypal.reading import our_ids, sensible

PAGE = 500
MOST_PAGES = 20
"""It lists no more than ten thousand rows."""
TAKEN = ("S", "V")
"""Made, or made and given back in full since. Others are pending or denied."""
PAYMENTS, REFUND = "T00", "T1107"


def report_days(api: Api, first: date, last: date) -> Iterator[ReportLine]:
    """Day after day: a month is the most that PayPal takes, and a day never has too many rows."""
    for number in range((last - first).days + 1):
        yield from _day(api, first + timedelta(days=number))


def _day(api: Api, day: date) -> Iterator[ReportLine]:
    page, pages = 1, 1
    while page <= pages:
        lines, pages = _read(_ask(api, day, page))
        if pages > MOST_PAGES:
            raise GatewayUnavailable("PayPal has more movements of one day than it lists")
        yield from lines
        page += 1


def _read(told: Mapping[str, Any]) -> tuple[list[ReportLine], int]:
    """A page's lines, and how many pages there are."""
    rows = told.get("transaction_details") or []
    return sensible(lambda: ([line for row in rows for line in _lines(row)], int(told.get("total_pages") or 0)))


def _ask(api: Api, day: date, page: int) -> dict[str, Any]:
    wanted = {
        "start_date": f"{day}T00:00:00Z",
        "end_date": f"{day}T23:59:59Z",
        "fields": "transaction_info",
        "page_size": PAGE,
        "page": page,
    }
    try:
        found: dict[str, Any] = api.get(f"/v1/reporting/transactions?{urlencode(wanted)}")
    except Refusal as error:
        raise GatewayUnavailable(f"{error}. Is Transaction Search allowed to the app?") from None
    return found


def _lines(row: Mapping[str, Any]) -> Iterator[ReportLine]:
    info = row["transaction_info"]
    code, money = str(info["transaction_event_code"]), info["transaction_amount"]
    if info["transaction_status"] not in TAKEN:
        return
    given = str(money["value"])
    comes = not given.startswith("-")
    kind = "CAPTURE" if code.startswith(PAYMENTS) and comes else "REFUND" if code == REFUND and not comes else ""
    payment_id, _ = our_ids(info.get("custom_field"))
    if not kind or not payment_id:
        return
    currency = str(money["currency_code"])
    yield ReportLine(
        kind=kind,
        gateway_id=str(info["transaction_id"]),
        amount=to_minor(given.removeprefix("-"), currency),
        currency=currency,
        at=datetime.fromisoformat(str(info["transaction_initiation_date"])).astimezone(UTC),
        payment_id=payment_id,
    )
