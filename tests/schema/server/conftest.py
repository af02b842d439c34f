"""The process's documents belong to each test alone."""

import asyncio
from collections.abc import Iterator

import pytest

from schema.server import persisted_store
from schema.server.documents import documents
from schema.server.persisted_store import store


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test starts as a new process does, waits for Redis on the busiest machine, and leaves no connection."""
    documents.clear()
    monkeypatch.setattr(persisted_store, "PATIENCE_S", 20)
    yield
    asyncio.run(store.close())
