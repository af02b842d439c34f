"""The shop's own schema with the engine on and off: the same bytes, and almost everything run breadth first."""

import os
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_redis import get_redis_connection
from graphql import OperationType, parse, validate
from hypothesis import HealthCheck, Phase, assume, given, settings

from backend.accounts.services import open_session
from schema.engine.executor import EXTENSION, Engine
from schema.root import schema
from schema.server.callers import forget
from tests.conftest import TOLD, Gql, send
from tests.factories.orders import make_order, pay
from tests.schema.engine.compare import assert_same
from tests.schema.engine.random_documents import Drawn, documents
from tests.schema.orders.watching import events, watch
from tests.schema.test_contract import (
    CONTRACT,
    RUNNABLE,
    SERVED,
    Operation,
    cookies_of,
    sample,
    variables_for,
    who_asks,
)
from tests.social.fixtures import provider, provider_process

__all__ = ["provider", "provider_process", "sample"]
needs_contract = pytest.mark.skipif(not CONTRACT.is_dir(), reason="../shared/contract is not here")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
MOST_FALLBACKS = 0.01


def engine() -> Engine:
    assert schema.engine is not None, "these tests are about ENGINE=on"
    return schema.engine


@pytest.fixture(autouse=True)
def only_with_engine() -> None:
    if schema.engine is None:
        pytest.skip("ENGINE=off: nothing to compare")


@contextmanager
def engine_off() -> Iterator[None]:
    """The schema as with ENGINE=off."""
    extension = schema._schema.extensions.pop(EXTENSION)
    try:
        yield
    finally:
        schema._schema.extensions[EXTENSION] = extension


class Twice:
    """Calls that may be made twice with the same answer: time and chance are repeated, what was written is undone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = timezone.now()
        self._chance = random.Random()
        monkeypatch.setattr(timezone, "now", lambda: self._now)
        monkeypatch.setattr(os, "urandom", self._bytes)
        monkeypatch.setattr(random, "_urandom", self._bytes)

    def _bytes(self, count: int) -> bytes:
        return self._chance.randbytes(count)

    def __call__(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        self._chance.seed(1)
        redis = get_redis_connection("default")
        kept = {key: redis.dump(key) for key in redis.keys("*")}
        sequences = _sequences()
        try:
            with transaction.atomic():
                answer = ask()
                transaction.set_rollback(True)
        finally:
            redis.flushdb()
            for key, value in kept.items():
                redis.restore(key, 0, value)
            _set_sequences(sequences)
        return answer

    def both(
        self, document: str, variables: dict[str, Any], token: str | None = None, cookies: str = ""
    ) -> tuple[httpx.Response, httpx.Response]:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        if cookies:
            headers["cookie"] = cookies

        def ask() -> httpx.Response:
            forget()
            return send("POST", "/graphql", json={"query": document, "variables": variables}, headers=headers)

        fast = self(ask)
        with engine_off():
            stock = self(ask)
        return fast, stock


def _sequences() -> list[tuple[str, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences")
        return list(cursor.fetchall())


def _set_sequences(values: list[tuple[str, int | None]]) -> None:
    with connection.cursor() as cursor:
        for name, value in values:
            if value is not None:
                cursor.execute("SELECT setval(%s, %s)", [name, value])


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch, db: None) -> Twice:
    return Twice(monkeypatch)


def test_repeated_calls_are_repeated(twice: Twice) -> None:
    """Or the comparisons below would compare nothing, or fail by chance."""
    document = 'mutation { cartCreate(input: {email: "a@b.example"}) { cart { id version createdAt } } }'
    fast, stock = twice.both(document, {})
    assert fast.json().keys() == {"data"} or fast.json()["errors"]
    assert fast.content == stock.content
    assert uuid.uuid4() != uuid.uuid4()


@needs_contract
@pytest.mark.parametrize("operation", RUNNABLE, ids=lambda each: each.name)
def test_an_operation_of_the_contract_has_the_same_bytes(
    operation: Operation, sample: dict[str, Any], twice: Twice
) -> None:
    user = who_asks(operation, sample)
    token = None if user is None else open_session(user=user).access
    before = engine().runs, sum(engine().fallbacks.values())
    variables = variables_for(operation.name, sample)
    fast, stock = twice.both(operation.text, variables, token, cookies_of(operation, sample))
    assert fast.status_code == stock.status_code == 200
    assert fast.content == stock.content
    assert "errors" not in fast.json()
    assert engine().runs > before[0]
    assert sum(engine().fallbacks.values()) == before[1]


@needs_contract
def test_the_contract_rarely_falls_back(
    sample: dict[str, Any], gql: Gql, record_property: Callable[[str, object], None]
) -> None:
    engine().runs = 0
    engine().fallbacks.clear()
    for operation in RUNNABLE:
        user = who_asks(operation, sample)
        ask = gql if user is None else gql.signed_in(user)
        variables = variables_for(operation.name, sample)
        ask.with_cookies(cookies_of(operation, sample))(operation.text, **variables)
    fallbacks = sum(engine().fallbacks.values())
    rate = fallbacks / (engine().runs + fallbacks)
    record_property(
        TOLD,
        f"Engine: {len(RUNNABLE)} operations of the contract, {engine().runs} runs, {fallbacks} fallbacks ({rate:.1%})",
    )
    assert engine().runs >= len(RUNNABLE)
    assert fallbacks <= MOST_FALLBACKS * (engine().runs + fallbacks), engine().fallbacks


@needs_contract
@pytest.mark.django_db(transaction=True)
def test_events_of_the_contracts_subscription_are_the_same() -> None:
    [operation] = [each for each in SERVED if each.type is OperationType.SUBSCRIPTION]
    order = make_order()
    pay(order)
    runs = engine().runs
    fast = events(watch(order, 2, query=operation.text))
    assert engine().runs == runs + 2
    with engine_off():
        assert events(watch(order, 2, query=operation.text)) == fast


@needs_contract
# graphql-core drops awaitables beside a field that fails; where they are collected, Python warns, or fails to.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(drawn=documents(schema._schema, depth=3, words=("<slug>", "<category>", "<id>", "<sku>", "USD", "US", "chair")))
def test_any_document_over_the_shop_has_the_same_answer(drawn: Drawn, sample: dict[str, Any], twice: Twice) -> None:
    cart, order = sample["cart"], sample["order"]
    ids = [*sample["ids"], cart["id"], order["id"]]
    real = {"<slug>": sample["slug"], "<category>": sample["category"], "<id>": ids[len(drawn.document) % len(ids)]}
    document, variables = _filled(drawn.document, real), _filled(drawn.variables, real)
    assume(not validate(schema._schema, parse(document)))  # an alias may mean two types of fields
    fast, stock = (each.json() for each in twice.both(document, variables))
    assert_same(stock.get("data"), _by_path(stock), fast.get("data"), _by_path(fast))


def _filled(value: Any, real: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, real) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, real) for each in value]
    if isinstance(value, str):
        for mark, word in real.items():
            value = value.replace(mark, word)
    return value


def _by_path(answer: dict[str, Any]) -> dict[tuple[str | int, ...], dict[str, Any]]:
    return {tuple(error.get("path", ())): error for error in answer.get("errors", [])}
