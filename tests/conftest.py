"""Fixtures that every test has."""

from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection


@pytest.fixture(autouse=True)
def clean_redis() -> Iterator[None]:
    """Each test starts with an empty Redis, and so with the real time."""
    get_redis_connection("default").flushdb()
    yield
