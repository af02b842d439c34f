"""What is unusual in a schema, its values and its resolvers: answered as graphql-core answers it, byte for byte."""

import asyncio
from typing import Any

import pytest
import strawberry
from strawberry.extensions import ParserCache, SchemaExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig

from schema.engine import EngineSchema, batched
from tests.schema.engine import odd
from tests.schema.engine.compare import Errors, Pair
from tests.schema.engine.odd import VALUES, make_schema
from tests.schema.engine.toy import Context

PAIR = Pair(make_schema)
TYPES = ["Int", "Float", "String", "Id", "Boolean", "Enum", "Decimal", "Date", "Vanishing", "Nulled", "List", "Lists"]


@pytest.mark.parametrize("graphql_type", TYPES)
def test_any_value_is_sent_as_graphql_core_sends_it(graphql_type: str) -> None:
    """Subclasses of str and int, numbers for Boolean, ids of numbers, `Undefined`, scalars that send nothing."""
    for number in range(len(VALUES)):
        PAIR.both(f"{{ value(number: {number}) {{ as{graphql_type} }} }}")


def test_any_value_in_place_of_an_object_is_refused_as_graphql_core_refuses_it() -> None:
    for number in range(len(VALUES)):
        PAIR.both(f"{{ value(number: {number}) {{ asObject {{ number }} asEntity {{ id }} }} }}")


def test_a_scalar_may_send_objects() -> None:
    number = VALUES.index({"a": 1})
    assert PAIR.run_once(f"{{ value(number: {number}) {{ asJson }} }}") == b'{"value":{"asJson":{"a":1}}}'


RAISED = {
    "StopIteration in the only field": ("{ items { stops } }", "StopIteration"),
    "StopIteration beside other fields": ("{ items { number stops } }", "StopIteration"),
    "StopIteration with arguments": ('{ items { stopsWith(word: "a") } }', "StopIteration"),
    "StopIteration of a column": ("{ items { stopsAsColumn } }", "StopIteration"),
    "StopIteration on a database thread": ("{ items { reverses stopsWith } }", "StopIteration"),
    "KeyError": ("{ items { misses } }", "KeyError"),
    "RecursionError": ("{ items { recurses } }", "RecursionError"),
    "no such attribute": ("{ dicts { text } }", "AttributeError"),
}


@pytest.mark.parametrize(("document", "reason"), RAISED.values(), ids=RAISED)
def test_whatever_is_raised_is_told_at_its_place(document: str, reason: str) -> None:
    assert PAIR.fall_back(document, reason)


def test_a_cancellation_is_no_error_of_a_field() -> None:
    for schema in (PAIR.fast, PAIR.stock):
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(schema.execute("{ items { isCancelled } }", context_value=Context()))


def test_an_async_computed_field_is_graphql_cores_to_await(recwarn: pytest.WarningsRecorder) -> None:
    assert PAIR.fall_back("{ items { later number } }", "an async computed field") == {}
    assert not [each for each in recwarn if "never awaited" in str(each.message)]


PLAIN = {
    "names that are Python's keywords": '{ items { from class_(lambda: "l") } }',
    "aliases that mean something elsewhere": "{ items { __proto__: number constructor: from toString: number } }",
    "an interface of interfaces": """{ entities { id ...E ... on Labelled { label } near { id ...L } } }
        fragment E on Entity { __typename } fragment L on Labelled { id label }""",
    "one response key in fragments on different types": """{ entities {
        ... on Item { x: from y: near { id } } ... on Film { x: label z: label y: near { __typename } } } }""",
    "unions in lists of lists": """{ items { nested { __typename ... on Text { text } ... on Item { number } }
        hidden { ... on Text { text } ... on Labelled { label } } } }""",
    "a type that depends on the field's name": "{ left { ... on Left { left { __typename } } } }",
    "merged fields at several depths": """{ items { deep { number deep { id } } } items { deep { deep { deep { number }
        id label } ...D } } } fragment D on Item { deep { number deep { __typename number } } number }""",
}


@pytest.mark.parametrize("document", PLAIN.values(), ids=PLAIN)
def test_unusual_selections_are_run_breadth_first(document: str) -> None:
    PAIR.run_once(document)


def test_a_selection_fifteen_deep_is_run_breadth_first() -> None:
    PAIR.run_once("{ items { " + "deep { a: number " * 15 + "number" + " }" * 15 + " } }")


def test_a_selection_too_deep_for_a_plan_is_graphql_cores() -> None:
    document = "{ items(count: 1) { " + "deep { " * 150 + "number" + " }" * 150 + " } }"
    assert PAIR.fall_back(document, "RecursionError") == {}


def test_a_type_that_depends_on_the_path_is_left_to_graphql_core() -> None:
    errors = PAIR.fall_back(
        "{ left(number: 2) { ... on Left { left { __typename } right { __typename } } } }",
        "a type or permission that depends on the path",
    )
    assert errors == {}


