"""Keyset pages: a cursor holds the last row's sort values, so depth costs nothing and inserts move nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from django.db.models import F, Func, Model, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.fields import BooleanField

from backend.core.errors import Invalid
from backend.core.prepared import Param, Read, RowTuple

Row = TypeVar("Row", bound=Model | RowTuple)
Each = TypeVar("Each")
DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_DIGITS = 40
"""Of a number in a cursor: more than any column has, and far less than what PostgreSQL refuses."""
MAX_PREPARED = 256
"""Statements that are kept for one list; the least used makes room."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One sorted column: its lookup path (`listings__price_min`) and the type of its values, never null."""

    path: str
    type: type = int


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order: the keys and then the primary key, all in one direction, so that one index serves it."""

    name: str
    keys: tuple[SortKey, ...]
    descending: bool = False
    primary_key: SortKey = SortKey("pk")

    @property
    def columns(self) -> tuple[SortKey, ...]:
        return (*self.keys, self.primary_key)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a client asked for, Relay's way; use `page_request` to make one from its arguments."""

    size: int
    after: str | None = None
    before: str | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page in the asked order, with a cursor per row.

    `count` runs a statement only when called; pages that were read together share that one.
    """

    rows: list[Row]
    ordering: Ordering
    has_next: bool
    has_previous: bool
    count: Callable[[], int]

    @property
    def cursors(self) -> list[str]:
        return [encode_cursor(self.ordering, row) for row in self.rows]


def empty_page() -> Page[Any]:
    """The page of a list that nothing fills yet."""
    return Page(rows=[], ordering=Ordering("empty", ()), has_next=False, has_previous=False, count=int)


class Together(Generic[Each]):
    """What is read for several pages at once, when the first of them asks for its own."""

    def __init__(self, read: Callable[[], Sequence[Each]]) -> None:
        self._read = cache(read)

    def of(self, number: int) -> Callable[[], Each]:
        """Where the page of that number gets its own."""
        return lambda: self._read()[number]


def page_request(
    *, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
) -> PageRequest:
    """Check Relay's arguments. Raises Invalid for negative sizes.

    `last` wins over `first`: a document whose `first` has a default can still page backward. Sizes beyond MAX_SIZE
    give MAX_SIZE rows; the page's `has_next` and `has_previous` tell that there is more.
    """
    name, size = ("last", last) if last is not None else ("first", first)
    if size is None:
        size = DEFAULT_SIZE
    if size < 0:
        raise Invalid(f"{name} is 0 or more.", field=[name])
    return PageRequest(size=min(size, MAX_SIZE), after=after, before=before, backward=last is not None)


def page(
    queryset: "QuerySet[Any, Any]", ordering: Ordering, request: PageRequest, row: Callable[[Any], Any] | None = None
) -> Page[Any]:
    """Read one page by keyset, one row beyond it to know whether there is more; never OFFSET.

    `row` makes what the page holds of what the queryset gives, which may be tuples of a `values_list`.
    """
    rows = list(page_queryset(queryset, ordering, request))
    return page_of(rows if row is None else list(map(row, rows)), ordering, request, count=queryset.count)


def page_queryset(queryset: "QuerySet[Any, Any]", ordering: Ordering, request: PageRequest) -> "QuerySet[Any, Any]":
    """The page's rows and one more, in reading direction, with the sort values as `_key0`, `_key1`, …"""
    return _window(queryset, ordering, request.size, backward=request.backward, **_bounds(ordering, request))


def _bounds(ordering: Ordering, request: PageRequest) -> dict[str, list[Any]]:
    """The sort values of the request's cursors, by the names of its fields."""
    cursors = {"after": request.after, "before": request.before}
    return {
        field: decode_cursor(ordering, cursor, field=field) for field, cursor in cursors.items() if cursor is not None
    }


