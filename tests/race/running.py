"""Many commands at the same instant, each on a thread with its own connection, as the server runs them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import connection

from backend.core.errors import DomainError

THREADS = 20
WAIT_S = 30


def at_once(commands: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all commands, `THREADS` at a time, starting together. Answers in order: results, or the refusals raised.

    Whatever else is raised (a deadlock, a broken constraint) fails the test.
    """
    threads = min(THREADS, len(commands))
    start = threading.Barrier(threads)
    with ThreadPoolExecutor(threads) as pool:
        first = [pool.submit(_starting_with, start, command) for command in commands[:threads]]
        rest = [pool.submit(command) for command in commands[threads:]]
        try:
            return [_answer(future) for future in (*first, *rest)]
        finally:
            _close_connections(pool, threads)


def _starting_with(start: threading.Barrier, command: Callable[[], Any]) -> Any:
    connection.ensure_connection()
    start.wait(WAIT_S)
    return command()


def _answer(future: Future[Any]) -> Any:
    error = future.exception(WAIT_S)
    if error is None:
        return future.result()
    if isinstance(error, DomainError):
        return error
    raise error


def _close_connections(pool: ThreadPoolExecutor, threads: int) -> None:
    """One task on every thread: the barrier keeps each from taking two."""
    all_here = threading.Barrier(threads)

    def close() -> None:
        connection.close()
        all_here.wait(WAIT_S)

    for future in [pool.submit(close) for _ in range(threads)]:
        future.result(WAIT_S)
