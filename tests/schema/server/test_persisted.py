"""Automatic persisted queries as Apollo's clients speak them, over every transport, with Redis and without."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django_redis import get_redis_connection

from schema.server import persisted, persisted_store
from schema.server.documents import documents, sha256
from schema.server.persisted_store import store
from tests.conftest import connection_of_test, request
from tests.schema.server.sockets import converse, subscribe
from tests.schema.server.test_refusals import STREAM, codes, events

TEXT = "query Name { __typename }"
DATA = {"__typename": "Query"}
NOT_FOUND = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"
DAYS_7 = 7 * 24 * 60 * 60


def by_hash(text: str, hash: Any = None, version: Any = 1) -> dict[str, Any]:
    return {"persistedQuery": {"version": version, "sha256Hash": sha256(text) if hash is None else hash}}


def apq(text: str = TEXT, *, full: bool = False, **given: Any) -> dict[str, Any]:
    return {"extensions": by_hash(text), **({"query": text} if full else {}), **given}


def _post(http: Any, body: dict[str, Any]) -> Any:
    return http("POST", "/graphql", json=body).json()


def _get(http: Any, body: dict[str, Any]) -> Any:
    params = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return http("GET", "/graphql", params=params).json()


def _stream(http: Any, body: dict[str, Any]) -> Any:
    [(_, answer), (last, _)] = events(http("POST", "/graphql", json=body, headers=STREAM))
    assert last == "complete"
    return answer


def _socket(http: Any, body: dict[str, Any]) -> Any:
    said = converse(subscribe(body), answers=1)[0]
    return {"data": None, "errors": said["payload"]} if said["type"] == "error" else said["payload"]


TRANSPORTS = pytest.mark.parametrize("ask", [_post, _get, _stream, _socket])
Ask = Callable[[Any, dict[str, Any]], Any]


def keys() -> list[str]:
    return sorted(key.decode() for key in get_redis_connection("default").keys("*documents*"))


def expiry() -> int:
    [key] = keys()
    return int(get_redis_connection("default").ttl(key))


@pytest.fixture
def away(settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}


@TRANSPORTS
def test_a_hash_is_unknown_until_its_text_was_sent_with_it(http: Any, ask: Ask) -> None:
    assert ask(http, apq())["errors"] == [NOT_FOUND]
    assert ask(http, apq(full=True)) == {"data": DATA}
    assert ask(http, apq()) == {"data": DATA}
    documents.clear()  # another process
    assert ask(http, apq()) == {"data": DATA}


@TRANSPORTS
def test_variables_and_operation_names_come_with_a_hash(http: Any, ask: Ask) -> None:
    text = "query A { a: __typename } query B($yes: Boolean!) { b: __typename @include(if: $yes) }"
    asked: dict[str, Any] = {"operationName": "B", "variables": {"yes": True}}
    assert ask(http, apq(text, full=True, **asked)) == {"data": {"b": "Query"}}
    assert ask(http, apq(text, **asked)) == {"data": {"b": "Query"}}


def test_a_hash_that_is_not_found_is_no_error_of_http(http: Any) -> None:
    answer = http("POST", "/graphql", json=apq())
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@TRANSPORTS
def test_the_hash_of_another_text_is_refused_and_nothing_is_kept(http: Any, ask: Ask) -> None:
    body = {"query": TEXT, "extensions": by_hash("{ other }")}
    assert codes(ask(http, body)["errors"]) == {MISMATCH}
    assert keys() == []
    assert ask(http, {"extensions": by_hash("{ other }")})["errors"] == [NOT_FOUND]


@pytest.mark.parametrize(
    "extensions",
    [
        {"persistedQuery": 1},
        {"persistedQuery": []},
        {"persistedQuery": {}},
        {"persistedQuery": {"version": 1}},
        by_hash(TEXT, version=2),
        by_hash(TEXT, version="1"),
        by_hash(TEXT, version=True),
        by_hash(TEXT, hash=1),
        by_hash(TEXT, hash=""),
        by_hash(TEXT, hash="x" * 257),
    ],
)
@pytest.mark.parametrize("query", [TEXT, None])
def test_what_is_no_persisted_query_is_refused(http: Any, extensions: Any, query: str | None) -> None:
    body = {"query": query, "extensions": extensions}
    for headers in ({}, STREAM):
        answer = http("POST", "/graphql", json=body, headers=headers)
        assert answer.status_code == 400
        assert codes(answer.json()["errors"]) == {"BAD_USER_INPUT"}
    [said] = converse(subscribe(body), answers=1)
    assert (said["type"], codes(said["payload"])) == ("error", {"BAD_USER_INPUT"})
    assert keys() == []


def test_a_mutation_by_hash_and_get_is_refused(http: Any) -> None:
    text = 'mutation { cartClear(input: { cartId: "x" }) { cart { id } } }'
    assert _post(http, apq(text, full=True))["data"]
    params = {"extensions": json.dumps(by_hash(text))}
    assert http("GET", "/graphql", params=params).status_code == 405


def test_a_page_is_for_browsers_and_not_for_a_get_by_hash(http: Any) -> None:
    browser = {"accept": "text/html"}
    assert "html" in http("GET", "/graphql", headers=browser).headers["content-type"]
    params = {"extensions": json.dumps(by_hash(TEXT))}
    assert http("GET", "/graphql", headers=browser, params=params).json()["errors"] == [NOT_FOUND]


@pytest.mark.parametrize("text", ["{", "{ nothing }", "{" + " a" * 6000 + "}"])
def test_what_cannot_be_run_is_not_kept(http: Any, text: str) -> None:
    assert _post(http, apq(text, full=True))["data"] is None
    assert keys() == []


@TRANSPORTS
def test_a_text_over_the_limit_is_refused(http: Any, ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DOCUMENT_BYTES = len("{ __typename } # ж")
    for body in ({"query": "{ __typename } # ж"}, apq("{ __typename } # ж", full=True)):
        assert codes(ask(http, body)["errors"]) == {"QUERY_TOO_COMPLEX"}
    assert ask(http, {"query": "{ __typename } #  "}) == {"data": DATA}
    assert keys() == []


def test_expiry_starts_anew_when_a_process_finds_the_text_and_hourly_while_it_uses_it(
    http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis, time = get_redis_connection("default"), [1000.0]
    monkeypatch.setattr(persisted, "now", lambda: time[0])
    _post(http, apq(full=True))
    assert expiry() == DAYS_7
    redis.expire(keys()[0], 100)
    documents.clear()
    _post(http, apq())
    assert expiry() == DAYS_7
    redis.expire(keys()[0], 100)
    time[0] += persisted.RENEW_S - 1
    _post(http, apq())
    assert expiry() == 100
    time[0] += 1
    _post(http, apq())
    assert expiry() == DAYS_7


def test_what_a_process_knows_is_told_to_redis_when_it_is_asked_for_by_hash(http: Any) -> None:
    assert _post(http, {"query": TEXT}) == {"data": DATA}
    assert keys() == []
    assert _post(http, apq()) == {"data": DATA}
    assert len(keys()) == 1


def test_a_text_in_redis_that_is_not_that_of_its_hash_is_not_run(http: Any) -> None:
    _post(http, apq(full=True))
    for stored in (b"{ other }", b"\xff\xfe"):
        get_redis_connection("default").set(keys()[0], stored)
        documents.clear()
        assert _post(http, apq())["errors"] == [NOT_FOUND]


def test_a_known_hash_asks_nobody(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _post(http, apq(full=True))
    monkeypatch.setattr(store, "_connected", None)
    assert _post(http, apq()) == {"data": DATA}


@TRANSPORTS
@pytest.mark.usefixtures("away")
def test_without_redis_texts_run_and_hashes_are_not_found(http: Any, ask: Ask, caplog: Any) -> None:
    assert ask(http, {"query": TEXT}) == {"data": DATA}
    documents.clear()
    assert ask(http, apq())["errors"] == [NOT_FOUND]
    assert ask(http, apq(full=True)) == {"data": DATA}
    documents.clear()
    assert ask(http, apq())["errors"] == [NOT_FOUND]
    assert caplog.text == ""


@pytest.fixture
def silent(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A Redis that takes connections and says nothing."""
    monkeypatch.setattr(persisted_store, "PATIENCE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        server.setblocking(False)
        location = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}
        yield server


