"""Real PostgreSQL and Redis from Python wheels, for whoever has set no DATABASE_URL and REDIS_URL.

They belong to a data folder and are shared by all processes that use it: whoever comes first starts
them, whoever goes last stops them. docs/decisions/0002-embedded-engines.md says why it is done so.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import environ

from backend.local import sockets
from backend.local.errors import EnginesError, unusable
from backend.local.locks import Lease, exclusive
from backend.local.postgres import Postgres
from backend.local.processes import is_alive
from backend.local.redis_server import Redis
from backend.local.server import Server, wait_until

__all__ = ["Engines", "EnginesError", "data_dir", "ensure", "load_env_file", "prepare_environment"]

BASE_DIR = Path(__file__).resolve().parent.parent.parent
MAX_PATH_BYTES = 900  # PostgreSQL keeps its paths, the longest names in the folder included, in 1,024


class Engines:
    """A lease on the engines of one data folder, and their addresses."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder
        self._postgres = Postgres(folder, durable=durable)
        self._redis = Redis(folder, durable=durable)
        self._sockets = sockets.folder_for(folder, self._postgres.account)
        self._servers: list[Server] = []
        self._lease: Lease | None = None
        self._holder = os.getpid()
        self.database_url = Postgres.url(self._sockets)
        self.redis_url = Redis.url(self._sockets)

    def start(self, *, postgres: bool, redis: bool) -> None:
        """Start what is asked for and does not run yet, and take a lease. The folder's lock is held."""
        wanted: list[Postgres | Redis] = [self._postgres] * postgres + [self._redis] * redis
        try:
            for engine in wanted:
                self._servers.append(self._find(engine) or engine.start(self._sockets))
        except BaseException:
            # Interrupted or refused half way: what we have just started would otherwise be left behind.
            for server in self._servers:
                if server.child is not None:
                    server.stop()
            self._remove_sockets()
            raise
        self._lease = Lease(self._folder / "engines.users")

    def _find(self, engine: Postgres | Redis) -> Server | None:
        server = engine.find(self._sockets)
        if server is None:
            return None
        ready = wait_until(lambda: engine.is_ready(self._sockets), alive=lambda: is_alive(server.process))
        return server if ready else None

    def stop(self) -> None:
        """Give the lease back, and stop the engines when nobody else holds one. May be called twice."""
        lease, self._lease = self._lease, None
        # A forked child inherits this object, but not the right to stop what its parent uses.
        if lease is None or os.getpid() != self._holder:
            return
        with contextlib.ExitStack() as stack:
            # Somebody may have deleted the folder while the engines ran; then nobody shares it any more.
            with contextlib.suppress(OSError):
                stack.enter_context(_locked(self._folder))
            servers = self._running() if lease.in_place else self._servers
            if lease.end():
                for server in servers:
                    server.stop()
                self._remove_sockets()

    def _remove_sockets(self) -> None:
        """The folder, when nobody listens in it: in the machine's temporary folder it would stay for nothing."""
        with contextlib.suppress(OSError):
            self._sockets.rmdir()

    def dead(self) -> str | None:
        """The name of an engine that runs no more."""
        return next((server.name for server in self._servers if not is_alive(server.process)), None)

    def _running(self) -> list[Server]:
        """Our own, and what another user of the folder has started and left to us."""
        known = {server.process.pid for server in self._servers}
        found = [self._postgres.find(self._sockets), self._redis.find(self._sockets)]
        return self._servers + [server for server in found if server and server.process.pid not in known]


def ensure(folder: Path, *, durable: bool = True, postgres: bool = True, redis: bool = True) -> Engines:
    """The engines of a data folder, started where they do not run. Call `stop()` on the answer in the end.

    Without `durable` they skip what makes data outlive a crash. Raises EnginesError.
    """
    if (size := len(os.fsencode(folder))) > MAX_PATH_BYTES:
        raise EnginesError(f"The data folder's path has {size} bytes, and PostgreSQL takes {MAX_PATH_BYTES} at most.")
    try:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            engines = Engines(folder, durable=durable)
            engines.start(postgres=postgres, redis=redis)
    except OSError as error:
        raise unusable(folder, error) from error
    return engines


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with exclusive(folder / "engines.lock"):
        yield


def load_env_file() -> None:
    """Variables from `.env`; those that are set already win."""
    environ.Env.read_env(BASE_DIR / ".env")


def data_dir() -> Path:
    """Where everything that a local shop keeps is kept."""
    folder = Path(os.path.expanduser(os.environ.get("DATA_DIR") or BASE_DIR / ".local")).absolute()
    if folder == folder.parent:
        raise EnginesError("DATA_DIR cannot be /: choose a folder for the shop alone.")
    return folder


def prepare_environment() -> Engines | None:
    """Set DATABASE_URL and REDIS_URL to embedded engines where they are unset; production is left alone.

    The engines live until this process ends, and longer when another one uses them then.
    """
    load_env_file()
    missing = {name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)}
    environment = os.environ.get("ENVIRONMENT")
    if not missing or environment == "production":
        return None
    engines = ensure(
        data_dir(),
        durable=environment != "test",
        postgres="DATABASE_URL" in missing,
        redis="REDIS_URL" in missing,
    )
    addresses = {"DATABASE_URL": engines.database_url, "REDIS_URL": engines.redis_url}
    os.environ.update({name: addresses[name] for name in missing})
    atexit.register(engines.stop)
    _end_orderly_when_terminated()
    return engines


def _end_orderly_when_terminated() -> None:
    """A plain SIGTERM ends Python at once, without the exit functions that stop the engines."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, leave)
