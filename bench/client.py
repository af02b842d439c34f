"""A small keep-alive HTTP client: cheap enough that the server is what is measured. Parsing is httptools'."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httptools
import orjson


@dataclass(slots=True)
class Answer:
    """One HTTP answer; header names are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Protocol(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._answer = Answer()
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, request: bytes) -> "asyncio.Future[Answer]":
        assert self.transport is not None
        self._answer, self._parser = Answer(), httptools.HttpResponseParser(self)
        self._waiter = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiter

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionError("the server closed the connection"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(self._answer)


class Connection:
    """One keep-alive connection to one address of a server."""

    def __init__(self, protocol: _Protocol, host: str, path: str, headers: str = "") -> None:
        self._protocol = protocol
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\n{headers}Content-Length: "
        ).encode()

    @property
    def is_open(self) -> bool:
        """False once the server has ended it, as it does with idle ones."""
        return self._protocol.transport is not None and not self._protocol.transport.is_closing()

    async def post(self, body: bytes, headers: bytes = b"") -> Answer:
        """`headers` are more lines of this request's head, with their ends."""
        request = b"%s%d\r\n%s\r\n%s" % (self._head, len(body), headers, body)
        return await self._protocol.send(request)


async def connect(url: str, headers: str = "") -> Connection:
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(_Protocol, parts.hostname or "127.0.0.1", parts.port or 80)
    return Connection(protocol, parts.netloc, parts.path, headers)


async def drive(url: str, bodies: list[bytes], clients: int, headers: str = "") -> list[float]:
    """Send every body once over `clients` connections; returns the seconds that each took. Any error ends it.

    `headers` are more lines of each request's head, with their ends.
    """
    queue = list(reversed(bodies))
    times: list[float] = []

    async def work() -> None:
        connection = await connect(url, headers)
        while queue:
            body = queue.pop()
            started = time.perf_counter()
            answer = await connection.post(body)
            times.append(time.perf_counter() - started)
            check(answer)

    await asyncio.gather(*(work() for _ in range(clients)))
    return times


def check(answer: Answer) -> dict[str, Any]:
    """The data of a GraphQL answer. Raises on anything but a clean success: a fast error is not a result."""
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}: {answer.body[:300]!r}")
    if not answer.body.startswith(b'{"data":{'):  # the raw floor
        return {}
    document = orjson.loads(answer.body)
    if document.get("errors"):
        raise RuntimeError(f"GraphQL errors: {document['errors'][:2]}")
    for payload in (document["data"] or {}).values():
        if isinstance(payload, dict) and payload.get("userErrors"):
            raise RuntimeError(f"user errors: {payload['userErrors']}")
    return dict(document["data"])


async def ask(url: str, query: str, variables: dict[str, Any] | None = None) -> tuple[dict[str, Any], Answer]:
    connection = await connect(url)
    answer = await connection.post(orjson.dumps({"query": query, "variables": variables or {}}))
    return check(answer), answer
