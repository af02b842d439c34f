"""Postal addresses as carts and orders keep them: snapshots, never links to a row that may change."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial

from babel.core import Locale

from backend.core import postal
from backend.core.errors import DomainError, Invalid, Required, refuse
from backend.core.plain_text import is_one_line
from backend.core.postal import Rules

MAX_LENGTH = 200
ALWAYS_REQUIRED = ("first_name", "last_name", "line1", "country")
REQUIRED = (*ALWAYS_REQUIRED, "city")
"""As long as the country is not known; each country then says which of city, region and postal code it needs."""
_MISSING = "missing"
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
    """An address that a client sent, as its country writes it: the only check for carts, orders and address books.

    Postal code, region and phone number come out in their usual form, and cleaning twice changes nothing. Raises
    Required and Invalid naming every part at fault.
    """
    parts = {name: value.strip() for name, value in asdict(address).items()}
    parts["country"] = parts["country"].upper()
    faults = {name: told for name, value in parts.items() if (told := _unreadable(name, value)) is not None}
    rules = postal.rules_of(parts["country"]) if parts["country"] in COUNTRIES else None
    if rules is not None:
        faults |= _fit(parts, rules, faults)
    for name in REQUIRED if rules is None else (*ALWAYS_REQUIRED, *rules.required):
        if not parts[name]:
            faults[name] = _MISSING
    at = {name: [field, camel(name)] for name in NAMES}
    refuse([_fault(faults[name], at[name]) for name in NAMES if name in faults])
    return Address(**parts)


def _unreadable(name: str, value: str) -> str | None:
    if len(value) > MAX_LENGTH:
        return f"At most {MAX_LENGTH} characters."
    if not is_one_line(value):
        return "Control characters are not part of an address."
    if name == "country" and value and value not in COUNTRIES:
        return "Not an ISO 3166 alpha-2 country code."
    return None


def _fit(parts: dict[str, str], rules: Rules, faults: Mapping[str, str]) -> dict[str, str]:
    """Bring what the country has rules for into its form, in place. Returns what does not fit, by part."""
    wrong: dict[str, str] = {}

    def fit(name: str, fitted: Callable[[str], str | None], message: str) -> None:
        if parts[name] and name not in faults:
            value = fitted(parts[name])
            parts[name] = parts[name] if value is None else value
            if value is None:
                wrong[name] = message

    country = parts["country"]
    example = f", such as {rules.example}" if rules.example else ""
    fit("postal_code", partial(postal.fit_postal_code, rules), f"Not a postal code of {country}{example}.")
    fit("region", partial(postal.fit_region, rules), f"Not a region of {country}.")
    fit("phone", lambda text: postal.fit_phone(text, country), "Not a phone number; begin it with + and its country.")
    if not (wrong.keys() | faults.keys()) & {"postal_code", "region", "city"}:
        _compare(parts, rules, wrong)
    return wrong


def _compare(parts: dict[str, str], rules: Rules, wrong: dict[str, str]) -> None:
    """Region and postal code of one address speak of the same place, or the one is told by the other."""
    if not parts["region"] and "region" in rules.required:
        parts["region"] = postal.find_region(rules, postal_code=parts["postal_code"], city=parts["city"])
    elif parts["postal_code"] and not postal.is_in_region(rules, parts["postal_code"], parts["region"]):
        wrong["postal_code"] = f"This postal code is not in {parts['region']}."


def _fault(told: str, path: list[str]) -> DomainError:
    return Required(field=path) if told is _MISSING else Invalid(told, field=path)


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
