"""Where the web process listens, and whether it answers: `python -m backend.local.address` (0 when it does)."""

import errno
import http.client
import os
import socket
import sys

from backend.local.errors import LocalError

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
ANSWER_TIMEOUT_S = 10


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Address:
    """HOST and PORT."""

    def __init__(self) -> None:
        self.host = os.environ.get("HOST") or "127.0.0.1"
        given = os.environ.get("PORT") or "8000"
        if not (given.isdecimal() and 0 < int(given) < 65536):
            raise LocalError(f"PORT must be a number from 1 to 65535, not {given!r}.")
        self.port = int(given)

    @property
    def url(self) -> str:
        """As people see it."""
        return (os.environ.get("PUBLIC_URL") or f"http://localhost:{self.port}").rstrip("/")

    @property
    def here(self) -> str:
        """As processes of this machine reach it."""
        host = EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def check_free(self) -> None:
        """Raises LocalError when something else listens there."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise LocalError(
                    f"Port {self.port} is already in use: stop what runs there, or choose another port "
                    f"(PORT={self.port % 65535 + 1} make run)."
                ) from error
            raise LocalError(f"Cartograph cannot listen on {self.host}:{self.port}: {error.strerror}.") from error

    def answers(self) -> bool:
        """Whether the shop answers a query."""
        host = EVERYWHERE.get(self.host, self.host)
        connection = http.client.HTTPConnection(host, self.port, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("POST", "/graphql", b'{"query":"{__typename}"}', {"Content-Type": "application/json"})
            return b'"data"' in connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


if __name__ == "__main__":
    sys.exit(not Address().answers())
