"""A schema of everything unusual: values, inputs, names and resolvers that plain shops do not have."""

import asyncio
import datetime
from collections.abc import AsyncGenerator
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, NewType

import strawberry
from graphql import Undefined
from strawberry.extensions import ParserCache
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from schema.engine import EngineSchema, batched, computed

Vanishing = NewType("Vanishing", str)
Nulled = NewType("Nulled", str)

KEY = strawberry.ID("k")


@strawberry.enum
class Size(Enum):
    SMALL = 1
    LARGE = "l"


class Word(str):
    """Not exactly a string."""


class Grade(IntEnum):
    GOOD = 1


class Stringy(StrEnum):
    ONE = "one"


@strawberry.input
class Inner:
    words: list[str | None] = strawberry.field(default_factory=lambda: ["a"])
    size: Size = Size.SMALL
    amount: Decimal | None = None


@strawberry.input
class Given:
    inner: Inner | None = None
    several: list[Inner] | None = None
    number: int = 7
    at: datetime.datetime | None = None
    anything: JSON | None = None


class Row:
    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def stops_as_column(self) -> str:
        if self.number == 1:
            raise StopIteration
        return "on"

    @property
    def from_(self) -> str:
        return "Ada"


VALUES: list[Any] = [
    True, False, 0, 7, -1, 2**31, 1.0, 1.5, float("inf"), "7", "", "word", Word("word"), Grade.GOOD, Stringy.ONE,
    Decimal("1.50"), Decimal("2"), datetime.date(2020, 1, 2), b"bytes", {"a": 1}, [1], (), {1}, Undefined, None,
    ValueError("as a value"), Size.SMALL, Size.LARGE, "SMALL", "l", object, Row(1), 10**30, -0.0, strawberry.UNSET,
    2**31 - 1, -(2**31), -(2**31) - 1,
]  # fmt: skip


@strawberry.type
class Values:
    """One value, as each type."""

    @computed
    def as_int(row: Any) -> int | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_float(row: Any) -> float | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_string(row: Any) -> str | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_id(row: Any) -> strawberry.ID | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_boolean(row: Any) -> bool | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_enum(row: Any) -> Size | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_decimal(row: Any) -> Decimal | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_date(row: Any) -> datetime.date | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_json(row: Any) -> JSON | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_vanishing(row: Any) -> Vanishing | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_nulled(row: Any) -> Nulled | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_list(row: Any) -> list[str | None] | None:
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_lists(row: Any) -> list[list[int | None] | None] | None:
        return [VALUES[row.number], [1], None]

    @computed
    def as_object(row: Any) -> "Item | None":
        return VALUES[row.number]  # type: ignore[no-any-return]

    @computed
    def as_entity(row: Any) -> "Entity | None":
        return VALUES[row.number]  # type: ignore[no-any-return]


@strawberry.interface
class Entity:
    @classmethod
    def resolve_type(cls, value: Any, *_: Any) -> str:
        return {0: "Item", 1: "Film"}[value.number % 2]

    @computed
    def id(row: Any) -> strawberry.ID:
        return row.number  # type: ignore[no-any-return]

    @batched
    def near(rows: list[Any]) -> list[list["Entity | None"]]:
        return [[Row(row.number + 1), None, Row(row.number + 2)] for row in rows]  # type: ignore[misc, list-item]


@strawberry.interface
class Labelled(Entity):
    @computed
    def label(row: Any) -> str:
        return f"label {row.number}"

    @batched
    def same(rows: list[Any], *, word: str = "x") -> list[str]:
        raise NotImplementedError


@strawberry.interface
class ByPlace:
    """Its type depends on where it is."""

    @classmethod
    def resolve_type(cls, value: Any, info: Any, _: Any) -> str:
        return "Left" if info.field_name == "left" else "Right" if value.number % 2 else info.path.key.title()  # type: ignore[no-any-return]

    @computed
    def number(row: Any) -> int:
        return row.number  # type: ignore[no-any-return]


@strawberry.type
class Left(ByPlace):
    @computed
    def left(row: Any) -> ByPlace:
        return row  # type: ignore[no-any-return]

    @computed
    def right(row: Any) -> ByPlace:
        return row  # type: ignore[no-any-return]


@strawberry.type
class Right(Left): ...


@strawberry.type
class Film(Labelled):
    @batched
    def same(rows: list[Any], *, word: str = "x") -> list[str]:
        return [f"film {word} {row.number}" for row in rows]


