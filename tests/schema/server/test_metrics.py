"""/metrics: only where it is switched on, only with its token, and what it tells of the engine."""

import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from schema.server.metrics import EngineCollector
from tests.schema.engine import toy
from tests.schema.engine.compare import Pair

TOKEN = "0123456789abcdef"
PAIR = Pair(toy.make_schema)


def ask(http: Any, token: str | None = TOKEN, method: str = "GET", kind: str = "Bearer") -> Any:
    return http(method, "/metrics", headers={} if token is None else {"authorization": f"{kind} {token}"})


@pytest.mark.parametrize("token", [None, "", TOKEN])
def test_without_the_setting_there_is_no_such_page(http: Any, token: str | None) -> None:
    answer = ask(http, token)
    assert answer.status_code == 404
    assert answer.content == b""


@pytest.mark.parametrize("token", [None, "", "x", TOKEN + "0", TOKEN[:-1], "tökén"])
def test_without_its_token_nothing_is_told(http: Any, settings: Any, token: str | None) -> None:
    settings.METRICS_TOKEN = TOKEN
    headers = {} if token is None else {"authorization": f"Bearer {token}".encode()}
    answer = http("GET", "/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.content == b""


def test_a_token_of_another_kind_and_other_methods_are_refused(http: Any, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert ask(http, kind="Basic").status_code == 401
    assert ask(http, kind="bearer").status_code == 200
    refused = ask(http, method="POST")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD"


def test_the_engines_counts_follow_requests(http: Any, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    def runs() -> float:
        answer = ask(http)
        assert answer.headers["content-type"].startswith("text/plain")
        assert "process_cpu_seconds_total" in answer.text
        found = re.search(r"^cartograph_engine_runs_total (\S+)$", answer.text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    before = runs()
    http("POST", "/graphql", json={"query": "{ products(first: 1) { nodes { name } } }"})
    assert runs() == before + settings.ENGINE


def told(schema: Any) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(EngineCollector(schema))
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_runs_fallbacks_by_reason_and_plans_are_told() -> None:
    schema = toy.make_schema(breadth_first=True)
    for document in ("{ score }", "{ score }", "{ breaks(number: 1) { number } }", "{ lost { number } }"):
        PAIR.answer(schema, document)
    assert schema.engine is not None
    assert told(schema) == {
        "cartograph_engine_on": 1,
        "cartograph_engine_runs_total": 2,
        'cartograph_engine_fallbacks_total{reason="Fault"}': 1,
        'cartograph_engine_fallbacks_total{reason="a null where none may be"}': 1,
        "cartograph_engine_plans_total": 3,
        "cartograph_engine_steps": schema.engine.plans.steps,
    }


def test_without_the_engine_that_is_told() -> None:
    assert told(toy.make_schema(breadth_first=False)) == {"cartograph_engine_on": 0}
