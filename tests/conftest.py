"""Tests run on the real PostgreSQL and Redis: the given ones, or the embedded engines in `.local/test`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ["ENVIRONMENT"] = "test"
os.environ["DB_POOL_SIZE"] = "0"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # with a pool of 0, db() runs on the test's own connection
os.environ["DJANGO_SETTINGS_MODULE"] = "backend.settings"


def _own_redis_database(url: str) -> str:
    """A Redis database for each parallel test process, so that they do not see each other's keys."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    separator = "&" if "?" in url else "?"
    return url if "db=" in url else f"{url}{separator}db={int(worker) + 1}"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Nothing to do: the engines are started at import, before pytest-django reads the settings."""


def _start_engines() -> None:
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        from backend.local import engines

        os.environ.setdefault("DATA_DIR", str(Path(__file__).parent.parent / ".local" / "test"))
        engines.prepare_environment()
    os.environ["REDIS_URL"] = _own_redis_database(os.environ["REDIS_URL"])


_start_engines()


@pytest.fixture(autouse=True)
def _clean_redis() -> "Iterator[None]":
    """Each test starts with an empty Redis and the real time."""
    from django_redis import get_redis_connection

    get_redis_connection("default").flushdb()
    yield
