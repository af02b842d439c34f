"""More of what somebody has: fields of `User`, filled for oneself alone."""

from datetime import datetime
from typing import Any, cast

import strawberry

from backend.core.paging import empty_page
from backend.vendors.queries import vendors_by_member
from schema.catalog.types import ProductConnection
from schema.engine import batched, computed
from schema.server.connections import After, Before, Connection, First, Last, connection
from schema.server.context import Context
from schema.vendors.types import Vendor


@strawberry.type(description="Something that the shop tells somebody.")
class Notification:
    id: strawberry.ID = strawberry.field(description="The notification's id.")
    kind: str = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="One line.")
    body: str = strawberry.field(description="A few sentences.")
    created_at: datetime = strawberry.field(description="When, in UTC.")
    read_at: datetime | None = strawberry.field(description="When it was marked as read, in UTC; null until then.")


@strawberry.type(name="NotificationConnection", description="A page of notifications.")
class NotificationConnection(Connection[Notification]):
    @computed(description="How many are not marked as read.")
    def unread_count(page: Any) -> int:
        return 0


@strawberry.type
class ListFields:
    @batched(description="The products that you keep in mind; of yourself alone. None is kept yet.")
    def wishlist(
        people: list[Any],
        ctx: Context,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> list[ProductConnection]:
        return [connection(empty_page(), facets=list) for _ in people]

    @batched(description="What the shop has told you, newest first; of yourself alone. Nothing yet.")
    def notifications(
        people: list[Any],
        ctx: Context,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> list[NotificationConnection]:
        return [connection(empty_page()) for _ in people]

    @batched(description="The vendors that you sell for, by name; of yourself alone.")
    def vendors(people: list[Any], ctx: Context) -> list[list[Vendor]]:
        own = [person.pk for person in people if person.pk == ctx.caller.user_id]
        found = vendors_by_member(own)
        return [cast("list[Vendor]", found.get(person.pk, [])) for person in people]
