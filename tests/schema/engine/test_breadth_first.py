"""The engine against graphql-core: the same documents, the same answers to the byte, errors and paths included."""

import asyncio
from typing import Any

import pytest

from schema.engine.compile import MAX_STEPS, Plans
from tests.schema.engine.compare import Pair
from tests.schema.engine.toy import Context, make_schema

PAIR = Pair(make_schema)
FAST, STOCK = PAIR.fast, PAIR.stock
both, counts, run_once, fall_back = PAIR.both, PAIR.counts, PAIR.run_once, PAIR.fall_back


PLAIN = {
    "columns": "{ people { number label } }",
    "an alias of a field beside the field": "{ people { number n: number } }",
    "merged fields": "{ people { books { number } books { title number } } }",
    "merged root fields": "{ people { number } people { label } }",
    "aliases with other arguments": """{ people {
        a: books(wish: {least: 3}) { number } b: books(first: 1) { shout(mark: "?") } } }""",
    "typename everywhere": "{ people { __typename books { __typename } favorites { __typename } } }",
    "an inline fragment without a type": "{ people { ... { number } ... on Person { label } } }",
    "fragments in fragments": """{ people { ...P } }
        fragment P on Person { books { ...B } } fragment B on Book { number }""",
    "an interface": "{ named(number: 1) { __typename label ... on Person { number } ... on Book { title } } }",
    "a fragment on an interface inside an object": "{ people { ... on Named { label } } }",
    "a union with nulls": "{ things { __typename ... on Note { text length } ... on Stamp { mark } } }",
    "interfaces in lists that may be null": "{ people { relatives { label ... on Book { shout } } } }",
    "a list of lists": "{ book(number: 1) { matrix } }",
    "an enum that may be null": "{ people(count: 2) { books(first: 2) { number } } book(number: 0) { genre } }",
    "the same object twice on a level": "{ people { books { author { books { number } } } } }",
    "large integers": "{ book(number: 2) { large } }",
    "an empty list": "{ people(count: 0) { books { author { number } } } }",
    "nothing selected at last": "{ people { ... @include(if: false) { number } } }",
}


@pytest.mark.parametrize("document", PLAIN.values(), ids=PLAIN)
def test_what_is_plain_is_run_breadth_first(document: str) -> None:
    runs, fallbacks = counts()
    _, errors = both(document)
    assert errors == {}
    assert counts()[0] > runs
    assert counts()[1] == fallbacks


FAULTS = {
    "a null in a non-null place": ("{ book(number: 4) { strictTitle } }", "a null where none may be"),
    "a null object in a non-null place": (
        "{ book(number: 5) { number strictAuthor { number } } }",
        "a null where none may be",
    ),
    "a null in a list of non-nulls": ("{ book(number: 3) { holes } }", "a null where none may be"),
    "a computed field that raises": ("{ book(number: 1) { number fault } }", "Fault"),
    "an exception among the answers": ("{ people { books { brittle } } }", "a Fault in place of a value"),
    "a batch that raises": ("{ people { books { number broken } } }", "Fault"),
    "a batch of the wrong length": ("{ book(number: 1) { short number } }", "BatchLengthError"),
    "an enum's unknown value": ("{ book(number: 3) { genre } }", "GraphQLError"),
    "not a number": ("{ book(number: 1) { weight } }", "GraphQLError"),
    "a list that is none": ("{ book(number: 3) { oddList } }", "a list that is none"),
    "too large an integer": ("{ book(number: 9) { large } }", "GraphQLError"),
    "a null for a union's non-null": ("{ things { ... on Stamp { strictMark } } }", "a null where none may be"),
}


@pytest.mark.parametrize(("document", "reason"), FAULTS.values(), ids=FAULTS)
def test_what_fails_is_answered_by_graphql_core(document: str, reason: str) -> None:
    assert fall_back(document, reason)


