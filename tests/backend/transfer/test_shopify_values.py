"""Cells of a Shopify export, as people and spreadsheets write them."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.transfer.errors import BadValue
from backend.transfer.shopify import values


@pytest.mark.parametrize(
    ("cell", "minor"),
    [
        ("10", 1000),
        ("0", 0),
        ("9.9", 990),
        ("9.990", 999),
        ("1,299.00", 129900),
        ("1,299", 129900),
        ("12,345,678.90", 1234567890),
        ("1 299.00", 129900),
        ("1\u00a0299,00", 129900),
        ("1'299.00", 129900),
        ("1.299,00", 129900),
        ("12,50", 1250),
        ("1299,5", 129950),
    ],
)
def test_prices_are_read_with_their_group_marks(cell: str, minor: int) -> None:
    assert values.price(cell, "USD") == minor


@pytest.mark.parametrize(
    "cell",
    [
        "abc",
        "12,5,0",
        "1.2.3",
        "-5",
        "1e3",
        "NaN",
        "$5",
        "5 USD",
        "1,2345.00",
        "9.999",
        "1.299",
        "٣",
        "9" * 20,
        "12 50",
        "",
    ],
)
def test_rubbish_is_not_a_price(cell: str) -> None:
    with pytest.raises(BadValue):
        values.price(cell, "USD")


def test_digits_of_the_currency_decide() -> None:
    assert values.price("1,299", "JPY") == 1299
    assert values.price("1.299", "KWD") == 1299
    with pytest.raises(BadValue):
        values.price("12.50", "JPY")
    with pytest.raises(BadValue, match="two ways"):
        values.price("1,299", "KWD")


@pytest.mark.parametrize(
    ("parse", "cell", "value"),
    [
        (values.quantity, "12", 12),
        (values.quantity, "12.0", 12),
        (values.quantity, "1,200", 1200),
        (values.quantity, "-3", 0),
        (values.grams, "499.5", 500),
        (values.boolean, "TRUE", True),
        (values.boolean, "no", False),
        (values.status, "Archived", "ARCHIVED"),
        (values.stock_policy, "continue", "BACKORDER"),
        (values.tags, "a, b,,a ,  c  d ", ["a", "b", "c d"]),
        (values.category_names, "Home & Garden > Lamps >", ["Home & Garden", "Lamps"]),
        (values.category_names, "2271", []),
        (values.url, "//cdn.example/a b.jpg", "https://cdn.example/a%20b.jpg"),
        (values.identifier, "'0123456789012", "0123456789012"),
    ],
)
def test_cells_are_understood(parse: Callable[[str], Any], cell: str, value: Any) -> None:
    assert parse(cell) == value


@pytest.mark.parametrize(
    ("parse", "cell"),
    [
        (values.quantity, "many"),
        (values.quantity, "1.5"),
        (values.quantity, "99999999999"),
        (values.grams, "-1"),
        (values.grams, "99999999999"),
        (values.boolean, "perhaps"),
        (values.status, "sold"),
        (values.stock_policy, "sometimes"),
        (values.url, "javascript:alert(1)"),
        (values.url, "a.jpg"),
        (values.url, "https://"),
        (values.url, "http://[::1"),
        (values.url, "https://x.example/" + "a" * 2000),
    ],
)
def test_cells_that_cannot_be_meant_are_refused(parse: Callable[[str], Any], cell: str) -> None:
    with pytest.raises(BadValue):
        parse(cell)
