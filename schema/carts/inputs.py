"""What clients send to change carts."""

from collections.abc import Sequence
from typing import TypeVar

import strawberry

from backend.carts.checking import NewLine
from backend.carts.services import Keep, LineQuantity
from schema.carts.addresses import AddressInput
from schema.server.enums import CurrencyCode
from schema.server.ids import IdNotFound, decode_int

Value = TypeVar("Value")
CART = "The cart's id."
VERSION = "The version that you read: if the cart has another one by now, CART_VERSION_CONFLICT and nothing changes."


@strawberry.input(description="Units of a variant that somebody wants.")
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
    cart_id: strawberry.ID = strawberry.field(description=CART)
    lines: list[CartLineInput] = strawberry.field(
        description="The units. Those of a variant that is there already join its line."
    )
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="New quantities of lines.")
class CartLinesUpdateInput:
    cart_id: strawberry.ID = strawberry.field(description=CART)
    lines: list[CartLineUpdateInput] = strawberry.field(description="The lines and their quantities.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="Lines to take out of a cart.")
class CartLinesRemoveInput:
    cart_id: strawberry.ID = strawberry.field(description=CART)
    line_ids: list[strawberry.ID] = strawberry.field(description="The lines' ids.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="The cart to empty.")
class CartClearInput:
    cart_id: strawberry.ID = strawberry.field(description=CART)
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="Who buys. What is left out stays as it is; null or an empty text empties.")
class CartBuyerUpdateInput:
    cart_id: strawberry.ID = strawberry.field(description=CART)
    email: str | None = strawberry.field(default=strawberry.UNSET, description="The buyer's email address.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="The buyer's phone number, up to 32 characters."
    )
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="What the buyer wants to tell the shop, up to 2000 characters."
    )
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="Where an order goes. What is left out stays as it is; null empties.")
class CartAddressesUpdateInput:
    cart_id: strawberry.ID = strawberry.field(description=CART)
    shipping_address: AddressInput | None = strawberry.field(default=strawberry.UNSET, description="Where it goes.")
    billing_address: AddressInput | None = strawberry.field(
        default=strawberry.UNSET, description="Where the bill goes; without one, to the shipping address."
    )
    shipping_address_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Instead of `shippingAddress`: one of your kept addresses, of which the cart takes a copy.",
    )
    billing_address_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Instead of `billingAddress`: one of your kept addresses, of which the cart takes a copy.",
    )
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


def to_lines(sent: Sequence[CartLineInput] | None) -> list[NewLine]:
    return [NewLine(find_int(line.variant_id, "ProductVariant"), line.quantity) for line in sent or []]


def to_quantities(sent: Sequence[CartLineUpdateInput]) -> list[LineQuantity]:
    return [LineQuantity(find_int(line.id, "CartLine"), line.quantity) for line in sent]


def to_line_ids(sent: Sequence[str]) -> list[int | None]:
    return [find_int(each, "CartLine") for each in sent]


def kept(value: Value) -> Value | Keep:
    """What was left out is to stay; null is a value."""
    return Keep.KEEP if value is strawberry.UNSET else value


def find_int(global_id: str, type_name: str) -> int | None:
    """The key of an id of that type; None for anything else, which services then name among all that is at fault."""
    try:
        return decode_int(global_id, type_name)
    except IdNotFound:
        return None
