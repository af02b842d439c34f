"""Run the requests and read the clocks."""

import argparse
import asyncio
import statistics
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from urllib.request import Request, urlopen

import orjson
import psutil
from django.db import connection

from bench.client import check, connect, drive
from bench.operations import (
    CART_ADD_MINIMAL,
    TYPENAME,
    Work,
    body,
    cart_adds,
    payments,
    placements,
    reads,
    verifications,
)
from bench.processes import ROOT, cpu_seconds, keep_to, uvicorn

ROUNDS = 20
ROUNDS_OF_WRITES = 8
ROUNDS_BESIDE = 12
"""What is compared takes turns so often: what else the machine does meets all alike."""
WARM_UP = 30
TYPENAME_FLOOR = "strawberry.asgi __typename"
TYPENAME_WITH_MANY = "strawberry.asgi __typename, 16 clients"
RAW = "raw, size of "
MANY_CLIENTS = 16
FLOORS_A_READ = 4
CLIENTS_OF_FLOOR = 2
"""So many requests to the floor beside each read, by so many clients."""
METRICS_TOKEN = "only-for-measuring"
BY_TEXT, BY_HASH, WITH_MANY = "bench list", "bench list by hash", "bench list, 16 clients"
ADD, ADD_MINIMAL = "cart add (3 lines)", "cart add, minimal selection"


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
    beside_typename: dict[str, float]
    """A read's CPU over that of `{ __typename }` served at the same time by the floor, by the read's name."""
    typename_tail: float
    """The floor's own p99 over its p50, with many clients: what the machine does to all."""
    clients: int
    products: int
    own_processor: bool
    """Whether the measured servers kept to a processor that nothing else used."""
    lists_cpu_ms: dict[str, float]
    parts_cpu_ms: dict[str, float]
    engine_runs: int
    engine_fallbacks: dict[str, int]

    def named(self, name: str) -> Measurement:
        return next(each for each in self.measurements if each.name == name)


@dataclass(slots=True)
class Subject:
    """Requests to one server, and what they have taken so far."""

    work: Work
    url: str
    process: psutil.Process
    clients: int
    statements: int = 0
    answer_bytes: int = 0
    app_cpu_ms: list[float] = field(default_factory=list)
    database_cpu_ms: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    async def look(self) -> None:
        """One request, to see what its answer is like."""
        sample = await (await connect(self.url)).post(self.work.bodies[0])
        check(sample)
        self.statements = int(sample.headers.get("x-sql-queries", 0))
        self.answer_bytes = len(sample.body)

    async def drive(self, bodies: list[bytes]) -> None:
        postgres = postmaster()
        app, database, started = cpu_seconds(self.process), database_cpu(postgres), time.perf_counter()
        self.times += await drive(self.url, bodies, self.clients)
        self.elapsed += time.perf_counter() - started
        self.app_cpu_ms.append((cpu_seconds(self.process) - app) * 1000 / len(bodies))
        self.database_cpu_ms.append((database_cpu(postgres) - database) * 1000 / len(bodies))

    def measurement(self) -> Measurement:
        return Measurement(
            name=self.work.name,
            requests=len(self.times),
            per_second=len(self.times) / self.elapsed,
            p50_ms=statistics.median(self.times) * 1000,
            p99_ms=statistics.quantiles(self.times, n=100)[98] * 1000,
            app_cpu_ms=statistics.median(self.app_cpu_ms),
            database_cpu_ms=statistics.median(self.database_cpu_ms),
            statements=self.statements,
            answer_bytes=self.answer_bytes,
        )


