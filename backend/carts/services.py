"""Cart commands. Each locks the cart, checks everything, and then writes all of it or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from backend.accounts.locking import lock_customer
from backend.carts.access import access_cart, lock_own_cart
from backend.carts.buyer import clean_billing, clean_email, clean_note, clean_phone, clean_shipping
from backend.carts.checking import (
    NewLine,
    Path,
    Wanted,
    check_currency,
    line_faults,
    sum_lines,
)
from backend.carts.errors import CartVersionConflict, LineNotFound, QuantityLimit
from backend.carts.faults import Faults
from backend.carts.models import EXPIRING, Cart, CartLine, CartStatus
from backend.catalog.models import VariantPrice
from backend.catalog.queries import Purchasable, purchasable_variants
from backend.core import clock
from backend.core.addresses import Address
from backend.core.caller import Caller
from backend.core.errors import CurrencyMismatch, Invalid, Required, refuse
from backend.inventory.queries import availability_by_variant

EXPIRED_BATCH = 500


@dataclass(frozen=True, slots=True)
class LineQuantity:
    """How many units a line should have. `line_id` is None when the id that the client sent is none of ours."""

    line_id: int | None
    quantity: int


class Keep(Enum):
    """Stands for a value that was not sent: leave it as it is. None empties it."""

    KEEP = "KEEP"


@transaction.atomic
def create_cart(
    *,
    caller: Caller,
    currency: str | None = None,
    default_currency: str = "",
    email: str = "",
    lines: Sequence[NewLine] = (),
) -> Cart:
    """A new open cart. A customer who has one already gets that, with what is given put in.

    `default_currency` is for a new cart where `currency` is not asked for. Raises CurrencyMismatch for a currency that
    the shop has no prices in, or that the customer's cart with lines in it is not in, and as `add_lines`. All that is
    at fault is told at once.
    """
    if caller.user_id is not None:
        lock_customer(caller.user_id)
        own = lock_own_cart(caller.user_id)
        if own is not None:
            return _put_into(own, currency, email, lines)
    faults, moment = Faults(), clock.now()
    currency = currency or default_currency
    faults.check(check_currency, currency)
    priced = not faults
    checked = faults.check(clean_email, email)
    wanted = sum_lines(lines)
    faults.extend(wanted.faults)
    found = _find(wanted.units, currency, wanted.path, faults) if priced else {}
    faults.refuse()
    cart = Cart.objects.create(
        customer_id=caller.user_id,
        currency=currency,
        email=checked or "",
        created_at=moment,
        updated_at=moment,
        expires_at=moment + timedelta(days=settings.CART_DAYS),
    )
    _create_lines(cart, wanted.units, wanted.units, found)
    return cart


def _put_into(cart: Cart, currency: str | None, email: str, lines: Sequence[NewLine]) -> Cart:
    """What `cartCreate` brings goes into the open cart that the customer has, on whatever device it was filled."""
    faults = Faults()
    if currency is not None and currency != cart.currency:
        faults.check(check_currency, currency)
        if cart.lines.exists():
            faults.add(CurrencyMismatch(f"Your open cart is in {cart.currency}.", field=["currency"]))
        cart.currency = currency
    checked = faults.check(clean_email, email)
    cart.email = checked or cart.email
    _add(cart, sum_lines(lines), faults)
    return touch(cart)


@transaction.atomic
def add_lines(*, caller: Caller, cart_id: UUID, lines: Sequence[NewLine], expected_version: int | None = None) -> Cart:
    """Put units into the cart; those of a variant that is there already join its line. Never touches stock.

    Raises CartNotFound, CartVersionConflict, and per line Invalid, VariantNotFound, NotPurchasable, QuantityLimit and
    NotEnoughStock; then the cart is as it was.
    """
    cart = _open(caller, cart_id, expected_version)
    if not lines:
        raise Required("Name at least one line.", field=["lines"])
    _add(cart, sum_lines(lines), Faults())
    return touch(cart)


@transaction.atomic
def update_lines(
    *, caller: Caller, cart_id: UUID, lines: Sequence[LineQuantity], expected_version: int | None = None
) -> Cart:
    """Set quantities; 0 removes the line. Raises LineNotFound, and as `add_lines`; then the cart is as it was."""
    cart = _open(caller, cart_id, expected_version)
    if not lines:
        raise Required("Name at least one line.", field=["lines"])
    faults = Faults()
    by_position = _lines_to_update(cart, lines, faults)
    units = {line.variant_id: lines[n].quantity for n, line in by_position.items() if lines[n].quantity}
    wanted = Wanted(units, {line.variant_id: n for n, line in by_position.items()})
    found = _find(wanted.units, cart.currency, wanted.path, faults)
    faults.refuse()
    _write([line for line in by_position.values() if line.variant_id in units], units, found)
    CartLine.objects.filter(pk__in=[line.pk for line in by_position.values() if line.variant_id not in units]).delete()
    return touch(cart)


@transaction.atomic
def remove_lines(
    *, caller: Caller, cart_id: UUID, line_ids: Sequence[int | None], expected_version: int | None = None
) -> Cart:
    """Take lines out of the cart. Raises LineNotFound naming each that is not in it; then none is taken out."""
    cart = _open(caller, cart_id, expected_version)
    if not line_ids:
        raise Required("Name at least one line.", field=["lineIds"])
    present = set(cart.lines.values_list("pk", flat=True))
    refuse([LineNotFound(field=["lineIds", str(n)]) for n, each in enumerate(line_ids) if each not in present])
    cart.lines.filter(pk__in=[each for each in line_ids if each is not None]).delete()
    return touch(cart)


@transaction.atomic
def clear(*, caller: Caller, cart_id: UUID, expected_version: int | None = None) -> Cart:
    """Take every line out of the cart; what is known of the buyer stays."""
    cart = _open(caller, cart_id, expected_version)
    cart.lines.all().delete()
    return touch(cart)


@transaction.atomic
def update_buyer(
    *,
    caller: Caller,
    cart_id: UUID,
    email: str | Keep | None = Keep.KEEP,
    phone: str | Keep | None = Keep.KEEP,
    note: str | Keep | None = Keep.KEEP,
    expected_version: int | None = None,
) -> Cart:
    """Set what is given of email, phone and note; None or "" empties. Raises Invalid naming each that is at fault."""
    cart, faults = _open(caller, cart_id, expected_version), Faults()
    if email is not Keep.KEEP:
        cart.email = faults.check(clean_email, email or "") or ""
    if phone is not Keep.KEEP:
        cart.phone = faults.check(clean_phone, phone or "") or ""
    if note is not Keep.KEEP:
        cart.note = faults.check(clean_note, note or "") or ""
    faults.refuse()
    return touch(cart)


@transaction.atomic
def update_addresses(
    *,
    caller: Caller,
    cart_id: UUID,
    shipping: Address | Keep | None = Keep.KEEP,
    billing: Address | Keep | None = Keep.KEEP,
    expected_version: int | None = None,
) -> Cart:
    """Set the addresses that are given; None empties. Raises Required and Invalid naming every part at fault."""
    cart, faults = _open(caller, cart_id, expected_version), Faults()
    if shipping is not Keep.KEEP:
        cleaned = None if shipping is None else faults.check(clean_shipping, shipping)
        cart.shipping_address = cleaned and cleaned.as_json()
    if billing is not Keep.KEEP:
        cleaned = None if billing is None else faults.check(clean_billing, billing)
        cart.billing_address = cleaned and cleaned.as_json()
    faults.refuse()
    return touch(cart)


def close_ordered(cart: Cart) -> None:
    """A locked cart has become an order: nobody can reach it any more."""
    cart.status = CartStatus.ORDERED
    cart.version += 1
    cart.updated_at = clock.now()
    cart.save(update_fields=["status", "version", "updated_at"])


def delete_expired_carts() -> int:
    """Delete carts whose time is over, unless they became orders, in batches. Returns how many there were."""
    total = 0
    while deleted := _delete_expired_batch():
        total += deleted
    return total


@transaction.atomic
def _delete_expired_batch() -> int:
    # A cart that is being changed at this moment has a new life after it: left alone.
    expired = Cart.objects.select_for_update(skip_locked=True).filter(status__in=EXPIRING, expires_at__lte=clock.now())
    ids = list(expired.order_by("expires_at").values_list("pk", flat=True)[:EXPIRED_BATCH])
    Cart.objects.filter(pk__in=ids).delete()
    return len(ids)


def _open(caller: Caller, cart_id: UUID, expected_version: int | None) -> Cart:
    cart = access_cart(caller=caller, cart_id=cart_id, lock=True)
    if expected_version is not None and expected_version != cart.version:
        raise CartVersionConflict(field=["expectedVersion"])
    return cart


def _add(cart: Cart, added: Wanted, faults: Faults) -> None:
    faults.extend(added.faults)
    present = {line.variant_id: line for line in cart.lines.all()}
    if len(present.keys() | added.units.keys()) > settings.CART_MAX_LINES:
        faults.add(QuantityLimit(f"A cart has at most {settings.CART_MAX_LINES} lines.", field=["lines"]))
    units = {each: n + (present[each].quantity if each in present else 0) for each, n in added.units.items()}
    found = _find(units, cart.currency, added.path, faults)
    faults.refuse()
    _write([present[each] for each in units if each in present], units, found)
    _create_lines(cart, [each for each in units if each not in present], units, found)


def _create_lines(
    cart: Cart, variant_ids: Iterable[int], units: Mapping[int, int], found: Mapping[int, Purchasable]
) -> None:
    new = [CartLine(cart=cart, variant_id=each) for each in variant_ids]
    CartLine.objects.bulk_create(_priced(new, units, found))


def _find(units: Mapping[int, int], currency: str, path: Path, faults: Faults) -> dict[int, Purchasable]:
    """What the wanted units cost; those that cannot be had are added to the faults by their place in the input."""
    if not units:
        return {}
    found = purchasable_variants(units, currency)
    faults.extend(line_faults(units, found, availability_by_variant(units), path))
    return found


def _priced(
    lines: Sequence[CartLine], units: Mapping[int, int], found: Mapping[int, Purchasable]
) -> Sequence[CartLine]:
    """The lines with new quantities, and with today's prices as those that the shopper has seen."""
    for line in lines:
        price = found[line.variant_id].price
        assert price is not None  # checked: without a price it could not be bought
        line.quantity, line.seen_price = units[line.variant_id], price
    return lines


