"""Finding and ending processes, safe against pids that were given to somebody else meanwhile."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)
STOP_TIMEOUT_S = 20
POLL_S = 0.01


def by_pid_file(pid_file: Path, name: str, folder: Path) -> psutil.Process | None:
    """The process that wrote its pid there, when it still runs and works in that folder."""
    try:
        pid = int(pid_file.read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return process if _works_in(process, name, folder) else None


def working_in(folder: Path, name: str) -> list[psutil.Process]:
    """Every process of that name that works in the folder, also when the folder was deleted since."""
    return [process for process in psutil.process_iter() if _works_in(process, name, folder)]


def _works_in(process: psutil.Process, name: str, folder: Path) -> bool:
    try:
        if process.name() != name or not is_alive(process):
            return False
        return bool(process.cwd().removesuffix(" (deleted)") == str(folder))
    except GONE:
        return False


def with_variable(name: str, value: str) -> Iterator[psutil.Process]:
    """Every other process that was started with this environment variable."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(name) == value:
                yield process
        except GONE:
            continue


def is_alive(process: psutil.Process) -> bool:
    """Whether it still does anything; the dead whose parent has not noticed yet do not count."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except GONE:
        return False


def end(processes: Iterable[psutil.Process], *signals: signal.Signals, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """Send each signal in turn to those that still run, and SIGKILL at last; returns when all are gone."""
    alive = list(processes)
    for number in (*signals, signal.SIGKILL):
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + timeout_s
        while alive and time.monotonic() < deadline:
            time.sleep(POLL_S)
            alive = [process for process in alive if is_alive(process)]
        if not alive:
            return