def test_a_function_may_reorder_its_parents() -> None:
    assert PAIR.run_once("{ items { reverses number again: reverses } }").count(b'"reverses":2,"number":2,"again":2')


def test_what_a_function_does_to_its_arguments_is_forgotten() -> None:
    document = '{ items { keeps(words: ["a"], given: {inner: {}}) } }'
    assert [PAIR.run_once(document).count(b'"2 2"') for _ in range(3)] == [3, 3, 3]


def test_same_key_functions_of_two_types_get_their_own_parents() -> None:
    document = '{ entities { ... on Item { same(word: "q") } ... on Film { same(word: "q") } } }'
    assert b'"item q 0"' in PAIR.run_once(document)


def test_a_fragment_may_be_shared_by_root_types_that_return_differently() -> None:
    document = "query Q { ...F } mutation M { ...F } fragment F on HasItems { items { id __typename } }"
    query = PAIR.run_once(document, operation="Q")
    assert query.count(b'"Item"') == 3
    mutation = PAIR.run_once(document, operation="M")
    assert mutation.count(b'"Film"') == 1
    assert PAIR.run_once(document, operation="Q") == query


INPUTS: list[tuple[str, str, list[dict[str, Any]]]] = [
    ("variables in lists of lists", "($w: String) { items { tells(words: [[$w], null, []]) } }",
     [{"w": "one"}, {"w": "two"}, {"w": None}, {}]),
    ("variables in input objects", """($n: Int! = 3, $w: [String], $s: Size! = LARGE) { items {
        tells(given: {number: $n, inner: {words: $w, size: $s}, several: [{size: $s, words: [null, "x"]}]}) } }""",
     [{"w": ["a"]}, {"w": "lone"}, {"n": 1, "w": [None], "s": "SMALL"}, {"w": []}]),
    ("a list variable left out or null", "($w: [String]!) { items { tells(given: {inner: {words: $w}}) } }",
     [{"w": []}, {"w": [None]}]),
    ("arguments left out, null and given", """($z: Size, $k: ID = 4, $r: Float, $zs: [Size!]) { items {
        none: tellsAll all: tellsAll(size: $z, key: $k, ratio: $r, sizes: $zs) null: tellsAll(size: null) } }""",
     [{}, {"z": None}, {"z": "SMALL", "k": 5, "r": 1, "zs": "LARGE"}, {"k": "x", "r": 2.5, "zs": ["SMALL", "LARGE"]},
      {"zs": None}]),
    ("custom scalars", """($a: Decimal, $t: DateTime, $j: JSON) { items { tells(given: {at: $t, anything: $j,
        inner: {amount: $a}}) literal: tells(given: {anything: {deep: [1, {a: null}]}, inner: {amount: "1.50"}}) } }""",
     [{}, {"a": "1.50", "t": "2020-01-02T03:04:05+00:00", "j": {"x": [1, None, {"y": "z"}]}}, {"a": None, "j": None},
      {"j": "text"}]),
    ("variables in JSON literals", "($w: String, $j: JSON) { items { tells(given: {anything: {a: [$w, $j]}}) } }",
     [{"w": "one", "j": 1}, {"w": "two", "j": {"b": 2}}, {}]),
]  # fmt: skip


@pytest.mark.parametrize(("document", "sets"), [each[1:] for each in INPUTS], ids=[each[0] for each in INPUTS])
def test_inputs_follow_the_variables_of_each_request(document: str, sets: list[dict[str, Any]]) -> None:
    answers = [PAIR.run_once("query " + document, variables) for variables in [*sets, *sets]]
    assert answers[: len(sets)] == answers[len(sets) :]
    assert len(set(answers)) > 1


BAD: list[tuple[str, dict[str, Any]]] = [
    ("query ($n: Int = 1) { items { tells(given: {number: $n}) } }", {"n": None}),
    ("query ($z: Size = SMALL) { items { tellsAll(sizes: [$z, LARGE]) } }", {"z": None}),
    ("query ($k: ID = 1) { items { number tellsAll(key: $k) } }", {"k": None}),
    ("query ($n: Int!) { items { tells(given: {number: $n}) } }", {"n": "one"}),
    ("query ($n: Int!) { items { tells(given: {number: $n}) } }", {}),
    ("query ($a: Decimal) { items { tells(given: {inner: {amount: $a}}) } }", {"a": "much"}),
]


@pytest.mark.parametrize(("document", "variables"), BAD)
def test_bad_inputs_are_refused_alike(document: str, variables: dict[str, Any]) -> None:
    assert PAIR.both(document, variables)[1]


FLAGGED = """query ($f: Boolean = true, $g: Boolean! = false) { entities { id near { id
    ... on Item @skip(if: $f) { number @include(if: $g) } ...L @include(if: $f) } } }
    fragment L on Labelled { label @skip(if: $g) }"""


@pytest.mark.parametrize("variables", [{}, *({"f": f, "g": g} for f in (True, False) for g in (True, False))])
def test_flags_by_default_and_given(variables: dict[str, Any]) -> None:
    PAIR.run_once(FLAGGED, variables)


