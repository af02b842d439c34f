"""Postal addresses as carts and orders keep them: snapshots, never links to a row that may change."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from babel.core import Locale

from backend.core.errors import DomainError, Invalid, Required, refuse

MAX_LENGTH = 200
REQUIRED = ("first_name", "last_name", "line1", "city", "country")
# CLDR's territories are countries and also unions, islands and exclaves of countries, and codes for tests.
_NOT_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
COUNTRIES = frozenset(
    code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()
).difference(_NOT_COUNTRIES)
"""ISO 3166 alpha-2 codes, and XK, by which post and carriers call Kosovo."""


@dataclass(frozen=True, slots=True)
class Address:
    """`country` is ISO 3166 alpha-2. Empty strings stand for what was not given."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


NAMES = tuple(field.name for field in fields(Address))


def from_json(value: Mapping[str, str] | None) -> Address | None:
    return None if value is None else Address(**{name: value.get(name, "") for name in NAMES})


def clean(address: Address, *, field: str) -> Address:
    """Trim and check an address that a client sent. Raises Required and Invalid naming every part at fault."""
    trimmed = {name: value.strip() for name, value in asdict(address).items()}
    trimmed["country"] = trimmed["country"].upper()
    refuse(
        [fault for name, value in trimmed.items() if (fault := _fault(name, value, [field, camel(name)])) is not None]
    )
    return Address(**trimmed)


def _fault(name: str, value: str, path: list[str]) -> DomainError | None:
    if not value:
        return Required(field=path) if name in REQUIRED else None
    if len(value) > MAX_LENGTH:
        return Invalid(f"At most {MAX_LENGTH} characters.", field=path)
    if any(ord(character) < 32 for character in value):
        return Invalid("Control characters are not part of an address.", field=path)
    if name == "country" and value not in COUNTRIES:
        return Invalid("Not an ISO 3166 alpha-2 country code.", field=path)
    return None


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
