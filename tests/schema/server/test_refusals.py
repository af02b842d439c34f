"""What cannot be run is refused alike over HTTP, server-sent events and graphql-transport-ws, with codes."""

import json
from typing import Any

import pytest

from backend.carts.models import Cart
from schema.server.documents import MUST_NAME
from schema.server.websocket import MAX_OPERATIONS
from tests.conftest import Gql
from tests.schema.server.sockets import converse, subscribe

STREAM = {"accept": "text/event-stream"}
APOLLO = {"accept": 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json'}
NINES = "9" * 5000
CLEAR = 'mutation { cartClear(input: { cartId: "x" }) { cart { id } } }'
WATCH = 'subscription { orderEvents(orderId: "x") { cursor } }'
BROKEN = [
    ("{", "BAD_USER_INPUT"),
    ("subscription{", "BAD_USER_INPUT"),
    ("{ nothing }", "BAD_USER_INPUT"),
    ("{" + " a" * 6000 + " }", "QUERY_TOO_COMPLEX"),
    ("{" + "#\n" * 6000 + " __typename }", "QUERY_TOO_COMPLEX"),
    ("{ a" * 300 + " }" * 300, "QUERY_TOO_COMPLEX"),
    ("{ a(b: " + "[" * 300 + "]" * 300 + ") }", "QUERY_TOO_COMPLEX"),
    (
        "{ ...f0 }" + "".join(f" fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(600)),
        "QUERY_TOO_COMPLEX",
    ),
    (f"{{ products(first: {NINES}) {{ totalCount }} }}", "BAD_USER_INPUT"),
    (f"query ($n: Int = -{NINES}) {{ products(first: $n) {{ totalCount }} }}", "BAD_USER_INPUT"),
    (f"{{ product(id: {NINES}) {{ id }} }}", "BAD_USER_INPUT"),
    (CLEAR.replace('"x"', f'"x", expectedVersion: {NINES}'), "BAD_USER_INPUT"),
]
UNCLEAR = [
    ({"query": None}, "No GraphQL query found in the request."),
    ({"query": ""}, "No GraphQL query found in the request."),
    ({"query": "{ __typename }", "operationName": "x"}, 'Unknown operation named "x".'),
    ({"query": "query a { __typename } query b { __typename }"}, MUST_NAME),
    ({"query": f"query a {{ __typename }} {CLEAR.replace('mutation', 'mutation b')}"}, MUST_NAME),
    ({"query": "fragment f on Query { __typename }"}, "Must provide an operation."),
]


def events(answer: Any) -> list[tuple[str, Any]]:
    """The events of a stream, comments left out."""
    assert answer.headers["content-type"] == "text/event-stream"
    seen = []
    for block in answer.text.split("\r\n\r\n"):
        if block.startswith("event: "):
            name, _, data = block.removeprefix("event: ").partition("\r\ndata: ")
            seen.append((name, json.loads(data) if data else None))
    return seen


URQL = {
    "accept": "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, "
    "multipart/mixed"
}


@pytest.mark.parametrize("kind", ["application/json, text/event-stream", URQL["accept"]])
def test_who_takes_both_gets_json_for_what_is_no_stream(http: Any, kind: str) -> None:
    def ask(document: str) -> Any:
        return http("POST", "/graphql", json={"query": document}, headers={"accept": kind})

    answer = ask("{ __typename }")
    assert "json" in answer.headers["content-type"]
    assert answer.json() == {"data": {"__typename": "Query"}}
    assert "json" in ask("{ nothing }").headers["content-type"]
    assert "json" in ask("{").headers["content-type"]
    assert [name for name, _ in events(ask(WATCH))] == ["next", "complete"]


def codes(errors: list[dict[str, Any]]) -> set[str]:
    return {error["extensions"]["code"] for error in errors}


@pytest.mark.parametrize(("document", "code"), BROKEN)
def test_a_document_that_cannot_be_run_is_refused_with_a_code_everywhere(
    http: Any, caplog: Any, document: str, code: str
) -> None:
    plain = http("POST", "/graphql", json={"query": document})
    assert plain.status_code == 200
    assert plain.json()["data"] is None
    assert codes(plain.json()["errors"]) == {code}
    [(first, body), last] = events(http("POST", "/graphql", json={"query": document}, headers=STREAM))
    assert (first, last) == ("next", ("complete", None))
    assert body == plain.json()
    [answer] = converse(subscribe({"query": document}), answers=1)
    assert (answer["type"], answer["id"]) == ("error", "1")
    assert answer["payload"] == plain.json()["errors"]
    assert caplog.text == ""


@pytest.mark.parametrize(("body", "message"), UNCLEAR)
def test_a_request_that_does_not_tell_what_to_run_is_refused_everywhere(
    http: Any, caplog: Any, body: dict[str, Any], message: str
) -> None:
    refusal = {"message": message, "extensions": {"code": "BAD_USER_INPUT"}}
    for headers in ({}, STREAM):
        answer = http("POST", "/graphql", json=body, headers=headers)
        assert (answer.status_code, answer.json()) == (400, {"errors": [refusal]})
    assert converse(subscribe(body), answers=1) == [{"type": "error", "id": "1", "payload": [refusal]}]
    assert caplog.text == ""


def test_an_operation_among_several_is_run_when_it_is_named(http: Any) -> None:
    body = {"query": "query a { a: __typename } query b { b: __typename }", "operationName": "b"}
    assert http("POST", "/graphql", json=body).json() == {"data": {"b": "Query"}}
    assert events(http("POST", "/graphql", json=body, headers=STREAM))[0] == ("next", {"data": {"b": "Query"}})
    assert [answer["type"] for answer in converse(subscribe(body), answers=2)] == ["next", "complete"]


@pytest.mark.parametrize("headers", [{}, APOLLO, {"accept": "application/graphql-response+json"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_subscription_without_a_stream_is_told_how_to_get_one(
    http: Any, caplog: Any, method: str, headers: dict[str, str]
) -> None:
    given = {"params": {"query": WATCH}} if method == "GET" else {"json": {"query": WATCH}}
    answer = http(method, "/graphql", headers=headers, **given)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "graphql-transport-ws" in error["message"]
    assert "Accept: text/event-stream" in error["message"]
    assert caplog.text == ""


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_subscription_streams_when_events_are_accepted(http: Any, method: str) -> None:
    given = {"params": {"query": WATCH}} if method == "GET" else {"json": {"query": WATCH}}
    [(_, body), last] = events(http(method, "/graphql", headers=STREAM, **given))
    assert codes(body["errors"]) == {"NOT_FOUND"}
    assert last == ("complete", None)


@pytest.mark.parametrize("headers", [{}, STREAM])
def test_a_mutation_by_get_is_refused_with_a_stream_or_without(http: Any, headers: dict[str, str]) -> None:
    answer = http("GET", "/graphql", params={"query": CLEAR}, headers=headers)
    assert answer.status_code == 405
    assert codes(answer.json()["errors"]) == {"METHOD_NOT_ALLOWED"}


@pytest.mark.parametrize(
    "message",
    [
        [],
        "[",
        "1",
        None,
        {},
        {"type": []},
        {"type": "nothing"},
        {"type": "complete"},
        {"type": "complete", "id": []},
        {"type": "subscribe", "payload": {"query": "{ __typename }"}},
        subscribe("x"),
        subscribe(None),
        subscribe({}),
        subscribe({"query": "{ __typename }"}, id=1),
        subscribe({"query": "{ __typename }"}, id=""),
        subscribe({"query": 1}),
        subscribe({"query": "{ __typename }", "variables": []}),
        subscribe({"query": "{ __typename }", "operationName": 1}),
        subscribe({"query": "{ __typename }", "extensions": []}),
    ],
)
def test_a_socket_closes_on_what_is_no_message(message: Any, caplog: Any) -> None:
    assert converse(message, answers=1) == [{"close": 4400}]
    assert caplog.text == ""


def test_a_refused_operation_leaves_the_socket_and_its_id_usable() -> None:
    answers = converse(subscribe({"query": "{"}), subscribe({"query": "{ __typename }"}, id="2"), answers=3)
    assert {(answer["id"], answer["type"]) for answer in answers} == {("1", "error"), ("2", "next"), ("2", "complete")}


def test_a_socket_runs_only_so_many_operations_at_a_time(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema.server.websocket.MAX_OPERATIONS", 1)
    answers = converse(*(subscribe({"query": "{ __typename }"}, id=str(n)) for n in range(2)), answers=1)
    assert MAX_OPERATIONS == 50
    assert codes(answers[0]["payload"]) == {"BAD_USER_INPUT"}


def aliased(count: int, field: str = "__typename") -> str:
    return " ".join(f"a{n}: {field}" for n in range(count))


@pytest.mark.parametrize(
    "document",
    [
        "{ %s }",
        "query a { ... on Query { ...b } } fragment b on Query { ... { %s } }",
        "{ ...b } fragment b on Query { %s ...b }",
    ],
)
def test_an_operation_has_only_so_many_root_fields(gql: Gql, settings: Any, document: str) -> None:
    settings.GRAPHQL_MAX_ROOT_FIELDS = 5
    assert "QUERY_TOO_COMPLEX" in gql(document % aliased(6)).codes
    assert "QUERY_TOO_COMPLEX" not in {
        error["extensions"]["code"] for error in gql(document % (aliased(5) + " a0: __typename")).errors
    }


def test_a_fragment_spread_often_counts_once(gql: Gql, settings: Any) -> None:
    settings.GRAPHQL_MAX_ROOT_FIELDS = 5
    document = f"{{ ...b ...b ...c }} fragment b on Query {{ {aliased(5)} }} fragment c on Query {{ ...b }}"
    assert gql(document).errors == []


def test_too_many_aliased_writes_are_refused_and_none_is_made(gql: Gql) -> None:
    field = "cartCreate(input: {}) { cart { id } }"
    assert gql(f"mutation {{ {aliased(31, field)} }}").codes == ["QUERY_TOO_COMPLEX"]
    assert not Cart.objects.exists()
    assert gql(f"mutation {{ {aliased(30, field)} }}").errors == []
    assert Cart.objects.count() == 30


def test_media_types_are_read_in_any_case_and_others_are_refused(http: Any) -> None:
    body = '{"query": "{ __typename }"}'
    for kind in ("APPLICATION/JSON", "application/json; charset=UTF-8", "Application/Json;Charset=utf-8"):
        assert http("POST", "/graphql", content=body, headers={"content-type": kind}).status_code == 200
    for kind in ("text/plain", "text/plain; a=application/json", "application/json-patch", ";;;=", ""):
        answer = http("POST", "/graphql", content=body, headers={"content-type": kind})
        assert answer.status_code == 415
        assert codes(answer.json()["errors"]) == {"UNSUPPORTED_MEDIA_TYPE"}
    assert http("POST", "/graphql", content=body).status_code == 415
    shouted = http("POST", "/graphql", json={"query": "{ __typename }"}, headers={"accept": "TEXT/EVENT-STREAM"})
    assert [name for name, _ in events(shouted)] == ["next", "complete"]
    shouted = http("POST", "/graphql", json={}, headers={"accept": "APPLICATION/GraphQL-Response+JSON"})
    assert shouted.status_code == 400


def test_the_parameter_at_fault_is_named_as_clients_spell_it(http: Any) -> None:
    answer = http("POST", "/graphql", json={"query": "{ __typename }", "operationName": 5})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "operationName has the wrong type."