@pytest.mark.usefixtures("db")
def test_a_redis_that_says_nothing_is_waited_for_once(silent: socket.socket) -> None:
    connection = connection_of_test()

    async def run() -> list[Any]:
        answers = [await request(connection, "POST", "/graphql", json=apq()) for _ in range(20)]
        await store.close()
        return [answer.json()["errors"] for answer in answers]

    assert asyncio.run(run()) == [[NOT_FOUND]] * 20
    silent.accept()
    with pytest.raises(BlockingIOError):
        silent.accept()


@pytest.mark.usefixtures("db")
def test_redis_is_asked_again_when_it_may_be_back(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisted_store, "AWAY_S", 0.0)
    connection, here = connection_of_test(), settings.CACHES
    nowhere = {"default": {**here["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    async def run() -> list[Any]:
        answers = []
        for caches, full in ((here, True), (nowhere, False), (here, False)):
            settings.CACHES = caches
            documents.clear()
            answers.append(await request(connection, "POST", "/graphql", json=apq(full=full)))
        await store.close()
        return [answer.json() for answer in answers]

    first, second, third = asyncio.run(run())
    assert second["errors"] == [NOT_FOUND]
    assert first == third == {"data": DATA}


def clients() -> int:
    """How many connections this test process has to Redis: parallel ones have databases of their own."""
    redis = get_redis_connection("default")
    ours = str(redis.get_connection_kwargs()["db"])
    return sum(client["db"] == ours for client in redis.client_list())


@pytest.mark.usefixtures("db")
def test_hashes_asked_for_at_once_are_all_answered() -> None:
    connection, text = connection_of_test(), "{ a: __typename }"

    async def run() -> list[Any]:
        await request(connection, "POST", "/graphql", json=apq(text, full=True))
        documents.clear()
        asked = (request(connection, "POST", "/graphql", json=apq(text)) for _ in range(100))
        answers = await asyncio.gather(*asked)
        connections = clients()
        await store.close()
        return [connections, *(answer.json() for answer in answers)]

    before = clients()
    connections, *answers = asyncio.run(run())
    assert answers == [{"data": {"a": "Query"}}] * 100
    assert connections - before <= persisted_store.CONNECTIONS
