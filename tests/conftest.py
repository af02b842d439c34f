"""Fixtures that every test has."""

import asyncio
import gc
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django_redis import get_redis_connection

TOLD = "told"
"""A property that a test records, to have it in the report."""


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from what lives as long as the process, as the server does."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == TOLD:
                terminalreporter.write_line(value)


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    """Each test starts with an empty Redis, and so with the real time."""
    get_redis_connection("default").flushdb()


SUBJECTS = ("cart", "order", "payment", "user", "accessToken", "vendor", "invitation", "group")
"""What a payload may be about: null when a mutation was refused."""


@dataclass(frozen=True)
class Answer:
    """What came back. `statements` is how many SQL statements the request ran, savepoints of tests included."""

    status: int
    data: Any
    errors: list[dict[str, Any]]
    statements: int

    def __getitem__(self, field: str) -> Any:
        """A root field of an answer without top-level errors."""
        assert self.errors == []
        return self.data[field]

    @property
    def codes(self) -> list[str]:
        """The codes of its top-level errors."""
        return [error["extensions"]["code"] for error in self.errors]


class Gql:
    """A sync door to the ASGI application: what a client sees, in the test's own transaction."""

    def __init__(self, token: str | None = None, cookies: str = "") -> None:
        self.token = token
        self.cookies = cookies

    def with_cookies(self, cookies: str) -> "Gql":
        """The same door from a browser that has these cookies."""
        return Gql(self.token, cookies)

    def signed_in(self, user: Any) -> "Gql":
        """The same door for somebody, on a new device of theirs."""
        from backend.accounts.services import open_session

        return Gql(open_session(user=user).access)

    def __call__(self, document: str, **variables: Any) -> Answer:
        headers = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        if self.cookies:
            headers["cookie"] = self.cookies
        answer = send("POST", "/graphql", json={"query": document, "variables": variables}, headers=headers)
        body = answer.json()
        statements = int(answer.headers.get("x-sql-queries", 0))
        return Answer(answer.status_code, body.get("data"), body.get("errors", []), statements)

    def refused(self, document: str, **variables: Any) -> dict[str, Any]:
        """The one user error of a mutation that must be refused: its code, message and field."""
        answer = self(document, **variables)
        assert answer.errors == []
        [payload] = answer.data.values()
        assert [value for name, value in payload.items() if name in SUBJECTS] == [None]
        [error] = payload["userErrors"]
        return dict(error)


def send(method: str, url: str, **given: Any) -> httpx.Response:
    return asyncio.run(request(connection_of_test(), method, url, **given))


def connection_of_test() -> Any:
    return connections[DEFAULT_DB_ALIAS]


async def request(connection: Any, method: str, url: str, **given: Any) -> httpx.Response:
    """A request on the test's own connection: Django gives a running event loop another one than its thread."""
    from schema.asgi import application
    from schema.server.persisted_store import store

    connections[DEFAULT_DB_ALIAS] = connection
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        try:
            return await client.request(method, url, **given)
        finally:
            if "authorization" in given.get("headers", {}) or settings.OPERATIONS_PER_MINUTE:
                await store.close()  # asked about a session; its connections belong to this event loop, which ends here


@pytest.fixture
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The web process knows nothing from earlier tests, and waits for Redis on the busiest machine."""
    from schema.server import callers, persisted_store

    callers.forget()
    monkeypatch.setattr(persisted_store, "PATIENCE_S", 20)


@pytest.fixture
def http(db: None, new_process: None) -> Any:
    """Requests to the whole application, in this thread and so in the test's own transaction."""

    def ask(method: str, url: str, **given: Any) -> httpx.Response:
        return send(method, url, **given)

    return ask


@pytest.fixture
def gql(db: None, settings: Any, new_process: None) -> Gql:
    settings.SQL_HEADER = True
    return Gql()