def test_a_null_flag_is_told_where_graphql_core_meets_it() -> None:
    document = "query ($f: Boolean = true) { value(number: 31) { asObject { number @skip(if: $f) } asId } }"
    PAIR.both(document, {})
    errors: Errors = PAIR.both(document, {"f": None})[1]
    assert ("value", "asObject") in errors
    PAIR.both(document, {"f": False})


def test_each_event_of_a_subscription_is_completed_by_the_engine() -> None:
    async def events(schema: Any) -> list[Any]:
        results: Any = await schema.subscribe(
            "subscription { rows { number reverses misses near { id } } }", context_value=Context()
        )
        return [(each.data, [error.formatted for error in each.errors or []]) async for each in results]

    engine = PAIR.fast.engine
    assert engine is not None
    runs, missed = engine.runs, engine.fallbacks["KeyError"]
    found = asyncio.run(events(PAIR.fast))
    assert found == asyncio.run(events(PAIR.stock))
    assert [bool(errors) for _, errors in found] == [False, True, True, True]
    assert (engine.runs, engine.fallbacks["KeyError"]) == (runs + 1, missed + 3)


def test_events_without_faults_all_run_breadth_first() -> None:
    async def events() -> list[Any]:
        results: Any = await PAIR.fast.subscribe("subscription { rows { number } }", context_value=Context())
        return [each.data async for each in results]

    runs = PAIR.counts()[0]
    assert [each["rows"]["number"] for each in asyncio.run(events())] == [0, 1, 2, 3]
    assert PAIR.counts()[0] == runs + 4


# What a server may add -----------------------------------------------------------------------------------


def incremental(*, breadth_first: bool) -> EngineSchema:
    return EngineSchema(
        query=odd.Query,
        types=[odd.Item, odd.Film, odd.Left, odd.Right],
        breadth_first=breadth_first,
        config=StrawberryConfig(scalar_map=odd.SCALARS, enable_experimental_incremental_execution=True),
        extensions=[lambda: ParserCache(maxsize=100)],
    )


async def frames(schema: EngineSchema, document: str, variables: dict[str, Any]) -> list[Any]:
    result: Any = await schema.execute(document, variables, context_value=Context())
    if not hasattr(result, "subsequent_results"):
        return [result.data, result.errors]
    return [result.initial_result.formatted, *[each.formatted async for each in result.subsequent_results]]


def test_defer_and_stream_are_graphql_cores() -> None:
    fast, stock = (incremental(breadth_first=way) for way in (True, False))
    for document, variables in (
        ("query ($d: Boolean!) { items { number ... @defer(if: $d) { from } } }", {"d": False}),
        ("query ($d: Boolean!) { items { number ... @defer(if: $d) { from } } }", {"d": True}),
        ("query ($d: Boolean!) { items { number ... @defer(if: $d) { from } } }", {"d": False}),
        ("{ ... @defer { items { number reverses } } left { number } }", {}),
        ("{ items @stream(initialCount: 1) { number reverses } }", {}),
        ("{ items { near @stream(initialCount: 1) { id } } }", {}),
    ):
        found = asyncio.run(frames(fast, document, variables))
        assert found == asyncio.run(frames(stock, document, variables))
    assert fast.engine is not None
    assert fast.engine.runs == 3


class Refuses(BasePermission):
    message = "not you"

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return bool(source.number != 1)


def test_permissions_of_a_batched_field_are_asked() -> None:
    @strawberry.type
    class Guarded:
        @batched(permission_classes=[Refuses])  # type: ignore[untyped-decorator]
        def secret(rows: list[Any]) -> list[str | None]:
            return ["told"] * len(rows)

    @strawberry.type
    class Query:
        @strawberry.field
        def rows(self) -> list[Guarded]:
            return [odd.Row(number) for number in range(3)]  # type: ignore[misc]

    pair = Pair(lambda *, breadth_first: EngineSchema(Query, breadth_first=breadth_first))
    errors = pair.fall_back("{ rows { secret } }", "a permission that is not given")
    assert [(path, each["message"]) for path, each in errors.items()] == [(("rows", 1, "secret"), "not you")]


def test_an_extension_that_watches_resolvers_sees_each() -> None:
    seen: list[str] = []

    class Watch(SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(info.field_name)
            return _next(root, info, *args, **kwargs)

    schema = EngineSchema(
        odd.Query, types=[odd.Item, odd.Film], config=StrawberryConfig(scalar_map=odd.SCALARS), extensions=[Watch]
    )
    result: Any = asyncio.run(schema.execute("{ items(count: 2) { number } }", context_value=Context()))
    assert result.data == {"items": [{"number": 0}, {"number": 1}]}
    assert seen == ["items", "number", "number"]


def test_a_very_large_list_is_run_breadth_first() -> None:
    data = PAIR.run_once("{ items(count: 20000) { number deep { id same: __typename } } }")
    assert data.count(b'"same"') == 20000
