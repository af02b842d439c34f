"""`make run`: engines, tables, demo data, then every process of the Procfile, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import FrameType

from honcho.environ import parse_procfile

from backend.core.demo import DEMO_USERS, DemoUser
from backend.local import banner, engines, given_servers
from backend.local.address import Address
from backend.local.claim import MARK, Claim
from backend.local.doubles import Doubles
from backend.local.errors import EXPLAINED, LocalError, unusable
from backend.local.fleet import Fleet, QuietPrinter

ROOT = engines.BASE_DIR
ANSWER_TIMEOUT_S = 90
BY_KEYBOARD = 130


class Interrupted(BaseException):
    """Somebody wants us to stop; carries our exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def main() -> int:
    started = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return _run(started)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    except Interrupted as interruption:
        return interruption.code


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(BY_KEYBOARD if number == signal.SIGINT else 0)


def _ignore_signals() -> None:
    """A second Ctrl-C must not leave half of the processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _run(started: float) -> int:
    engines.load_env_file()
    data_dir = _data_dir()
    address = Address()
    doubles = Doubles()
    commands = {**_commands(), **doubles.commands()}
    os.environ.update(doubles.variables(os.environ, shop=address.here))
    with ExitStack() as at_end:
        claim = Claim(data_dir, address.url)
        at_end.callback(claim.give_up)
        address.check_free()
        given_servers.check_all()
        started_engines = engines.prepare_environment()
        if started_engines is not None:
            at_end.callback(started_engines.stop)
        at_end.callback(_ignore_signals)
        code, users = _prepare(*["doubles"] * bool(doubles.ports))
        if code != 0:
            return code
        fleet = Fleet(
            QuietPrinter(),
            commands,
            cwd=str(ROOT),
            env=_environment(address, claim),
            watch=partial(_trouble, started_engines, data_dir),
        )
        ready = partial(banner.text, url=address.url, data_dir=data_dir, users=users, doubles=doubles.lines())
        return _serve(
            fleet,
            claim,
            lambda: doubles.answer() and address.answers(),
            lambda: ready(seconds=time.monotonic() - started),
        )


def _data_dir() -> Path:
    folder = engines.data_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.lock").touch()
    except OSError as error:
        raise unusable(folder, error) from error
    os.environ["DATA_DIR"] = str(folder)
    return folder


def _commands() -> dict[str, str]:
    """What to run, by name. PROCFILE is honcho's own name for another file."""
    path = ROOT / (os.environ.get("PROCFILE") or "Procfile")
    try:
        commands = dict(parse_procfile(path.read_text(encoding="utf-8")).processes)
    except OSError as error:
        raise LocalError(f"The Procfile {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, AssertionError) as error:
        raise LocalError(f"The Procfile {path} cannot be read: {error}.") from error
    if not commands:
        raise LocalError(f"The Procfile {path} names no process; a line is written `name: command`.")
    return commands


def _prepare(*options: str) -> tuple[int, list[DemoUser]]:
    """Tables and demo data. Answers 0 when done, and which demo users there are.

    In a session of its own, so that Ctrl-C reaches us alone and we end it.
    """
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8") as answer:
        try:
            command = [sys.executable, "-m", "backend.local.prepare", str(writer), *options]
            result = subprocess.run(command, cwd=ROOT, start_new_session=True, pass_fds=[writer], check=False)
        finally:
            os.close(writer)
        emails = answer.read().split()
    if result.returncode not in {0, EXPLAINED}:
        raise LocalError("The database could not be prepared; the reason stands above.")
    return result.returncode, [user for user in DEMO_USERS if user.email in emails]


def _environment(address: Address, claim: Claim) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "HOST": address.host,
        "PORT": str(address.port),
        MARK: claim.mark,
    }


def _trouble(started_engines: engines.Engines | None, data_dir: Path) -> str | None:
    """An engine that died: without it the processes would go on, and answer every request with an error."""
    dead = started_engines.dead() if started_engines is not None else None
    return dead and f"{dead} ended by itself, so everything was stopped; its log is in {data_dir}."


def _serve(fleet: Fleet, claim: Claim, answers: Callable[[], bool], text: Callable[[], str]) -> int:
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    def announce() -> None:
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not answers():
            if fleet.ending:
                return
            if time.monotonic() > deadline:
                fleet.fail(f"The shop did not answer within {ANSWER_TIMEOUT_S} s, so everything was stopped.")
                return
            time.sleep(0.05)
        fleet.printer.print_last(text())

    try:
        fleet.run(announce)
    finally:
        _ignore_signals()
        claim.end_processes()
        fleet.wait_for_forks()
    return _exit_code(fleet)


def _exit_code(fleet: Fleet) -> int:
    if fleet.failure is not None:
        raise LocalError(fleet.failure)
    if fleet.first_to_end is None:
        print("Stopped.", flush=True)
        return BY_KEYBOARD if fleet.returncode == BY_KEYBOARD else 0
    raise LocalError(
        f"The {fleet.first_to_end} process ended by itself (exit code {fleet.returncode}), so everything was stopped."
    )


if __name__ == "__main__":
    sys.exit(main())
