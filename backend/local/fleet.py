"""The Procfile's processes under honcho, with what honcho leaves open: see each method."""

import contextlib
import ctypes
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import Queue
from typing import Any

import honcho.manager
from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process

STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}
# Seconds from the first process that ends until the others are killed; uvicorn and Dramatiq take up to 10 to
# finish what they have begun.
honcho.manager.KILL_WAIT = 15
PR_SET_PDEATHSIG = 1
LOOK_S = 1
NOISE = re.compile(rb"\[(INFO|DEBUG)\]|^\s*$")


class QuietPrinter(Printer):  # type: ignore[misc]
    """Prints what the processes say, not what honcho says of them; until `loud`, nothing below a warning."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.loud = False
        self._lock = threading.Lock()

    def write(self, message: Message) -> None:
        if message.name == honcho.manager.SYSTEM_PRINTER_NAME:
            return
        if not self.loud and NOISE.search(message.data):
            return
        # The terminal may be gone; that must not keep us from ending the processes.
        with self._lock, contextlib.suppress(OSError):
            super().write(message)

    def print_last(self, text: str) -> None:
        """Print a text in one piece, and from then on whatever comes."""
        with self._lock, contextlib.suppress(OSError):
            print(text, flush=True)
        self.loud = True


def die_with_parent(number: signal.Signals) -> None:
    """Have the kernel send us a signal when our parent dies, `kill -9` included. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def _prepare_child() -> None:
    """Between fork and exec: the signals that our forks ignore are for the child to hear."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    die_with_parent(signal.SIGTERM)


def _start(command: str, **options: Any) -> Popen:
    """Start a process, and end what it leaves behind when it ends: workers of a parent that was killed.

    They hold its output open, so that honcho would take it for running.
    """
    child = Popen(command, preexec_fn=_prepare_child, **options)

    def end_orphans() -> None:
        child.wait()
        LeaderFirst().kill(child.pid)

    threading.Thread(target=end_orphans, daemon=True).start()
    return child


class GuardedProcess(Process):  # type: ignore[misc]
    """A process of the Procfile that does not outlive `make run`."""

    def run(self, events: "Queue[Message] | None" = None, ignore_signals: bool = False) -> None:
        # Ctrl-C in a terminal reaches this fork too, at any moment.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        die_with_parent(signal.SIGKILL)
        self._child_ctor = _start
        super().run(events, ignore_signals)


class LeaderFirst:
    """SIGTERM goes to the process alone, SIGKILL to all that it has started.

    Dramatiq passes SIGTERM on to its workers; one that hears it twice drops the work at hand.
    """

    def terminate(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


class Fleet(Manager):  # type: ignore[misc]
    """`loop()` runs all processes until a signal comes or one of them ends; then all end."""

    def __init__(
        self,
        printer: QuietPrinter,
        commands: dict[str, str],
        *,
        cwd: str,
        env: dict[str, str],
        watch: Callable[[], str | None],
    ) -> None:
        """`watch` is asked each second; a sentence from it ends all processes, with that for the reason."""
        super().__init__(printer)
        self.printer = printer
        self._watch = watch
        self._next_look = 0.0
        self._process_ctor = GuardedProcess
        self._procmgr = LeaderFirst()
        self.returncode: int | None = None
        self.first_to_end: str | None = None
        self.failure: str | None = None
        self._on_start: Callable[[], None] = lambda: None
        for name, command in commands.items():
            # Without a shell in between, which would not pass signals on.
            self.add_process(name, f"exec {command}", env=env, cwd=cwd)

    def run(self, on_start: Callable[[], None]) -> None:
        """Run until the end; `on_start` is called in a thread once all processes are started."""
        self._on_start = on_start
        self.loop()

    @property
    def ending(self) -> bool:
        return bool(self._terminating)

    def fail(self, sentence: str) -> None:
        """End all processes for this reason."""
        self.failure = sentence
        self.terminate()

    def terminate(self) -> None:
        if not self._terminating:
            self.first_to_end = next((name for name, each in self._processes.items() if "returncode" in each), None)
            if self.first_to_end is not None and self.failure is None:
                self.failure = self._watch()  # what it lacked is the reason, not that it ended
        super().terminate()

    def _start(self) -> None:
        """Hold signals back until every pid is known: honcho cannot terminate before."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            super()._start()
            while not self._all_started():
                self._note(self.events.get(timeout=30))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        threading.Thread(target=self._on_start, daemon=True).start()

    def _note(self, message: Any) -> None:
        if message.type == "line":
            self._printer.write(message)
        elif message.type == "start":
            self._processes[message.name]["pid"] = message.data["pid"]
        else:
            self._processes[message.name]["returncode"] = message.data["returncode"]

    def _all_stopped(self) -> bool:
        self._notice_dead_forks()
        if not self._terminating and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_S
            if sentence := self._watch():
                self.fail(sentence)
        return bool(super()._all_stopped())

    def _notice_dead_forks(self) -> None:
        """A fork that was killed reports no end: its process, which dies with it, would be waited for forever."""
        for each in self._processes.values():
            fork = each["process"]
            if "returncode" not in each and not fork.is_alive() and self.events.empty():
                each["returncode"] = fork.exitcode
                if self.returncode is None:
                    self.returncode = fork.exitcode

    def wait_for_forks(self) -> None:
        """The forks that read the processes' output end with them."""
        for each in self._processes.values():
            if "process" in each:
                each["process"].join(timeout=5)
