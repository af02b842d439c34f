"""The documents of a process: read once, bounded in bytes, one set for each version of the schema."""

import gc
import sys
import tracemalloc
from collections import Counter
from typing import Any

import pytest
import strawberry

from schema.engine.compile import Plans
from schema.root import schema
from schema.server import documents as module
from schema.server.documents import Documents, sha256
from tests.conftest import Gql
from tests.schema.server.sockets import converse, subscribe

SHOP = "query Shop($yes: Boolean!) { shop { name currencies @include(if: $yes) { name } } }"
LIST = "query List($n: Int) { products(first: $n) { nodes { id name variants { id sku } } } }"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a document was parsed, validated and planned."""
    done: Counter[str] = Counter()

    def counted(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            done[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    counted(module, "parse")
    counted(module, "validate_document")
    counted(Plans, "_compile")
    return done


def test_a_repeated_operation_is_parsed_validated_and_planned_once(gql: Gql, http: Any, work: Counter[str]) -> None:
    first = gql(SHOP, yes=True)
    once = dict(work)
    assert once == {"parse": 1, "validate_document": 1} | ({"_compile": 1} if schema.engine else {})
    assert gql(SHOP, yes=True).data == first.data
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(SHOP)}}
    assert (
        http("POST", "/graphql", json={"extensions": extensions, "variables": {"yes": True}}).json()["data"]
        == first.data
    )
    [said, _] = converse(subscribe({"query": SHOP, "variables": {"yes": True}}), answers=2)
    assert said["payload"]["data"] == first.data
    assert work == once


def test_what_does_not_fit_the_schema_is_refused_again_without_work(gql: Gql, work: Counter[str]) -> None:
    refused = gql("{ nothing }").errors
    assert gql("{ nothing }").errors == refused
    assert work == {"parse": 1, "validate_document": 1}


def test_another_version_of_the_schema_starts_empty(work: Counter[str]) -> None:
    def version(**fields: Any) -> strawberry.Schema:
        query = type("Query", (), {"__annotations__": dict.fromkeys(fields, str), **fields})
        return strawberry.Schema(strawberry.type(query))

    old, new = version(a="a"), version(a="a", b="b")
    documents = Documents()
    assert documents.read(old, "{ b }").errors
    assert not documents.read(new, "{ b }").errors
    assert documents.named(old, sha256("{ b }")) is not documents.named(new, sha256("{ b }"))
    assert documents.named(version(a="a", b="b"), sha256("{ b }")) is documents.named(new, sha256("{ b }"))
    assert work["validate_document"] == 2


def test_thousands_of_documents_stay_within_the_bound(settings: Any) -> None:
    settings.DOCUMENTS_KEPT_BYTES = 200_000
    documents = Documents()
    most = 0
    for number in range(2_000):
        documents.read(schema, f"{{ a{number}: __typename }}")
        most = max(most, documents.bytes)
    assert 150_000 < most <= 200_000
    assert 10 < len(documents) < 50
    assert documents.named(schema, sha256("{ a1999: __typename }"))
    assert documents.named(schema, sha256("{ a0: __typename }")) is None
    assert len(documents._by_name) == len(documents)
    documents.clear()
    assert documents.bytes == 0


def test_what_was_used_last_is_kept_longest(settings: Any) -> None:
    documents = Documents()
    sizes = [documents.read(schema, f"{{ {name}: __typename }}").bytes for name in "abc"]
    settings.DOCUMENTS_KEPT_BYTES = sum(sizes)
    assert documents.named(schema, sha256("{ a: __typename }"))
    documents.read(schema, "{ d: __typename }")
    kept = [name for name in "abcd" if documents.known(schema, f"{{ {name}: __typename }}")]
    assert kept == ["a", "c", "d"]


def test_a_document_that_is_larger_than_the_bound_runs_and_makes_no_room(settings: Any) -> None:
    documents = Documents()
    settings.DOCUMENTS_KEPT_BYTES = documents.read(schema, "{ __typename }").bytes
    assert not documents.read(schema, "{ __typename a: __typename }").errors
    assert [document.text for document in documents._by_text.values()] == ["{ __typename }"]


def test_a_name_given_to_a_document_that_is_gone_is_forgotten(settings: Any) -> None:
    documents = Documents()
    gone = documents.read(schema, "{ __typename }")
    documents.clear()
    again = documents.read(schema, "{ __typename }")
    documents.name(gone, "old")
    assert documents.named(schema, "old") is None
    documents.name(again, "new")
    assert documents.named(schema, "new") is again


@pytest.mark.parametrize(
    "text",
    [
        "{ __typename }",
        LIST,
        "{" + " a" * 4900 + " }",
        "{ a(b: [" + "1 " * 4000 + "]) }",
        "{ a(b: {" + "a:1 " * 1200 + "}) }",
        "query (" + "$a: [Int!] = 1 " * 400 + ") { a }",
        "{ a" + " @b(c: $d)" * 500 + " }",
        "{ " + "...on Query { b } " * 700 + "}",
        '{ a(b: "' + "x" * 50_000 + '") }',
        '{ a(b: "' + "ж" * 40_000 + '") }',
        '{ a(b: "' + "𝄞" * 20_000 + '") }',
        "{ a" + "#aaaaaaaaa\n" * 2000 + "}",
        "query " + "x" * 50_000 + " { " + " ".join(f"a{n}(b: $c{n})" for n in range(200)) + " }",
    ],
)
def test_a_document_takes_no_more_memory_than_is_counted(text: str) -> None:
    documents = Documents()
    documents.read(schema, text)  # what is made once in a process is made now
    documents.clear()
    gc.collect()
    tracemalloc.start()
    document = documents.read(schema, text)
    gc.collect()
    sys._clear_type_cache()  # it holds the names of attributes that were looked for
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken <= document.bytes


def test_what_makes_room_is_freed_before_old_objects_are_collected(settings: Any) -> None:
    settings.DOCUMENTS_KEPT_BYTES = 2_000_000
    documents = Documents()

    def fill(name: str, count: int) -> None:
        for number in range(count):
            documents.read(schema, "{" + f" {name}{number}: __typename" * 29 + "}")
            gc.collect(0)  # validation leaves cycles, which die young; documents grow old

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        fill("a", 100)
        assert tracemalloc.get_traced_memory()[0] <= 2_000_000
        fill("b", 100)
        assert tracemalloc.get_traced_memory()[0] <= 2_000_000
    finally:
        tracemalloc.stop()
        gc.enable()
    assert 1_800_000 < documents.bytes <= 2_000_000
