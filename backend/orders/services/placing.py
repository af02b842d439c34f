"""From what somebody wants to buy to an order that holds its stock."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from backend.carts.pricing import LinePrice, Totals
from backend.carts.services import close_ordered
from backend.catalog.queries import ImageRow, images_by_product
from backend.catalog.texts import translated
from backend.core import clock, idempotency
from backend.core.caller import Caller
from backend.core.context import ShopContext
from backend.inventory.errors import OutOfStock
from backend.inventory.services import reserve
from backend.orders.errors import OrderNotFound
from backend.orders.models import Order, OrderEventType, OrderLine
from backend.orders.services.events import write_events
from backend.orders.services.purchase import PlaceOrder, Purchase, asked_currency, find_purchase
from backend.orders.services.settling import count_units, mark_paid

MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class Placement:
    """The order, and whether an idempotency key brought back an earlier answer."""

    order: Order
    replayed: bool


@transaction.atomic
def place_order(*, caller: Caller, shop: ShopContext, request: PlaceOrder) -> Placement:
    """Place an order: snapshot names, prices and addresses, hold its stock, and start its 15 minutes.

    Locks the cart, then stock levels by id. Emits order.placed (and order.paid where nothing is to pay).
    Raises CartEmpty, EmailRequired, AddressRequired, PriceChanged, CurrencyMismatch, IdempotencyConflict, OutOfStock
    naming every short variant, and what carts raise; then nothing is kept, and the idempotency key is free again.
    """
    order_id = uuid4()
    earlier = idempotency.claim(
        scope=_scope(caller), key=request.idempotency_key, request=_fingerprint(request, shop), result_id=order_id
    )
    if earlier is not None:
        return Placement(order=_placed_before(earlier), replayed=True)
    purchase = find_purchase(caller=caller, shop=shop, request=request)
    order = _create(order_id, caller, shop, purchase, purchase.totals)
    _create_lines(order, purchase, purchase.prices, shop.language)
    write_events([order], OrderEventType.PLACED, [f"Order {order.number} was placed."])
    if purchase.basket.cart is not None:
        close_ordered(purchase.basket.cart)
    if order.total == 0:
        count_units(order)
    # Last: the most wanted rows of the shop are locked for the shortest time.
    _reserve(order, purchase)
    if order.total == 0:
        mark_paid(order)
    return Placement(order=order, replayed=False)


def _scope(caller: Caller) -> str:
    """Customers cannot take each other's keys; guests share one room, so their keys must be unguessable."""
    return "orderPlace" if caller.user_id is None else f"orderPlace:{caller.user_id}"


def _fingerprint(request: PlaceOrder, shop: ShopContext) -> dict[str, Any]:
    """What makes a request another one. The context's currency and language are input too: the order keeps both."""
    sent = asdict(request)
    del sent["idempotency_key"]
    return {**sent, "currency": asked_currency(request, shop), "language": shop.language}


def _placed_before(order_id: str) -> Order:
    order = Order.objects.filter(pk=UUID(order_id)).first()
    if order is None:
        raise OrderNotFound("The order that this key placed has been deleted.", field=["idempotencyKey"])
    return order


def _create(order_id: UUID, caller: Caller, shop: ShopContext, purchase: Purchase, totals: Totals) -> Order:
    buyer, moment = purchase.buyer, clock.now()
    billing = buyer.billing or buyer.shipping
    return Order.objects.create(
        pk=order_id,
        customer_id=caller.user_id,
        cart=purchase.basket.cart,
        email=buyer.email,
        phone=buyer.phone,
        note=buyer.note,
        language=shop.language,
        currency=purchase.currency,
        shipping_address=buyer.shipping and buyer.shipping.as_json(),
        billing_address=billing and billing.as_json(),
        subtotal=totals.subtotal,
        discount=totals.discount,
        shipping=totals.shipping,
        tax=totals.tax,
        total=totals.total,
        placed_at=moment,
        payment_due_at=moment + timedelta(minutes=settings.RESERVATION_MINUTES),
        last_sequence=1,  # PLACED, written right after
    )


def _create_lines(order: Order, purchase: Purchase, prices: Mapping[int, LinePrice], language: str) -> None:
    variants = [purchase.found[each].variant for each in purchase.basket.units]
    images = images_by_product({variant.product_id for variant in variants if variant.image_id is None})
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            variant=variant,
            vendor_id=variant.product.vendor_id,
            product_name=translated(variant.product, "name", language)[:MAX_NAME],
            variant_name=translated(variant, "name", language)[:MAX_NAME],
            sku=variant.sku,
            image_id=variant.image_id or _first_id(images.get(variant.product_id)),
            quantity=prices[variant.pk].quantity,
            unit_price=prices[variant.pk].unit_price,
            discount=prices[variant.pk].discount,
            tax=prices[variant.pk].tax,
            total=prices[variant.pk].total,
        )
        for variant in variants
    )


def _first_id(images: list[ImageRow] | None) -> int | None:
    return images[0].pk if images else None


def _reserve(order: Order, purchase: Purchase) -> None:
    try:
        reserve(order_id=order.pk, wanted=purchase.basket.units, may_run_short=purchase.may_run_short)
    except OutOfStock as short:
        raise purchase.short_of(short.shortages) from short
