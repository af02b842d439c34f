"""Placing orders."""

from typing import Annotated, cast

import strawberry
from strawberry.types import Info

from backend.core.errors import DomainError
from backend.orders.services import ExpectedTotal, Placement, PlaceOrder, place_order
from schema.carts.addresses import AddressInput, to_address
from schema.carts.inputs import CartLineInput, to_lines
from schema.orders.types import Order
from schema.server.context import Context
from schema.server.db import db
from schema.server.enums import CurrencyCode
from schema.server.errors import UserError, user_errors
from schema.server.ids import decode_uuid, encode
from schema.server.money import MoneyInput


@strawberry.input(description="An order: of a cart, or of lines with the buyer's data (buy now).")
class OrderPlaceInput:
    idempotency_key: str = strawberry.field(
        description="A key that you make up for this order. Send the same one when you repeat the request: you get the "
        "same order. Make a new one when the shopper orders anew. The context's language, and without a cart its "
        "currency, are part of the request: with others the same key is IDEMPOTENCY_CONFLICT."
    )
    cart_id: strawberry.ID | None = strawberry.field(default=None, description="The cart to order.")
    lines: list[CartLineInput] | None = strawberry.field(default=None, description="What to buy without a cart.")
    currency: CurrencyCode | None = strawberry.field(
        default=None, description="Without a cart: the currency; the context's by default."
    )
    email: str | None = strawberry.field(
        default=None, description="The buyer's email; the cart's by default, or else that of your account."
    )
    phone: str | None = strawberry.field(default=None, description="The buyer's phone number; the cart's by default.")
    note: str | None = strawberry.field(default=None, description="What the buyer wants to tell the shop.")
    shipping_address: AddressInput | None = strawberry.field(
        default=None, description="Where it goes; the cart's by default."
    )
    billing_address: AddressInput | None = strawberry.field(
        default=None, description="Where the bill goes; the shipping address by default."
    )
    expected_total: MoneyInput | None = strawberry.field(
        default=None, description="What the shopper saw: if it costs something else by now, PRICE_CHANGED."
    )


@strawberry.type(description="A variant with fewer units than were asked for.")
class StockShortage:
    variant_id: strawberry.ID = strawberry.field(description="The variant's id.")
    requested: int = strawberry.field(description="How many units were asked for.")
    available: int = strawberry.field(description="How many there are.")


@strawberry.type(description="The order, or why there is none.")
class OrderPlacePayload:
    order: Order | None = strawberry.field(default=None, description="The order; null when it was refused.")
    replayed: bool = strawberry.field(
        default=False, description="Whether your idempotency key brought back the order of an earlier request."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Everything that is at fault, at once; empty when all went well. What is wrong with a cart's line "
        "has the field `cartId`: the message names product and SKU, and the cart's `warnings` name the line.",
    )
    shortages: list[StockShortage] = strawberry.field(
        default_factory=list,
        description="With OUT_OF_STOCK: every variant that is short and how much of it is left.",
    )


@strawberry.type
class OrderMutation:
    @strawberry.mutation(
        description="Place an order. Its stock is held for 15 minutes, until it is paid. When it is refused, nothing "
        "is kept and your key is free again."
    )
    async def order_place(
        self, info: Info, input: Annotated[OrderPlaceInput, strawberry.argument(description="What to order.")]
    ) -> OrderPlacePayload:
        context: Context = info.context

        def place() -> Placement:
            return place_order(caller=context.caller, shop=context.shop, request=_request(input))

        try:
            placement = await db(place)
        except DomainError as error:
            return OrderPlacePayload(user_errors=user_errors(error), shortages=_shortages(error))
        return OrderPlacePayload(order=cast(Order, placement.order), replayed=placement.replayed)


def _request(input: OrderPlaceInput) -> PlaceOrder:
    return PlaceOrder(
        idempotency_key=input.idempotency_key,
        cart_id=None if input.cart_id is None else decode_uuid(input.cart_id, "Cart", field=["cartId"]),
        lines=None if input.lines is None else to_lines(input.lines),
        email=input.email,
        phone=input.phone,
        note=input.note,
        shipping_address=to_address(input.shipping_address),
        billing_address=to_address(input.billing_address),
        currency=input.currency.value if input.currency else None,
        expected_total=_expected(input.expected_total),
    )


def _expected(sent: MoneyInput | None) -> ExpectedTotal | None:
    return None if sent is None else ExpectedTotal(sent.amount, sent.currency.value)


def _shortages(error: DomainError) -> list[StockShortage]:
    short = [part.data["shortage"] for part in error.parts if "shortage" in part.data]
    return [
        StockShortage(
            variant_id=strawberry.ID(encode("ProductVariant", each.variant_id)),
            requested=each.requested,
            available=each.available,
        )
        for each in short
    ]
