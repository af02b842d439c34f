"""Queries whose root fields a plan knows: one plan and one hop for all of them, with graphql-core's answers."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import strawberry
from strawberry.permission import PermissionExtension

from schema.engine import Batches, EngineSchema, batched, computed, root_query
from tests.schema.engine.compare import Pair
from tests.schema.engine.test_side_by_side import PATIENCE, Gate, PoolContext
from tests.schema.engine.toy import ByRow, ByWord, Context, PersonRow, make_schema

PAIR = Pair(make_schema)


def run(document: str, variables: Any = None, **given: Any) -> tuple[Any, Context]:
    context = Context()
    result = asyncio.run(PAIR.fast.execute(document, variables, context_value=context, **given))
    return result, context


WHOLE = {
    "one root": "{ chosen { number title } }",
    "several roots": "{ shelf { number } readers { label books { number author { label } } } score }",
    "aliases with other arguments": "{ a: chosen { number } b: chosen(number: 3) { number } chosen { title } }",
    "merged roots": "{ shelf(count: 1) { number } shelf(count: 1) { title number } }",
    "a root that is null": "{ chosen(number: -1) { number } score(number: 0) }",
    "leaves only": "{ score twice: score(of: POEM, number: 4) }",
    "typename alone": "{ __typename }",
    "typename beside": "{ __typename shelf(count: 1) { __typename } same: __typename }",
    "an interface at the root": "{ anyone(number: 4) { __typename label ... on Book { shout } } }",
    "a union at the root": "{ found { __typename ... on Note { text length } ... on Stamp { mark } } }",
    "fragments at the root": """query Q { ...F ... on Query { score } ... { one: score(number: 1) } }
        fragment F on Query { shelf { ...B } } fragment B on Book { number }""",
    "a root left out": "{ chosen @skip(if: true) { number } score @include(if: true) }",
    "all roots left out": "{ chosen @skip(if: true) { number } }",
    "the same object from several fields": "{ shelf { author { number } } more: shelf { author { label } } }",
    "an input object": "{ shelf(count: 2, wish: {least: 4, words: []}) { number } }",
    "a permission": '{ secret(word: "sesame") { number } quietly(word: "psst") { number } }',
    "a permission below": "{ readers(count: 2) { diary(first: 1) { text } secrets } }",
    "an empty list above a permission": "{ readers(count: 0) { diary { text } } }",
}


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
def test_a_query_of_known_roots_is_one_run(document: str) -> None:
    PAIR.run_once(document)
    PAIR.run_once(document)  # once more: the plan is there by now


def test_all_roots_share_a_hop() -> None:
    result, context = run("{ shelf { author { number } } readers { books { number } } chosen { number } score }")
    assert result.errors is None
    assert context.hops == 1
    assert context.asked == [("chosen", 1)]


@pytest.mark.parametrize("document", ["{ __typename }", "{ book(number: 12) { digits(times: 2) title shout } }"])
def test_what_does_no_io_takes_no_hop(document: str) -> None:
    result, context = run(document)
    assert result.errors is None
    assert context.hops == 0
    PAIR.run_once(document)


def test_a_fault_of_one_parent_in_a_pure_batch_is_that_parents() -> None:
    errors = PAIR.fall_back("{ shelf(count: 7) { digits frail } }", "a Fault in place of a value")
    assert set(errors) == {("shelf", 2, "frail"), ("shelf", 6, "frail")}


def test_arguments_follow_the_variables_of_each_request() -> None:
    document = """query ($n: Int = 2, $least: Int!, $words: [String!], $yes: Boolean!) {
        shelf(count: $n, wish: {least: $least, words: $words}) { number shout(times: $n) }
        chosen(number: $least) @include(if: $yes) { number } }"""
    sets = [
        {"least": 1, "yes": True},
        {"least": 1, "yes": False},
        {"least": 5, "n": 0, "yes": True, "words": ["a"]},
        {"least": -1, "n": 1, "yes": True, "words": None},
    ]
    answers = [PAIR.run_once(document, variables) for variables in [*sets, *sets]]
    assert answers[:4] == answers[4:]
    assert len(set(answers)) == 4


def test_the_operation_is_chosen_by_its_name() -> None:
    document = """query One { score(number: 1) } query Two { score(number: 2) shelf(count: 1) { number } }
        mutation Three { write(number: 3) { number } }"""
    for _ in range(2):
        assert PAIR.run_once(document, operation="One") == b'{"score":1}'
        assert PAIR.run_once(document, operation="Two") == b'{"score":2,"shelf":[{"number":0}]}'
        assert PAIR.run_once(document, operation="Three") == b'{"write":{"number":3}}'


NULL, ODD, REFUSED = "a null where none may be", "a Fault in place of a value", "a permission that is not given"
FAULTS = {
    "a null root where none may be": ("{ score lost { number } }", NULL, {("lost",)}),
    "a root that raises": ("{ score breaks(number: 1) { number } }", "Fault", {("breaks",)}),
    "two roots that raise": (
        "{ a: breaks(number: 1) { number } b: breaks(number: 2) { number } chosen { number } }",
        "Fault",
        {("a",), ("b",)},
    ),
    "a root that returns an exception": ("{ breaks(number: 5) { number } }", ODD, {("breaks",)}),
    "a fault below a root": ("{ score shelf { fault } }", "Fault", {("shelf", 1, "fault")}),
    "a null below a root": ("{ score shelf(count: 5) { strictTitle } }", NULL, {("shelf", 4, "strictTitle")}),
    "too large a number": ("{ score(number: 2147483647, of: POEM) }", "GraphQLError", {("score",)}),
    "a permission that is refused": ('{ score secret(word: "") { number } }', REFUSED, {("secret",)}),
    "a permission that raises": ('{ score secret(word: "7") { number } }', "Fault", {("secret",)}),
    "a permission that is no boolean": ('{ secret(word: "odd") { number } }', REFUSED, {("secret",)}),
    "a permission below that is refused": (
        "{ readers(count: 4) { number diary { text } } }",
        REFUSED,
        {("readers", 2, "diary")},
    ),
}


@pytest.mark.parametrize(("document", "reason", "paths"), FAULTS.values(), ids=FAULTS)
def test_what_fails_is_answered_by_graphql_core(document: str, reason: str, paths: set[Any]) -> None:
    runs = PAIR.counts()[0]
    errors = PAIR.fall_back(document, reason)
    assert set(errors) == paths
    assert PAIR.counts()[0] == runs  # one attempt: graphql-core has the whole query


@pytest.mark.parametrize("document", ['{ score quietly(word: "") { number } }', "{ readers { secrets } }"])
def test_a_permission_may_be_refused_without_a_word(document: str) -> None:
    errors = PAIR.fall_back(document, REFUSED)
    assert errors == {}
    assert b"[]" in PAIR.both(document)[0]


def test_a_whole_query_that_falls_back_reads_its_roots_once_more_and_no_oftener() -> None:
    result, context = run("{ chosen(number: 2) { number } breaks(number: 1) { number } }")
    assert [error.path for error in result.errors or []] == [["breaks"]]
    assert context.asked == [("chosen", 2)] * 2


def test_permissions_are_asked_with_what_strawberry_would_tell_them() -> None:
    document = "query ($n: Int = 1) { readers(count: 2) { mine: diary(first: $n) { text } secrets number } }"
    told = []
    for schema in (PAIR.fast, PAIR.stock):
        context = Context()
        result = asyncio.run(schema.execute(document, {"n": 3}, context_value=context))
        assert result.errors is None
        told.append(context.asked)
    assert sorted(told[0], key=str) == sorted(told[1], key=str)
    assert len(told[0]) == 4


def test_a_permission_that_asks_for_the_path_is_asked_by_graphql_core() -> None:
    class ByPath(ByWord):
        def has_permission(self, source: Any, info: Any, **arguments: Any) -> bool:
            return bool(info.path.key == "open")

    @strawberry.type
    class Query:
        @root_query(permission_classes=[ByPath])
        def door() -> str | None:
            return "open"

    pair = Pair(lambda *, breadth_first: EngineSchema(Query, breadth_first=breadth_first))
    errors = pair.fall_back("{ open: door closed: door }", "a type or permission that depends on the path")
    assert set(errors) == {("closed",)}


def test_an_async_permission_leaves_the_field_to_graphql_core() -> None:
    class Later(ByRow):
        async def has_permission(self, source: Any, info: Any, **arguments: Any) -> bool:  # type: ignore[override]
            return bool(source.number != 1)

    @strawberry.type
    class Guarded:
        @computed(extensions=[PermissionExtension(permissions=[Later()])])
        def word(row: Any) -> str | None:
            return "told"

    @strawberry.type
    class Query:
        @root_query
        def rows() -> list[Guarded]:
            return [PersonRow(0), PersonRow(1)]  # type: ignore[list-item]

    pair = Pair(lambda *, breadth_first: EngineSchema(Query, breadth_first=breadth_first))
    assert set(pair.fall_back("{ rows { word } }", "an async permission")) == {("rows", 1, "word")}


# Beside what no plan knows -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "runs", "fallbacks"),
    [
        ("{ __schema { queryType { name } } shelf { number } chosen { number } }", 2, 1),
        ('{ __type(name: "Book") { name } score }', 0, 1),
        ("{ people { number } shelf { number } score }", 2, 0),
        ("{ people { slow } shelf { number } }", 1, 1),
        ("{ readers { slow } shelf { number } }", 1, 1),
        ("{ book(number: -1) { number } shelf { number } }", 1, 0),
    ],
)  # fmt: skip
def test_beside_what_no_plan_knows_each_root_has_its_own(document: str, runs: int, fallbacks: int) -> None:
    before = PAIR.counts()
    assert PAIR.both(document)[1] == {}
    assert PAIR.counts() == (before[0] + runs, before[1] + fallbacks)


def test_an_extension_of_another_kind_leaves_the_query_to_graphql_core() -> None:
    class Loud(strawberry.extensions.FieldExtension):
        def resolve(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
            return next_(source, info, **arguments)

    @strawberry.type
    class Query:
        @root_query(extensions=[Loud()])
        def word() -> str:
            return "word"

        @root_query
        def other() -> str:
            return "other"

    pair = Pair(lambda *, breadth_first: EngineSchema(Query, breadth_first=breadth_first))
    assert pair.both("{ word other }") == (b'{"word":"word","other":"other"}', {})
    assert pair.counts() == (0, 0)  # leaves at the root are no attempt


def test_mutations_run_their_roots_once_and_one_after_the_other() -> None:
    """Also with a query's fields and names beside them in the document."""
    steps: list[str] = []

    @strawberry.type
    class Done:
        word: str

        @batched
        def log(rows: list[Any]) -> list[list[str]]:
            return [list(steps) for _ in rows]

        @batched
        def broken(rows: list[Any]) -> list[int | None]:
            raise ValueError("broken")

    @strawberry.type
    class Query:
        @root_query
        def log() -> list[str]:
            return steps

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        async def write(self, word: str) -> Done:
            steps.append(f"begin {word}")
            await asyncio.sleep(0)
            steps.append(f"end {word}")
            return Done(word=word)

    document = """query Q { log } mutation M {
        a: write(word: "a") { word log } b: write(word: "b") { broken log } c: write(word: "c") { log } }"""
    for breadth_first in (True, False):
        steps.clear()
        schema = EngineSchema(Query, Mutation, breadth_first=breadth_first)
        result = asyncio.run(schema.execute(document, context_value=Context(), operation_name="M"))
        assert steps == [f"{what} {word}" for word in "abc" for what in ("begin", "end")]
        assert result.data is not None
        assert [len(each["log"]) for each in result.data.values()] == [2, 4, 6]
        assert [error.path for error in result.errors or []] == [["b", "broken"]]
        told = asyncio.run(schema.execute(document, context_value=Context(), operation_name="Q"))
        assert told.data == {"log": steps}
        if breadth_first:
            assert schema.engine is not None
            assert (schema.engine.runs, dict(schema.engine.fallbacks)) == (3, {"ValueError": 1})


