"""From a cart, or from lines sent with the buyer's data, to an order that holds its stock."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from backend.carts.models import Cart, CartStatus
from backend.carts.pricing import LinePrice, Totals, line_totals
from backend.carts.queries import access_cart
from backend.carts.services import NewLine, check_lines, clean_email, clean_line, clean_note, sum_lines
from backend.catalog.models import StockPolicy
from backend.catalog.queries import Purchasable, images_by_product, purchasable_variants
from backend.catalog.texts import translated
from backend.core import addresses, clock, idempotency
from backend.core.addresses import Address
from backend.core.caller import Caller
from backend.core.context import ShopContext
from backend.core.errors import CurrencyMismatch, Required
from backend.core.money import MAX_MINOR, Money
from backend.inventory.services import reserve
from backend.orders.errors import AddressRequired, CartEmpty, EmailRequired, PriceChanged
from backend.orders.models import Order, OrderEventType, OrderLine, OrderStatus, PaymentStatus
from backend.orders.services.events import record_event
from backend.orders.services.settling import settle

SCOPE = "orderPlace"


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """What a client sends: a cart's id, or lines with the buyer's data ("buy now")."""

    idempotency_key: str
    cart_id: UUID | None = None
    lines: Sequence[NewLine] | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    currency: str | None = None
    expected_total: Money | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """The order, and whether an idempotency key brought back an earlier answer."""

    order: Order
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Purchase:
    """What is about to be bought, checked, wherever it came from."""

    wanted: Mapping[int, int]
    found: Mapping[int, Purchasable]
    currency: str
    email: str
    phone: str
    note: str
    shipping_address: Address
    billing_address: Address
    cart: Cart | None


@transaction.atomic
def place_order(*, caller: Caller, shop: ShopContext, request: PlaceOrder) -> Placement:
    """Place an order: snapshot names, prices and addresses, hold its stock, and start its 15 minutes.

    Locks the cart, then stock levels by id. Emits order.placed (and order.paid where nothing is to pay). Raises CartEmpty,
    EmailRequired, AddressRequired, PriceChanged, CurrencyMismatch, IdempotencyConflict, OutOfStock naming every short
    variant, and what carts raise; then nothing is kept, the idempotency key included.
    """
    earlier = idempotency.claim(scope=SCOPE, key=request.idempotency_key, request=_fingerprint(request))
    if earlier is not None:
        return Placement(order=Order.objects.get(pk=earlier), replayed=True)
    purchase = _from_cart(caller, request) if request.cart_id is not None else _from_lines(request, shop)
    prices = {
        variant_id: LinePrice(unit_price=purchase.found[variant_id].price or 0, quantity=units)
        for variant_id, units in purchase.wanted.items()
    }
    totals = line_totals(prices.values())
    _check_total(totals, request.expected_total, purchase.currency)
    order = _create(caller, shop, purchase, totals)
    _create_lines(order, purchase, prices, shop.language)
    reserve(order_id=order.pk, wanted=stocked(purchase.wanted, purchase.found))
    record_event(order, OrderEventType.PLACED, f"Order {order.number} was placed.")
    if order.total == 0:
        settle(order)
    if purchase.cart is not None:
        _close(purchase.cart)
    idempotency.record(scope=SCOPE, key=request.idempotency_key, result_id=order.pk)
    return Placement(order=order, replayed=False)


def stocked(wanted: Mapping[int, int], found: Mapping[int, Purchasable]) -> dict[int, int]:
    """The units that must lie in stock: those of variants that can be ordered without any are left out."""
    return {
        variant_id: units
        for variant_id, units in wanted.items()
        if found[variant_id].variant.stock_policy == StockPolicy.DENY
    }


def _fingerprint(request: PlaceOrder) -> dict[str, Any]:
    sent = asdict(request)
    del sent["idempotency_key"]
    return sent


def _from_cart(caller: Caller, request: PlaceOrder) -> _Purchase:
    assert request.cart_id is not None
    if request.lines is not None:
        raise CartEmpty("Send a cart or lines, not both.", field=["lines"])
    cart = access_cart(caller=caller, cart_id=request.cart_id, lock=True)
    wanted = dict(cart.lines.order_by("pk").values_list("variant_id", "quantity"))
    if not wanted:
        raise CartEmpty(field=["cartId"])
    positions = {variant_id: n for n, variant_id in enumerate(wanted)}
    shipping = addresses.from_json(cart.shipping_address)
    return _purchase(
        request,
        cart=cart,
        currency=cart.currency,
        wanted=wanted,
        positions=positions,
        email=cart.email,
        phone=cart.phone,
        note=cart.note,
        shipping=shipping,
        billing=addresses.from_json(cart.billing_address),
    )


def _from_lines(request: PlaceOrder, shop: ShopContext) -> _Purchase:
    if request.lines is None:
        raise Required("Send a cart or lines.", field=["cartId"])
    wanted, positions = sum_lines(request.lines)
    if not wanted:
        raise CartEmpty(field=["lines"])
    currency = request.currency or shop.currency
    if currency not in settings.CURRENCIES_OFFERED:
        raise CurrencyMismatch(f"The shop has no prices in {currency}.", field=["currency"])
    return _purchase(
        request,
        cart=None,
        currency=currency,
        wanted=wanted,
        positions=positions,
        email="",
        phone="",
        note="",
        shipping=None,
        billing=None,
    )


def _purchase(
    request: PlaceOrder,
    *,
    cart: Cart | None,
    currency: str,
    wanted: dict[int, int],
    positions: dict[int, int],
    email: str,
    phone: str,
    note: str,
    shipping: Address | None,
    billing: Address | None,
) -> _Purchase:
    """What the request says goes before what the cart has."""
    if request.email is not None:
        email = clean_email(request.email)
    if not email:
        raise EmailRequired(field=["email"])
    if request.shipping_address is not None:
        shipping = addresses.clean(request.shipping_address, field="shippingAddress")
    if request.billing_address is not None:
        billing = addresses.clean(request.billing_address, field="billingAddress")
    if shipping is None:
        raise AddressRequired(field=["shippingAddress"])
    _check_country(shipping)
    found = purchasable_variants(wanted, currency)
    check_lines(found, wanted, lambda variant_id, part: ["lines", str(positions[variant_id]), part])
    return _Purchase(
        wanted=wanted,
        found=found,
        currency=currency,
        email=email,
        phone=phone if request.phone is None else clean_line(request.phone, field="phone", length=32),
        note=note if request.note is None else clean_note(request.note),
        shipping_address=shipping,
        billing_address=billing or shipping,
        cart=cart,
    )


def _check_country(shipping: Address) -> None:
    if settings.COUNTRIES_OFFERED and shipping.country not in settings.COUNTRIES_OFFERED:
        raise AddressRequired("The shop does not ship to this country.", field=["shippingAddress", "country"])


def _check_total(totals: Totals, expected: Money | None, currency: str) -> None:
    if totals.total > MAX_MINOR:
        raise PriceChanged("This is more than one order may cost.", field=["lines"])
    if expected is None:
        return
    if expected.currency != currency:
        raise CurrencyMismatch(f"This order is in {currency}.", field=["expectedTotal", "currency"])
    if expected.minor != totals.total:
        now = Money(totals.total, currency)
        message = f"The total is {now.amount} {currency}, not {expected.amount}."
        raise PriceChanged(message, field=["expectedTotal"])


def _create(caller: Caller, shop: ShopContext, purchase: _Purchase, totals: Totals) -> Order:
    moment = clock.now()
    return Order.objects.create(
        customer_id=caller.user_id,
        cart=purchase.cart,
        email=purchase.email,
        phone=purchase.phone,
        note=purchase.note,
        language=shop.language,
        currency=purchase.currency,
        shipping_address=purchase.shipping_address.as_json(),
        billing_address=purchase.billing_address.as_json(),
        status=OrderStatus.PENDING_PAYMENT,
        payment_status=PaymentStatus.UNPAID,
        subtotal=totals.subtotal,
        discount=totals.discount,
        shipping=totals.shipping,
        tax=totals.tax,
        total=totals.total,
        placed_at=moment,
        payment_due_at=moment + timedelta(minutes=settings.RESERVATION_MINUTES),
    )


def _create_lines(order: Order, purchase: _Purchase, prices: Mapping[int, LinePrice], language: str) -> None:
    variants = [purchase.found[variant_id].variant for variant_id in purchase.wanted]
    images = images_by_product({variant.product_id for variant in variants})
    lines = []
    for variant in variants:
        price = prices[variant.pk]
        first = images.get(variant.product_id, [None])[0]
        lines.append(
            OrderLine(
                order=order,
                variant=variant,
                vendor_id=variant.product.vendor_id,
                product_name=translated(variant.product, "name", language),
                variant_name=translated(variant, "name", language),
                sku=variant.sku,
                image_id=variant.image_id or (None if first is None else first.pk),
                quantity=price.quantity,
                unit_price=price.unit_price,
                discount=price.discount,
                tax=price.tax,
                total=price.total,
            )
        )
    OrderLine.objects.bulk_create(lines)


def _close(cart: Cart) -> None:
    cart.status = CartStatus.ORDERED
    cart.version += 1
    cart.updated_at = clock.now()
    cart.save()
