"""One running engine, and how to launch one."""

import contextlib
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from backend.local.errors import EnginesError
from backend.local.processes import end

READY_TIMEOUT_S = 60
LOG_MAX_BYTES = 10_000_000
# "2026-11-21 06:34:30 UTC [15027] FATAL:  what" of PostgreSQL; "15027:M 21 Nov 2026 06:34:30.802 # what" of Redis.
# What initdb says last is not why it failed: that it removes again what it has made.
COMPLAINT = re.compile(
    r"(?:FATAL|PANIC):\s+(.*)|^\d+:[A-Z] .*? # (.*)|^(?:initdb|postgres): (?!removing |hint: |detail: )(?:error: )?(.*)"
)
DISK_FULL = re.compile("No space left on device|Check free disk space")


class Server:
    """A running engine that this process started or found."""

    def __init__(self, name: str, process: psutil.Process, *stop_signals: signal.Signals) -> None:
        self.name = name
        self.process = process
        self.child: subprocess.Popen[bytes] | None = None
        self._stop_signals = stop_signals

    def stop(self) -> None:
        end([self.process], *self._stop_signals)
        if self.child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=1)


def launch(
    name: str,
    command: list[str],
    *,
    ready: Callable[[], bool],
    data: Path,
    log: Path,
    stop_signals: tuple[signal.Signals, ...],
    environment: dict[str, str] | None = None,
    **popen_options: Any,
) -> Server:
    """Start an engine as our own child and wait until it is ready.

    A direct child, in a session of its own: Ctrl-C in the terminal does not reach it, and nobody else
    has to reap it when it ends.
    """
    with log.open("ab") as output:
        if output.tell() > LOG_MAX_BYTES:
            output.truncate(0)
        start = output.tell()
        try:
            child = subprocess.Popen(
                command,
                cwd=data,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **popen_options,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EnginesError(f"{name} cannot be started: {error}") from error
    try:
        if wait_until(ready, alive=lambda: child.poll() is None):
            server = Server(name, psutil.Process(child.pid), *stop_signals)
            server.child = child
            return server
        raise EnginesError(f"{name} cannot use {data}: {_complaint(log, start)} The whole story is in {log}.")
    except BaseException:
        child.kill()
        child.wait()
        raise


def wait_until(ready: Callable[[], bool], *, alive: Callable[[], bool]) -> bool:
    """Wait while it lives and time is left; whether it became ready."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while alive() and time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(0.01)
    return False


def _complaint(log: Path, start: int) -> str:
    """The last thing that the engine complained of since it was started, as the end of a sentence."""
    lines = log.read_bytes()[start:].decode(errors="replace").splitlines()
    return reason(lines, which=-1)


def reason(lines: list[str], *, which: int) -> str:
    """Why an engine ended: the first (0) or last (-1) line in which it tells of an error, as the end of a sentence."""
    found = [next(filter(None, match.groups())) for line in lines if (match := COMPLAINT.search(line))]
    said = found[which] if found else lines[-1] if lines else "it ended without a word"
    full = "the disk is full: " if DISK_FULL.search("\n".join(lines)) else ""
    return f"{full}{said.rstrip('.')}."
