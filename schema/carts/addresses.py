"""Postal addresses: as clients send them and as carts and orders keep them."""

from typing import cast

import strawberry

from backend.core import addresses


@strawberry.type(description="A postal address, as it was given.")
class Address:
    first_name: str = strawberry.field(description="Given name.")
    last_name: str = strawberry.field(description="Family name.")
    company: str = strawberry.field(description="Company; empty where there is none.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str = strawberry.field(description="Apartment, floor and the like; empty where there is none.")
    city: str = strawberry.field(description="City or town.")
    region: str = strawberry.field(description="State, province or region; empty where there is none.")
    postal_code: str = strawberry.field(description="Postal code, as its country writes it; empty where there is none.")
    country: str = strawberry.field(description="Country, by its ISO 3166 alpha-2 code.")
    phone: str = strawberry.field(
        description="Phone number for the carrier, as it is dialled from everywhere (+14155552671); empty where there "
        "is none."
    )


@strawberry.input(
    description="A postal address that you send, up to 200 characters a part. Its country says what else it needs "
    "and how that is written. What is missing is told as REQUIRED in `userErrors` and what does not fit as INVALID, "
    "part by part, so that a form can show it."
)
class AddressInput:
    first_name: str | None = strawberry.field(default=None, description="Given name. Required.")
    last_name: str | None = strawberry.field(default=None, description="Family name. Required.")
    company: str | None = strawberry.field(default=None, description="Company.")
    line1: str | None = strawberry.field(default=None, description="Street and number. Required.")
    line2: str | None = strawberry.field(default=None, description="Apartment, floor and the like.")
    city: str | None = strawberry.field(default=None, description="City or town. Required in most countries.")
    region: str | None = strawberry.field(
        default=None,
        description="State, province or region, by its name or code. Required where the country's post needs it, "
        "unless the postal code tells it.",
    )
    postal_code: str | None = strawberry.field(
        default=None, description="Postal code. Required in most countries that have them."
    )
    country: str | None = strawberry.field(default=None, description="Country, by its ISO 3166 alpha-2 code. Required.")
    phone: str | None = strawberry.field(
        default=None,
        description="Phone number for the carrier: with + and the country's code, or as it is dialled in the "
        "address's country.",
    )


def to_address(sent: AddressInput | None) -> addresses.Address | None:
    if sent is None:
        return None
    return addresses.Address(**{name: getattr(sent, name) or "" for name in addresses.NAMES})


def from_snapshot(snapshot: dict[str, str] | None) -> Address | None:
    return cast("Address | None", addresses.from_json(snapshot))
