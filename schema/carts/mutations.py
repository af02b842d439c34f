"""Reading and changing carts."""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from backend.carts import services
from backend.carts.models import Cart as CartRow
from backend.carts.queries import CartView, access_cart, view_cart
from backend.carts.services import NewLine
from backend.core.errors import DomainError, NotFound
from schema.carts.types import AddressInput, Cart, to_address
from schema.server.context import Context
from schema.server.db import db
from schema.server.enums import CurrencyCode
from schema.server.errors import UserError, user_errors
from schema.server.ids import IdNotFound, decode_int, decode_uuid

VERSION = "The version that you read: if the cart has another one by now, CART_VERSION_CONFLICT and nothing changes."


@strawberry.input(description="Units of a variant to put into a cart.")
class CartLineInput:
    variant_id: strawberry.ID = strawberry.field(description="The variant's id.")
    quantity: int = strawberry.field(default=1, description="How many units, one or more.")


@strawberry.input(description="A line's new quantity.")
class CartLineUpdateInput:
    id: strawberry.ID = strawberry.field(description="The line's id.")
    quantity: int = strawberry.field(description="How many units there should be; 0 removes the line.")


@strawberry.input(description="A new cart.")
class CartCreateInput:
    currency: CurrencyCode | None = strawberry.field(
        default=None, description="The currency of its prices; the context's by default."
    )
    email: str | None = strawberry.field(default=None, description="The buyer's email address.")
    lines: list[CartLineInput] | None = strawberry.field(default=None, description="What to put in at once.")


@strawberry.input(description="Units to put into a cart.")
class CartLinesAddInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart's id.")
    lines: list[CartLineInput] = strawberry.field(
        description="The units. Those of a variant that is there already join its line."
    )
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="New quantities of lines.")
class CartLinesUpdateInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart's id.")
    lines: list[CartLineUpdateInput] = strawberry.field(description="The lines and their quantities.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="Lines to take out of a cart.")
class CartLinesRemoveInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart's id.")
    line_ids: list[strawberry.ID] = strawberry.field(description="The lines' ids.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="The cart to empty.")
class CartClearInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart's id.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="Who buys. What is left out stays as it is; an empty text empties.")
class CartBuyerUpdateInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart's id.")
    email: str | None = strawberry.field(default=None, description="The buyer's email address.")
    phone: str | None = strawberry.field(default=None, description="The buyer's phone number.")
    note: str | None = strawberry.field(default=None, description="What the buyer wants to tell the shop.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="Where an order goes.")
class CartAddressesUpdateInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart's id.")
    shipping_address: AddressInput | None = strawberry.field(default=None, description="Where it goes.")
    billing_address: AddressInput | None = strawberry.field(
        default=None, description="Where the bill goes; without one, to the shipping address."
    )
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.type(description="The cart after the change, or why nothing was changed.")
class CartPayload:
    cart: Cart | None = strawberry.field(default=None, description="The cart; null when it was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when all went well."
    )


@strawberry.type
class CartQuery:
    @strawberry.field(description="An open cart by its id; null when there is none, or it was ordered or has expired.")
    async def cart(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The cart's id.")]
    ) -> Cart | None:
        def read() -> CartView | None:
            try:
                return view_cart(access_cart(caller=info.context.caller, cart_id=decode_uuid(id, "Cart")))
            except NotFound:
                return None

        return await db(read)  # type: ignore[return-value]


@strawberry.type
class CartMutation:
    @strawberry.mutation(description="Make a cart.")
    async def cart_create(
        self, info: Info, input: Annotated[CartCreateInput, strawberry.argument(description="The new cart.")]
    ) -> CartPayload:
        context: Context = info.context
        currency = input.currency.value if input.currency else context.shop.currency
        return await _change(
            lambda: services.create_cart(
                caller=context.caller, currency=currency, email=input.email or "", lines=to_lines(input.lines)
            )
        )

    @strawberry.mutation(description="Put units into a cart: all of them or, if one cannot be had, none.")
    async def cart_lines_add(
        self, info: Info, input: Annotated[CartLinesAddInput, strawberry.argument(description="What to put in.")]
    ) -> CartPayload:
        return await _change(lambda: services.add_lines(**_cart(info, input), lines=to_lines(input.lines)))

    @strawberry.mutation(description="Set the quantities of lines: all of them or, if one cannot be had, none.")
    async def cart_lines_update(
        self, info: Info, input: Annotated[CartLinesUpdateInput, strawberry.argument(description="What to set.")]
    ) -> CartPayload:
        def update() -> CartRow:
            quantities = {
                decode_int(line.id, "CartLine", field=["lines", str(n), "id"]): line.quantity
                for n, line in enumerate(input.lines)
            }
            return services.update_lines(**_cart(info, input), quantities=quantities)

        return await _change(update)

    @strawberry.mutation(description="Take lines out of a cart.")
    async def cart_lines_remove(
        self, info: Info, input: Annotated[CartLinesRemoveInput, strawberry.argument(description="What to take out.")]
    ) -> CartPayload:
        def remove() -> CartRow:
            ids = [decode_int(id, "CartLine", field=["lineIds", str(n)]) for n, id in enumerate(input.line_ids)]
            return services.remove_lines(**_cart(info, input), line_ids=ids)

        return await _change(remove)

    @strawberry.mutation(description="Take every line out of a cart.")
    async def cart_clear(
        self, info: Info, input: Annotated[CartClearInput, strawberry.argument(description="The cart.")]
    ) -> CartPayload:
        return await _change(lambda: services.clear(**_cart(info, input)))

    @strawberry.mutation(description="Say who buys.")
    async def cart_buyer_update(
        self, info: Info, input: Annotated[CartBuyerUpdateInput, strawberry.argument(description="Who buys.")]
    ) -> CartPayload:
        return await _change(
            lambda: services.update_buyer(**_cart(info, input), email=input.email, phone=input.phone, note=input.note)
        )

    @strawberry.mutation(description="Say where it goes.")
    async def cart_addresses_update(
        self, info: Info, input: Annotated[CartAddressesUpdateInput, strawberry.argument(description="Where it goes.")]
    ) -> CartPayload:
        return await _change(
            lambda: services.update_addresses(
                **_cart(info, input),
                shipping=to_address(input.shipping_address),
                billing=to_address(input.billing_address),
            )
        )


def to_lines(lines: list[CartLineInput] | None) -> list[NewLine]:
    return [NewLine(variant_id=_variant_pk(line.variant_id), quantity=line.quantity) for line in lines or []]


def _variant_pk(global_id: str) -> int | None:
    try:
        return decode_int(global_id, "ProductVariant")
    except IdNotFound:
        return None


def _cart(info: Info, input: Any) -> dict[str, Any]:
    """What every change of a cart begins with."""
    return {
        "caller": info.context.caller,
        "cart_id": decode_uuid(input.cart_id, "Cart", field=["cartId"]),
        "expected_version": input.expected_version,
    }


async def _change(command: Callable[[], CartRow]) -> CartPayload:
    """Run a command and read the cart that it leaves, in one hop to the database."""

    def run() -> CartPayload:
        try:
            return CartPayload(cart=view_cart(command()))  # type: ignore[arg-type]
        except DomainError as error:
            return CartPayload(user_errors=user_errors(error))

    return await db(run)
