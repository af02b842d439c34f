"""Money: integer minor units and an ISO 4217 code. No float touches a price."""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import NamedTuple

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision

from backend.core.errors import Invalid

# Ten billion units of a two-digit currency: far above any order, far below the column's limit.
MAX_MINOR = 10**12


class Money(NamedTuple):
    """An amount in the currency's minor units (cents for USD, whole yen for JPY, fils for KWD)."""

    minor: int
    currency: str

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the currency's digits."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @property
    def amount(self) -> str:
        """The decimal string of the API: "12.50", "1250" for JPY."""
        return amount_of(self.minor, self.currency)

    def format(self, language: str) -> str:
        """How people of that language write it: "$12.50", "12,50 €"."""
        return format_minor(self.minor, self.currency, language)


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """How many digits the currency has after the point (CLDR: USD 2, JPY 0, KWD 3)."""
    return get_currency_precision(currency)


@lru_cache(maxsize=50_000)
def amount_of(minor: int, currency: str) -> str:
    return amount_text(minor, exponent(currency))


def amount_text(minor: int, digits: int) -> str:
    if digits == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    text = str(abs(minor)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


@lru_cache(maxsize=50_000)
def format_minor(minor: int, currency: str, language: str) -> str:
    amount = Decimal(minor).scaleb(-exponent(currency))
    return format_currency(amount, currency, locale=locale(language))


@lru_cache(maxsize=256)
def locale(language: str) -> Locale:
    return Locale.parse(language)


def parse_minor(amount: Decimal, currency: str, *, field: tuple[str, ...] = ("amount",)) -> int:
    """The minor units of a client's decimal amount.

    Raises Invalid for negative, endless or huge numbers and for more digits than the currency has.
    """
    if not amount.is_finite() or amount < 0:
        raise Invalid("An amount is a number of zero or more.", field=field)
    digits = exponent(currency)
    if amount > Decimal(MAX_MINOR):
        raise Invalid("This amount is too large.", field=field)
    scaled = amount.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise Invalid(f"{currency} amounts have at most {digits} decimal digits.", field=field)
    if scaled > MAX_MINOR:
        raise Invalid("This amount is too large.", field=field)
    return int(scaled)


def round_minor(value: Decimal) -> int:
    """The one rounding of the shop: half to even, to whole minor units."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
