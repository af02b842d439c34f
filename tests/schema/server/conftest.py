"""The process's documents belong to each test alone."""

import asyncio
from collections.abc import Iterator

import pytest

from schema.server.documents import documents
from schema.server.persisted_store import store


@pytest.fixture(autouse=True)
def _no_documents() -> Iterator[None]:
    """Each test starts as a new process does, and leaves no connection of a loop that has ended."""
    documents.clear()
    yield
    asyncio.run(store.close())
