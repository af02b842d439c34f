"""What is about to be bought: from a cart, or from lines sent with the buyer's data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.carts.buyer import clean_billing, clean_email, clean_note, clean_phone, clean_shipping
from backend.carts.checking import (
    NewLine,
    Path,
    Wanted,
    check_currency,
    check_purchasable,
    may_run_short,
    sum_lines,
)
from backend.carts.models import Cart
from backend.carts.queries import access_cart
from backend.catalog.queries import Purchasable, purchasable_variants
from backend.core import addresses
from backend.core.addresses import Address
from backend.core.caller import Caller
from backend.core.context import ShopContext
from backend.core.errors import CurrencyMismatch, DomainError, Invalid, Required, refuse
from backend.core.money import Money
from backend.orders.errors import AddressRequired, CartEmpty, EmailRequired


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
    expected_total: Money | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys and where it goes, checked."""

    email: str
    phone: str
    note: str
    shipping: Address | None
    billing: Address | None


@dataclass(frozen=True, slots=True)
class Purchase:
    """Checked, but for stock: that is decided by the reservation alone. `units` and `found` are by variant id."""

    units: Mapping[int, int]
    found: Mapping[int, Purchasable]
    currency: str
    buyer: Buyer
    cart: Cart | None
    path: Path

    @property
    def may_run_short(self) -> frozenset[int]:
        return frozenset(each for each in self.units if may_run_short(self.found[each].variant))


def find_purchase(*, caller: Caller, shop: ShopContext, request: PlaceOrder) -> Purchase:
    """Read and check what the request asks for. Locks the cart, where there is one.

    Raises CartNotFound, CartEmpty, EmailRequired, AddressRequired, CurrencyMismatch, and per line what carts raise.
    """
    if request.cart_id is not None:
        return _from_cart(caller, request)
    return _from_lines(request, shop)


def _from_cart(caller: Caller, request: PlaceOrder) -> Purchase:
    assert request.cart_id is not None
    if request.lines is not None:
        raise Invalid("Send a cart or lines, not both.", field=["lines"])
    cart = access_cart(caller=caller, cart_id=request.cart_id, lock=True)
    if request.currency not in (None, cart.currency):
        raise CurrencyMismatch(f"This cart is in {cart.currency}.", field=["currency"])
    units = dict(cart.lines.order_by("pk").values_list("variant_id", "quantity"))
    if not units:
        raise CartEmpty(field=["cartId"])
    return _purchase(request, units, cart.currency, path=lambda _variant_id, _part: ["cartId"], cart=cart)


def _from_lines(request: PlaceOrder, shop: ShopContext) -> Purchase:
    if request.lines is None:
        raise Required("Send a cart or lines.", field=["cartId"])
    if not request.lines:
        raise CartEmpty(field=["lines"])
    wanted: Wanted = sum_lines(request.lines)
    return _purchase(request, wanted.units, check_currency(request.currency or shop.currency), path=wanted.path)


def _purchase(
    request: PlaceOrder, units: Mapping[int, int], currency: str, *, path: Path, cart: Cart | None = None
) -> Purchase:
    buyer = _buyer(request, cart)
    found = purchasable_variants(units, currency)
    check_purchasable(units, found, path)
    _check_complete(buyer, shipped=any(found[each].variant.requires_shipping for each in units))
    return Purchase(units, found, currency, buyer, cart, path)


def _buyer(request: PlaceOrder, cart: Cart | None) -> Buyer:
    """What the request says goes before what the cart has. Raises Invalid and Required naming the part at fault."""
    shipping, billing = request.shipping_address, request.billing_address
    if cart is not None:
        shipping = shipping or addresses.from_json(cart.shipping_address)
        billing = billing or addresses.from_json(cart.billing_address)
    # A cart's data are checked again: which countries are shipped to may have changed meanwhile.
    return Buyer(
        email=clean_email(_first(request.email, cart.email if cart else None)),
        phone=clean_phone(_first(request.phone, cart.phone if cart else None)),
        note=clean_note(_first(request.note, cart.note if cart else None)),
        shipping=shipping and clean_shipping(shipping),
        billing=billing and clean_billing(billing),
    )


def _first(*values: str | None) -> str:
    return next((value for value in values if value), "")


def _check_complete(buyer: Buyer, *, shipped: bool) -> None:
    missing: list[DomainError] = []
    if not buyer.email:
        missing.append(EmailRequired(field=["email"]))
    if shipped and buyer.shipping is None:
        missing.append(AddressRequired(field=["shippingAddress"]))
    refuse(missing)
