"""A library that is no shop: interfaces, unions, lists of lists, nulls and faults in every place."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.extensions import ParserCache
from strawberry.permission import BasePermission, PermissionExtension

from schema.engine import Batches, EngineSchema, batched, computed, root_query


class Context:
    """What the engine asks of a context, in one thread."""

    def __init__(self) -> None:
        self.batches = Batches(self)
        self.hops = 0
        self.asked: list[Any] = []

    async def run_sync(self, function: Callable[[], Any]) -> Any:
        self.hops += 1
        return function()


class Fault(Exception):
    """Raised on purpose."""


class ByWord(BasePermission):
    """Given, refused, or a fault, as the field's argument says."""

    message = "not with this word"

    def has_permission(self, source: Any, info: Any, **arguments: Any) -> bool:
        word = arguments["word"]
        if word == "7":
            raise Fault("who asks?")
        return "yes" if word == "odd" else word != ""  # type: ignore[return-value]


class ByRow(BasePermission):
    """Not for each row; tells in `written` what it was asked with."""

    message = "not this one"

    def has_permission(self, source: Any, info: Any, **arguments: Any) -> bool:
        told = info.field_name, info.python_name, str(info.return_type), info.schema.query.__name__
        selected = [(each.name, each.arguments) for each in info.selected_fields]
        info.context.asked.append((*told, selected, dict(info.variable_values), arguments))
        return bool(source.number != 2)


@strawberry.enum
class Genre(Enum):
    NOVEL = "novel"
    POEM = "poem"


@strawberry.input
class Wish:
    least: int = 0
    words: list[str] | None = None


@strawberry.type
class Note:
    text: str
    mark: int | None = None

    @batched
    def length(notes: list[Any]) -> list[int]:
        return [len(note.text) for note in notes]


@strawberry.type
class Stamp:
    mark: int | None
    strict_mark: int


Thing = Annotated[Note | Stamp, strawberry.union("Thing")]


@dataclass
class Row:
    number: int

    @property
    def title(self) -> str | None:
        return None if self.number % 5 == 4 else f"Title {self.number}"


class BookRow(Row):
    pass


class PersonRow(Row):
    pass


def books_of(row: Row) -> list[BookRow]:
    return [BookRow(row.number * 3 + n) for n in range(row.number % 4)]


@strawberry.interface
class Named:
    @computed
    def label(row: Any) -> str:
        return f"{type(row).__name__} {row.number}"

    @classmethod
    def resolve_type(cls, value: Any, *_: Any) -> str:
        return {"BookRow": "Book", "PersonRow": "Person"}[type(value).__name__]


@strawberry.type
class Book(Named):
    number: int
    title: str | None

    @computed
    def strict_title(row: Any) -> str:
        return row.title  # type: ignore[no-any-return]

    @computed
    def shout(row: Any, *, mark: str = "!", times: int = 1) -> str:
        return f"{row.number}{mark * times}"

    @computed
    def large(row: Any) -> int:
        return 2**31 - 3 + int(row.number)

    @computed
    def genre(row: Any) -> Genre | None:
        return [Genre.NOVEL, Genre.POEM, None, "none of them"][row.number % 4]  # type: ignore[no-any-return]

    @computed
    def weight(row: Any) -> float | None:
        return [1.5, float("nan"), 2, None][row.number % 4]  # type: ignore[no-any-return]

    @computed
    def fault(row: Any) -> str | None:
        if row.number % 3 == 1:
            raise Fault(f"book {row.number}")
        return "fine"

    @computed
    def matrix(row: Any) -> list[list[int | None]]:
        return [[row.number, None], [], [1, 2, 3]]

    @computed
    def holes(row: Any) -> list[str]:
        return ["a", None, "c"] if row.number % 4 == 3 else ["a", "c"]  # type: ignore[list-item]

    @computed
    def odd_list(row: Any) -> list[int] | None:
        return {0: [1], 1: (2,), 2: None, 3: 7, 4: range(2)}[row.number % 5]  # type: ignore[return-value]

    @batched
    def author(rows: list[Any]) -> list["Person | None"]:
        shared = PersonRow(1)
        return [None if row.number % 6 == 5 else shared if row.number % 2 else PersonRow(2) for row in rows]  # type: ignore[misc]

    @batched
    def strict_author(rows: list[Any], ctx: Context) -> list["Person"]:
        assert isinstance(ctx, Context)
        return [None if row.number % 6 == 5 else PersonRow(row.number % 3) for row in rows]  # type: ignore[misc]

    @batched
    def brittle(rows: list[Any]) -> list[str | None]:
        return [Fault(f"brittle {row.number}") if row.number % 4 == 2 else "whole" for row in rows]  # type: ignore[misc]

    @batched
    def broken(rows: list[Any]) -> list[str | None]:
        raise Fault("all of it")

    @batched(pure=True)
    def digits(rows: list[Any], *, times: int = 1) -> list[list[int]]:
        return [[int(digit) for digit in str(row.number) * times] for row in rows]

    @batched(pure=True)
    def frail(rows: list[Any], ctx: Context) -> list[str | None]:
        return [Fault(f"frail {row.number}") if row.number % 4 == 2 else f"{ctx.hops >= 0}" for row in rows]  # type: ignore[misc]

    @batched
    def short(rows: list[Any]) -> list[str | None]:
        return ["one too few"] * (len(rows) - 1)


