"""Reading one's own orders."""

from collections.abc import Sequence
from typing import Annotated, cast
from uuid import UUID

import strawberry

from backend.core.errors import NotFound
from backend.orders import models, queries
from backend.orders.services import access_order
from schema.engine import root_query
from schema.orders.types import Order
from schema.server.context import Context
from schema.server.ids import decode_uuid
from schema.server.node import register


@strawberry.type
class OrderQuery:
    @root_query(
        description="An order: your own by its id, a guest's by its id and token. Null when there is none, it is not "
        "yours or the token is not its own; these look the same."
    )
    def order(
        ctx: Context,
        *,
        id: Annotated[strawberry.ID, strawberry.argument(description="The order's id.")],
        token: Annotated[
            str | None, strawberry.argument(description="The order's token, from `orderPlace`; for guests.")
        ] = None,
    ) -> Order | None:
        try:
            order_id = decode_uuid(id, "Order")
            found = access_order(caller=ctx.caller, order_id=order_id, token=token)
        except NotFound:
            return None
        return cast(Order, found)


def _load(context: Context, keys: Sequence[str]) -> dict[str, models.Order]:
    """By id alone a customer finds own orders, and a guest none."""
    known = {key: pk for key in keys if (pk := _uuid(key)) is not None}
    found = queries.own_orders_by_id(known.values(), caller=context.caller)
    return {key: found[pk] for key, pk in known.items() if pk in found}


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


register("Order", models.Order, _load)
