"""Currencies, languages and countries as enums, named and described from Unicode CLDR (by Babel)."""

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry
from babel.core import Locale, get_global

from backend.core.addresses import COUNTRIES

_ENGLISH = Locale("en")


def _enum(name: str, members: dict[str, tuple[str, str]], description: str) -> Any:
    """An enum of GraphQL name -> (value, description)."""
    values = {key: strawberry.enum_value(value, description=text) for key, (value, text) in members.items()}
    enum = Enum(name, values)  # type: ignore[misc]
    enum.__module__ = __name__
    return strawberry.enum(enum, description=description)


def _currencies() -> dict[str, tuple[str, str]]:
    """ISO 4217 codes that are legal tender somewhere today."""
    today = date.today()
    current: set[str] = set()
    for spans in get_global("territory_currencies").values():
        for code, start, end, tender in spans:
            begun = start is None or date(*start) <= today
            if tender and begun and (end is None or date(*end) >= today):
                current.add(code)
    return {code: (code, _ENGLISH.currencies[code]) for code in sorted(current) if code in _ENGLISH.currencies}


def _languages() -> dict[str, tuple[str, str]]:
    codes = sorted(code for code in map(str, _ENGLISH.languages) if len(code) == 2)
    return {code.upper(): (code, _ENGLISH.languages[code]) for code in codes}


def _countries() -> dict[str, tuple[str, str]]:
    return {code: (code, _ENGLISH.territories[code]) for code in sorted(COUNTRIES)}


if TYPE_CHECKING:

    class CurrencyCode(Enum):
        USD = "USD"

    class LanguageCode(Enum):
        EN = "en"

    class CountryCode(Enum):
        US = "US"
else:
    CurrencyCode = _enum("CurrencyCode", _currencies(), "A currency, by its ISO 4217 code.")
    LanguageCode = _enum("LanguageCode", _languages(), "A language, by its ISO 639-1 code.")
    CountryCode = _enum("CountryCode", _countries(), "A country or territory, by its ISO 3166 alpha-2 code.")


def describe_enum(enum: Any, descriptions: dict[str, str]) -> None:
    """Describe the values of an enum that `strawberry.enum` has taken from elsewhere."""
    for value in enum.__strawberry_definition__.values:
        value.description = descriptions[value.name]