def _write(lines: Sequence[CartLine], units: Mapping[int, int], found: Mapping[int, Purchasable]) -> None:
    CartLine.objects.bulk_update(_priced(lines, units, found), ["quantity", "seen_price"])


def _lines_to_update(cart: Cart, sent: Sequence[LineQuantity], faults: Faults) -> dict[int, CartLine]:
    """Position in the input -> the line of the cart that it names. Adds Invalid and LineNotFound for the others."""
    present = {line.pk: line for line in cart.lines.all()}
    found: dict[int, CartLine] = {}
    named: set[int] = set()
    for n, each in enumerate(sent):
        if each.quantity < 0:
            faults.add(Invalid("A quantity is zero or more.", field=["lines", str(n), "quantity"]))
        if each.line_id is None or each.line_id not in present:
            faults.add(LineNotFound(field=["lines", str(n), "id"]))
        elif each.line_id in named:
            faults.add(Invalid("This line is named twice.", field=["lines", str(n), "id"]))
        else:
            named.add(each.line_id)
            if each.quantity >= 0:
                found[n] = present[each.line_id]
    return found


def touch(cart: Cart) -> Cart:
    """The cart was changed: its version grows, its life starts anew, and its shopper knows today's prices."""
    today = VariantPrice.objects.filter(variant=OuterRef("variant"), currency=cart.currency).values("amount")
    lines = cart.lines.annotate(today=Subquery(today[:1])).filter(today__isnull=False)
    lines.exclude(seen_price=F("today")).update(seen_price=F("today"))
    cart.version += 1
    cart.updated_at = clock.now()
    cart.expires_at = cart.updated_at + timedelta(days=settings.CART_DAYS)
    cart.save()
    return cart
