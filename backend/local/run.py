"""`make run`: engines, tables, demo data, then every process of the Procfile, until Ctrl-C."""

import errno
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from honcho.environ import parse_procfile

from backend.local import banner, engines, given_servers
from backend.local.address import Address
from backend.local.claim import MARK, Claim
from backend.local.errors import EXPLAINED, EnginesError, LocalError
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
    with ExitStack() as at_end:
        claim = Claim(data_dir, address.url)
        at_end.callback(claim.give_up)
        address.check_free()
        given_servers.check_all()
        started_engines = engines.prepare_environment()
        if started_engines is not None:
            at_end.callback(started_engines.stop)
        at_end.callback(_ignore_signals)
        return _prepare() or _serve(claim, address, data_dir, started)


def _data_dir() -> Path:
    folder = engines.data_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.lock").touch()
    except OSError as error:
        reason = "a file is in the way" if error.errno in {errno.EEXIST, errno.ENOTDIR} else error.strerror
        raise EnginesError(f"The data folder {folder} cannot be used: {reason}.") from error
    os.environ["DATA_DIR"] = str(folder)
    return folder


def _prepare() -> int:
    """Tables and demo data; 0 when done. In a session of its own, so that Ctrl-C reaches us alone and we end it."""
    command = [sys.executable, "-m", "backend.local.prepare"]
    result = subprocess.run(command, cwd=ROOT, start_new_session=True, check=False)
    if result.returncode not in {0, EXPLAINED}:
        raise LocalError("The database could not be prepared; the reason stands above.")
    return result.returncode


def _serve(claim: Claim, address: Address, data_dir: Path, started: float) -> int:
    printer = QuietPrinter()
    # PROCFILE is honcho's own name for another one.
    procfile = ROOT / os.environ.get("PROCFILE", "Procfile")
    commands = parse_procfile(procfile.read_text(encoding="utf-8")).processes
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "HOST": address.host,
        "PORT": str(address.port),
        MARK: claim.mark,
    }
    fleet = Fleet(printer, dict(commands), cwd=str(ROOT), env=environment)
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    def announce() -> None:
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not address.answers():
            if fleet.ending:
                return
            if time.monotonic() > deadline:
                fleet.fail(f"The shop did not answer within {ANSWER_TIMEOUT_S} s, so everything was stopped.")
                return
            time.sleep(0.05)
        printer.print_last(banner.text(url=address.url, data_dir=data_dir, seconds=time.monotonic() - started))

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
