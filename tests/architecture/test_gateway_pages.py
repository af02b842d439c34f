"""Each gateway has its page, which tells what a merchant has to know; `.env.example` explains each variable."""

from pathlib import Path

import pytest

from backend.local.doubles import DOUBLES
from backend.payments.gateways.variables import VARIABLES

ROOT = Path(__file__).parents[2]
CHAPTERS = ("## Set-up", "## Environment variables", "## Test ", "## Check it", "## What our states mean", "## Limits")


@pytest.mark.parametrize("gateway", sorted(VARIABLES))
def test_its_page_tells_how_to_set_it_up_and_names_each_variable_with_its_default(gateway: str) -> None:
    page = (ROOT / "docs" / "payments" / f"{gateway}.md").read_text(encoding="utf-8")
    has = VARIABLES[gateway]
    wanted = [f"| `{name}` | required |" for name in has.required]
    wanted += [f"| `{name}` | `{default}` |" if default else f"| `{name}` | " for name, default in has.optional.items()]
    assert [each for each in (*wanted, *CHAPTERS) if each not in page] == []
    assert f"](payments/{gateway}.md)" in (ROOT / "docs" / "payments.md").read_text(encoding="utf-8")
    assert gateway in DOUBLES


@pytest.mark.parametrize("gateway", sorted(VARIABLES))
def test_the_example_of_an_environment_has_each_variable_and_its_default(gateway: str) -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    has = VARIABLES[gateway]
    wanted = [f"# {name}=" for name in has.required]
    wanted += [f"# {name}={default}" for name, default in has.optional.items()]
    assert [each for each in wanted if each not in lines] == []
