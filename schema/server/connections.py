"""Relay connections over keyset pages, with `nodes` beside `edges`."""

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from backend.core.paging import Page, encode_cursor
from schema.engine import batched, computed

Node = TypeVar("Node")
First = Annotated[
    int | None,
    strawberry.argument(
        description="This many from the start: 20 where neither `first` nor `last` is given; more than 100 give 100. "
        "Where `last` is given too, `last` wins."
    ),
]
After = Annotated[str | None, strawberry.argument(description="Only items after this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(description="This many from the end, for paging backward; more than 100 give 100."),
]
Before = Annotated[str | None, strawberry.argument(description="Only items before this cursor.")]


@strawberry.type(description="Where a page stands in its list, after Relay's specification.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items precede this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item here; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item here; null on an empty page.")


@strawberry.type(description="An item of a list, with its cursor.")
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="Send it as `after` or `before` to go on from this item.")
    node: Node = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    """Built by `connection(page)`; the source object is a `ConnectionPage`."""

    @computed(description="The items, each with its cursor.")
    def edges(page: "ConnectionPage") -> list[Edge[Node]]:
        return [_Edge(cursor, row) for cursor, row in zip(page.cursors, page.rows, strict=True)]  # type: ignore[misc]

    @computed(description="The items.")
    def nodes(page: "ConnectionPage") -> list[Node]:
        return page.rows

    @computed(description="Where this page stands in the list.")
    def page_info(page: "ConnectionPage") -> PageInfo:
        return PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursor_of(0),
            end_cursor=page.cursor_of(-1),
        )

    @batched(description="How many items the whole list has. Counted only when you ask for it.")
    def total_count(pages: list["ConnectionPage"]) -> list[int]:
        return [page.count() for page in pages]


class _Edge:
    __slots__ = ("cursor", "node")

    def __init__(self, cursor: str, node: Any) -> None:
        self.cursor = cursor
        self.node = node


class ConnectionPage:
    """The source of a connection type: a page, and whatever a subclass of the type needs beside it."""

    __slots__ = ("_page", "count", "extra", "has_next", "has_previous", "rows")

    def __init__(self, page: Page[Any], **extra: Any) -> None:
        self._page = page
        self.rows: list[Any] = page.rows
        self.has_next = page.has_next
        self.has_previous = page.has_previous
        self.count = page.count
        self.extra = extra

    @property
    def cursors(self) -> list[str]:
        return self._page.cursors

    def cursor_of(self, position: int) -> str | None:
        return encode_cursor(self._page.ordering, self.rows[position]) if self.rows else None


def connection(page: Page[Any], **extra: Any) -> Any:
    return ConnectionPage(page, **extra)
