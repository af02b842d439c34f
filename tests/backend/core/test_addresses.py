"""Where things can be sent."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core import postal
from backend.core.addresses import COUNTRIES, Address, clean
from backend.core.errors import DomainError


def test_countries_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(COUNTRIES) == 249 + 1
    assert {"US", "DE", "JP", "XK", "GB"} <= COUNTRIES
    assert not {"EU", "UN", "XX", "ZZ", "AC", "EA", "IC", "TA", "UK"} & COUNTRIES


US = Address(first_name="Ada", last_name="Byron", line1="1 Main St", city="Springfield", region="IL", country="US")


def cleaned(address: Address = US, **parts: str) -> Address:
    return clean(replace(address, **{"postal_code": "62701", **parts}), field="address")


def faults(address: Address = US, **parts: str) -> list[tuple[str, ...]]:
    with pytest.raises(DomainError) as refusal:
        cleaned(address, **parts)
    return [(part.code, *part.field) for part in refusal.value.parts]


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("US", "62701-1234", "62701-1234"),
        ("GB", "sw1y  4jh", "SW1Y 4JH"),
        ("DE", "10115", "10115"),
        ("CA", "k1a 0b1", "K1A 0B1"),
        ("NL", "1012ab", "1012AB"),
        ("EG", "\N{ARABIC-INDIC DIGIT ONE}1511", "11511"),
        ("JP", "\N{FULLWIDTH DIGIT ONE}00-0001", "100-0001"),
        ("IE", "", ""),
        ("HK", "anything", "ANYTHING"),
    ],
)
def test_a_postal_code_is_kept_as_its_country_writes_it(country: str, typed: str, kept: str) -> None:
    region = {"US": "IL", "CA": "ON", "JP": "Tokyo", "HK": "Kowloon"}.get(country, "")
    assert cleaned(country=country, region=region, postal_code=typed).postal_code == kept


@pytest.mark.parametrize(
    ("country", "typed"),
    [("US", "627"), ("US", "627011"), ("GB", "62701"), ("GB", "GIR 0AAX"), ("DE", "1011"), ("NL", "0012AB")],
)
def test_a_postal_code_that_its_country_has_none_like_is_refused(country: str, typed: str) -> None:
    assert faults(country=country, region="", postal_code=typed)[-1] == ("INVALID", "address", "postalCode")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"country": "DE", "postal_code": ""}, [("REQUIRED", "address", "postalCode")]),
        ({"postal_code": "", "region": ""}, [("REQUIRED", "address", "region"), ("REQUIRED", "address", "postalCode")]),
        ({"country": "AE", "region": "", "postal_code": ""}, [("REQUIRED", "address", "region")]),
        ({"country": "DE", "city": "", "postal_code": "10115"}, [("REQUIRED", "address", "city")]),
        ({"region": "Atlantis"}, [("INVALID", "address", "region")]),
        ({"region": "NY"}, [("INVALID", "address", "postalCode")]),
    ],
)
def test_each_country_says_what_it_needs(parts: dict[str, str], expected: list[tuple[str, ...]]) -> None:
    assert faults(**parts) == expected


def test_a_city_that_is_a_country_needs_no_city() -> None:
    assert cleaned(country="SG", region="", city="", postal_code="018956").city == ""


@pytest.mark.parametrize(
    ("country", "region", "kept"),
    [("US", "illinois", "IL"), ("US", "il", "IL"), ("CA", "Québec", "QC"), ("DE", "Bayern", "Bayern")],
)
def test_a_region_is_kept_by_its_code_where_one_is_needed(country: str, region: str, kept: str) -> None:
    codes = {"US": "62701", "CA": "H2X 1Y4", "DE": "80331"}
    assert cleaned(country=country, region=region, postal_code=codes[country]).region == kept


def test_a_missing_region_is_told_by_the_postal_code_or_by_the_city() -> None:
    assert cleaned(region="").region == "IL"
    assert cleaned(country="AE", region="", city="Dubai", postal_code="").region == "Dubai"


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("US", "(415) 555-2671", "+14155552671"),
        ("GB", "020 7946 0018", "+442079460018"),
        ("US", "+44 20 7946 0018", "+442079460018"),
        ("US", "+1 415 555 2671 ext. 89", "+1 415-555-2671 ext. 89"),
        ("US", "", ""),
    ],
)
def test_a_phone_number_is_kept_as_it_is_dialled_from_everywhere(country: str, typed: str, kept: str) -> None:
    codes = {"US": "62701", "GB": "SW1Y 4JH"}
    region = "IL" if country == "US" else ""
    assert cleaned(country=country, region=region, postal_code=codes[country], phone=typed).phone == kept


@pytest.mark.parametrize("typed", ["1", "call me", "555-2671", "+1 415 555 2671 2671", "+999 123456789", "9" * 199])
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    assert faults(phone=typed) == [("INVALID", "address", "phone")]


def test_what_turns_a_line_around_is_no_part_of_an_address() -> None:
    assert faults(city="Spring\u202efield") == [("INVALID", "address", "city")]


def test_all_that_is_at_fault_is_told_at_once_in_the_order_of_the_parts() -> None:
    wrong = Address(first_name="x" * 201, city="\x00", region="Atlantis", postal_code="1", country="us", phone="0")
    with pytest.raises(DomainError) as refusal:
        clean(wrong, field="a")
    assert [(part.code, part.field[-1]) for part in refusal.value.parts] == [
        ("INVALID", "firstName"),
        ("REQUIRED", "lastName"),
        ("REQUIRED", "line1"),
        ("INVALID", "city"),
        ("INVALID", "region"),
        ("INVALID", "postalCode"),
        ("INVALID", "phone"),
    ]


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_every_country_has_rules_and_its_own_example_fits_them(country: str) -> None:
    rules = postal.rules_of(country)
    assert not rules.example or postal.fit_postal_code(rules, rules.example) is not None
    for spelling in rules.regions:
        region = postal.fit_region(rules, spelling)
        assert region is not None
        assert postal.fit_region(rules, region) == region


TEXTS = st.text(max_size=30) | st.sampled_from(["62701", "IL", "Illinois", "SW1Y 4JH", "Tokyo", "+14155552671", "100"])


@given(
    st.builds(
        Address,
        **dict.fromkeys(("line2", "company", "region", "postal_code", "phone"), TEXTS),
        **{name: st.just("A") for name in ("first_name", "last_name", "line1")},
        city=st.sampled_from(["Springfield", "Dubai", "Tokyo", ""]),
        country=st.sampled_from(sorted(COUNTRIES)),
    )
)
def test_cleaning_twice_changes_nothing_and_never_fails_otherwise_than_by_a_refusal(address: Address) -> None:
    try:
        once = clean(address, field="address")
    except DomainError:
        return
    assert clean(once, field="address") == once
