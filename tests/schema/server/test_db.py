"""The database threads keep their connections, whatever Django's settings and requests do to theirs."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import OperationalError, ProgrammingError, connection
from pytest_django import Settings

from schema.server import db as database

pytestmark = pytest.mark.django_db(transaction=True)


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def fail() -> None:
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("SELECT nothing")


def hang_up() -> None:
    connection.close()  # named in the thread whose connection is meant


@pytest.mark.parametrize("door", [database.db, database.io])
def test_a_thread_of_the_pool_keeps_its_connection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, door: Callable[..., Any]
) -> None:
    settings.DB_POOL_SIZE = 1
    monkeypatch.setattr(database, "IO_THREADS", 1)

    async def run() -> list[int]:
        try:
            first = await door(backend_pid)
            request_finished.send(sender=None)
            second = await door(backend_pid)
            await door(fail)
            return [first, second, await door(backend_pid)]
        finally:
            await door(hang_up)
            database.close()

    assert settings.DATABASES["default"]["CONN_MAX_AGE"] == 0
    assert len(set(asyncio.run(run()))) == 1


def end(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_a_thread_whose_connection_was_ended_has_a_new_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DB_POOL_SIZE = 1
    monkeypatch.setattr(database, "IO_THREADS", 1)

    async def run() -> list[int]:
        try:
            first = await database.db(backend_pid)
            await database.io(end, first)
            healed = [await database.db(backend_pid), await database.db(backend_pid)]
            with pytest.raises(OperationalError):
                await database.db(lambda: end(backend_pid()))
            return [first, *healed, await database.db(backend_pid)]
        finally:
            await database.io(hang_up)
            await database.db(hang_up)
            database.close()

    first, second, third, last = asyncio.run(run())
    assert second == third
    assert len({first, second, last}) == 3
