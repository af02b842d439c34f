"""Run the requests and read the clocks."""

import argparse
import statistics
import time
from dataclasses import dataclass
from functools import cache

import psutil
from django.db import connection

from bench.client import check, connect, drive
from bench.operations import TYPENAME, Work, body, cart_adds, payments, placements, reads, verifications
from bench.processes import cpu_seconds, uvicorn

WARM_UP = 30
PROBE = 10
FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One kind of request. Times in milliseconds; CPU per request, of the web process and of PostgreSQL."""

    name: str
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    app_cpu_ms: float
    database_cpu_ms: float
    statements: int
    answer_bytes: int


@dataclass(frozen=True, slots=True)
class Results:
    measurements: list[Measurement]
    raw_cpu_ms: dict[str, float]
    """The raw ASGI answer's CPU, by the name of the measurement whose size it has."""
    typename_cpu_ms: float
    clients: int
    products: int


async def measure(url: str, process: psutil.Process, work: Work, clients: int, warm: bool = True) -> Measurement:
    """Drive one kind of request to its end. Writes are not warmed up: each of theirs can be sent once."""
    if warm:
        await drive(url, work.bodies[:WARM_UP], clients)
    postgres = postmaster()
    app_before, database_before = cpu_seconds(process), database_cpu(postgres)
    started = time.perf_counter()
    sample = await (await connect(url)).post(work.bodies[0])
    check(sample)
    times = await drive(url, work.bodies[1:], clients)
    elapsed = time.perf_counter() - started
    count = len(work.bodies)
    app_cpu = (cpu_seconds(process) - app_before) * 1000 / count
    quantiles = statistics.quantiles(times, n=100)
    return Measurement(
        name=work.name,
        requests=count,
        per_second=count / elapsed,
        p50_ms=statistics.median(times) * 1000,
        p99_ms=quantiles[98] * 1000,
        app_cpu_ms=app_cpu,
        database_cpu_ms=(database_cpu(postgres) - database_before) * 1000 / count,
        statements=int(sample.headers.get("x-sql-queries", 0)),
        answer_bytes=len(sample.body),
    )


@cache
def postmaster() -> psutil.Process | None:
    """The database's own process, where it runs on this machine. First asked for outside the event loop."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    try:
        return psutil.Process(backend).parent()
    except psutil.NoSuchProcess:
        return None


def database_cpu(process: psutil.Process | None) -> float:
    return 0.0 if process is None else cpu_seconds(process)


async def floor_typename(requests: int, clients: int) -> float:
    with uvicorn("bench.floors:strawberry_typename") as (url, process):
        work = Work(FLOOR, [body(TYPENAME)] * requests)
        return (await measure(url, process, work, clients)).app_cpu_ms


async def floor_raw(size: int, requests: int, clients: int) -> float:
    with uvicorn("bench.floors:raw", SIZE=str(size)) as (url, process):
        work = Work(FLOOR, [body(TYPENAME)] * requests)
        return (await measure(url, process, work, clients)).app_cpu_ms


async def run(arguments: argparse.Namespace) -> Results:
    """Floors, shop, floors again; the floors are the means of both. A first look tells the answers' sizes."""
    clients = arguments.clients
    sizes = {each.name: each.answer_bytes for each in await measure_shop(PROBE, PROBE, clients=2)}
    floor_count = max(2000, arguments.requests)
    floors = [await measure_floors(sizes, floor_count, clients)]
    measured = await measure_shop(arguments.requests, arguments.writes, clients)
    floors.append(await measure_floors(sizes, floor_count, clients))
    means = {name: statistics.mean(round[name] for round in floors) for name in floors[0]}
    typename = means.pop(FLOOR)
    return Results(measured, means, typename, clients, arguments.products)


async def measure_floors(sizes: dict[str, int], requests: int, clients: int) -> dict[str, float]:
    """The app's CPU per request: raw answers by the name of the operation whose size they have, and `FLOOR`."""
    raw = {name: await floor_raw(size, requests, clients) for name, size in sizes.items()}
    return {**raw, FLOOR: await floor_typename(requests, clients)}


async def measure_shop(requests: int, writes: int, clients: int) -> list[Measurement]:
    with uvicorn("schema.asgi:application") as (url, process):
        measured = [await measure(url, process, work, clients) for work in await reads(url, requests)]
        return measured + await measure_writes(url, process, writes, clients)


async def measure_writes(url: str, process: psutil.Process, count: int, clients: int) -> list[Measurement]:
    adds, carts = await cart_adds(url, count)
    measured = [await measure(url, process, adds, clients, warm=False)]
    place = await placements(url, carts)
    measured.append(await measure(url, process, place, clients, warm=False))
    adds, carts = await cart_adds(url, count)
    await drive(url, adds.bodies, clients)
    await placements(url, carts)
    begin, starts = await payments(url, carts)
    measured.append(await measure(url, process, begin, clients, warm=False))
    measured.append(await measure(url, process, await verifications(url, starts), clients, warm=False))
    return measured
