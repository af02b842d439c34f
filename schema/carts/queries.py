"""Reading carts."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from backend.carts import queries
from backend.carts.queries import CartView
from schema.carts.types import Cart, as_cart
from schema.engine import root_query
from schema.server.context import Context
from schema.server.ids import IdNotFound, decode_uuid
from schema.server.node import register


@strawberry.type
class CartQuery:
    @root_query(
        description="An open cart by its id; null when there is none, it is not yours, was ordered or has expired."
    )
    def cart(
        ctx: Context, *, id: Annotated[strawberry.ID, strawberry.argument(description="The cart's id.")]
    ) -> Cart | None:
        try:
            cart_id = decode_uuid(id, "Cart")
        except IdNotFound:
            return None
        view = queries.find_cart(caller=ctx.caller, cart_id=cart_id)
        return None if view is None else as_cart(view)


def _load(context: Context, keys: Sequence[str]) -> dict[str, CartView]:
    known = {key: pk for key in keys if (pk := _uuid(key)) is not None}
    found = queries.carts_by_id(known.values(), caller=context.caller)
    return {key: found[pk] for key, pk in known.items() if pk in found}


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


register("Cart", CartView, _load)
