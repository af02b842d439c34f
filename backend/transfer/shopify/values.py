"""What the cells of a Shopify export mean. Each function raises BadValue for what cannot be meant."""

import re
from decimal import Decimal
from urllib.parse import urlsplit

from backend.catalog.models import ProductStatus, StockPolicy
from backend.core.errors import Invalid
from backend.core.money import exponent, parse_minor, round_minor
from backend.transfer.errors import BadValue

MAX_WHOLE = 2**31 - 1
MAX_URL = 2000
_SPACES = "\u00a0\u202f\u2009 "
# Group marks are commas, spaces or apostrophes where the point is the decimal mark, and points or spaces where
# the comma is. A comma before exactly three digits is always a group mark: Shopify writes a decimal point.
_POINT = re.compile(r"(?:\d+|\d{1,3}(?:(?P<group>[, '])\d{3})(?:(?P=group)\d{3})*)(?:\.\d+)?", re.ASCII)
_COMMA = re.compile(r"(?:\d+|\d{1,3}(?:(?P<group>[. ])\d{3})(?:(?P=group)\d{3})*),\d{1,2}", re.ASCII)
_YES = frozenset({"true", "yes", "1", "t", "y"})
_NO = frozenset({"false", "no", "0", "f", "n"})
_STATUSES = {
    "active": ProductStatus.ACTIVE,
    "draft": ProductStatus.DRAFT,
    "archived": ProductStatus.ARCHIVED,
    "unlisted": ProductStatus.DRAFT,
}
_POLICIES = {"deny": StockPolicy.DENY, "continue": StockPolicy.BACKORDER}


def price(cell: str, currency: str) -> int:
    """Minor units. "1,299.00", "1 299,00" and "1299" are the same price; "1,299" too, unless it has three digits."""
    amount = _decimal(cell, decimals=exponent(currency))
    try:
        return parse_minor(amount, currency)
    except Invalid as error:
        raise BadValue(f"{cell!r} is not a price: {error.message}") from error


def quantity(cell: str) -> int:
    """Units in stock. Shopify counts below zero what is owed to buyers: that is none in stock."""
    sign, digits = (-1, cell[1:]) if cell.startswith("-") else (1, cell)
    return max(0, sign * _whole(digits, cell))


def grams(cell: str) -> int:
    value = _decimal(cell, decimals=0)
    if value > MAX_WHOLE:
        raise BadValue(f"{cell!r} is too much.")
    return round_minor(value)


def position(cell: str) -> int:
    return _whole(cell, cell)


def boolean(cell: str) -> bool:
    if cell.lower() in _YES | _NO:
        return cell.lower() in _YES
    raise BadValue(f"{cell!r} is neither true nor false.")


def status(cell: str) -> str:
    try:
        return _STATUSES[cell.lower()]
    except KeyError:
        raise BadValue(f"{cell!r} is not a status; those are active, draft and archived.") from None


def stock_policy(cell: str) -> str:
    try:
        return _POLICIES[cell.lower()]
    except KeyError:
        raise BadValue(f"{cell!r} is not a policy; those are deny and continue.") from None


def tags(cell: str) -> list[str]:
    """The tags of a comma-separated list, each once, in their order."""
    return list(dict.fromkeys(" ".join(tag.split()) for tag in cell.split(",") if tag.strip()))


def category_names(cell: str) -> list[str]:
    """The names of "Home > Lamps", from the root down. A bare number is a taxonomy's id, which names nothing."""
    return [] if cell.isdigit() else [name.strip() for name in cell.split(">") if name.strip()]


def url(cell: str) -> str:
    address = (f"https:{cell}" if cell.startswith("//") else cell).replace(" ", "%20")
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or len(address) > MAX_URL:
        raise BadValue(f"{cell[:100]!r} is not the web address of an image.")
    return address


def identifier(cell: str) -> str:
    """A SKU or barcode: the apostrophe that keeps spreadsheets from reading a number is not part of it."""
    return cell.removeprefix("'").strip()


def _decimal(cell: str, *, decimals: int) -> Decimal:
    text = cell
    for space in _SPACES:
        text = text.replace(space, " ")
    if _POINT.fullmatch(text):
        if decimals >= 3 and re.fullmatch(r"\d{1,3},\d{3}", text):
            raise BadValue(f"{cell!r} can be read in two ways; write it with a point before the decimals.")
        return Decimal(re.sub(r"[, ']", "", text))
    if _COMMA.fullmatch(text):
        return Decimal(re.sub(r"[. ]", "", text).replace(",", "."))
    raise BadValue(f"{cell!r} is not a number.")


def _whole(digits: str, cell: str) -> int:
    value = _decimal(digits, decimals=0)
    if value != value.to_integral_value() or value > MAX_WHOLE:
        raise BadValue(f"{cell!r} is not a whole number up to {MAX_WHOLE}.")
    return int(value)
