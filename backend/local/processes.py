"""Finding and ending processes, safe against pids that were given to somebody else meanwhile."""

import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)
STOP_TIMEOUT_S = 20


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
        if process.name() != name or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.cwd().removesuffix(" (deleted)") == str(folder)
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


def end(processes: Iterable[psutil.Process], *signals: signal.Signals, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """Send each signal in turn to those that still run, and SIGKILL at last; returns when all are gone."""
    alive = list(processes)
    for number in (*signals, signal.SIGKILL):
        for process in alive:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs(alive, timeout=timeout_s)
        if not alive:
            return