@strawberry.type
class Item(Labelled):
    number: int
    from_: str = strawberry.field(name="from")
    stops_as_column: str | None

    @batched
    def same(rows: list[Any], *, word: str = "x") -> list[str]:
        return [f"item {word} {row.number}" for row in rows]

    @computed
    def stops(row: Any) -> str | None:
        return next(word for word in ["zero"] if row.number == 0)

    @computed
    def stops_with(row: Any, *, word: str = "w") -> str | None:
        return next(each for each in [word] if row.number == 0)

    @computed
    def misses(row: Any) -> str | None:
        return {0: "zero"}[row.number]

    @computed
    def recurses(row: Any) -> str | None:
        def again() -> str:
            return again()

        return again() if row.number == 1 else "not"

    @computed
    def is_cancelled(row: Any) -> str | None:
        raise asyncio.CancelledError

    @computed
    async def later(row: Any) -> str:
        return f"later {row.number}"

    @computed
    def class_(row: Any, *, lambda_: Annotated[str, strawberry.argument(name="lambda")] = "d") -> str:
        return lambda_

    @batched
    def reverses(rows: list[Any]) -> list[int]:
        answers = [number_of(row) for row in rows]
        rows.reverse()
        return answers

    @batched
    def keeps(rows: list[Any], *, words: list[str | None], given: Given | None = None) -> list[str]:
        words.append("kept")
        if given and given.inner:
            given.inner.words.append("kept")
        return [f"{len(words)} {len(given.inner.words) if given and given.inner else ''}" for _ in rows]

    @computed
    def tells(row: Any, *, given: Given | None = None, words: list[list[str | None] | None] | None = None) -> str:
        return f"{given} {words}"

    @batched
    def tells_all(
        rows: list[Any],
        *,
        given: Given | None = strawberry.UNSET,
        size: Size | None = Size.LARGE,
        sizes: list[Size] | None = None,
        flag: bool = False,
        key: strawberry.ID = KEY,
        ratio: float = 0.5,
    ) -> list[str]:
        return [f"{given} {size} {sizes} {flag} {key!r} {ratio!r}"] * len(rows)

    @batched
    def values(rows: list[Any]) -> list[list[Values]]:
        return [[Row(number) for number in range(number_of(row) * 6, number_of(row) * 6 + 6)] for row in rows]  # type: ignore[misc]

    @batched
    def hidden(rows: list[Any]) -> list[list["Union | None"] | None]:
        return [[[item_of(1), Text(text="t")], None, [None, Text(text="u")]][number_of(row) % 3] for row in rows]  # type: ignore[misc]

    @batched
    def deep(rows: list[Any]) -> list["Item"]:
        return rows

    @batched
    def nested(rows: list[Any]) -> list[list[list[list["Union | None"]]]]:
        return [[[[Text(text="a"), None]], [], [[], [item_of(number_of(row))]]] for row in rows]  # type: ignore[misc, list-item]


def number_of(row: Any) -> int:
    """Also of what is no row. A batch that fails does so for all parents that share it, which the two ways choose."""
    return getattr(row, "number", 0)


def item_of(number: int) -> Any:
    """A row that says which type it is, as unions want to know."""
    return strawberry.cast(Item, Row(number))


@strawberry.type
class Text:
    text: str


Union = Annotated[Item | Text, strawberry.union("Union")]


@strawberry.interface
class HasItems:
    @strawberry.field
    def items(self, count: int = 3) -> list[Entity] | None:
        return [Row(number) for number in range(count)]  # type: ignore[misc]


@strawberry.type
class Query(HasItems):
    @strawberry.field
    def items(self, count: int = 3) -> list[Item]:
        return [Row(number) for number in range(count)]  # type: ignore[misc]

    @strawberry.field
    async def entities(self) -> list[Labelled]:
        return [Row(0), Row(1), Row(2)]  # type: ignore[list-item]

    @strawberry.field
    def left(self, number: int = 1) -> ByPlace:
        return Row(number)  # type: ignore[return-value]

    @strawberry.field
    def dicts(self) -> list[Text]:
        return [{"text": "no attribute"}]  # type: ignore[list-item]

    @strawberry.field
    def value(self, number: int) -> Values:
        return Row(number)  # type: ignore[return-value]


@strawberry.type
class Mutation(HasItems):
    @strawberry.mutation
    async def write(self, info: strawberry.Info, word: str = "w") -> Item | None:
        info.context.written = [*getattr(info.context, "written", []), word]
        return Row(1)  # type: ignore[return-value]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def rows(self) -> AsyncGenerator[Item, None]:
        for number in range(4):
            yield Row(number)  # type: ignore[misc]


SCALARS: dict[object, Any] = {
    Vanishing: strawberry.scalar(name="Vanishing", serialize=lambda value: Undefined, parse_value=str),
    Nulled: strawberry.scalar(name="Nulled", serialize=lambda value: None, parse_value=str),
}


def make_schema(*, breadth_first: bool) -> EngineSchema:
    return EngineSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Item, Film, Left, Right],
        breadth_first=breadth_first,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[lambda: ParserCache(maxsize=1000)],
    )
