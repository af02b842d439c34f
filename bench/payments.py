"""`python -m bench.payments`: how many webhooks one web process takes, and how many payments one worker settles."""

import argparse
import asyncio
import json
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from bench.__main__ import DATA_DIR, prepare
from bench.processes import ever_spent_seconds, uvicorn, worker
from bench.report import aligned, machine
from bench.targets import Target
from bench.webhooks import Outcome, Signed

WARM_UP = 200
SHARE = 0.5
"""Of what the process takes at its own pace, the rate at which latency is looked at: one that it keeps up with."""


def accepted(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [each for each in outcomes if 200 <= each.status < 300]


def p95_ms(outcomes: Sequence[Outcome]) -> float:
    return statistics.quantiles([each.seconds for each in outcomes], n=20)[18] * 1000


def told(outcomes: Sequence[Outcome], seconds: float, cpu_s: float, database_cpu_s: float) -> dict[str, Any]:
    """One way of offering webhooks, in figures. `lost`: answered 2xx, and not stored and announced."""
    from bench.webhooks import kept

    taken = accepted(outcomes)
    return {
        "offered": len(outcomes),
        "statuses": {str(status): count for status, count in sorted(Counter(o.status for o in outcomes).items())},
        "taken_per_second": len(taken) / seconds,
        "p50_ms": statistics.median(each.seconds for each in outcomes) * 1000,
        "p95_ms": p95_ms(outcomes),
        "app_cpu_ms": cpu_s * 1000 / len(outcomes),
        "database_cpu_ms": database_cpu_s * 1000 / len(outcomes),
        "lost": len({each.event_id for each in taken} - kept(outcomes)),
    }


async def endpoint(arguments: argparse.Namespace, database: psutil.Process | None) -> dict[str, Any]:
    from bench.webhooks import at_its_own_pace, by_the_clock, signed_messages, webhook_url

    measured: dict[str, Any] = {}
    with uvicorn("schema.asgi:application") as (graphql, process):
        url = webhook_url(graphql)

        async def run(name: str, messages: list[Signed], per_second: float | None = None) -> list[Outcome]:
            before, database_before = ever_spent_seconds(process), ever_spent_seconds(database) if database else 0.0
            began = asyncio.get_running_loop().time()
            if per_second is None:
                outcomes = await at_its_own_pace(url, messages, arguments.clients)
            else:
                outcomes = await by_the_clock(url, messages, per_second)
            seconds = asyncio.get_running_loop().time() - began
            cpu_s = ever_spent_seconds(process) - before
            database_cpu_s = ever_spent_seconds(database) - database_before if database else 0.0
            measured[name] = await asyncio.to_thread(told, outcomes, seconds, cpu_s, database_cpu_s)
            return outcomes

        await at_its_own_pace(url, signed_messages(WARM_UP), arguments.clients)
        await run("at its own pace", signed_messages(arguments.webhooks))
        rate = measured["at its own pace"]["taken_per_second"] * SHARE
        await run(f"offered {rate:.0f}/s", signed_messages(int(rate * arguments.seconds)), rate)
        measured["kept_up"] = measured.pop(f"offered {rate:.0f}/s") | {"rate": rate}
        flood = signed_messages(int(arguments.flood * arguments.seconds))
        outcomes = await run("flood", flood, arguments.flood)
        # As a gateway does: what was not taken comes again, until it is.
        missing = {each.event_id for each in outcomes} - {each.event_id for each in accepted(outcomes)}
        again = [each for each in flood if each.event_id in missing]
        if again:
            await run("flood, repeated", again)
    return measured


def settlements(arguments: argparse.Namespace, database: psutil.Process | None) -> dict[str, Any]:
    from bench.settlements import prepare_payments, quiet, settle

    quiet()
    few, many = prepare_payments(arguments.warm_up), prepare_payments(arguments.payments)
    quiet()
    with worker(LOG_LEVEL="ERROR") as process:
        settle(few, process, database)
        result = settle(many, process, database)
    return asdict(result) | {
        "payments_per_second": result.payments / result.paid_s,
        "worker_cpu_ms": result.worker_cpu_s * 1000 / result.payments,
        "database_cpu_ms": result.database_cpu_s * 1000 / result.payments,
    }


def targets(measured: dict[str, Any], flood: float) -> list[Target]:
    webhooks, settled = measured["webhooks"], measured["settlements"]
    return [
        Target(f"webhooks lost of {flood:.0f}/s offered", webhooks["flood"]["lost"], 0),
        Target("webhooks lost at all", sum(each["lost"] for each in webhooks.values()), 0),
        Target(f"p95 in ms at {webhooks['kept_up']['rate']:.0f}/s, kept up with", webhooks["kept_up"]["p95_ms"], 100),
        Target("payments settled per second by one worker", settled["payments_per_second"], 50, at_least=True),
    ]


def text(measured: dict[str, Any], verdicts: list[Target]) -> str:
    rows = [["webhooks", "offered", "taken/s", "p50 ms", "p95 ms", "app CPU ms", "db CPU ms", "lost", "answers"]]
    for name, each in measured["webhooks"].items():
        figures = [f"{each[key]:.2f}" for key in ("p50_ms", "p95_ms", "app_cpu_ms", "database_cpu_ms")]
        answers = ", ".join(f"{count} x {status}" for status, count in each["statuses"].items())
        taken = f"{each['taken_per_second']:.0f}"
        rows.append([name, str(each["offered"]), taken, *figures, str(each["lost"]), answers])
    settled = measured["settlements"]
    words = (
        f"{settled['payments']} payments: {settled['payments_per_second']:.0f}/s settled, all mailed after "
        f"{settled['mailed_s']:.1f} s; worker CPU {settled['worker_cpu_ms']:.2f} ms and PostgreSQL's "
        f"{settled['database_cpu_ms']:.2f} ms for each, relay and mail included."
    )
    bounds = [["target", "is", "must be", ""]]
    for target in verdicts:
        sign = "at least" if target.at_least else "at most"
        verdict = "met" if target.met else "NOT MET"
        bounds.append([target.words, f"{target.value:.3g}", f"{sign} {target.bound:.3g}", verdict])
    return "\n\n".join(["\n".join(aligned(rows)), words, "\n".join(aligned(bounds))])


def save(measured: dict[str, Any], verdicts: list[Target], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = measured | {
        "targets": [{**asdict(each), "met": each.met} for each in verdicts],
        "machine": machine(),
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.payments", description=__doc__)
    parser.add_argument("--products", type=int, default=200)
    parser.add_argument("--webhooks", type=int, default=2000, help="sent at the process' own pace")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--flood", type=float, default=1000, help="webhooks per second offered, kept up with or not")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=int, default=40)
    parser.add_argument("--payments", type=int, default=400)
    parser.add_argument("--output", type=Path, default=DATA_DIR / "payments.json")
    arguments = parser.parse_args()
    prepare(arguments.products)
    import django

    django.setup()
    from bench.measure import postmaster

    database = postmaster()
    measured = {"webhooks": asyncio.run(endpoint(arguments, database)), "settlements": settlements(arguments, database)}
    verdicts = targets(measured, arguments.flood)
    print(text(measured, verdicts))
    save(measured, verdicts, arguments.output)
    print(f"Saved to {arguments.output}.")


if __name__ == "__main__":
    main()
