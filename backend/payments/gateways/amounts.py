"""Minor units to what gateways write, and back: exact, or an error."""

from decimal import Decimal

from backend.core.money import MAX_MINOR, exponent


def to_major(amount: int, currency: str, *, digits: int | None = None) -> str:
    """1050 USD -> "10.50". `digits` where the gateway writes the currency with more or fewer than ISO 4217.

    Raises ValueError for an amount that needs more digits than that.
    """
    ours = exponent(currency)
    wanted = ours if digits is None else digits
    value = Decimal(amount).scaleb(-ours)
    written = value.quantize(Decimal(1).scaleb(-wanted))
    if written != value:
        raise ValueError(f"{value} {currency} does not fit {wanted} digits")
    return f"{written:f}"


def to_minor(text: object, currency: str) -> int:
    """ "10.5" USD -> 1050. Raises ValueError for what is no amount, negative, or has a fraction of a minor unit."""
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        raise ValueError("not an amount")
    try:
        value = Decimal(text)
        if not value.is_finite() or not 0 <= value <= MAX_MINOR:
            raise ValueError("not an amount")
        minor = value.scaleb(exponent(currency))
        whole = int(minor)
    except (ArithmeticError, ValueError) as error:
        raise ValueError("not an amount") from error
    if minor != whole or whole < 0:
        raise ValueError("not an amount of whole minor units")
    return whole
