"""Carts as they are shown: current prices, and warnings where something changed since the shopper last acted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.carts.access import own_carts, visible_carts
from backend.carts.checking import may_run_short, order_limit
from backend.carts.models import Cart, CartLine
from backend.carts.pricing import LinePrice, Totals, line_totals
from backend.catalog.models import ProductVariant
from backend.catalog.queries import Purchasable, purchasable_variants
from backend.core.caller import Caller
from backend.core.money import Money
from backend.inventory.queries import NONE, Availability, availability_by_variant


@dataclass(frozen=True, slots=True)
class CartWarning:
    """Something the shopper should know before ordering. `code` is one that `orderPlace` would refuse with."""

    code: str
    message: str
    line_id: int


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with today's price; one that has no price today keeps the one last seen."""

    line: CartLine
    variant: ProductVariant
    currency: str
    price: LinePrice
    compare_at: int | None
    availability: Availability
    warnings: tuple[CartWarning, ...]

    @property
    def pk(self) -> int:
        return self.line.pk


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart with its lines, oldest first. The lines' totals always sum to `totals.subtotal - totals.discount`."""

    cart: Cart
    lines: list[LineView]
    totals: Totals

    @property
    def pk(self) -> UUID:
        return self.cart.pk

    @property
    def warnings(self) -> list[CartWarning]:
        return [warning for line in self.lines for warning in line.warnings]


def find_cart(*, caller: Caller, cart_id: UUID) -> CartView | None:
    """The caller's open cart as it is shown; None where `access_cart` would find none."""
    cart = visible_carts(caller).filter(pk=cart_id).first()
    return None if cart is None else view_cart(cart)


def find_own_cart(*, caller: Caller) -> CartView | None:
    """A customer's open cart, wherever it was filled; None for guests, whose carts have no owner."""
    cart = own_carts(caller).first()
    return None if cart is None else view_cart(cart)


def carts_by_id(ids: Iterable[UUID], *, caller: Caller) -> dict[UUID, CartView]:
    carts = list(visible_carts(caller).filter(pk__in=list(ids)))
    return {view.pk: view for view in view_carts(carts)}


def view_cart(cart: Cart) -> CartView:
    return view_carts([cart])[0]


def view_carts(carts: Sequence[Cart]) -> list[CartView]:
    """The carts with their lines priced now; four statements for a currency, however many carts and lines."""
    lines = _lines_by_cart([cart.pk for cart in carts])
    views: dict[UUID, CartView] = {}
    for currency in {cart.currency for cart in carts}:
        same = [cart for cart in carts if cart.currency == currency]
        ids = {line.variant_id for cart in same for line in lines[cart.pk]}
        found = purchasable_variants(ids, currency)
        stock = availability_by_variant(ids)
        for cart in same:
            views[cart.pk] = _view(cart, lines[cart.pk], found, stock)
    return [views[cart.pk] for cart in carts]


def _lines_by_cart(cart_ids: Sequence[UUID]) -> dict[UUID, list[CartLine]]:
    lines: dict[UUID, list[CartLine]] = defaultdict(list)
    for line in CartLine.objects.filter(cart_id__in=cart_ids).order_by("pk"):
        lines[line.cart_id].append(line)
    return lines


def _view(
    cart: Cart, lines: Sequence[CartLine], found: Mapping[int, Purchasable], stock: Mapping[int, Availability]
) -> CartView:
    views = [
        _view_line(line, found[line.variant_id], stock.get(line.variant_id, NONE), cart.currency)
        for line in lines
        if line.variant_id in found  # else it was deleted for good between two statements
    ]
    return CartView(cart=cart, lines=views, totals=line_totals(view.price for view in views))


def _view_line(line: CartLine, found: Purchasable, availability: Availability, currency: str) -> LineView:
    return LineView(
        line=line,
        variant=found.variant,
        currency=currency,
        price=LinePrice(unit_price=line.seen_price if found.price is None else found.price, quantity=line.quantity),
        compare_at=found.compare_at,
        availability=availability,
        warnings=tuple(_warnings(line, found, availability, currency)),
    )


def _warnings(line: CartLine, found: Purchasable, availability: Availability, currency: str) -> Iterable[CartWarning]:
    sku = found.variant.sku
    if not found.can_be_bought or found.price is None:
        yield CartWarning("NOT_PURCHASABLE", f"{sku} is not sold any more.", line.pk)
        return
    if found.price != line.seen_price:
        before, now = Money(line.seen_price, currency), Money(found.price, currency)
        message = f"The price of {sku} changed from {before.amount} to {now.amount} {currency}."
        yield CartWarning("PRICE_CHANGED", message, line.pk)
    limit, left = order_limit(found.variant), availability.quantity
    if line.quantity > limit:
        yield CartWarning("QUANTITY_LIMIT", f"One order may have {limit} of {sku}.", line.pk)
    if line.quantity > left and not may_run_short(found.variant):
        yield CartWarning("OUT_OF_STOCK", f"{left} of {sku} are left; the cart has {line.quantity}.", line.pk)