UNKNOWN = {
    "an async resolver": "{ people { slow } }",
    "a resolver with info": '{ people { plain(word: "w") number } }',
    "introspection": "{ __schema { queryType { name } } }",
    "a list from a range": "{ book(number: 4) { oddList } }",
}


@pytest.mark.parametrize("document", UNKNOWN.values(), ids=UNKNOWN)
def test_what_the_plan_does_not_know_is_run_by_graphql_core(document: str) -> None:
    fallbacks = counts()[1]
    _, errors = both(document)
    assert errors == {}
    assert counts()[1] == fallbacks + 1


def test_errors_at_the_root_and_leaves_there_are_graphql_cores_own() -> None:
    runs = counts()
    data, errors = both("{ word fails { number } }")
    assert data == b"null"
    assert len(errors) == 1
    assert counts() == runs


@pytest.mark.parametrize("flag", [True, False])
def test_flags_choose_among_plans_of_one_document(flag: bool) -> None:
    document = """query ($flag: Boolean!, $word: String!) { people {
        number @skip(if: $flag) label @include(if: $flag) books { shout(mark: $word) ...F @include(if: $flag) } } }
        fragment F on Book { title }"""
    data = run_once(document, {"flag": flag, "word": "?"})
    assert (b'"label"' in data, b'"title"' in data, b'"number"' in data) == (flag, flag, not flag)


def test_arguments_follow_the_variables_of_each_request() -> None:
    document = "query ($wish: Wish, $first: Int! = 2) { people { books(wish: $wish, first: $first) { number } } }"
    answers = [
        run_once(document, variables)
        for variables in ({}, {"first": 1}, {"wish": {"least": 4}}, {"wish": {"least": 4}, "first": 0}, {"wish": None})
    ]
    assert len(set(answers)) == 4


def test_all_levels_run_in_one_hop() -> None:
    context = Context()
    result = asyncio.run(
        FAST.execute(
            "{ people { books { author { books { number } } } favorites { __typename } } }", context_value=context
        )
    )
    assert result.errors is None
    assert context.hops == 1


def test_a_mutation_whose_selection_fails_is_run_once() -> None:
    for schema in (FAST, STOCK):
        context: Any = Context()
        document = "mutation { one: write(number: 1) { fault } two: write(number: 5) { strictAuthor { number } } }"
        result = asyncio.run(schema.execute(document, context_value=context))
        assert context.written == [1, 5]
        assert result.data == {"one": {"fault": None}, "two": None}
        assert [error.path for error in result.errors or []] == [["one", "fault"], ["two", "strictAuthor"]]


def test_one_request_sees_nothing_of_another() -> None:
    document = "query ($n: Int!) { people { books(first: $n) { number author { label } } } }"
    alone = [asyncio.run(FAST.execute(document, {"n": n}, context_value=Context())).data for n in range(4)]

    async def at_once() -> list[Any]:
        requests = [FAST.execute(document, {"n": n % 4}, context_value=Context()) for n in range(200)]
        return [result.data for result in await asyncio.gather(*requests)]

    assert asyncio.run(at_once()) == alone * 50


def test_a_selection_of_very_many_fields_is_run_by_graphql_core() -> None:
    fields = " ".join(f"a{number}: number" for number in range(MAX_STEPS))
    document = f"{{ people(count: 1) {{ {fields} one: number }} }}"
    assert FAST.engine is not None
    before = FAST.engine.fallbacks["too many fields"]
    assert both(document)[1] == {}
    assert FAST.engine.fallbacks["too many fields"] == before + 1


def test_plans_make_room_and_start_anew() -> None:
    schema = make_schema(breadth_first=True)
    plans: Plans = schema._schema.extensions["cartograph-engine"].plans
    plans.steps_kept = 40
    for number in range(50):
        document = f"{{ people(count: {number % 3}) {{ x{number}: number }} }}"
        assert PAIR.answer(schema, document) == PAIR.answer(STOCK, document)
    assert len(plans._selections) == 20
    assert plans.steps == sum(planned.weight for planned in plans._selections.values()) == 40
