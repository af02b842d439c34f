"""The addresses that customers keep."""

from collections.abc import Callable
from typing import Annotated, Any, cast

import strawberry
import strawberry_django
from strawberry.types import Info

from backend.accounts import address_book, models
from backend.core.errors import DomainError
from schema.carts.addresses import AddressInput, to_address
from schema.carts.inputs import find_int
from schema.engine import ColumnField
from schema.server.context import Context
from schema.server.db import db
from schema.server.enums import describe_enum
from schema.server.errors import UserError, user_errors
from schema.server.ids import encode
from schema.server.node import Node, integer_keys, register
from schema.server.permissions import SignedIn, guard

strawberry.enum(models.AddressKind, name="AddressKind", description="What a kept address is to the customer.")
describe_enum(models.AddressKind, {"HOME": "Where they live.", "WORK": "Where they work.", "OTHER": "Any other."})


@strawberry_django.type(
    models.SavedAddress,
    name="SavedAddress",
    field_cls=ColumnField,
    description="An address that a customer keeps. Carts and orders take copies: changing it changes no order.",
)
class SavedAddress(Node):
    kind: models.AddressKind = strawberry.field(description="What it is to the customer.")
    is_default_shipping: bool = strawberry.field(description="Whether things go there by default; one address at most.")
    is_default_billing: bool = strawberry.field(description="Whether bills go there by default; one address at most.")
    first_name: str = strawberry.field(description="Given name.")
    last_name: str = strawberry.field(description="Family name.")
    company: str = strawberry.field(description="Company; empty where there is none.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str = strawberry.field(description="Apartment, floor and the like; empty where there is none.")
    city: str = strawberry.field(description="City or town; empty where the country is one.")
    region: str = strawberry.field(description="State, province or region; empty where there is none.")
    postal_code: str = strawberry.field(description="Postal code, as its country writes it; empty where there is none.")
    country: str = strawberry.field(description="Country, by its ISO 3166 alpha-2 code.")
    phone: str = strawberry.field(
        description="Phone number, as it is dialled from everywhere (+14155552671); empty where there is none."
    )


def _load(context: Context, keys: list[str]) -> dict[str, Any]:
    found = address_book.addresses_by_id(integer_keys(keys), caller=context.caller)
    return {str(pk): row for pk, row in found.items()}


register("SavedAddress", models.SavedAddress, _load)

KIND = "What it is to the customer."
ID = "The kept address's id."
SHIPPING, BILLING = "Whether things go there by default.", "Whether bills go there by default."


@strawberry.input(description="An address to keep.")
class AddressCreateInput:
    address: AddressInput = strawberry.field(description="The address.")
    kind: models.AddressKind = strawberry.field(default=models.AddressKind.HOME, description=KIND)
    is_default_shipping: bool | None = strawberry.field(
        default=None, description=f"{SHIPPING} When it is not said: the first address is."
    )
    is_default_billing: bool | None = strawberry.field(
        default=None, description=f"{BILLING} When it is not said: the first address is."
    )


@strawberry.input(description="What to change of a kept address. What is left out stays.")
class AddressUpdateInput:
    id: strawberry.ID = strawberry.field(description=ID)
    address: AddressInput | None = strawberry.field(
        default=None, description="The address, all of it: a part that is left out is emptied."
    )
    kind: models.AddressKind | None = strawberry.field(default=None, description=KIND)


@strawberry.input(description="The kept address to forget.")
class AddressDeleteInput:
    id: strawberry.ID = strawberry.field(description=ID)


@strawberry.input(description="Whether a kept address is a default. What is left out stays.")
class AddressSetDefaultInput:
    id: strawberry.ID = strawberry.field(description=ID)
    shipping: bool | None = strawberry.field(default=None, description=SHIPPING)
    billing: bool | None = strawberry.field(default=None, description=BILLING)


@strawberry.type(description="The kept address, or why nothing was changed.")
class AddressPayload:
    address: SavedAddress | None = strawberry.field(default=None, description="The address; null when it was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Everything that is at fault, part by part; empty when all went well."
    )


@strawberry.type(description="Which address is forgotten, or why none is.")
class AddressDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id it had; null when there was none or it is not yours."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was forgotten; empty when all went well."
    )


@strawberry.type
class AddressMutation:
    @strawberry.mutation(
        description="Keep an address. Your first one becomes the default for shipping and billing.",
        extensions=[guard(SignedIn())],
    )
    async def address_create(
        self, info: Info, input: Annotated[AddressCreateInput, strawberry.argument(description="The address.")]
    ) -> AddressPayload:
        address = to_address(input.address)
        assert address is not None  # the input requires it
        return await _change(
            lambda: address_book.create_address(
                caller=info.context.caller,
                address=address,
                kind=input.kind,
                shipping=input.is_default_shipping,
                billing=input.is_default_billing,
            )
        )

    @strawberry.mutation(
        description="Change a kept address. Carts and orders that took it keep their copies.",
        extensions=[guard(SignedIn())],
    )
    async def address_update(
        self, info: Info, input: Annotated[AddressUpdateInput, strawberry.argument(description="What to change.")]
    ) -> AddressPayload:
        return await _change(
            lambda: address_book.update_address(
                caller=info.context.caller,
                address_id=find_int(input.id, "SavedAddress"),
                address=to_address(input.address),
                kind=input.kind,
            )
        )

    @strawberry.mutation(
        description="Forget a kept address. Carts and orders that took it keep their copies.",
        extensions=[guard(SignedIn())],
    )
    async def address_delete(
        self, info: Info, input: Annotated[AddressDeleteInput, strawberry.argument(description="The address.")]
    ) -> AddressDeletePayload:
        pk = find_int(input.id, "SavedAddress")
        try:
            await db(lambda: address_book.delete_address(caller=info.context.caller, address_id=pk))
        except DomainError as error:
            return AddressDeletePayload(user_errors=user_errors(error))
        return AddressDeletePayload(deleted_id=strawberry.ID(encode("SavedAddress", pk)))

    @strawberry.mutation(
        description="Make a kept address a default, or no longer one. There is one default each: the one before is "
        "none any more.",
        extensions=[guard(SignedIn())],
    )
    async def address_set_default(
        self, info: Info, input: Annotated[AddressSetDefaultInput, strawberry.argument(description="Which, for what.")]
    ) -> AddressPayload:
        return await _change(
            lambda: address_book.set_default_address(
                caller=info.context.caller,
                address_id=find_int(input.id, "SavedAddress"),
                shipping=input.shipping,
                billing=input.billing,
            )
        )


async def _change(command: Callable[[], models.SavedAddress]) -> AddressPayload:
    try:
        return AddressPayload(address=cast(SavedAddress, await db(command)))
    except DomainError as error:
        return AddressPayload(user_errors=user_errors(error))