def _window(
    queryset: "QuerySet[Any, Any]", ordering: Ordering, size: int, *, backward: bool, **bounds: Sequence[Any]
) -> "QuerySet[Any, Any]":
    # Annotated first, and compared by these names: a path through a relation to many would be joined once
    # more by the filter, and the index could not be entered at the cursor.
    keys: dict[str, Combinable] = {f"_key{n}": F(key.path) for n, key in enumerate(ordering.keys)}
    rows = queryset.annotate(**keys).alias(_tie=F(ordering.primary_key.path))
    columns = [*keys, "_tie"]
    for field, values in bounds.items():
        operator = "<" if ordering.descending == (field == "after") else ">"
        rows = rows.filter(RowComparison(operator, [F(column) for column in columns], values))
    descending = ordering.descending != backward
    window: QuerySet[Any, Any] = rows.order_by(*(f"-{column}" if descending else column for column in columns))
    return window[: size + 1]


class PreparedPages(Generic[Row]):
    """Pages of one list, each order, size and direction compiled once (`Read`).

    `define` returns the list's queryset, with `Param` for what calls give beside the page; `row` is as for a `Read`.
    """

    def __init__(self, define: "Callable[[], QuerySet[Any, Any]]", row: type[RowTuple] | None = None) -> None:
        self._define = define
        self._row = row
        self._read = lru_cache(maxsize=MAX_PREPARED)(self._prepare)

    def page(self, ordering: Ordering, request: PageRequest, *, count: Callable[[], int], **values: Any) -> Page[Row]:
        """The page. Raises Invalid for a cursor that is broken or of another order."""
        bounds = _bounds(ordering, request)
        read = self._read(ordering, request.size, request.backward, tuple(bounds))
        for field, bound in bounds.items():
            values.update({f"{field}{n}": value for n, value in enumerate(bound)})
        return page_of(read(**values), ordering, request, count=count)

    def _prepare(self, ordering: Ordering, size: int, backward: bool, fields: tuple[str, ...]) -> Read[Row]:
        bounds = {field: [Param(f"{field}{n}") for n in range(len(ordering.columns))] for field in fields}
        return Read(lambda: _window(self._define(), ordering, size, backward=backward, **bounds), self._row)


def page_of(rows: list[Row], ordering: Ordering, request: PageRequest, *, count: Callable[[], int]) -> Page[Row]:
    """Shape rows that `page_queryset` read."""
    more = len(rows) > request.size
    rows = rows[: request.size]
    if request.backward:
        rows.reverse()
    return Page(
        rows=rows,
        ordering=ordering,
        has_next=more if not request.backward else request.before is not None,
        has_previous=more if request.backward else request.after is not None,
        count=count,
    )


def encode_cursor(ordering: Ordering, row: Model | RowTuple) -> str:
    count = len(ordering.keys)
    if isinstance(row, RowTuple):
        start = len(row.names)
        values = row[start : start + count]
    else:
        values = tuple(getattr(row, f"_key{n}") for n in range(count))
    payload = orjson.dumps([ordering.name, *values, row.pk], default=str)
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def decode_cursor(ordering: Ordering, cursor: str, *, field: str = "after") -> list[Any]:
    """The sort values of a cursor. Raises Invalid for a broken one and for one of another order."""
    try:
        payload = orjson.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        name, *values = payload
        if name != ordering.name or len(values) != len(ordering.columns):
            raise ValueError("a cursor of another order")
        return [_typed(key.type, value) for key, value in zip(ordering.columns, values, strict=True)]
    except (binascii.Error, orjson.JSONDecodeError, TypeError, ValueError, ArithmeticError) as error:
        raise Invalid("This cursor does not belong to this list and order.", field=[field]) from error


def _typed(kind: type, value: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without its zone is no moment")
        return moment
    if kind is Decimal:
        number = Decimal(value)
        if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
            raise ValueError("a number that no column holds")
        return number
    if kind is UUID and isinstance(value, str):
        return UUID(value)
    if kind is str and isinstance(value, str) and "\x00" not in value:
        return value
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    raise TypeError(kind)


class RowComparison(Func):
    """`(a, id) > (x, y)`: compared as one row, so that PostgreSQL starts reading in the index right there."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, operator: str, columns: Sequence[Combinable], values: Sequence[Any]) -> None:
        sides = [
            RowValue(*columns),
            RowValue(*(value if isinstance(value, Param) else Value(value) for value in values)),
        ]
        super().__init__(*sides, template="%(expressions)s", arg_joiner=f" {operator} ")


class RowValue(Func):
    template = "(%(expressions)s)"
    output_field = BooleanField()  # a row has no field; one is asked for all the same
