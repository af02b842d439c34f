"""Where things can be sent."""

from backend.core.addresses import COUNTRIES


def test_countries_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(COUNTRIES) == 249 + 1
    assert {"US", "DE", "JP", "XK", "GB"} <= COUNTRIES
    assert not {"EU", "UN", "XX", "ZZ", "AC", "EA", "IC", "TA", "UK"} & COUNTRIES
