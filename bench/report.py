"""The table that people read, and the JSON that is kept."""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from bench.measure import Measurement, Results

HEADINGS = [
    "operation",
    "req/s",
    "p50 ms",
    "p99 ms",
    "app CPU ms",
    "db CPU ms",
    "SQL",
    "bytes",
    "x raw",
    "x __typename",
]


def ratios(results: Results, each: Measurement) -> tuple[float, float]:
    """The app's CPU as multiples of the two floors."""
    return each.app_cpu_ms / results.raw_cpu_ms[each.name], each.app_cpu_ms / results.typename_cpu_ms


def row(results: Results, each: Measurement) -> list[str]:
    raw, typename = ratios(results, each)
    return [
        each.name,
        f"{each.per_second:.0f}",
        f"{each.p50_ms:.1f}",
        f"{each.p99_ms:.1f}",
        f"{each.app_cpu_ms:.2f}",
        f"{each.database_cpu_ms:.2f}",
        str(each.statements),
        str(each.answer_bytes),
        f"{raw:.1f}",
        f"{typename:.1f}",
    ]


def table(results: Results) -> str:
    rows = [HEADINGS, *(row(results, each) for each in results.measurements)]
    widths = [max(len(line[column]) for line in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in rows
    ]
    floors = (
        f"Floors, CPU per request: strawberry.asgi {{ __typename }} {results.typename_cpu_ms:.3f} ms, "
        f"raw ASGI answers {min(results.raw_cpu_ms.values()):.3f} to {max(results.raw_cpu_ms.values()):.3f} ms."
    )
    shop = f"{results.products} products, {results.clients} clients, one web process."
    return "\n".join([*lines, "", floors, shop])


def save(results: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = asdict(results)
    document["machine"] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpus": os.cpu_count(),
    }
    for kept, each in zip(document["measurements"], results.measurements, strict=True):
        kept["times_raw"], kept["times_typename"] = ratios(results, each)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