@strawberry.type
class Person(Named):
    number: int

    @batched
    def books(rows: list[Any], *, wish: Wish | None = None, first: int = 9) -> list[list[Book]]:
        least = wish.least if wish else 0
        return [[book for book in books_of(row) if book.number >= least][:first] for row in rows]  # type: ignore[misc]

    @batched
    def favorites(rows: list[Any]) -> list[list[Thing]]:
        return [[Note(text=f"on {row.number}"), Stamp(mark=1, strict_mark=row.number), Note(text="x")] for row in rows]

    @batched(permission_classes=[ByRow])
    def diary(rows: list[Any], *, first: int = 2) -> list[list[Note]]:
        return [[Note(text=f"day {n} of {row.number}") for n in range(first)] for row in rows]

    @computed(extensions=[PermissionExtension(permissions=[ByRow()], fail_silently=True)])
    def secrets(row: Any) -> list[str]:
        return [f"secret {row.number}"]

    @batched
    def relatives(rows: list[Any]) -> list[list["Named | None"] | None]:
        return [None if row.number == 0 else [PersonRow(3), None, BookRow(4)] for row in rows]  # type: ignore[list-item, misc]

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> str:
        return f"slow {self.number} {info.field_name}"

    @strawberry.field
    def plain(self, info: strawberry.Info, word: str = "x") -> str | None:
        return None if self.number == 2 else f"{word} at {info.path.key}"


@strawberry.type
class Query:
    @strawberry.field
    async def people(self, count: int = 4) -> list[Person]:
        return [PersonRow(n) for n in range(count)]  # type: ignore[misc]

    @strawberry.field
    def book(self, number: int) -> Book | None:
        return None if number < 0 else BookRow(number)  # type: ignore[return-value]

    @strawberry.field
    def named(self, number: int) -> Named:
        return PersonRow(number) if number % 2 else BookRow(number)  # type: ignore[return-value]

    @strawberry.field
    def things(self) -> list[Thing | None]:
        return [
            Note(text="first", mark=1),
            None,
            Stamp(mark=None, strict_mark=2),
            Stamp(mark=3, strict_mark=None),  # type: ignore[arg-type]
        ]

    @strawberry.field
    def fails(self) -> list[Book]:
        raise Fault("at the root")

    @strawberry.field
    def word(self) -> str:
        return "leaf"

    # Root fields that a plan takes in whole.

    @root_query
    def chosen(ctx: Context, *, number: int = 1) -> Book | None:
        ctx.asked.append(("chosen", number))
        return None if number < 0 else BookRow(number)  # type: ignore[return-value]

    @root_query
    def shelf(*, count: int = 3, wish: Wish | None = None) -> list[Book]:
        least = wish.least if wish else 0
        return [BookRow(number) for number in range(least, least + count)]  # type: ignore[misc]

    @root_query
    def readers(*, count: int = 4) -> list[Person]:
        return [PersonRow(number) for number in range(count)]  # type: ignore[misc]

    @root_query
    def anyone(*, number: int) -> Named:
        return PersonRow(number) if number % 2 else BookRow(number)  # type: ignore[return-value]

    @root_query
    def found() -> list[Thing | None]:
        return [Note(text="first", mark=1), None, Stamp(mark=3, strict_mark=3)]

    @root_query
    def score(*, of: Genre | None = None, number: int = 1) -> int | None:
        return None if number == 0 else number * (2 if of is Genre.POEM else 1)

    @root_query
    def lost(*, number: int = 0) -> Book:
        return None if number == 0 else BookRow(number)  # type: ignore[return-value]

    @root_query
    def breaks(*, number: int = 0) -> Book | None:
        if number == 5:
            return Fault("given back")  # type: ignore[return-value]
        if number > 0:
            raise Fault(f"broken {number}")
        return BookRow(number)  # type: ignore[return-value]

    @root_query(permission_classes=[ByWord])
    def secret(*, word: str = "open", number: int = 1) -> Book | None:
        return BookRow(number)  # type: ignore[return-value]

    @root_query(extensions=[PermissionExtension(permissions=[ByWord()], fail_silently=True)])
    def quietly(*, word: str) -> list[Book]:
        return [BookRow(len(word))]  # type: ignore[list-item]


OLD_ROOTS = {"people", "book", "named", "things", "fails", "word"}
"""Root fields with resolvers of their own: a query with one of them is no plan as a whole."""
DEFAULT = [1, 2]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def write(self, info: strawberry.Info, number: int) -> Book | None:
        info.context.written = [*getattr(info.context, "written", []), number]
        return BookRow(number)  # type: ignore[return-value]

    @strawberry.mutation
    def write_many(self, info: strawberry.Info, numbers: list[int] = DEFAULT) -> list[Book | None]:
        info.context.written = [*getattr(info.context, "written", []), tuple(numbers)]
        return [None if number == 0 else BookRow(number) for number in numbers]  # type: ignore[misc]

    @strawberry.mutation
    async def wish(
        self, info: strawberry.Info, wish: Wish, genre: Genre = Genre.POEM, also: list[Wish | None] | None = None
    ) -> Person:
        info.context.written = [*getattr(info.context, "written", []), repr((wish, genre, also))]
        return PersonRow(wish.least)  # type: ignore[return-value]

    @strawberry.mutation
    async def write_and_fail(self, info: strawberry.Info, number: int) -> Book | None:
        info.context.written = [*getattr(info.context, "written", []), number]
        raise Fault(f"after {number}")


def make_schema(*, breadth_first: bool) -> EngineSchema:
    return EngineSchema(
        query=Query,
        mutation=Mutation,
        types=[Book, Person],
        breadth_first=breadth_first,
        extensions=[lambda: ParserCache(maxsize=1000)],
    )
