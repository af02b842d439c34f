"""The table that people read, and the JSON that is kept."""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measure import MANY_CLIENTS, Measurement, Results
from bench.targets import targets

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


def aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in rows
    ]


def lists(results: Results) -> str:
    spent = results.lists_cpu_ms
    engine = spent["engine"]
    rows = [
        ["773 fields in process, no database", "CPU ms", "x engine"],
        *([name.replace("_", " "), f"{each:.3f}", f"{each / engine:.1f}"] for name, each in spent.items()),
    ]
    return "\n".join(aligned(rows))


def parts(results: Results) -> str:
    """Where the bench list's time goes; what is measured over HTTP is the sum of all."""
    spent = {name: each for name, each in results.parts_cpu_ms.items() if not name.startswith(("request", "one "))}
    total = sum(spent.values())
    rows = [
        ["bench list, by text", "CPU ms", "share"],
        *([name, f"{each:.3f}", f"{each / total:.0%}"] for name, each in spent.items()),
        ["sum", f"{total:.3f}", ""],
    ]
    return "\n".join(aligned(rows))


def verdicts(results: Results) -> str:
    rows = [["target", "is", "must be", ""]]
    for each in targets(results):
        sign = "at least" if each.at_least else "at most"
        rows.append([each.words, f"{each.value:.3g}", f"{sign} {each.bound:.3g}", "met" if each.met else "NOT MET"])
    return "\n".join(aligned(rows))


def report(results: Results) -> str:
    counts = ", ".join(f"{count} x {reason}" for reason, count in results.engine_fallbacks.items()) or "none"
    engine = f"Engine: {results.engine_runs} runs; fallbacks: {counts}."
    return "\n\n".join([table(results), engine, lists(results), parts(results), verdicts(results)])


def table(results: Results) -> str:
    lines = aligned([HEADINGS, *(row(results, each) for each in results.measurements)])
    floors = (
        f"Floors, CPU per request: strawberry.asgi {{ __typename }} {results.typename_cpu_ms:.3f} ms, "
        f"raw ASGI answers {min(results.raw_cpu_ms.values()):.3f} to {max(results.raw_cpu_ms.values()):.3f} ms."
    )
    tail = f"p99 over p50 of {{ __typename }} itself, {MANY_CLIENTS} clients: {results.typename_tail:.1f}."
    place = "on a processor of its own" if results.own_processor else "beside all else on the same processors"
    shop = f"{results.products} products, {results.clients} clients, one web process, {place}."
    return "\n".join([*lines, "", floors, tail, shop])


def machine() -> dict[str, Any]:
    """Where and beside how much else something was measured."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
    }


def save(results: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = asdict(results)
    document["targets"] = [{**asdict(each), "met": each.met} for each in targets(results)]
    document["machine"] = machine()
    for kept, each in zip(document["measurements"], results.measurements, strict=True):
        kept["times_raw"], kept["times_typename"] = ratios(results, each)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
