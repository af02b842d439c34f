"""Columns, computed and batched fields on a toy schema."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from schema.engine import Batches, EngineSchema, batched, computed


class Context:
    """Counts hops, and what was asked of each batch."""

    def __init__(self) -> None:
        self.batches = Batches(self)
        self.hops = 0
        self.asked: list[tuple[str, int]] = []

    def run_sync(self, function: Callable[[], Any]) -> Awaitable[Any]:
        self.hops += 1

        async def run() -> Any:
            return function()

        return run()


class Row:
    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)


@strawberry.enum
class Letter(Enum):
    ALPHA = "a"
    BETA = "b"


@strawberry.type
class Leaf:
    name: str
    letter: Letter

    @batched
    def price(leaves: list[Any], ctx: Context) -> list[int]:
        ctx.asked.append(("price", len(leaves)))
        return [len(leaf.name) for leaf in leaves]


@strawberry.type
class Branch:
    name: str

    @computed
    def shout(branch: Any) -> str:
        return str(branch.name.upper())

    @batched(description="Its leaves.")
    def leaves(
        branches: list[Any], ctx: Context, *, first: Annotated[int, strawberry.argument(description="So many.")] = 2
    ) -> list[list["Leaf"]]:
        ctx.asked.append(("leaves", len(branches)))
        return [[Row(name=f"{branch.name}{n}", letter="a") for n in range(first)] for branch in branches]  # type: ignore[misc]

    @batched
    def twin(branches: list[Any]) -> list["Branch | None"]:
        return [branch.twin for branch in branches]

    @batched
    def miscounted(branches: list[Any]) -> list[int | None]:
        return [1]

    @batched
    def broken(branches: list[Any]) -> list[int | None]:
        raise ValueError("broken on purpose")


ONE = Row(name="one", twin=None)
TWO = Row(name="two", twin=ONE)


@strawberry.type
class Query:
    @strawberry.field
    async def branches(self, info: Info) -> list[Branch]:
        return [ONE, TWO, ONE]  # type: ignore[list-item]


SCHEMA = EngineSchema(Query)


def run(query: str) -> tuple[Any, Context]:
    context = Context()
    result = asyncio.run(SCHEMA.execute(query, context_value=context))
    return result, context


def test_a_batched_field_is_one_call_for_all_parents_and_each_parent_once() -> None:
    result, context = run("{ branches { name shout leaves { name letter price } } }")
    assert result.errors is None
    assert context.asked == [("leaves", 2), ("price", 4)]
    assert [branch["shout"] for branch in result.data["branches"]] == ["ONE", "TWO", "ONE"]
    assert result.data["branches"][1]["leaves"][1] == {"name": "two1", "letter": "ALPHA", "price": 4}


def test_fields_of_one_level_share_a_hop() -> None:
    _, context = run("{ branches { a: leaves(first: 1) { name } b: leaves(first: 3) { name } twin { name } } }")
    assert context.hops == 1
    assert context.asked == [("leaves", 2), ("leaves", 2)]


def test_aliases_with_other_arguments_get_their_own_answers() -> None:
    result, _ = run("{ branches { a: leaves(first: 1) { name } b: leaves(first: 3) { name } } }")
    assert [len(result.data["branches"][0][alias]) for alias in "ab"] == [1, 3]


def test_a_wrong_number_of_answers_names_the_field() -> None:
    result, _ = run("{ branches { miscounted } }")
    assert "miscounted was asked for 2 answers and returned 1" in result.errors[0].message


def test_a_batch_that_fails_spares_the_others() -> None:
    result, _ = run("{ branches { broken leaves { name } } }")
    assert {error.message for error in result.errors} == {"broken on purpose"}
    assert [branch["broken"] for branch in result.data["branches"]] == [None, None, None]
    assert len(result.data["branches"][0]["leaves"]) == 2


def test_descriptions_and_arguments_reach_the_schema() -> None:
    field = SCHEMA._schema.type_map["Branch"].fields["leaves"]  # type: ignore[attr-defined]
    assert field.description == "Its leaves."
    assert field.args["first"].default_value == 2
    assert str(field.type) == "[Leaf!]!"
