"""Carts as clients see them."""

import contextlib
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import strawberry

from backend.carts.pricing import Totals as DomainTotals
from backend.carts.queries import CartView, LineView, access_cart, view_cart
from backend.core import addresses
from backend.core.errors import NotFound
from schema.catalog.types import ProductVariant
from schema.engine import computed
from schema.server.context import Context
from schema.server.enums import CurrencyCode
from schema.server.ids import encode
from schema.server.money import Money, money
from schema.server.node import Node, register


@strawberry.type(description="A postal address, as it was given.")
class Address:
    first_name: str = strawberry.field(description="Given name.")
    last_name: str = strawberry.field(description="Family name.")
    company: str = strawberry.field(description="Company; empty where there is none.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str = strawberry.field(description="Apartment, floor and the like; empty where there is none.")
    city: str = strawberry.field(description="City or town.")
    region: str = strawberry.field(description="State, province or region; empty where there is none.")
    postal_code: str = strawberry.field(description="Postal code; empty where there is none.")
    country: str = strawberry.field(description="Country, by its ISO 3166 alpha-2 code.")
    phone: str = strawberry.field(description="Phone number for the carrier; empty where there is none.")


@strawberry.input(description="A postal address that you send.")
class AddressInput:
    first_name: str = strawberry.field(description="Given name.")
    last_name: str = strawberry.field(description="Family name.")
    company: str | None = strawberry.field(default=None, description="Company.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(default=None, description="Apartment, floor and the like.")
    city: str = strawberry.field(description="City or town.")
    region: str | None = strawberry.field(default=None, description="State, province or region.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code.")
    country: str = strawberry.field(description="Country, by its ISO 3166 alpha-2 code.")
    phone: str | None = strawberry.field(default=None, description="Phone number for the carrier.")


def to_address(given: AddressInput | None) -> addresses.Address | None:
    if given is None:
        return None
    return addresses.Address(**{name: getattr(given, name) or "" for name in addresses.NAMES})


def from_snapshot(snapshot: dict[str, str] | None) -> Address | None:
    return cast("Address | None", addresses.from_json(snapshot))


@strawberry.type(
    description="What something costs altogether: total = subtotal - discount + shipping, + tax where prices do not include it."
)
class CartTotals:
    subtotal: Money = strawberry.field(description="The lines before reductions.")
    discount: Money = strawberry.field(description="All reductions together.")
    shipping: Money = strawberry.field(description="Delivery.")
    tax: Money = strawberry.field(description="Tax; part of the prices where `pricesIncludeTax` says so.")
    total: Money = strawberry.field(description="What is to pay.")


@strawberry.type(description="A reduction.")
class Discount:
    title: str = strawberry.field(description="Its name.")
    code: str | None = strawberry.field(description="The coupon that gave it; null for a promotion.")
    amount: Money = strawberry.field(description="How much is taken off.")


@strawberry.type(description="A tax.")
class Tax:
    name: str = strawberry.field(description="The tax's name.")
    rate: Decimal = strawberry.field(description="The rate in percent.")
    amount: Money = strawberry.field(description="How much tax there is.")


@strawberry.type(description="A coupon code that was put on a cart.")
class CartCoupon:
    code: str = strawberry.field(description="The code as it was typed.")
    applicable: bool = strawberry.field(description="Whether it reduces anything now.")
    reason: str | None = strawberry.field(description="Why not; null where it does.")
    amount: Money = strawberry.field(description="How much it takes off.")


@strawberry.type(description="A way to have an order delivered.")
class DeliveryOption:
    id: strawberry.ID = strawberry.field(description="The option's id, to choose it by.")
    name: str = strawberry.field(description="Its name.")
    description: str = strawberry.field(description="What to expect.")
    price: Money = strawberry.field(description="What it costs.")
    min_days: int | None = strawberry.field(description="Days until delivery, at least.")
    max_days: int | None = strawberry.field(description="Days until delivery, at most.")


@strawberry.type(description="Something the shopper should know before ordering.")
class CartWarning:
    code: str = strawberry.field(
        description="PRICE_CHANGED: since the line was last set. OUT_OF_STOCK: fewer units are left. "
        "NOT_PURCHASABLE: the line is not sold any more and counts for nothing."
    )
    message: str = strawberry.field(description="The same as a sentence in English.")
    line_id: strawberry.ID | None = strawberry.field(description="The line that it is about.")


@strawberry.type(description="Units of one variant in a cart.")
class CartLine:
    @computed(description="The line's id.")
    def id(line: Any) -> strawberry.ID:
        return strawberry.ID(encode("CartLine", line.view.line.pk))

    @computed(description="How many units.")
    def quantity(line: Any) -> int:
        return line.view.line.quantity  # type: ignore[no-any-return]

    @computed(description="What is bought.")
    def variant(line: Any) -> ProductVariant:
        return line.view.variant  # type: ignore[no-any-return]

    @computed(description="The price of one unit now.")
    def unit_price(line: Any) -> Money:
        return money(line.view.price.unit_price, line.currency)

    @computed(description="The price of one unit before a reduction; null where nothing is reduced.")
    def compare_at_unit_price(line: Any) -> Money | None:
        before = line.view.compare_at
        return None if before is None else money(before, line.currency)

    @computed(description="What is taken off the line.")
    def discount(line: Any) -> Money:
        return money(line.view.price.discount, line.currency)

    @computed(description="unitPrice x quantity - discount.")
    def total(line: Any) -> Money:
        return money(line.view.price.total, line.currency)


class _Line:
    """A line's view with the cart's currency: the source of `CartLine`."""

    __slots__ = ("currency", "view")

    def __init__(self, view: LineView, currency: str) -> None:
        self.view = view
        self.currency = currency


@strawberry.type(description="What somebody means to buy. It holds no stock and freezes no price.")
class Cart(Node):
    @computed(description="The cart's id: unguessable, and a guest's only key to it. Keep it secret.")
    def id(view: Any) -> strawberry.ID:
        return strawberry.ID(encode("Cart", view.cart.pk))

    @computed(description="Grows with every change. Send it as `expectedVersion` to notice changes by others.")
    def version(view: Any) -> int:
        return view.cart.version  # type: ignore[no-any-return]

    @computed(description="The currency of all its prices.")
    def currency(view: Any) -> CurrencyCode:
        return view.cart.currency  # type: ignore[no-any-return]

    @computed(description="The buyer's email address; null until it is given.")
    def email(view: Any) -> str | None:
        return view.cart.email or None

    @computed(description="The buyer's phone number; null until it is given.")
    def phone(view: Any) -> str | None:
        return view.cart.phone or None

    @computed(description="What the buyer wants to tell the shop; null until it is given.")
    def note(view: Any) -> str | None:
        return view.cart.note or None

    @computed(description="How many units there are altogether.")
    def item_count(view: Any) -> int:
        return sum(each.line.quantity for each in view.lines)

    @computed(description="When the cart is deleted unless it is changed before, in UTC.")
    def expires_at(view: Any) -> datetime:
        return view.cart.expires_at  # type: ignore[no-any-return]

    @computed(description="When it was last changed, in UTC.")
    def updated_at(view: Any) -> datetime:
        return view.cart.updated_at  # type: ignore[no-any-return]

    @computed(description="The lines, oldest first.")
    def lines(view: Any) -> list[CartLine]:
        return cast("list[CartLine]", [_Line(each, view.cart.currency) for each in view.lines])

    @computed(description="The coupon codes on it. None are given out yet.")
    def coupons(view: Any) -> list[CartCoupon]:
        return []

    @computed(description="Whether prices include tax.")
    def prices_include_tax(view: Any) -> bool:
        return False

    @computed(description="The reductions of the whole cart.")
    def discounts(view: Any) -> list[Discount]:
        return []

    @computed(description="Where it goes; null until it is given.")
    def shipping_address(view: Any) -> Address | None:
        return from_snapshot(view.cart.shipping_address)

    @computed(description="Where the bill goes; null means the shipping address.")
    def billing_address(view: Any) -> Address | None:
        return from_snapshot(view.cart.billing_address)

    @computed(description="The ways it can be delivered. Delivery is free as long as there are none.")
    def delivery_options(view: Any) -> list[DeliveryOption]:
        return []

    @computed(description="The chosen way; null until one is chosen.")
    def delivery(view: Any) -> DeliveryOption | None:
        return None

    @computed(description="The taxes on it.")
    def taxes(view: Any) -> list[Tax]:
        return []

    @computed(description="What it costs altogether, at today's prices.")
    def totals(view: Any) -> CartTotals:
        return to_totals(view.totals, view.cart.currency)

    @computed(description="What the shopper should know before ordering.")
    def warnings(view: Any) -> list[CartWarning]:
        return [
            CartWarning(code=each.code, message=each.message, line_id=strawberry.ID(encode("CartLine", each.line_id)))
            for each in view.warnings
        ]


def to_totals(totals: DomainTotals, currency: str) -> CartTotals:
    return CartTotals(
        subtotal=money(totals.subtotal, currency),
        discount=money(totals.discount, currency),
        shipping=money(totals.shipping, currency),
        tax=money(totals.tax, currency),
        total=money(totals.total, currency),
    )


def _load(context: Context, keys: list[str]) -> dict[str, CartView]:
    found = {}
    for key in keys:
        with contextlib.suppress(NotFound, ValueError):
            found[key] = view_cart(access_cart(caller=context.caller, cart_id=UUID(key)))
    return found


register("Cart", CartView, _load)
