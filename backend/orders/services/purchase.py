"""What is about to be bought: from a cart, or from lines sent with the buyer's data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from backend.accounts.models import User
from backend.carts.access import access_cart
from backend.carts.buyer import clean_billing, clean_email, clean_note, clean_phone, clean_shipping
from backend.carts.checking import (
    NewLine,
    Path,
    check_currency,
    line_faults,
    may_run_short,
    short_fault,
    sum_lines,
)
from backend.carts.errors import QuantityLimit
from backend.carts.faults import Faults
from backend.carts.models import Cart
from backend.carts.pricing import LinePrice, Totals, line_totals
from backend.catalog.queries import Purchasable, purchasable_variants
from backend.core import addresses
from backend.core.addresses import Address
from backend.core.caller import Caller
from backend.core.context import ShopContext
from backend.core.errors import CurrencyMismatch, Invalid, Required
from backend.core.money import MAX_MINOR, Money, parse_minor
from backend.inventory.errors import OutOfStock, Shortage
from backend.inventory.queries import availability_by_variant
from backend.orders.errors import AddressRequired, CartEmpty, EmailRequired, PriceChanged


@dataclass(frozen=True, slots=True)
class ExpectedTotal:
    """What the shopper saw, in major units: "45.00" of a currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """What a client sends: a cart's id, or lines with the buyer's data ("buy now").

    With a cart, the buyer's data that are sent go before those of the cart.
    """

    idempotency_key: str
    cart_id: UUID | None = None
    lines: Sequence[NewLine] | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    currency: str | None = None
    expected_total: ExpectedTotal | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys and where it goes, checked."""

    email: str
    phone: str
    note: str
    shipping: Address | None
    billing: Address | None


@dataclass(frozen=True, slots=True)
class Basket:
    """What is wanted, by variant id, and how to tell a client which of it is at fault.

    A cart's `path` leads to no line, so messages name the product.
    """

    units: Mapping[int, int]
    path: Path
    cart: Cart | None

    @property
    def named(self) -> bool:
        return self.cart is not None


@dataclass(frozen=True, slots=True)
class Purchase:
    """Checked, but for stock: that is decided by the reservation alone. `found` and `prices` are by variant id."""

    basket: Basket
    found: Mapping[int, Purchasable]
    currency: str
    buyer: Buyer
    prices: Mapping[int, LinePrice]
    totals: Totals

    @property
    def may_run_short(self) -> frozenset[int]:
        return frozenset(each for each in self.basket.units if may_run_short(self.found[each].variant))

    def short_of(self, shortages: Sequence[Shortage]) -> OutOfStock:
        """The reservation's refusal, with paths and names."""
        refusal = OutOfStock(shortages)
        refusal.errors = [
            short_fault(each, self.found[each.variant_id], self.basket.path, named=self.basket.named)
            for each in shortages
        ]
        return refusal


def find_purchase(*, caller: Caller, shop: ShopContext, request: PlaceOrder) -> Purchase:
    """Read and check what the request asks for. Locks the cart, where there is one.

    Raises CartNotFound; and all together that is at fault: CartEmpty, EmailRequired, AddressRequired, CurrencyMismatch,
    PriceChanged, Invalid, Required, and per line what carts raise.
    """
    faults = Faults()
    basket = _from_lines(request, faults) if request.cart_id is None else _from_cart(caller, request, faults)
    whole = not faults  # all that is wanted is known: only then does a total mean anything
    currency = _currency(request, shop, basket.cart, faults)
    email = _email(caller, request, basket.cart)
    buyer = _buyer(email, request, basket.cart, faults)
    found = purchasable_variants(basket.units, currency or shop.currency)
    _check_complete(email, request, basket, found, faults)
    wrong = [] if currency is None else line_faults(basket.units, found, None, basket.path, named=basket.named)
    prices = {} if wrong or currency is None else _prices(basket.units, found)
    totals = line_totals(prices.values())
    known = totals if whole and prices else None
    _check_total(request.expected_total, known, currency, basket, faults)
    if wrong or faults:
        if currency is not None:
            # It is refused anyway: tell what is short too, which else the reservation finds out.
            stock = availability_by_variant(basket.units)
            faults.extend(line_faults(basket.units, found, stock, basket.path, named=basket.named))
        faults.refuse()
    assert currency is not None  # else it was refused
    return Purchase(basket, found, currency, buyer, prices, totals)


