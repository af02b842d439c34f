"""Folders for engines, and what a test asks of the processes in them."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backend.local.engines import Engines, ensure
from backend.local.processes import is_alive

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 1_000_000_000


def new_folder() -> Path:
    """With a short path, in memory where there is room: a new PostgreSQL is a thousand files."""
    in_memory = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    return Path(tempfile.mkdtemp(prefix="cg-", dir=MEMORY if in_memory else None))


def processes_of(folder: Path) -> list[str]:
    """The names of all processes that work somewhere in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(folder)) and is_alive(process):
                found.append(process.name())
        except psutil.Error:
            continue
    return sorted(found)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a short path, which everybody may enter. Nothing may run in it after the test."""
    made = new_folder()
    made.chmod(0o755)
    yield made
    left = processes_of(made)
    shutil.rmtree(made)
    assert left == []


@pytest.fixture(scope="session")
def stopped_shop() -> Iterator[Path]:
    """A data folder whose engines ran once and were stopped, for tests to copy."""
    made = new_folder()
    ensure(made).stop()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def filled_folder(folder: Path, stopped_shop: Path) -> Path:
    """A data folder with stopped engines. Copied by root it belongs to root, which must do no harm."""
    shutil.copytree(stopped_shop, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def start() -> Iterator[Callable[[Path], Engines]]:
    """Starts engines that are stopped after the test, also when it fails."""
    started: list[Engines] = []

    def start_engines(folder: Path) -> Engines:
        started.append(ensure(folder, durable=True))
        return started[-1]

    yield start_engines
    for engines in started:
        engines.stop()
