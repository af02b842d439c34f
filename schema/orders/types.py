"""Orders as clients see them."""

import math
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
import strawberry_django

from backend.core import clock
from backend.orders import models, queries
from backend.payments.queries import payments_by_order
from schema.carts.addresses import Address, from_snapshot
from schema.carts.types import Discount, Tax
from schema.catalog.parts import Image
from schema.catalog.types import ProductVariant
from schema.engine import ColumnField, batched, computed
from schema.server.enums import CurrencyCode, describe_enum
from schema.server.ids import encode
from schema.server.money import Money, money
from schema.server.node import Node
from schema.vendors.types import Vendor

if TYPE_CHECKING:
    from schema.payments.types import Payment

strawberry.enum(models.OrderStatus, name="OrderStatus", description="Where an order stands.")
strawberry.enum(models.PaymentStatus, name="PaymentStatus", description="How much of an order is paid.")
strawberry.enum(models.FulfillmentStatus, name="FulfillmentStatus", description="How much of an order is on its way.")
describe_enum(
    models.OrderStatus,
    {
        "PENDING_PAYMENT": "Placed; its stock is held until `paymentDueAt`.",
        "PAID": "Paid in full.",
        "PROCESSING": "Being packed.",
        "SHIPPED": "On its way.",
        "DELIVERED": "Arrived.",
        "COMPLETED": "Arrived, and the time for returns is over.",
        "CANCELLED": "Called off.",
        "EXPIRED": "Not paid in time; its stock was given back.",
    },
)
describe_enum(
    models.PaymentStatus,
    {
        "UNPAID": "Nothing is paid.",
        "AUTHORIZED": "Money is set aside, not taken.",
        "PARTIALLY_PAID": "Some of it is paid.",
        "PAID": "All of it is paid.",
        "PARTIALLY_REFUNDED": "Some of what was paid went back.",
        "REFUNDED": "All that was paid went back.",
        "FAILED": "The last attempt failed; another one may be made.",
    },
)
describe_enum(
    models.FulfillmentStatus,
    {
        "UNFULFILLED": "Nothing was sent.",
        "PARTIALLY_FULFILLED": "Some of it was sent.",
        "FULFILLED": "All of it was sent.",
        "DELIVERED": "All of it arrived.",
        "RETURNED": "All of it came back.",
    },
)


@strawberry.type(description="The time for which an order's stock is held.")
class OrderHold:
    expires_at: datetime = strawberry.field(description="When it ends, in UTC.")
    seconds_left: int = strawberry.field(description="Seconds until then; 0 when it is over.")


@strawberry.type(description="What an order costs altogether, and how much of it is paid.")
class OrderTotals:
    subtotal: Money = strawberry.field(description="The lines before reductions.")
    discount: Money = strawberry.field(description="All reductions together.")
    shipping: Money = strawberry.field(description="Delivery.")
    tax: Money = strawberry.field(description="Tax; part of the prices where `pricesIncludeTax` says so.")
    total: Money = strawberry.field(description="What was to pay.")
    paid: Money = strawberry.field(description="What has been paid.")
    refunded: Money = strawberry.field(description="What went back.")
    due: Money = strawberry.field(
        description="What is still to pay; 0 once the order is paid, cancelled or expired: then nothing is owed."
    )


@strawberry.type(description="How an order is delivered.")
class OrderDelivery:
    name: str = strawberry.field(description="The chosen way.")
    price: Money = strawberry.field(description="What it costs.")


@strawberry.type(description="How many units of an order line are in a parcel.")
class FulfillmentLine:
    order_line_id: strawberry.ID = strawberry.field(description="The order line's id.")
    quantity: int = strawberry.field(description="How many units.")


@strawberry.type(description="A parcel.")
class Fulfillment:
    id: strawberry.ID = strawberry.field(description="The parcel's id.")
    status: str = strawberry.field(description="Where the parcel stands.")
    carrier: str = strawberry.field(description="Who carries it.")
    tracking_number: str | None = strawberry.field(description="The carrier's number.")
    tracking_url: str | None = strawberry.field(description="Where it can be followed.")
    shipped_at: datetime | None = strawberry.field(description="When it was sent, in UTC.")
    delivered_at: datetime | None = strawberry.field(description="When it arrived, in UTC.")
    lines: list[FulfillmentLine] = strawberry.field(description="What is in it.")


@strawberry.type(description="The bill of an order.")
class Invoice:
    number: str = strawberry.field(description="The invoice's number.")
    url: str | None = strawberry.field(description="Where the PDF is.")