async def take_turns(subjects: list[Subject], rounds: int, inside: "Inside | None" = None) -> list[Measurement]:
    """Every subject's requests, a share of each in every round."""
    for turn in range(rounds):
        if inside is not None:
            await inside.turn()
        for subject in subjects if turn % 2 == 0 else reversed(subjects):
            bodies = subject.work.bodies
            await subject.drive(bodies[turn * len(bodies) // rounds : (turn + 1) * len(bodies) // rounds])
    return [each.measurement() for each in subjects]


async def beside_floor(subject: Subject, floor: Subject) -> float:
    """A read's CPU over the floor's while both are served at once: the same company for both, PostgreSQL included."""
    bodies = subject.work.bodies[: len(subject.work.bodies) // ROUNDS_BESIDE]
    asked = floor.work.bodies[:1] * (len(bodies) * FLOORS_A_READ)
    ratios = []
    for _ in range(ROUNDS_BESIDE):
        before = cpu_seconds(subject.process), cpu_seconds(floor.process)
        await asyncio.gather(drive(subject.url, bodies, subject.clients), drive(floor.url, asked, CLIENTS_OF_FLOOR))
        after = cpu_seconds(subject.process), cpu_seconds(floor.process)
        ratios.append((after[0] - before[0]) / (after[1] - before[1]) * FLOORS_A_READ)
    return statistics.median(ratios)


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


class Inside:
    """A process that measures the parts of the bench list in itself, whenever it is its turn."""

    def __init__(self, processor: int | None) -> None:
        self.turns: list[dict[str, float]] = []
        self._processor = processor

    async def __aenter__(self) -> "Inside":
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.inside", stdin=pipe, stdout=pipe, cwd=ROOT
        )
        keep_to(self._process.pid, self._processor)
        await self.turn()
        self.turns.clear()  # that warmed up
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.wait()

    async def turn(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"go\n")
        self.turns.append(orjson.loads(await self._process.stdout.readline()))

    def parts(self) -> dict[str, float]:
        return {name: statistics.median(each[name] for each in self.turns) for name in self.turns[0]}


async def run(arguments: argparse.Namespace, lists: dict[str, float], processor: int | None) -> Results:
    """Three servers at once: the shop and both floors. Writes first; then reads and floors, in turns.

    `processor`: the one that all three keep to, where they do.
    """
    with (
        uvicorn("schema.asgi:application", processor, METRICS_TOKEN=METRICS_TOKEN) as (url, process),
        uvicorn("bench.floors:strawberry_typename", processor) as (typename_url, typename_process),
        uvicorn("bench.floors:raw", processor) as (raw_url, raw_process),
    ):
        writes = await measure_writes(url, process, arguments.writes, arguments.clients)
        subjects = [Subject(work, url, process, arguments.clients) for work in await reads(url, arguments.requests)]
        text = next(each.work for each in subjects if each.work.name == BY_TEXT)
        subjects.append(Subject(Work(WITH_MANY, text.bodies * 3), url, process, MANY_CLIENTS))
        for subject in subjects:
            await subject.look()
            await drive(url, subject.work.bodies[:WARM_UP], subject.clients)
        asked = [body(TYPENAME)] * max(4000, arguments.requests)
        floors = [Subject(Work(TYPENAME_FLOOR, asked), typename_url, typename_process, arguments.clients)]
        floors.append(
            Subject(
                Work(TYPENAME_WITH_MANY, asked[: len(text.bodies) * 3]), typename_url, typename_process, MANY_CLIENTS
            )
        )
        sizes = {each.name: each.answer_bytes for each in writes} | {
            each.work.name: each.answer_bytes for each in subjects
        }
        base = raw_url.removesuffix("graphql")
        floors += [
            Subject(Work(RAW + name, asked), f"{base}{size}", raw_process, arguments.clients)
            for name, size in sizes.items()
        ]
        for floor in floors:
            await drive(floor.url, asked[:200], floor.clients)
        async with Inside(processor) as inside:
            measured = await take_turns(subjects + floors, ROUNDS, inside)
        beside = {each.work.name: await beside_floor(each, floors[0]) for each in subjects}
        runs, fallbacks = engine_counts(url)
    parts = inside.parts()
    cpu = {each.name: each.app_cpu_ms for each in measured}
    crowded = next(each for each in measured if each.name == TYPENAME_WITH_MANY)
    return Results(
        measurements=measured[: len(subjects)] + writes,
        raw_cpu_ms={name.removeprefix(RAW): spent for name, spent in cpu.items() if name.startswith(RAW)},
        typename_cpu_ms=cpu[TYPENAME_FLOOR],
        beside_typename=beside,
        typename_tail=crowded.p99_ms / crowded.p50_ms,
        clients=arguments.clients,
        products=arguments.products,
        own_processor=processor is not None,
        lists_cpu_ms=lists,
        parts_cpu_ms={**parts, "HTTP, several requests at once": cpu[BY_TEXT] - parts["request"]},
        engine_runs=runs,
        engine_fallbacks=fallbacks,
    )


async def measure_writes(url: str, process: psutil.Process, count: int, clients: int) -> list[Measurement]:
    """None is warmed up with its own requests: each of theirs can be sent once."""
    adds, carts = await cart_adds(url, count)
    minimal, _ = await cart_adds(url, count, CART_ADD_MINIMAL, ADD_MINIMAL)
    measured = await _drive_writes(url, process, clients, [adds, minimal])
    measured += await _drive_writes(url, process, clients, [await placements(url, carts)])
    adds, carts = await cart_adds(url, count)
    await drive(url, adds.bodies, clients)
    await placements(url, carts)
    begin, starts = await payments(url, carts)
    measured += await _drive_writes(url, process, clients, [begin])
    return measured + await _drive_writes(url, process, clients, [await verifications(url, starts)])


async def _drive_writes(url: str, process: psutil.Process, clients: int, works: list[Work]) -> list[Measurement]:
    subjects = [Subject(work, url, process, clients) for work in works]
    for subject in subjects:
        await subject.look()
        subject.work = Work(subject.work.name, subject.work.bodies[1:])
    return await take_turns(subjects, ROUNDS_OF_WRITES)


def engine_counts(url: str) -> tuple[int, dict[str, int]]:
    """What the shop's engine has run, and what it has not, by reason."""
    asked = Request(url.replace("/graphql", "/metrics"), headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    runs, fallbacks = 0, {}
    for line in urlopen(asked, timeout=10).read().decode().splitlines():
        name, _, value = line.rpartition(" ")
        if name == "cartograph_engine_runs_total":
            runs = int(float(value))
        elif name.startswith("cartograph_engine_fallbacks_total{"):
            fallbacks[name.partition('"')[2].rpartition('"')[0]] = int(float(value))
    return runs, fallbacks
