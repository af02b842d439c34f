"""What gateways write, as the database can hold it."""

from collections.abc import Mapping
from typing import Any

KEPT_VALUES = 40
KEPT_CHARACTERS = 500


def fitting(text: str, limit: int) -> str:
    """Without NUL and lone surrogates, which PostgreSQL refuses, and cut to the column."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:limit]


def fitting_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The first plain values of a mapping, each as the database can hold it."""
    kept: dict[str, Any] = {}
    for name, value in list(values.items())[:KEPT_VALUES]:
        plain = value is None or (isinstance(value, bool | int) and abs(value) < 2**63)
        kept[fitting(str(name), 100)] = value if plain else fitting(str(value), KEPT_CHARACTERS)
    return kept
