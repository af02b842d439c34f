"""`python -m bench.accounts`: what being signed in costs, and what many logins at once do to everybody else."""

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import Any

from bench.__main__ import DATA_DIR, prepare
from bench.report import machine

WHO = "{ viewer { id } }"
SIGN_IN = """
mutation ($login: String!, $password: String!) {
  tokenCreate(input: { login: $login, password: $password }) { accessToken userErrors { code } }
}
"""
ROUNDS = 5
PASSWORD = "cartograph-bench"


def make_people(count: int) -> None:
    """Customers who share a password's hash: making a thousand would take as long as what is measured."""
    from django.contrib.auth.hashers import make_password

    from backend.accounts.models import User

    password = make_password(PASSWORD)
    known = set(User.objects.filter(email__startswith="bench").values_list("email", flat=True))
    people = [User(email=f"bench{n}@example.com", password=password) for n in range(count)]
    User.objects.bulk_create([person for person in people if person.email not in known])


async def compare(url: str, process: Any, requests: int, token: str) -> tuple[float, float]:
    """Milliseconds of CPU for `{ __typename }` as a guest and `{ viewer { id } }` signed in: medians of rounds."""
    from bench.client import drive
    from bench.operations import TYPENAME, body
    from bench.processes import cpu_seconds

    measured: dict[str, list[float]] = {TYPENAME: [], WHO: []}
    for _ in range(ROUNDS):
        for query, headers in ((TYPENAME, ""), (WHO, f"Authorization: Bearer {token}\r\n")):
            before = cpu_seconds(process)
            await drive(url, [body(query)] * requests, 4, headers)
            measured[query].append((cpu_seconds(process) - before) * 1000 / requests)
    return statistics.median(measured[TYPENAME]), statistics.median(measured[WHO])


async def lists_p95(url: str, count: int, beside: Any = None) -> float:
    """The 95th percentile of ProductList in milliseconds, two at a time, while something else may go on."""
    from bench.client import drive
    from bench.operations import PRODUCT_LIST, body

    other = asyncio.create_task(beside) if beside is not None else None
    times = await drive(url, [body(PRODUCT_LIST, {"first": 24})] * count, 2)
    if other is not None:
        other.cancel()
    return statistics.quantiles(times, n=20)[18] * 1000


async def run(arguments: argparse.Namespace) -> dict[str, float]:
    from bench.client import ask, drive
    from bench.operations import body
    from bench.processes import uvicorn

    people = [{"login": f"bench{n}@example.com", "password": PASSWORD} for n in range(arguments.logins)]
    with uvicorn("schema.asgi:application") as (url, process):
        token = (await ask(url, SIGN_IN, people[0]))[0]["tokenCreate"]["accessToken"]
        guest, viewer = await compare(url, process, arguments.requests, token)
        ratio = viewer / guest
        print(f"__typename {guest:.3f} ms CPU, viewer {{ id }} {viewer:.3f} ms: {ratio:.2f} times (at most 1.6)")
        await lists_p95(url, 50)
        idle = await lists_p95(url, arguments.lists)
        logins = drive(url, [body(SIGN_IN, each) for each in people] * 10, 50)
        busy = await lists_p95(url, arguments.lists, logins)
        print(f"ProductList p95 {idle:.1f} ms idle, {busy:.1f} ms beside logins: {busy / idle:.2f} times (at most 2)")
        started = time.perf_counter()
        await drive(url, [body(SIGN_IN, each) for each in people], 50)
        rate = arguments.logins / (time.perf_counter() - started)
        print(f"{arguments.logins} logins: {rate:.0f} a second")
    return {
        "typename_cpu_ms": guest,
        "viewer_cpu_ms": viewer,
        "viewer_ratio": ratio,
        "list_p95_idle_ms": idle,
        "list_p95_beside_logins_ms": busy,
        "list_p95_ratio": busy / idle,
        "logins": arguments.logins,
        "logins_per_second": rate,
    }


def save(measured: dict[str, float], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"accounts": measured, "machine": machine()}, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.accounts", description=__doc__)
    parser.add_argument("--products", type=int, default=200)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--lists", type=int, default=300)
    parser.add_argument("--logins", type=int, default=1000)
    parser.add_argument("--output", type=Path, default=DATA_DIR / "accounts.json")
    arguments = parser.parse_args()
    prepare(arguments.products)
    import django

    django.setup()
    make_people(arguments.logins)
    save(asyncio.run(run(arguments)), arguments.output)


if __name__ == "__main__":
    main()
