"""Which units may be bought: the same rules for what goes into a cart and for what is ordered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from backend.carts.errors import NotPurchasable, QuantityLimit, VariantNotFound
from backend.catalog.models import ProductVariant, StockPolicy
from backend.catalog.queries import Purchasable
from backend.core.errors import CurrencyMismatch, DomainError, Invalid
from backend.inventory.errors import Shortage, not_enough
from backend.inventory.queries import NONE, Availability

Path = Callable[[int, str], list[str]]
"""From a variant's id and a part ("variantId", "quantity") to the path of the input that is at fault."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """Units of a variant that a client wants. `variant_id` is None when the id it sent is none of ours."""

    variant_id: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units by variant, where each variant first stands in the input, and what is wrong with the input itself."""

    units: dict[int, int]
    positions: dict[int, int]
    faults: list[DomainError] = field(default_factory=list)

    def path(self, variant_id: int, part: str) -> list[str]:
        return ["lines", str(self.positions.get(variant_id, 0)), part]


def check_currency(currency: str) -> str:
    """Raises CurrencyMismatch for one that the shop has no prices in."""
    if currency not in settings.CURRENCIES_OFFERED:
        raise CurrencyMismatch(f"The shop has no prices in {currency}.", field=["currency"])
    return currency


def sum_lines(lines: Sequence[NewLine]) -> Wanted:
    """Add up the lines of the same variant; `faults` of the answer name each line that cannot be read.

    Raises QuantityLimit for more lines than are looked at.
    """
    if len(lines) > settings.CART_MAX_LINES:
        raise QuantityLimit(f"At most {settings.CART_MAX_LINES} lines.", field=["lines"])
    wanted = Wanted({}, {})
    for n, line in enumerate(lines):
        if line.quantity < 1:
            wanted.faults.append(Invalid("A quantity is one or more.", field=["lines", str(n), "quantity"]))
        if line.variant_id is None:
            wanted.faults.append(VariantNotFound(field=["lines", str(n), "variantId"]))
        else:
            # A line that is at fault still has its variant looked at: the shopper hears of both at once.
            units = wanted.units.get(line.variant_id, 0) + max(line.quantity, 0)
            wanted.units[line.variant_id] = units
            wanted.positions.setdefault(line.variant_id, n)
    return wanted


def line_faults(
    units: Mapping[int, int],
    found: Mapping[int, Purchasable],
    stock: Mapping[int, Availability] | None,
    path: Path,
    *,
    named: bool = False,
) -> list[DomainError]:
    """Why these units cannot be had: one reason for each variant that is at fault. Holds nothing.

    VariantNotFound, NotPurchasable, QuantityLimit, and NotEnoughStock unless `stock` is None: then it is not looked at.
    With `named`, messages name the product, for paths that lead to no line.
    """
    faults = []
    for variant_id, wanted in units.items():
        known = found.get(variant_id)
        fault = _purchasable_fault(variant_id, wanted, known, path)
        if fault is not None:
            faults.append(_tell_which(fault, known) if named else fault)
        elif known is not None and stock is not None:
            free = stock.get(variant_id, NONE).quantity
            if wanted > free and not may_run_short(known.variant):
                faults.append(short_fault(Shortage(variant_id, wanted, free), known, path, named=named))
    return faults


def short_fault(shortage: Shortage, found: Purchasable, path: Path, *, named: bool) -> DomainError:
    """The refusal of a short variant, with the shortage as its data."""
    fault = not_enough(shortage, field=path(shortage.variant_id, "quantity"))
    fault.data["shortage"] = shortage
    return _tell_which(fault, found) if named else fault


def _tell_which(fault: DomainError, found: Purchasable | None) -> DomainError:
    """The fault with the product's name and SKU before its message.

    Only for what the shopper has in a cart: what a draft is called is not to be found out by guessing ids.
    """
    if found is None:
        return fault
    message = f"{found.variant.product.name} ({found.variant.sku}): {fault.message}"
    return type(fault)(message, field=fault.field, **fault.data)


def order_limit(variant: ProductVariant) -> int:
    """The most units of the variant that one order may have, stock aside."""
    return min(variant.max_per_order or settings.LINE_MAX_QUANTITY, settings.LINE_MAX_QUANTITY)


def may_run_short(variant: ProductVariant) -> bool:
    """Whether it can be ordered without being in stock."""
    return variant.stock_policy != StockPolicy.DENY


def _purchasable_fault(variant_id: int, units: int, found: Purchasable | None, path: Path) -> DomainError | None:
    if found is None:
        return VariantNotFound(field=path(variant_id, "variantId"))
    if not found.on_sale:
        return NotPurchasable(field=path(variant_id, "variantId"))
    if found.price is None:
        return NotPurchasable("This variant is not sold in this currency.", field=path(variant_id, "variantId"))
    limit = order_limit(found.variant)
    if units > limit:
        return QuantityLimit(
            f"At most {limit} in one order; this would be {units}.", field=path(variant_id, "quantity")
        )
    return None
