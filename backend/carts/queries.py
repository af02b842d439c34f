"""Carts as they are shown: current prices, and warnings where something changed since the shopper last acted."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from backend.carts.errors import CartNotFound
from backend.carts.models import Cart, CartLine, CartStatus
from backend.carts.pricing import LinePrice, Totals, line_totals
from backend.catalog.models import ProductVariant
from backend.catalog.queries import Purchasable, purchasable_variants
from backend.core import clock
from backend.core.caller import Caller
from backend.core.money import Money
from backend.inventory.queries import NONE, Availability, availability_by_variant


@dataclass(frozen=True, slots=True)
class Warning:
    """Something the shopper should know before ordering; it does not stop them from acting on the cart."""

    code: str
    message: str
    line_id: int


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with today's price. A variant that is no longer sold costs what was last seen and counts for nothing."""

    line: CartLine
    variant: ProductVariant
    can_be_bought: bool
    price: LinePrice
    compare_at: int | None
    availability: Availability


@dataclass(frozen=True, slots=True)
class CartView:
    cart: Cart
    lines: list[LineView]
    totals: Totals
    warnings: list[Warning]


def access_cart(*, caller: Caller, cart_id: UUID, lock: bool = False) -> Cart:
    """The caller's open cart: a guest's by its id alone, a customer's only for that customer.

    With `lock`, the row is locked until the transaction ends. Raises CartNotFound also for one that is not theirs.
    """
    rows = Cart.objects.select_for_update() if lock else Cart.objects.all()
    owner = Q(customer__isnull=True) | Q(customer_id=caller.user_id)
    cart = rows.filter(owner, pk=cart_id, status=CartStatus.OPEN, expires_at__gt=clock.now()).first()
    if cart is None:
        raise CartNotFound
    return cart


def view_cart(cart: Cart) -> CartView:
    """The cart with its lines priced now. Three statements, however many lines."""
    lines = list(cart.lines.order_by("pk"))
    variants = purchasable_variants([line.variant_id for line in lines], cart.currency)
    stock = availability_by_variant(variants)
    views = [_view_line(line, variants[line.variant_id], stock.get(line.variant_id, NONE)) for line in lines]
    return CartView(
        cart=cart,
        lines=views,
        totals=line_totals(view.price for view in views if view.can_be_bought),
        warnings=[warning for view in views for warning in _warnings(view, cart.currency)],
    )


def _view_line(line: CartLine, found: Purchasable, availability: Availability) -> LineView:
    unit_price = found.price if found.price is not None else line.seen_price
    return LineView(
        line=line,
        variant=found.variant,
        can_be_bought=found.can_be_bought,
        price=LinePrice(unit_price=unit_price, quantity=line.quantity),
        compare_at=found.compare_at,
        availability=availability,
    )


def _warnings(view: LineView, currency: str) -> Iterable[Warning]:
    line, sku = view.line, view.variant.sku
    if not view.can_be_bought:
        yield Warning("NOT_PURCHASABLE", f"{sku} is not sold any more.", line.pk)
        return
    if view.price.unit_price != line.seen_price:
        before, now = Money(line.seen_price, currency), Money(view.price.unit_price, currency)
        message = f"The price of {sku} changed from {before.amount} to {now.amount} {currency}."
        yield Warning("PRICE_CHANGED", message, line.pk)
    if line.quantity > view.availability.max_per_order:
        left = view.availability.quantity
        yield Warning("OUT_OF_STOCK", f"There are {left} units of {sku}; you have {line.quantity} in the cart.", line.pk)
