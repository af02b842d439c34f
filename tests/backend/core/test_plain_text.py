"""What may stand on one line that others are shown."""

import pytest

from backend.core.plain_text import is_one_line


@pytest.mark.parametrize(
    "text",
    ["", "Ada", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "क्\u200dष", "山田\u3000太郎", "a\u00a0b", "👩\u200d👧"],
)
def test_names_of_all_scripts_fit(text: str) -> None:
    assert is_one_line(text)


@pytest.mark.parametrize("at", ["\x00", "\r\n", "\t", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u061c", "\ud800"])
def test_what_breaks_or_turns_a_line_does_not(at: str) -> None:
    assert not is_one_line(f"a{at}b")