@strawberry_django.type(
    models.OrderLine, name="OrderLine", field_cls=ColumnField, description="A variant as it was sold."
)
class OrderLine:
    quantity: int = strawberry.field(description="How many units.")
    product_name: str = strawberry.field(description="The product's name when it was ordered.")
    variant_name: str = strawberry.field(description="The variant's name when it was ordered.")
    sku: str = strawberry.field(description="The SKU when it was ordered.")
    # These three come with the line, in the statement that reads it: see `lines_by_order`.
    image: Image | None = strawberry.field(description="The image; null when it is gone.")
    variant: ProductVariant | None = strawberry.field(description="The variant as it is now; null when it is gone.")
    vendor: Vendor | None = strawberry.field(description="Who sells it; null where the shop itself does.")

    @computed(description="The line's id.")
    def id(line: Any) -> strawberry.ID:
        return strawberry.ID(encode("OrderLine", line.pk))

    @computed(description="The price of one unit when it was ordered.")
    def unit_price(line: Any) -> Money:
        return money(line.unit_price, line.order_currency)

    @computed(description="What was taken off the line.")
    def discount(line: Any) -> Money:
        return money(line.discount, line.order_currency)

    @computed(description="The line's tax.")
    def tax(line: Any) -> Money:
        return money(line.tax, line.order_currency)

    @computed(description="unitPrice x quantity - discount.")
    def total(line: Any) -> Money:
        return money(line.total, line.order_currency)


@strawberry_django.type(
    models.Order, name="Order", field_cls=ColumnField, description="What was bought, frozen as it was when placed."
)
class Order(Node):
    number: str = strawberry.field(description="The number that people use.")
    token: str = strawberry.field(description="A guest's key to the order. Keep it secret.")
    status: models.OrderStatus = strawberry.field(description="Where it stands.")
    payment_status: models.PaymentStatus = strawberry.field(description="How much of it is paid.")
    fulfillment_status: models.FulfillmentStatus = strawberry.field(description="How much of it is on its way.")
    email: str = strawberry.field(description="The buyer's email address.")
    currency: CurrencyCode = strawberry.field(description="The currency of all its amounts.")
    placed_at: datetime = strawberry.field(description="When it was placed, in UTC.")
    paid_at: datetime | None = strawberry.field(description="When it was paid in full, in UTC.")
    cancelled_at: datetime | None = strawberry.field(description="When it was called off, in UTC.")
    delivered_at: datetime | None = strawberry.field(description="When it arrived, in UTC.")
    payment_due_at: datetime | None = strawberry.field(
        description="Until when it can be paid and its stock is held, in UTC; null once it is paid. An order that has "
        "expired keeps it: when its time was over."
    )
    prices_include_tax: bool = strawberry.field(description="Whether prices include tax.")

    @computed(description="The buyer's phone number; null where none was given.")
    def phone(order: Any) -> str | None:
        return order.phone or None

    @computed(description="What the buyer told the shop; null where nothing.")
    def note(order: Any) -> str | None:
        return order.note or None

    @batched(description="The time for which its stock is held; null unless it waits for payment.")
    def hold(orders: list[Any]) -> list[OrderHold | None]:
        moment = clock.now()
        return [_hold(order, moment) for order in orders]

    @batched(description="What was bought.")
    def lines(orders: list[Any]) -> list[list[OrderLine]]:
        found = queries.lines_by_order([each.pk for each in orders])
        for order in orders:
            for line in found[order.pk]:
                line.order_currency = order.currency  # type: ignore[attr-defined]
        return cast("list[list[OrderLine]]", [found[each.pk] for each in orders])

    @computed(description="Where it goes.")
    def shipping_address(order: Any) -> Address | None:
        return from_snapshot(order.shipping_address)

    @computed(description="Where the bill goes.")
    def billing_address(order: Any) -> Address | None:
        return from_snapshot(order.billing_address)

    @computed(description="How it is delivered; null where nothing was to choose.")
    def delivery(order: Any) -> OrderDelivery | None:
        return None

    @computed(description="The reductions of the whole order.")
    def discounts(order: Any) -> list[Discount]:
        return []

    @computed(description="The taxes on it.")
    def taxes(order: Any) -> list[Tax]:
        return []

    @computed(description="What it costs, and how much of it is paid.")
    def totals(order: Any) -> OrderTotals:
        amounts = {name: getattr(order, name) for name in _AMOUNTS}
        return OrderTotals(
            **{name: money(minor, order.currency) for name, minor in amounts.items()},
            due=money(_due(order), order.currency),
        )

    @batched(description="The attempts to pay it, oldest first.")
    def payments(
        orders: list[Any],
    ) -> list[list[Annotated["Payment", strawberry.lazy("schema.payments.types")]]]:
        found = payments_by_order([each.pk for each in orders])
        return [found[each.pk] for each in orders]  # type: ignore[misc]

    @computed(description="Its parcels.")
    def fulfillments(order: Any) -> list[Fulfillment]:
        return []

    @computed(description="The bill; null until it is made.")
    def invoice(order: Any) -> Invoice | None:
        return None


_AMOUNTS = ("subtotal", "discount", "shipping", "tax", "total", "paid", "refunded")


def _due(order: models.Order) -> int:
    """What is still to pay: nothing for an order that waits for no money."""
    if order.status != models.OrderStatus.PENDING_PAYMENT:
        return 0
    return max(order.total - order.paid + order.refunded, 0)


def _hold(order: models.Order, moment: datetime) -> OrderHold | None:
    if order.status != models.OrderStatus.PENDING_PAYMENT or order.payment_due_at is None:
        return None
    left = math.ceil((order.payment_due_at - moment).total_seconds())
    return OrderHold(expires_at=order.payment_due_at, seconds_left=max(left, 0))
