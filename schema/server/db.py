"""The one door from the event loop to blocking work: a fixed pool of threads, each with its own connection."""

import asyncio
import contextvars
import os
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import connection

from backend.core import hashers
from schema.server.threads import LoopThreads

Result = TypeVar("Result")
IO_THREADS = 16
_statements: contextvars.ContextVar["StatementCount | None"] = contextvars.ContextVar("statements", default=None)


class StatementCount:
    """How many SQL statements a request has run."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total = 0


def count_statements(count: StatementCount) -> None:
    """Count the statements that this context (an asyncio task and what it starts) runs from now on."""
    _statements.set(count)


def _count(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    count = _statements.get()
    if count is not None:
        count.total += 1
    return execute(sql, params, many, context)


def _open_thread() -> None:
    # The thread keeps its connection, and the wrapper with it. Nothing ends Django's requests here, but `_run` after an
    # error would close a connection older than CONN_MAX_AGE, which is 0 for Django's own threads: these have no limit.
    connection.settings_dict = {**connection.settings_dict, "CONN_MAX_AGE": None}
    connection.execute_wrappers.append(_count)


def _run(function: Callable[..., Result], args: Any, kwargs: Any) -> Result:
    if connection.errors_occurred or _is_cut_off():
        connection.errors_occurred = True  # or Django would not look
        connection.close_if_unusable_or_obsolete()
    return function(*args, **kwargs)


def _is_cut_off() -> bool:
    """Whether PostgreSQL has hung up, as it does when it is restarted.

    That is a look at the socket, which keeps the interpreter: `poll` would let other threads in between.
    """
    raw = connection.connection
    if raw is None:
        return False
    try:
        raw.pgconn.consume_input()  # the reason that it gives
        raw.pgconn.consume_input()  # the end
    except psycopg.OperationalError:
        return True
    return False


class _Pools:
    """Made at first use, so that importing costs no thread and a forked process gets its own."""

    def __init__(self) -> None:
        self.database: LoopThreads | None = None
        self.io: LoopThreads | None = None


_pools = _Pools()


async def db(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run a blocking function on a database thread, with the caller's context variables.

    With DB_POOL_SIZE=0 it runs in place, on the caller's own connection: for tests that share one transaction.
    """
    if settings.DB_POOL_SIZE == 0:
        if _count not in connection.execute_wrappers:
            connection.execute_wrappers.append(_count)
        return function(*args, **kwargs)
    if _pools.database is None:
        _pools.database = LoopThreads(settings.DB_POOL_SIZE, "db", _open_thread)
    return await _pools.database.run(lambda: _run(function, args, kwargs))


async def io(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run a function that may wait for other machines (a gateway), so that the database threads stay free."""
    if settings.DB_POOL_SIZE == 0:
        return function(*args, **kwargs)
    if _pools.io is None:
        _pools.io = LoopThreads(IO_THREADS, "io", _open_thread)
    return await _pools.io.run(lambda: _run(function, args, kwargs))


PASSWORDS_AT_ONCE = max(1, min(3, (os.cpu_count() or 1) // 2))
"""Half of the processors for people who sign in, at most: the other requests have the rest."""
_passwords = asyncio.Semaphore(PASSWORDS_AT_ONCE)


def few_with_passwords() -> asyncio.Semaphore:
    """To be held by whoever signs in with a password: `async with few_with_passwords(): ...`

    Were a thousand let in at once, all would ask the database before the first is hashed, and everybody else's
    requests would wait behind them. One at a time is some 30 logins a second.
    """
    return _passwords


async def hashing(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run what hashes a password on the threads that are meant for it: neither the loop nor a database waits."""
    if settings.DB_POOL_SIZE == 0:
        return function(*args, **kwargs)
    return await asyncio.wrap_future(hashers.submit(lambda: function(*args, **kwargs)))


def _connect() -> None:
    connection.ensure_connection()


async def warm_up() -> None:
    """Open every thread's connection before the first request asks for one."""
    await asyncio.gather(*(db(_connect) for _ in range(settings.DB_POOL_SIZE)))


def close() -> None:
    """End the threads; their connections end with the process."""
    for pool in (_pools.database, _pools.io):
        if pool is not None:
            pool.close()
    _pools.database = _pools.io = None
