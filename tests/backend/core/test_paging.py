"""What pages are asked for, and what cursors may say."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from backend.core.errors import Invalid
from backend.core.paging import MAX_SIZE, Ordering, PageRequest, SortKey, decode_cursor, page_request

NEWEST = Ordering("NEWEST", (SortKey("created_at", datetime),), descending=True)
RATING = Ordering("RATING", (SortKey("rating", Decimal),), descending=True)


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()


def test_last_wins_over_first() -> None:
    assert page_request(first=24, last=5, before="x") == PageRequest(size=5, before="x", backward=True)
    assert page_request(first=24, last=0) == PageRequest(size=0, backward=True)
    assert page_request(first=24, last=None) == PageRequest(size=24)


def test_sizes_default_and_are_capped() -> None:
    assert page_request() == PageRequest(size=20)
    assert page_request(first=MAX_SIZE).size == page_request(first=MAX_SIZE + 1).size == MAX_SIZE
    assert page_request(last=2**31 - 1) == PageRequest(size=MAX_SIZE, backward=True)


@pytest.mark.parametrize(("given", "field"), [({"first": -1}, "first"), ({"last": -1, "first": 5}, "last")])
def test_negative_sizes_are_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        page_request(**given)
    assert refused.value.field == [field]


def test_a_cursor_gives_the_sort_values_back() -> None:
    moment = "2025-03-03T09:00:00.000001+00:00"
    assert decode_cursor(NEWEST, cursor("NEWEST", moment, 7)) == [datetime.fromisoformat(moment), 7]
    assert decode_cursor(RATING, cursor("RATING", "4.50", 7)) == [Decimal("4.50"), 7]


@pytest.mark.parametrize(
    ("ordering", "value"),
    [
        (NEWEST, "2025-03-03T09:00:00"),
        (NEWEST, "2025-03-03"),
        (NEWEST, 1741000000),
        (NEWEST, None),
        (RATING, "NaN"),
        (RATING, "Infinity"),
        (RATING, "1e999999"),
        (RATING, "1e-999999"),
        (RATING, "1" * 1000),
        (RATING, [1]),
        (RATING, "four"),
    ],
)
def test_a_cursor_with_values_that_no_row_has_is_refused(ordering: Ordering, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        decode_cursor(ordering, cursor(ordering.name, value, 7), field="before")
    assert refused.value.field == ["before"]


@pytest.mark.parametrize("values", [("NEWEST",), ("NEWEST", "2025-03-03T09:00:00+00:00"), ("OTHER", "x", 7), ()])
def test_a_cursor_of_another_list_is_refused(values: tuple[Any, ...]) -> None:
    with pytest.raises(Invalid):
        decode_cursor(NEWEST, cursor(*values))
