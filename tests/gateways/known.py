"""Worked examples of every gateway's signatures, calculated apart from our code."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "data" / "known-answers.json"


@lru_cache
def _read() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return known


def known_answers(gateway: str) -> dict[str, Any]:
    known: dict[str, Any] = _read()[gateway]
    return known
