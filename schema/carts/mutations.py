"""Changing carts. Every mutation answers with the cart as it is then, or says why nothing was changed."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

import strawberry
from strawberry.types import Info

from backend.accounts.address_book import copy_of
from backend.carts import services
from backend.carts.models import Cart as CartRow
from backend.carts.queries import view_cart
from backend.carts.services import Keep
from backend.core.addresses import Address
from backend.core.caller import Caller
from backend.core.errors import DomainError, Invalid
from schema.carts.addresses import AddressInput, to_address
from schema.carts.inputs import (
    CartAddressesUpdateInput,
    CartBuyerUpdateInput,
    CartClearInput,
    CartCreateInput,
    CartLinesAddInput,
    CartLinesRemoveInput,
    CartLinesUpdateInput,
    find_int,
    kept,
    to_line_ids,
    to_lines,
    to_quantities,
)
from schema.carts.types import Cart, as_cart
from schema.server.context import Context
from schema.server.db import db
from schema.server.errors import UserError, user_errors
from schema.server.ids import decode_uuid


@strawberry.type(description="The cart after the change, or why nothing was changed.")
class CartPayload:
    cart: Cart | None = strawberry.field(default=None, description="The cart; null when the change was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Everything that is at fault, at once; empty when all went well."
    )


@strawberry.type
class CartMutation:
    @strawberry.mutation(description="Make a cart. Nobody finds it but who has its id.")
    async def cart_create(
        self, info: Info, input: Annotated[CartCreateInput, strawberry.argument(description="The new cart.")]
    ) -> CartPayload:
        context: Context = info.context
        return await _change(
            lambda: services.create_cart(
                caller=context.caller,
                currency=input.currency.value if input.currency else None,
                default_currency=context.shop.currency,
                email=input.email or "",
                lines=to_lines(input.lines),
            )
        )

    @strawberry.mutation(
        description="Put units into a cart: all of them or, if one cannot be had, none. Holds no stock."
    )
    async def cart_lines_add(
        self, info: Info, input: Annotated[CartLinesAddInput, strawberry.argument(description="What to put in.")]
    ) -> CartPayload:
        return await _change(lambda: services.add_lines(**_cart(info, input), lines=to_lines(input.lines)))

    @strawberry.mutation(description="Set the quantities of lines: all of them or, if one cannot be had, none.")
    async def cart_lines_update(
        self, info: Info, input: Annotated[CartLinesUpdateInput, strawberry.argument(description="What to set.")]
    ) -> CartPayload:
        return await _change(lambda: services.update_lines(**_cart(info, input), lines=to_quantities(input.lines)))

    @strawberry.mutation(description="Take lines out of a cart: all of them or, if one is not there, none.")
    async def cart_lines_remove(
        self, info: Info, input: Annotated[CartLinesRemoveInput, strawberry.argument(description="What to take out.")]
    ) -> CartPayload:
        return await _change(lambda: services.remove_lines(**_cart(info, input), line_ids=to_line_ids(input.line_ids)))

    @strawberry.mutation(description="Take every line out of a cart. What is known of the buyer stays.")
    async def cart_clear(
        self, info: Info, input: Annotated[CartClearInput, strawberry.argument(description="The cart.")]
    ) -> CartPayload:
        return await _change(lambda: services.clear(**_cart(info, input)))

    @strawberry.mutation(description="Say who buys.")
    async def cart_buyer_update(
        self, info: Info, input: Annotated[CartBuyerUpdateInput, strawberry.argument(description="Who buys.")]
    ) -> CartPayload:
        return await _change(
            lambda: services.update_buyer(
                **_cart(info, input), email=kept(input.email), phone=kept(input.phone), note=kept(input.note)
            )
        )

    @strawberry.mutation(description="Say where it goes.")
    async def cart_addresses_update(
        self, info: Info, input: Annotated[CartAddressesUpdateInput, strawberry.argument(description="Where it goes.")]
    ) -> CartPayload:
        caller = info.context.caller
        return await _change(
            lambda: services.update_addresses(
                **_cart(info, input),
                shipping=_address(caller, input.shipping_address, input.shipping_address_id, "shippingAddressId"),
                billing=_address(caller, input.billing_address, input.billing_address_id, "billingAddressId"),
            )
        )


def _address(caller: Caller, sent: AddressInput | None, kept_id: str | None, field: str) -> Address | Keep | None:
    """An address that was sent, or a copy of one that the customer keeps. Raises AddressNotFound and Invalid."""
    if kept_id is None:
        address = kept(sent)
        return address if isinstance(address, Keep) else to_address(address)
    if sent not in (None, strawberry.UNSET):
        raise Invalid("Send an address or the id of one, not both.", field=[field])
    return copy_of(caller=caller, address_id=find_int(kept_id, "SavedAddress"), field=field)


class _OfCart(Protocol):
    """What the inputs of all changes of an existing cart have in common."""

    cart_id: strawberry.ID
    expected_version: int | None


def _cart(info: Info, input: _OfCart) -> dict[str, Any]:
    """What every change of an existing cart begins with. Raises IdNotFound."""
    return {
        "caller": info.context.caller,
        "cart_id": decode_uuid(input.cart_id, "Cart", field=["cartId"]),
        "expected_version": input.expected_version,
    }


async def _change(command: Callable[[], CartRow]) -> CartPayload:
    """Run a command and read the cart that it leaves, in one hop to the database."""

    def run() -> CartPayload:
        try:
            return CartPayload(cart=as_cart(view_cart(command())))
        except DomainError as error:
            return CartPayload(user_errors=user_errors(error))

    return await db(run)
