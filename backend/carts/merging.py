"""A guest's cart joins the customer's. What happened is told line by line, and nothing is lost in between."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from backend.accounts.locking import lock_customer
from backend.carts.access import lock_own_cart, own_carts
from backend.carts.checking import may_run_short, order_limit
from backend.carts.errors import CartNotFound
from backend.carts.models import Cart, CartLine, CartStatus
from backend.carts.services import touch
from backend.catalog.queries import Purchasable, purchasable_variants
from backend.core import clock
from backend.core.caller import Caller
from backend.inventory.queries import NONE, Availability, availability_by_variant

_BUYER = ("email", "phone", "note", "shipping_address", "billing_address")


class MergeStrategy(StrEnum):
    """What counts of a variant that both carts have."""

    SUM = "SUM"
    KEEP_GUEST = "KEEP_GUEST"
    KEEP_ACCOUNT = "KEEP_ACCOUNT"


class MergeOutcome(StrEnum):
    """What became of a line of the guest's cart."""

    MOVED = "MOVED"
    SUMMED = "SUMMED"
    KEPT = "KEPT"
    CLIPPED_TO_STOCK = "CLIPPED_TO_STOCK"
    CLIPPED_TO_LIMIT = "CLIPPED_TO_LIMIT"
    REFUSED_UNAVAILABLE = "REFUSED_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class MergedLine:
    """Units of a variant: what the guest had, what the customer had, and what there are now."""

    variant_id: int
    outcome: MergeOutcome
    guest: int
    account: int
    final: int


@dataclass(frozen=True, slots=True)
class Merge:
    """`replayed`: it was done before, and nothing was changed now; `cart` is None where it has been ordered since."""

    cart: Cart | None
    lines: list[MergedLine]
    replayed: bool


@transaction.atomic
def merge_carts(*, caller: Caller, cart_id: UUID, strategy: MergeStrategy = MergeStrategy.SUM) -> Merge:
    """Put a guest's cart into the customer's, as far as limits and stock allow: all lines of both. Holds no stock.

    Quantities of what both have add up, or the strategy says whose counts.

    Without an open cart of their own the guest's becomes the customer's, under its id; else it is closed. What the
    customer has told of themselves stays. Merging again changes nothing, and tells the same.
    Locks the customer, the guest's cart and then the customer's. Raises CartNotFound for a cart that has another
    owner, was ordered or has expired.
    """
    if caller.user_id is None:
        raise CartNotFound(field=["cartId"])
    lock_customer(caller.user_id)
    owner = Q(customer__isnull=True) | Q(customer_id=caller.user_id)
    guest = Cart.objects.select_for_update().filter(owner, pk=cart_id).first()
    if guest is not None and guest.customer_id is not None:
        return _merged_before(caller, guest)
    if guest is None or guest.status != CartStatus.OPEN or guest.expires_at <= clock.now():
        raise CartNotFound(field=["cartId"])
    account = lock_own_cart(caller.user_id)
    merged = _decide(guest, account, strategy)
    guest.customer_id = caller.user_id
    guest.merge_outcomes = [asdict(line) for line in merged]
    cart = _adopt(guest, merged) if account is None else _join(guest, account, merged)
    return Merge(cart, merged, replayed=False)


def _merged_before(caller: Caller, cart: Cart) -> Merge:
    """The cart is the customer's own: as it came, or by an earlier merge."""
    if cart.status == CartStatus.ORDERED:
        raise CartNotFound(field=["cartId"])
    told = [_from_json(line) for line in cart.merge_outcomes or []]
    return Merge(own_carts(caller).first(), told, replayed=cart.merge_outcomes is not None)


def _from_json(line: Mapping[str, Any]) -> MergedLine:
    return MergedLine(**{**line, "outcome": MergeOutcome(line["outcome"])})


def _decide(guest: Cart, account: Cart | None, strategy: MergeStrategy) -> list[MergedLine]:
    """What becomes of each line of the guest's cart, oldest first. An empty cart of the customer's has no currency."""
    brought = dict(guest.lines.order_by("pk").values_list("variant_id", "quantity"))
    present = {} if account is None else dict(account.lines.values_list("variant_id", "quantity"))
    currency = account.currency if account is not None and present else guest.currency
    found = purchasable_variants(brought, currency)
    stock = availability_by_variant(brought)
    merged, lines = [], len(present)
    for variant_id, units in brought.items():
        before = present.get(variant_id, 0)
        if before and strategy == MergeStrategy.KEEP_ACCOUNT:
            merged.append(MergedLine(variant_id, MergeOutcome.KEPT, units, before, final=before))
            continue
        total = units if strategy == MergeStrategy.KEEP_GUEST else units + before
        line = MergedLine(variant_id, MergeOutcome.MOVED, units, before, final=total)
        line = _clipped(line, found.get(variant_id), stock.get(variant_id, NONE))
        if not before and line.final:
            lines += 1
            if lines > settings.CART_MAX_LINES:
                line = MergedLine(variant_id, MergeOutcome.CLIPPED_TO_LIMIT, units, account=0, final=0)
        merged.append(line)
    return merged


def _clipped(line: MergedLine, found: Purchasable | None, stock: Availability) -> MergedLine:
    """What is wanted of a line, as far as it can be had; what cannot be had at all leaves the customer's as it was."""
    short = found is not None and not may_run_short(found.variant)
    if found is None or not found.can_be_bought or (short and stock.quantity <= 0):
        return replace(line, outcome=MergeOutcome.REFUSED_UNAVAILABLE, final=line.account)
    limit = order_limit(found.variant)
    final = min(line.final, limit, stock.quantity if short else limit)
    if final < line.final:
        clipped = MergeOutcome.CLIPPED_TO_LIMIT if final == limit else MergeOutcome.CLIPPED_TO_STOCK
        return replace(line, outcome=clipped, final=final)
    return replace(line, outcome=MergeOutcome.SUMMED) if final > line.guest else line


def _adopt(guest: Cart, merged: Iterable[MergedLine]) -> Cart:
    """The guest's cart becomes the customer's, and keeps its id."""
    _write(guest, merged)
    return touch(guest)


def _join(guest: Cart, account: Cart, merged: Iterable[MergedLine]) -> Cart:
    """The guest's lines go into the customer's cart; the guest's is closed, not deleted."""
    if not account.lines.exists():
        account.currency = guest.currency
    for name in _BUYER:
        setattr(account, name, getattr(account, name) or getattr(guest, name))
    seen = dict(guest.lines.values_list("variant_id", "seen_price"))
    _write(account, merged, seen)
    guest.status = CartStatus.MERGED
    guest.version += 1
    guest.updated_at = clock.now()
    guest.save()
    return touch(account)


def _write(cart: Cart, merged: Iterable[MergedLine], seen: Mapping[int, int] | None = None) -> None:
    """Set the quantities that were decided. What came to nothing has no line; `touch` sets the prices seen."""
    lines = {line.variant_id: line for line in cart.lines.all()}
    final = {line.variant_id: line.final for line in merged}
    for variant_id, quantity in final.items():
        if variant_id in lines:
            lines[variant_id].quantity = quantity
    kept = [lines[each] for each in final if each in lines and final[each]]
    CartLine.objects.bulk_update(kept, ["quantity"])
    cart.lines.filter(variant_id__in=[each for each, quantity in final.items() if not quantity]).delete()
    new = [each for each, quantity in final.items() if quantity and each not in lines]
    CartLine.objects.bulk_create(
        CartLine(cart=cart, variant_id=each, quantity=final[each], seen_price=(seen or {})[each]) for each in new
    )
