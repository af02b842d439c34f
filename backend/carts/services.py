"""Cart commands. Each locks the cart, checks everything, and then writes all of it or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from backend.carts.errors import (
    CartVersionConflict,
    LineNotFound,
    NotEnoughStock,
    NotPurchasable,
    QuantityLimit,
)
from backend.carts.models import Cart, CartLine, CartStatus
from backend.carts.queries import access_cart
from backend.catalog.queries import Purchasable, purchasable_variants
from backend.core import addresses, clock
from backend.core.addresses import Address
from backend.core.caller import Caller
from backend.core.errors import CurrencyMismatch, Invalid, NotFound
from backend.inventory.queries import NONE, Availability, availability_by_variant

MAX_NOTE = 2000
MAX_PHONE = 32
MAX_QUANTITY_SENT = 1_000_000


@dataclass(frozen=True, slots=True)
class NewLine:
    """Units of a variant that a client wants. `variant_id` is None when the id it sent was none of ours."""

    variant_id: int | None
    quantity: int


@transaction.atomic
def create_cart(
    *, caller: Caller, currency: str, email: str = "", lines: Sequence[NewLine] = ()
) -> Cart:
    """A new open cart. Raises CurrencyMismatch for a currency that the shop has no prices in, and as `add_lines`."""
    if currency not in settings.CURRENCIES_OFFERED:
        raise CurrencyMismatch(f"The shop has no prices in {currency}.", field=["currency"])
    moment = clock.now()
    cart = Cart.objects.create(
        customer_id=caller.user_id,
        currency=currency,
        email=clean_email(email),
        created_at=moment,
        updated_at=moment,
        expires_at=moment + timedelta(days=settings.CART_DAYS),
    )
    _add(cart, lines)
    return cart


@transaction.atomic
def add_lines(
    *, caller: Caller, cart_id: UUID, lines: Sequence[NewLine], expected_version: int | None = None
) -> Cart:
    """Put units into the cart; those of a variant that is there already join its line. Never touches stock.

    Raises CartNotFound, CartVersionConflict, and per line NotFound, NotPurchasable, QuantityLimit, NotEnoughStock, Invalid.
    """
    cart = _open(caller, cart_id, expected_version)
    _add(cart, lines)
    return _touch(cart)


@transaction.atomic
def update_lines(
    *, caller: Caller, cart_id: UUID, quantities: Mapping[int, int], expected_version: int | None = None
) -> Cart:
    """Set quantities: line id -> units; 0 removes the line. Raises as `add_lines`, and LineNotFound."""
    cart = _open(caller, cart_id, expected_version)
    lines = _lines(cart, quantities)
    for n, (line_id, quantity) in enumerate(quantities.items()):
        if not 0 <= quantity <= MAX_QUANTITY_SENT:
            raise Invalid("A quantity is zero or more.", field=["lines", str(n), "quantity"])
        lines[line_id].quantity = quantity
    kept = [line for line in lines.values() if line.quantity > 0]
    positions = {lines[line_id].variant_id: n for n, line_id in enumerate(quantities)}
    wanted = {line.variant_id: line.quantity for line in kept}
    found = _check(cart, wanted, positions)
    CartLine.objects.filter(pk__in=[line.pk for line in lines.values() if line.quantity == 0]).delete()
    _write(kept, wanted, found)
    return _touch(cart)


@transaction.atomic
def remove_lines(
    *, caller: Caller, cart_id: UUID, line_ids: Sequence[int], expected_version: int | None = None
) -> Cart:
    """Take lines out of the cart. Raises LineNotFound for one that is not in it."""
    cart = _open(caller, cart_id, expected_version)
    lines = _lines(cart, dict.fromkeys(line_ids, 0), field="lineIds")
    CartLine.objects.filter(pk__in=lines).delete()
    return _touch(cart)


@transaction.atomic
def clear(*, caller: Caller, cart_id: UUID, expected_version: int | None = None) -> Cart:
    """Take every line out of the cart."""
    cart = _open(caller, cart_id, expected_version)
    cart.lines.all().delete()
    return _touch(cart)


@transaction.atomic
def update_buyer(
    *,
    caller: Caller,
    cart_id: UUID,
    email: str | None = None,
    phone: str | None = None,
    note: str | None = None,
    expected_version: int | None = None,
) -> Cart:
    """Set what is given of email, phone and note; None leaves as is, an empty text empties."""
    cart = _open(caller, cart_id, expected_version)
    if email is not None:
        cart.email = clean_email(email)
    if phone is not None:
        cart.phone = clean_line(phone, field="phone", length=MAX_PHONE)
    if note is not None:
        cart.note = clean_note(note)
    return _touch(cart)


@transaction.atomic
def update_addresses(
    *,
    caller: Caller,
    cart_id: UUID,
    shipping: Address | None = None,
    billing: Address | None = None,
    expected_version: int | None = None,
) -> Cart:
    """Set the addresses that are given. Raises Required or Invalid naming the part at fault."""
    cart = _open(caller, cart_id, expected_version)
    if shipping is not None:
        cart.shipping_address = addresses.clean(shipping, field="shippingAddress").as_json()
    if billing is not None:
        cart.billing_address = addresses.clean(billing, field="billingAddress").as_json()
    return _touch(cart)


def delete_expired_carts() -> int:
    """Delete open carts whose time is over. Returns how many rows went."""
    deleted, _ = Cart.objects.filter(status=CartStatus.OPEN, expires_at__lte=clock.now()).delete()
    return deleted


# What clients send --------------------------------------------------------------------------------


def clean_email(value: str) -> str:
    email = value.strip()
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is not an email address.", field=["email"]) from error
    if len(email) > 254 or not email.isprintable():
        raise Invalid("This is not an email address.", field=["email"])
    return email


def clean_line(value: str, *, field: str, length: int) -> str:
    """One line of text without control characters."""
    text = value.strip()
    if len(text) > length:
        raise Invalid(f"At most {length} characters.", field=[field])
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise Invalid("Control characters are not allowed.", field=[field])
    return text


def clean_note(value: str) -> str:
    if len(value) > MAX_NOTE:
        raise Invalid(f"At most {MAX_NOTE} characters.", field=["note"])
    if any(ord(character) < 32 and character not in "\n\r\t" for character in value):
        raise Invalid("Control characters are not allowed.", field=["note"])
    return value.strip()


# Lines --------------------------------------------------------------------------------------------


def sum_lines(lines: Sequence[NewLine]) -> tuple[dict[int, int], dict[int, int]]:
    """Units by variant, and where each variant first stands in the input. Raises Invalid and NotFound."""
    wanted: dict[int, int] = {}
    positions: dict[int, int] = {}
    for n, line in enumerate(lines):
        if not 1 <= line.quantity <= MAX_QUANTITY_SENT:
            raise Invalid("A quantity is one or more.", field=["lines", str(n), "quantity"])
        if line.variant_id is None:
            raise NotFound("There is no such variant.", field=["lines", str(n), "variantId"])
        wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
        positions.setdefault(line.variant_id, n)
    return wanted, positions


def check_lines(
    found: Mapping[int, Purchasable], wanted: Mapping[int, int], where: Callable[[int, str], list[str]]
) -> None:
    """Whether these units may be bought at all, stock aside. `where` gives the input's path of a variant's part."""
    for variant_id, units in wanted.items():
        purchasable = found.get(variant_id)
        if purchasable is None or not purchasable.on_sale:
            raise NotPurchasable(field=where(variant_id, "variantId"))
        if purchasable.price is None:
            raise NotPurchasable("This variant is not sold in this currency.", field=where(variant_id, "variantId"))
        limit = min(purchasable.variant.max_per_order or settings.LINE_MAX_QUANTITY, settings.LINE_MAX_QUANTITY)
        if units > limit:
            raise QuantityLimit(f"At most {limit} units an order.", field=where(variant_id, "quantity"))


def _open(caller: Caller, cart_id: UUID, expected_version: int | None) -> Cart:
    cart = access_cart(caller=caller, cart_id=cart_id, lock=True)
    if expected_version is not None and expected_version != cart.version:
        raise CartVersionConflict(field=["expectedVersion"])
    return cart


def _add(cart: Cart, lines: Sequence[NewLine]) -> None:
    added, positions = sum_lines(lines)
    if not added:
        return
    present = {line.variant_id: line for line in cart.lines.all()}
    if len(present.keys() | added.keys()) > settings.CART_MAX_LINES:
        raise QuantityLimit(f"A cart has at most {settings.CART_MAX_LINES} lines.", field=["lines"])
    wanted = {each: units + (present[each].quantity if each in present else 0) for each, units in added.items()}
    found = _check(cart, wanted, positions)
    lines = [present.get(each) or CartLine(cart=cart, variant_id=each) for each in wanted]
    new = [line for line in lines if line.pk is None]
    _write(lines, wanted, found)
    CartLine.objects.bulk_create(new)


def _write(lines: Sequence[CartLine], wanted: Mapping[int, int], found: Mapping[int, Purchasable]) -> None:
    """Set quantities, and today's prices as the ones that the shopper has seen; saves the lines that exist."""
    for line in lines:
        line.quantity = wanted[line.variant_id]
        line.seen_price = found[line.variant_id].price or 0
    CartLine.objects.bulk_update([line for line in lines if line.pk], ["quantity", "seen_price"])


