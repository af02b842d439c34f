"""Random documents, inputs and mutations: the engine and graphql-core, side by side. `make fuzz` tries thousands."""

import os
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.schema.engine import odd, toy
from tests.schema.engine.compare import Pair
from tests.schema.engine.random_documents import Drawn, documents

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
TOY = Pair(toy.make_schema)
ODD = Pair(odd.make_schema)
WITH_FAULTS = {
    *("fails", "fault", "broken", "brittle", "short", "strictTitle", "strictAuthor", "strictMark", "slow", "plain"),
    *("genre", "weight", "holes", "oddList", "large", "stops", "stopsWith", "stopsAsColumn", "misses", "recurses"),
    *("later", "dicts", "value", "values"),
    *("lost", "breaks", "secret", "quietly", "diary", "secrets", "frail"),
}
"""Left alone by every other document, for those that the engine answers alone."""
# What raises no Exception ends the request.
NEVER = {"isCancelled"}
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
# graphql-core cancels what is beside a fault: coroutines that have not begun are no fault. Python tells of them
# wherever its garbage collector happens to run, also where it cannot.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def same_answer(pair: Pair, drawn: Drawn) -> None:
    assert not validate(pair.stock._schema, parse(drawn.document))
    pair.both(drawn.document, drawn.variables)
    # Once more: plans are there by now, and must not have kept anything of the first request.
    pair.both(drawn.document, drawn.variables)


@bounded
@given(drawn=documents(TOY.stock._schema) | documents(TOY.stock._schema, without=WITH_FAULTS))
def test_any_document_has_the_same_answer(drawn: Drawn) -> None:
    same_answer(TOY, drawn)


@bounded
@given(
    drawn=documents(TOY.stock._schema, without=toy.OLD_ROOTS)
    | documents(TOY.stock._schema, without=toy.OLD_ROOTS | WITH_FAULTS)
)
def test_any_document_of_root_queries_has_the_same_answer(drawn: Drawn) -> None:
    """Which are run as a whole, if they are."""
    same_answer(TOY, drawn)


@bounded
@given(drawn=documents(ODD.stock._schema, without=NEVER) | documents(ODD.stock._schema, without=NEVER | WITH_FAULTS))
def test_any_document_over_unusual_types_has_the_same_answer(drawn: Drawn) -> None:
    same_answer(ODD, drawn)


@bounded
@given(
    drawn=documents(TOY.stock._schema, "mutation", depth=3)
    | documents(TOY.stock._schema, "mutation", depth=3, without=WITH_FAULTS)
)
def test_any_document_of_mutations_writes_once_and_has_the_same_answer(drawn: Drawn) -> None:
    same_answer(TOY, drawn)


@bounded
@given(data=st.data())
def test_any_document_follows_its_variables(data: Any) -> None:
    """One document, cached, with the variables of several requests in turn."""
    drawn = data.draw(documents(TOY.stock._schema, without=WITH_FAULTS))
    flags = {name: value for name, value in drawn.variables.items() if isinstance(value, bool)}
    for _ in range(3):
        turned = {name: data.draw(st.booleans()) for name in flags}
        TOY.both(drawn.document, {**drawn.variables, **turned})
