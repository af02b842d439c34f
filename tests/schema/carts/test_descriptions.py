"""Descriptions are written for who builds a storefront: they say nothing of how the shop is made inside."""

import re
from pathlib import Path

import pytest

from backend.payments.sandbox import charges
from schema.root import schema

SCHEMA = (Path(__file__).parent.parent.parent.parent / "schema.graphql").read_text(encoding="utf-8")
INSIDE = re.compile(r"\b(backend|resolvers?|source objects?|\w*View|LineView|querysets?|Django|Strawberry)\b")


def descriptions() -> list[str]:
    return re.findall(r'"""(.*?)"""', SCHEMA, flags=re.DOTALL)


def described(type_name: str, field: str) -> str:
    return schema._schema.type_map[type_name].fields[field].description or ""  # type: ignore[attr-defined]


def test_no_description_tells_of_the_inside() -> None:
    assert len(descriptions()) > 500
    assert [text for text in descriptions() if INSIDE.search(text)] == []


@pytest.mark.parametrize("code", [*charges.ERROR_MESSAGES, "MISMATCH"])
def test_every_error_code_of_a_payment_is_listed(code: str) -> None:
    assert re.search(rf"\b{code}\b", described("Payment", "errorCode"))


def test_a_lines_variant_warns_of_its_currency() -> None:
    assert "context's currency" in described("CartLine", "variant")
