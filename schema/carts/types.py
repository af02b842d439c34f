"""Carts as clients see them."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import strawberry

from backend.carts.pricing import Totals as DomainTotals
from backend.carts.queries import CartView
from backend.core.addresses import from_json
from schema.carts.addresses import Address, from_snapshot
from schema.catalog.types import ProductVariant
from schema.engine import computed
from schema.payments.gateways import PaymentGatewayType, payment_gateways
from schema.server.enums import CurrencyCode
from schema.server.ids import encode
from schema.server.money import Money, money
from schema.server.node import Node


def _value(name: str, description: str) -> str:
    return strawberry.enum_value(name, description=description)  # type: ignore[return-value]


@strawberry.enum(description="What a shopper should know of a cart line. New values may be added.")
class CartWarningCode(Enum):
    PRICE_CHANGED = _value("PRICE_CHANGED", "The price is another one than when the cart was last changed.")
    OUT_OF_STOCK = _value("OUT_OF_STOCK", "Fewer units are left than the line has.")
    QUANTITY_LIMIT = _value("QUANTITY_LIMIT", "The line has more units than one order may have.")
    NOT_PURCHASABLE = _value("NOT_PURCHASABLE", "The variant is not sold any more, or not in the cart's currency.")


@strawberry.enum(description="Why a coupon takes nothing off. New values may be added.")
class CouponReason(Enum):
    EXPIRED = _value("EXPIRED", "Its time is over.")
    NOT_STARTED = _value("NOT_STARTED", "Its time has not come.")
    USED_UP = _value("USED_UP", "It was used as often as it may be.")
    MINIMUM_NOT_REACHED = _value("MINIMUM_NOT_REACHED", "The cart is below the amount that it asks for.")
    NOT_FOR_THESE_ITEMS = _value("NOT_FOR_THESE_ITEMS", "Nothing in the cart is among what it is for.")
    NOT_FOR_THIS_CUSTOMER = _value("NOT_FOR_THIS_CUSTOMER", "It is for other customers.")
    NOT_COMBINABLE = _value("NOT_COMBINABLE", "It does not go together with another one.")


@strawberry.type(
    description="What a cart costs altogether: total = subtotal - discount + shipping, and + tax where prices do not "
    "include it."
)
class CartTotals:
    subtotal: Money = strawberry.field(description="The lines before reductions.")
    discount: Money = strawberry.field(description="All reductions together.")
    shipping: Money = strawberry.field(description="Delivery.")
    tax: Money = strawberry.field(description="Tax; part of the prices where `pricesIncludeTax` says so.")
    total: Money = strawberry.field(description="What is to pay. Send it as `expectedTotal` with `orderPlace`.")


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
    reason: CouponReason | None = strawberry.field(description="Why not; null where it does.")
    amount: Money = strawberry.field(description="How much it takes off.")


@strawberry.type(description="A way to have an order delivered.")
class DeliveryOption:
    id: strawberry.ID = strawberry.field(description="The option's id, to choose it by.")
    name: str = strawberry.field(description="Its name.")
    description: str = strawberry.field(description="What to expect.")
    price: Money = strawberry.field(description="What it costs.")
    min_days: int | None = strawberry.field(description="Days until delivery, at least.")
    max_days: int | None = strawberry.field(description="Days until delivery, at most.")


@strawberry.type(description="Something that the shopper should know before ordering.")
class CartWarning:
    code: CartWarningCode = strawberry.field(description="What it is, to branch on.")
    message: str = strawberry.field(description="The same as a sentence in English, with the numbers.")

    @computed(description="The line that it is about.")
    def line_id(warning: Any) -> strawberry.ID | None:
        return strawberry.ID(encode("CartLine", warning.line_id))


@strawberry.type(description="Units of one variant in a cart, at today's price.")
class CartLine:
    variant: ProductVariant = strawberry.field(
        description="What is bought; still shown when it is not sold any more: see `warnings`. Its `price` is in the "
        "context's currency, which may be another than the cart's: show the line's `unitPrice` to who buys."
    )

    @computed(description="The line's id.")
    def id(line: Any) -> strawberry.ID:
        return strawberry.ID(encode("CartLine", line.pk))

    @computed(description="How many units.")
    def quantity(line: Any) -> int:
        return line.price.quantity  # type: ignore[no-any-return]

    @computed(
        description="One unit's price now, in the cart's currency; the one last seen where it is not sold any more."
    )
    def unit_price(line: Any) -> Money:
        return money(line.price.unit_price, line.currency)

    @computed(description="One unit's price before a reduction, in the cart's currency; null where nothing is reduced.")
    def compare_at_unit_price(line: Any) -> Money | None:
        return None if line.compare_at is None else money(line.compare_at, line.currency)

    @computed(description="What is taken off the line.")
    def discount(line: Any) -> Money:
        return money(line.price.discount, line.currency)

    @computed(description="unitPrice x quantity - discount. The lines' totals sum to `subtotal - discount`.")
    def total(line: Any) -> Money:
        return money(line.price.total, line.currency)


@strawberry.type(description="What somebody means to buy. It holds no stock and freezes no price.")
class Cart(Node):
    lines: list[CartLine] = strawberry.field(description="The lines, in the order in which they were put in.")
    warnings: list[CartWarning] = strawberry.field(description="What the shopper should know before ordering.")

    @computed(description="The cart's id: unguessable, and a guest's only key to it. Keep it secret.")
    def id(view: Any) -> strawberry.ID:
        return strawberry.ID(encode("Cart", view.pk))

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
        return sum(line.price.quantity for line in view.lines)

    @computed(
        description="When the cart is deleted unless it is changed before, in UTC: 30 days after the last change."
    )
    def expires_at(view: Any) -> datetime:
        return view.cart.expires_at  # type: ignore[no-any-return]

    @computed(description="When it was last changed, in UTC.")
    def updated_at(view: Any) -> datetime:
        return view.cart.updated_at  # type: ignore[no-any-return]

    @computed(description="The coupon codes on it. The shop gives out none yet.")
    def coupons(view: Any) -> list[CartCoupon]:
        return []

    @computed(description="Whether prices include tax.")
    def prices_include_tax(view: Any) -> bool:
        return False

    @computed(description="The reductions of the whole cart. The shop has none yet.")
    def discounts(view: Any) -> list[Discount]:
        return []

    @computed(description="Where it goes; null until it is given.")
    def shipping_address(view: Any) -> Address | None:
        return from_snapshot(view.cart.shipping_address)

    @computed(description="Where the bill goes; null means to the shipping address.")
    def billing_address(view: Any) -> Address | None:
        return from_snapshot(view.cart.billing_address)

    @computed(description="The ways it can be delivered. As long as there are none, delivery is free.")
    def delivery_options(view: Any) -> list[DeliveryOption]:
        return []

    @computed(description="The chosen way; null until one is chosen.")
    def delivery(view: Any) -> DeliveryOption | None:
        return None

    @computed(description="The taxes on it. The shop charges none yet.")
    def taxes(view: Any) -> list[Tax]:
        return []

    @computed(description="What it costs altogether, at today's prices.")
    def totals(view: Any) -> CartTotals:
        return to_totals(view.totals, view.cart.currency)

    @computed(
        description="The ways to pay it: those that take its currency and its total, and serve the country of its "
        "billing address, or of its shipping address where there is no other."
    )
    def payment_gateways(view: Any) -> list[PaymentGatewayType]:
        cart = view.cart
        address = from_json(cart.billing_address) or from_json(cart.shipping_address)
        country = address.country if address else ""
        return payment_gateways(currency=cart.currency, country=country, amount=view.totals.total)


def as_cart(view: CartView) -> Cart:
    """The domain's view, typed as what the schema calls it."""
    return cast(Cart, view)


def to_totals(totals: DomainTotals, currency: str) -> CartTotals:
    return CartTotals(
        subtotal=money(totals.subtotal, currency),
        discount=money(totals.discount, currency),
        shipping=money(totals.shipping, currency),
        tax=money(totals.tax, currency),
        total=money(totals.total, currency),
    )
