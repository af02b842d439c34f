"""Where the bench list's time goes: CPU of its parts in one process, by differences.

The list runs in place, with its statements timed; on a database thread, as the server does; and as a whole ASGI
request. All ways take turns, and the medians are subtracted from each other. PostgreSQL's own time is not in it.
"""

import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # to run in place, on the event loop's own thread
import orjson
import uvloop
from django.conf import settings

ROUNDS = 10
TIMES = 5


class Timed:
    """An execute wrapper: the CPU that this thread spends in statements, and in making their rows."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.rows = 0

    def __call__(self, execute: Callable[..., Any], *call: Any) -> Any:
        started = time.thread_time()
        rows = execute(*call)
        self.seconds += time.thread_time() - started
        self.rows += len(rows) if isinstance(rows, list) else 0
        return rows


class Parts:
    def __init__(self) -> None:
        from django.db import connection

        from bench.operations import BENCH_LIST
        from schema.asgi import application
        from schema.root import schema

        self._application = application
        self._schema = schema
        self._text = BENCH_LIST
        self._body = orjson.dumps({"query": BENCH_LIST})
        self._threads = settings.DB_POOL_SIZE
        self._timed = Timed()
        connection.ensure_connection()
        self._connection = connection

    async def prepare(self) -> None:
        from schema.server.persisted import Asked, find_document

        self._document = await find_document(self._schema, Asked({"query": self._text}))
        formatted = self._text.replace("amount currency", "amount currency formatted")
        self._formatted = await find_document(self._schema, Asked({"query": formatted}))
        self._data = orjson.loads(orjson.dumps(await self._execute(self._document)))
        await self.in_place()  # also has the shop add its own wrapper, which must stay below ours
        with self._connection.execute_wrapper(self._timed):
            await self.in_place()
        self.rows = self._timed.rows
        self.prices = sum(len(each["variants"]) for each in self._data["products"]["nodes"])

    async def _execute(self, document: Any) -> Any:
        from schema.server.context import Context
        from schema.server.execution import execute

        result = await execute(self._schema, document, Context(), {}, None)
        assert result.errors is None
        return result.data

    async def in_place(self, document: Any = None) -> None:
        settings.DB_POOL_SIZE = 0
        try:
            await self._execute(document or self._document)
        finally:
            settings.DB_POOL_SIZE = self._threads

    async def formatted(self) -> None:
        await self.in_place(self._formatted)

    async def with_hop(self) -> None:
        await self._execute(self._document)

    async def json(self) -> None:
        orjson.dumps(self._data)

    async def request(self) -> None:
        """As uvicorn would call the application."""
        sent: list[Any] = []
        messages = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive() -> Any:
            return messages.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"accept", b"application/json")]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "", "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        await self._application(scope, receive, send)
        assert sent[0]["status"] == 200

    async def statements(self, times: int) -> float:
        """Milliseconds in statements, of a run in place."""
        self._timed.seconds = 0.0
        with self._connection.execute_wrapper(self._timed):
            for _ in range(times):
                await self.in_place()
        return self._timed.seconds * 1000 / times


async def cpu_ms(call: Callable[[], Awaitable[None]], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        await call()
    return (time.process_time() - started) * 1000 / times


WAYS = ("statements", "in_place", "formatted", "with_hop", "json", "request")


async def serve() -> None:
    """For each line that comes in, a turn of each way; the parts of its milliseconds go out as a line of JSON."""
    import schema.asgi

    parts = Parts()
    await parts.prepare()
    schema.asgi._spare_the_collector()
    for _ in sys.stdin:
        sys.stdout.buffer.write(orjson.dumps(await turn(parts)) + b"\n")
        sys.stdout.buffer.flush()


async def turn(parts: Parts) -> dict[str, float]:
    """`request` is the sum of the others, but for what begins with "one"."""
    spent: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        for name, taken in spent.items():
            way = getattr(parts, name)
            taken.append(await (way(TIMES) if name == "statements" else cpu_ms(way, TIMES)))
    medians = {name: statistics.median(each) for name, each in spent.items()}
    return {
        "SQL and rows": medians["statements"],
        "plan and the fields' functions": medians["in_place"] - medians["statements"] - medians["json"],
        "hop": medians["with_hop"] - medians["in_place"],
        "JSON": medians["json"],
        "context and response": medians["request"] - medians["with_hop"],
        "request": medians["request"],
        "one row": medians["statements"] / parts.rows,
        "one Money.formatted": (medians["formatted"] - medians["in_place"]) / parts.prices,
    }


if __name__ == "__main__":
    import django

    django.setup()
    uvloop.run(serve())