def _check(cart: Cart, wanted: Mapping[int, int], positions: Mapping[int, int]) -> dict[int, Purchasable]:
    """What the wanted units cost. Raises for the first that cannot be had, naming its place in the input."""

    def where(variant_id: int, part: str) -> list[str]:
        return ["lines", str(positions.get(variant_id, 0)), part]

    found = purchasable_variants(wanted, cart.currency)
    check_lines(found, wanted, where)
    stock = availability_by_variant(wanted)
    for variant_id, units in wanted.items():
        available: Availability = stock.get(variant_id, NONE)
        if units > available.max_per_order:
            message = f"There are {available.quantity} units; {units} were asked for."
            raise NotEnoughStock(message, field=where(variant_id, "quantity"))
    return found


def _lines(cart: Cart, wanted: Mapping[int, int], field: str = "lines") -> dict[int, CartLine]:
    """The cart's lines of these ids, in the order asked. Raises LineNotFound."""
    found = {line.pk: line for line in cart.lines.filter(pk__in=list(wanted))}
    for n, line_id in enumerate(wanted):
        if line_id not in found:
            path = [field, str(n), "id"] if field == "lines" else [field, str(n)]
            raise LineNotFound(field=path)
    return {line_id: found[line_id] for line_id in wanted}


def _touch(cart: Cart) -> Cart:
    """A change: the version grows and the cart's life starts anew."""
    cart.version += 1
    cart.updated_at = clock.now()
    cart.expires_at = cart.updated_at + timedelta(days=settings.CART_DAYS)
    cart.save()
    return cart