# Ends, and others beside -------------------------------------------------------------------------


def gated(gate: Gate, later: list[str]) -> EngineSchema:
    @strawberry.type
    class Leaf:
        @batched
        def after(rows: list[Any]) -> list[int]:
            later.append("below")
            return [1] * len(rows)

    @strawberry.type
    class Query:
        @root_query
        def slow() -> list[Leaf]:
            gate.reached.set()
            assert gate.open.wait(PATIENCE)
            return [Leaf()]

        @root_query
        def next() -> str:
            later.append("beside")
            return "next"

        @root_query
        def quick() -> str:
            return "quick"

    return EngineSchema(Query)


@pytest.mark.parametrize("document", ["{ slow { after } }", "{ slow { __typename } next }"])
def test_a_cancelled_whole_query_frees_its_thread_at_the_next_read(document: str) -> None:
    gate, later = Gate(), []  # type: ignore[var-annotated]
    schema = gated(gate, later)

    async def scenario(pool: ThreadPoolExecutor) -> Any:
        request = asyncio.create_task(schema.execute(document, context_value=PoolContext(pool)))
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
        waiting = asyncio.create_task(schema.execute("{ next }", context_value=PoolContext(pool)))
        await asyncio.sleep(0)
        request.cancel()
        waiting.cancel()
        await asyncio.gather(request, waiting, return_exceptions=True)
        assert (request.cancelled(), waiting.cancelled()) == (True, True)
        gate.open.set()
        return await asyncio.wait_for(schema.execute("{ quick }", context_value=PoolContext(pool)), PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        assert asyncio.run(scenario(pool)).data == {"quick": "quick"}
    assert later == []
    assert schema.engine is not None
    assert (schema.engine.runs, dict(schema.engine.fallbacks)) == (1, {})


def test_a_fault_in_one_query_touches_no_other() -> None:
    """Both in one batched function at once, on two threads."""
    both_in = threading.Barrier(2)

    @strawberry.type
    class Query:
        @root_query
        def word(*, fails: bool) -> str | None:
            if both_in.n_waiting or not both_in.broken:
                both_in.wait(PATIENCE)
            if fails:
                both_in.abort()  # graphql-core asks this one again, alone
                raise ValueError("broken on purpose")
            return "whole"

    schema = EngineSchema(Query)

    async def scenario(pool: ThreadPoolExecutor) -> list[Any]:
        requests = [
            schema.execute(f"{{ word(fails: {fails}) }}", context_value=PoolContext(pool))
            for fails in ("true", "false")
        ]
        return await asyncio.wait_for(asyncio.gather(*requests), PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        failed, whole = asyncio.run(scenario(pool))
    assert failed.data == {"word": None}
    assert [error.message for error in failed.errors] == ["broken on purpose"]
    assert (whole.data, whole.errors) == ({"word": "whole"}, None)


def test_a_context_that_cannot_hop_is_told_by_graphql_core() -> None:
    class Full(Context):
        async def run_sync(self, function: Any) -> Any:
            raise RuntimeError("no thread is free")

    for schema in (PAIR.fast, PAIR.stock):
        result = asyncio.run(schema.execute("{ chosen { number } }", context_value=Full()))
        assert result.data == {"chosen": None}
        assert [error.message for error in result.errors or []] == ["no thread is free"]


def test_a_request_without_batches_of_its_own_shares_nothing() -> None:
    """Contexts are one for each request: what a plan is given is that one's."""

    @strawberry.type
    class Query:
        @root_query
        def who(ctx: Any) -> str:
            return str(ctx.name)

    schema = EngineSchema(Query)

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name
            self.batches = Batches(self)

        async def run_sync(self, function: Any) -> Any:
            return await asyncio.to_thread(function)

    async def at_once() -> list[Any]:
        return await asyncio.gather(*(schema.execute("{ who }", context_value=Named(f"n{n}")) for n in range(50)))

    assert [each.data["who"] for each in asyncio.run(at_once())] == [f"n{n}" for n in range(50)]
