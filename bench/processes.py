"""Servers under measurement, and the CPU time that they and PostgreSQL have used."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil
from honcho.environ import parse_procfile

from backend.local.address import free_port

ROOT = Path(__file__).parent.parent
SHOP = "schema.asgi:application"
START_TIMEOUT_S = 60
SCHEDSTAT = Path("/proc/self/schedstat").exists()


def spare_processor() -> int | None:
    """A processor for what is measured alone: this process, and what it starts from now on, keeps to the others.

    None where there is only one, or where the system (macOS) gives none away.
    """
    process = psutil.Process()
    allowed: list[int] = process.cpu_affinity() if hasattr(process, "cpu_affinity") else []
    if len(allowed) < 2:
        return None
    *others, spare = sorted(allowed)
    process.cpu_affinity(others)
    return spare


@contextmanager
def uvicorn(application: str, processor: int | None = None, **environment: str) -> Iterator[tuple[str, psutil.Process]]:
    """One uvicorn process with the flags of the Procfile; yields its GraphQL address and the process.

    `processor`: the one that it keeps to.
    """
    port = free_port()
    line = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes["web"]
    settings = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), **environment}
    # The process itself, without a shell in between, is what is measured.
    command = f"exec {sys.executable} -m {line.replace(SHOP, application)}"
    process = subprocess.Popen(command, shell=True, cwd=ROOT, env=settings)
    keep_to(process.pid, processor)
    url = f"http://127.0.0.1:{port}/graphql"
    try:
        _wait_until_it_answers(url, process)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def keep_to(pid: int, processor: int | None) -> None:
    """To be called before the process has threads: those that it starts later keep to the same processor."""
    if processor is not None:
        psutil.Process(pid).cpu_affinity([processor])


@contextmanager
def worker(**environment: str) -> Iterator[psutil.Process]:
    """The worker of the Procfile: one process with its threads; its messages wait until it is up."""
    line = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes["worker"]
    settings = {**os.environ, **environment}
    process = subprocess.Popen(f"exec {sys.executable} -m {line}", shell=True, cwd=ROOT, env=settings)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    request = Request(url, b'{"query":"{ __typename }"}', {"Content-Type": "application/json"})
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urlopen(request, timeout=5).read()
            return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError("the server did not answer in time")


def cpu_seconds(process: psutil.Process) -> float:
    """The time of the process and those of its children that still run."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            total += _nanoseconds(each.pid) / 1e9 if SCHEDSTAT else sum(each.cpu_times()[:2])
    return total


def ever_spent_seconds(process: psutil.Process) -> float:
    """The time of the process, with that of threads and children that have ended: by the clock of 10 ms."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            total += sum(each.cpu_times()[:4])
    return total


def _nanoseconds(pid: int) -> int:
    """What the kernel's scheduler has given to the process' threads: its clock has no ticks of 10 ms."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            total += int((task / "schedstat").read_text().split()[0])
    return total
