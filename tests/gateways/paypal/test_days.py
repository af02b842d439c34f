"""PayPal's Transaction Search: which rows count, how pages and days are read, what tells nothing."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.paypal.api import Refusal
from backend.payments.gateways.paypal.days import report_days

OURS = str(UUID(int=7))
DAY = date(2026, 1, 15)


class Search:
    """Answers with its pages, and keeps what it was asked."""

    def __init__(self, *pages: Any) -> None:
        self.pages, self.asked = pages, list[dict[str, str]]()

    def get(self, path: str) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        self.asked.append(query)
        told = self.pages[int(query["page"]) - 1]
        if isinstance(told, Exception):
            raise told
        return told


def row(code: str = "T0006", value: str = "10.50", status: str = "S", currency: str = "USD", **more: Any) -> Any:
    info = {
        "transaction_id": "CAP1",
        "transaction_event_code": code,
        "transaction_initiation_date": "2026-01-15T10:20:30+0200",
        "transaction_amount": {"currency_code": currency, "value": value},
        "transaction_status": status,
        "custom_field": OURS,
        **more,
    }
    return {"transaction_info": info}


def lines(*rows: Any) -> list[Any]:
    api: Any = Search({"transaction_details": list(rows), "total_pages": 1})
    return list(report_days(api, DAY, DAY))


def test_a_capture_and_a_refund_are_read_in_minor_units_and_utc() -> None:
    made, back = lines(row(), row("T1107", "-3.00", transaction_id="REF1", custom_field=f"{OURS}.{UUID(int=8)}"))
    assert (made.kind, made.gateway_id, made.amount, made.currency, made.payment_id) == (
        "CAPTURE", "CAP1", 1050, "USD", OURS,
    )  # fmt: skip
    assert made.at.isoformat() == "2026-01-15T08:20:30+00:00"
    assert (back.kind, back.gateway_id, back.amount) == ("REFUND", "REF1", 300)


def test_whole_units_are_whole() -> None:
    assert [each.amount for each in lines(row(value="1050", currency="JPY"))] == [1050]


@pytest.mark.parametrize(
    "other",
    [
        row("T0400", "-50.00"),
        row("T0006", "-10.00"),
        row("T1107", "3.00"),
        row("T1106", "-10.50"),
        row(status="P"),
        row(status="D"),
        row(custom_field="another shop's"),
        row(custom_field=None),
    ],
    ids=["withdrawal", "paid by us", "a refund to us", "reversal", "pending", "denied", "another's", "nobody's"],
)
def test_what_is_no_money_of_ours_is_left_out(other: Any) -> None:
    assert lines(other) == []


def test_a_payment_that_went_back_in_full_was_taken_still() -> None:
    assert [each.kind for each in lines(row(status="V"))] == ["CAPTURE"]


def test_every_page_of_every_day_is_read() -> None:
    pages = [{"transaction_details": [row(transaction_id=f"CAP{page}")], "total_pages": 2} for page in (1, 2)]
    api: Any = Search(*pages)
    found = [each.gateway_id for each in report_days(api, date(2026, 1, 31), date(2026, 2, 1))]
    assert found == ["CAP1", "CAP2"] * 2
    assert [(each["start_date"], each["end_date"], each["page"]) for each in api.asked] == [
        (f"{day}T00:00:00Z", f"{day}T23:59:59Z", page) for day in ("2026-01-31", "2026-02-01") for page in ("1", "2")
    ]


def test_an_empty_day_has_no_list() -> None:
    api: Any = Search({"total_pages": 0})
    assert list(report_days(api, DAY, DAY)) == []


@pytest.mark.parametrize(
    "told",
    [
        {"transaction_details": [{}], "total_pages": 1},
        {"transaction_details": [row(transaction_initiation_date="soon")], "total_pages": 1},
        {"transaction_details": [row(value="ten")], "total_pages": 1},
        {"transaction_details": 5, "total_pages": 1},
        {"transaction_details": [], "total_pages": "many"},
        {"transaction_details": [], "total_pages": 21},
        Refusal(403, {"name": "NOT_AUTHORIZED"}),
    ],
)
def test_what_cannot_be_read_is_no_report(told: Any) -> None:
    api: Any = Search(told)
    with pytest.raises(GatewayUnavailable):
        list(report_days(api, DAY, DAY))
