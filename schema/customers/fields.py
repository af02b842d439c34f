"""What a customer has: fields of `User`, filled for oneself alone. Somebody else's look like none."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

import strawberry

from backend.accounts.address_book import addresses_by_user
from backend.carts.queries import find_own_cart
from backend.core.paging import page_request
from backend.orders import models, queries
from schema.carts.types import Cart, as_cart
from schema.customers.addresses import SavedAddress
from schema.engine import batched
from schema.orders.types import Order
from schema.server.connections import After, Before, Connection, First, Last, connection
from schema.server.context import Context


@strawberry.type(name="OrderConnection", description="A page of orders.")
class OrderConnection(Connection[Order]):
    pass


@strawberry.type
class CustomerFields:
    @batched(description="Your kept addresses, oldest first; of yourself alone.")
    def addresses(people: list[Any], ctx: Context) -> list[list[SavedAddress]]:
        own = _own_ids(people, ctx)
        found = addresses_by_user(own) if own else {}
        return [cast("list[SavedAddress]", found.get(each.pk, [])) for each in people]

    @batched(description="Your open cart, wherever it was filled; of yourself alone. Null until there is one.")
    def cart(people: list[Any], ctx: Context) -> list[Cart | None]:
        view = find_own_cart(caller=ctx.caller) if _own_ids(people, ctx) else None
        return [as_cart(view) if view and each.pk == ctx.caller.user_id else None for each in people]

    @batched(description="Your orders, newest first; of yourself alone.")
    def orders(
        people: list[Any],
        ctx: Context,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        statuses: Annotated[
            list[models.OrderStatus] | None, strawberry.argument(description="Only orders that stand so.")
        ] = None,
    ) -> list[OrderConnection]:
        request = page_request(first=first, after=after, last=last, before=before)
        pages = queries.page_orders_of_customers(
            [each.pk for each in people], caller=ctx.caller, request=request, statuses=statuses or ()
        )
        return [connection(page) for page in pages]

    @batched(description="Your order with this number; null when there is none or it is not yours.")
    def order(
        people: list[Any],
        ctx: Context,
        *,
        number: Annotated[str, strawberry.argument(description="The order's number, such as CG-10001.")],
    ) -> list[Order | None]:
        found = queries.find_own_order(number, caller=ctx.caller) if _own_ids(people, ctx) else None
        return [cast("Order | None", found) if each.pk == ctx.caller.user_id else None for each in people]

    @batched(
        description="How many orders they have placed, whatever became of those. Null where you may not know: it is "
        "told to themselves, and to those who may see orders."
    )
    def orders_count(people: list[Any], ctx: Context) -> list[int | None]:
        counts = queries.count_orders_of_customers([each.pk for each in people], caller=ctx.caller)
        return [counts.get(each.pk) for each in people]

    @batched(
        description="How many orders you placed as a guest under your verified email address: `ordersClaim` makes them "
        "yours. 0 until the address is verified."
    )
    def claimable_order_count(people: list[Any], ctx: Context) -> list[int]:
        total = queries.count_claimable_orders(caller=ctx.caller) if _own_ids(people, ctx) else 0
        return [total if each.pk == ctx.caller.user_id else 0 for each in people]


def _own_ids(people: Sequence[Any], ctx: Context) -> list[int]:
    """The caller's own id, if they are among these people."""
    return [each.pk for each in people if each.pk == ctx.caller.user_id][:1]
