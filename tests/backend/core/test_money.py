from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.errors import Invalid
from backend.core.money import MAX_MINOR, Money, parse_minor, round_minor


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [(1250, "USD", "12.50"), (5, "USD", "0.05"), (0, "EUR", "0.00"), (1250, "JPY", "1250"), (1, "KWD", "0.001")],
)
def test_amount_has_exactly_the_digits_of_the_currency(minor: int, currency: str, amount: str) -> None:
    assert Money(minor, currency).amount == amount


@given(st.integers(0, MAX_MINOR // 1000), st.sampled_from(["USD", "JPY", "KWD"]))
def test_an_amount_read_back_is_the_same_money(minor: int, currency: str) -> None:
    assert parse_minor(Decimal(Money(minor, currency).amount), currency) == minor


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "0.001", "1e30", "-0.01"])
def test_hostile_amounts_are_refused(amount: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_minor(Decimal(amount), "USD")
    assert refusal.value.field == ["amount"]


def test_money_is_written_as_the_language_writes_it() -> None:
    assert Money(123450, "USD").format("en") == "$1,234.50"
    assert Money(123450, "EUR").format("de") == "1.234,50\xa0€"


def test_rounding_is_half_to_even() -> None:
    assert [round_minor(Decimal(value)) for value in ("0.5", "1.5", "2.5", "2.51")] == [0, 2, 2, 3]