def _from_cart(caller: Caller, request: PlaceOrder, faults: Faults) -> Basket:
    assert request.cart_id is not None
    if request.lines is not None:
        faults.add(Invalid("Send a cart or lines, not both.", field=["lines"]))
    cart = access_cart(caller=caller, cart_id=request.cart_id, lock=True)
    units = dict(cart.lines.order_by("pk").values_list("variant_id", "quantity"))
    if not units:
        faults.add(CartEmpty(field=["cartId"]))
    return Basket(units, lambda _variant_id, _part: ["cartId"], cart)


def _from_lines(request: PlaceOrder, faults: Faults) -> Basket:
    if request.lines is None:
        faults.add(Required("Send a cart or lines.", field=["cartId"]))
    elif not request.lines:
        faults.add(CartEmpty(field=["lines"]))
    wanted = sum_lines(request.lines or ())
    faults.extend(wanted.faults)
    return Basket(wanted.units, wanted.path, None)


def asked_currency(request: PlaceOrder, shop: ShopContext) -> str | None:
    """The currency that a client asks for, in the input or by its context; None leaves it to the cart."""
    return request.currency or (shop.currency if request.cart_id is None else None)


def _currency(request: PlaceOrder, shop: ShopContext, cart: Cart | None, faults: Faults) -> str | None:
    """What it is sold in; None for a currency without prices, with which no line can be looked at."""
    asked = asked_currency(request, shop)
    if cart is None:
        return faults.check(check_currency, asked or "")
    if asked not in (None, cart.currency):
        faults.add(CurrencyMismatch(f"This cart is in {cart.currency}.", field=["currency"]))
    return cart.currency


def _buyer(email: str, request: PlaceOrder, cart: Cart | None, faults: Faults) -> Buyer:
    """What the request says goes before what the cart has."""
    shipping, billing = _shipping(request, cart), request.billing_address
    if cart is not None:
        billing = billing or addresses.from_json(cart.billing_address)
    # A cart's data are checked again: which countries are shipped to may have changed meanwhile.
    return Buyer(
        email=faults.check(clean_email, email) or "",
        phone=faults.check(clean_phone, _first(request.phone, cart.phone if cart else None)) or "",
        note=faults.check(clean_note, _first(request.note, cart.note if cart else None)) or "",
        shipping=shipping and faults.check(clean_shipping, shipping),
        billing=billing and faults.check(clean_billing, billing),
    )


def _email(caller: Caller, request: PlaceOrder, cart: Cart | None) -> str:
    """The one that was told, or else the customer's own."""
    told = _first(request.email, cart.email if cart else None)
    if told or caller.user_id is None:
        return told
    return User.objects.filter(pk=caller.user_id).values_list("email", flat=True).first() or ""


def _shipping(request: PlaceOrder, cart: Cart | None) -> Address | None:
    return request.shipping_address or (addresses.from_json(cart.shipping_address) if cart else None)


def _first(*values: str | None) -> str:
    return next((value for value in values if value), "")


def _check_complete(
    email: str, request: PlaceOrder, basket: Basket, found: Mapping[int, Purchasable], faults: Faults
) -> None:
    if basket.cart is None and request.lines is None:
        return  # a cart may have both
    if not email.strip():
        faults.add(EmailRequired(field=["email"]))
    shipped = any(found[each].variant.requires_shipping for each in basket.units if each in found)
    if shipped and _shipping(request, basket.cart) is None:
        faults.add(AddressRequired(field=["shippingAddress"]))


def _prices(units: Mapping[int, int], found: Mapping[int, Purchasable]) -> dict[int, LinePrice]:
    prices = {}
    for variant_id, quantity in units.items():
        price = found[variant_id].price
        assert price is not None  # checked: without a price it could not be bought
        prices[variant_id] = LinePrice(unit_price=price, quantity=quantity)
    return prices


def _check_total(
    expected: ExpectedTotal | None, totals: Totals | None, currency: str | None, basket: Basket, faults: Faults
) -> None:
    """`totals` is None where it cannot be known."""
    if totals is not None and totals.total > MAX_MINOR:
        field = ["lines"] if basket.cart is None else ["cartId"]
        faults.add(QuantityLimit("This is more than one order may cost.", field=field))
    if expected is None:
        return
    minor = faults.check(_expected_minor, expected)
    if currency is None:
        return
    if expected.currency != currency:
        message = f"This order is in {currency}."
        faults.add(CurrencyMismatch(message, field=["expectedTotal", "currency"]))
    elif totals is not None and minor is not None and minor != totals.total:
        told, seen = Money(totals.total, currency).amount, Money(minor, currency).amount
        faults.add(PriceChanged(f"The total is {told} {currency}, not {seen}.", field=["expectedTotal"]))


def _expected_minor(expected: ExpectedTotal) -> int:
    return parse_minor(expected.amount, expected.currency, field=("expectedTotal", "amount"))
