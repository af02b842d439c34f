"""Which units may be bought: the same rules for what goes into a cart and for what is ordered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from backend.carts.errors import NotPurchasable, QuantityLimit, VariantNotFound
from backend.catalog.models import ProductVariant, StockPolicy
from backend.catalog.queries import Purchasable
from backend.core.errors import CurrencyMismatch, DomainError, Invalid, refuse
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
    """Units by variant, and where each variant first stands in the input."""

    units: dict[int, int]
    positions: dict[int, int]

    def path(self, variant_id: int, part: str) -> list[str]:
        return ["lines", str(self.positions.get(variant_id, 0)), part]


def check_currency(currency: str) -> str:
    """Raises CurrencyMismatch for one that the shop has no prices in."""
    if currency not in settings.CURRENCIES_OFFERED:
        raise CurrencyMismatch(f"The shop has no prices in {currency}.", field=["currency"])
    return currency


def sum_lines(lines: Sequence[NewLine]) -> Wanted:
    """Add up the lines of the same variant. Raises Invalid, QuantityLimit and VariantNotFound, naming each line."""
    if len(lines) > settings.CART_MAX_LINES:
        raise QuantityLimit(f"At most {settings.CART_MAX_LINES} lines.", field=["lines"])
    wanted = Wanted({}, {})
    errors: list[DomainError] = []
    for n, line in enumerate(lines):
        if line.quantity < 1:
            errors.append(Invalid("A quantity is one or more.", field=["lines", str(n), "quantity"]))
        elif line.variant_id is None:
            errors.append(VariantNotFound(field=["lines", str(n), "variantId"]))
        else:
            wanted.units[line.variant_id] = wanted.units.get(line.variant_id, 0) + line.quantity
            wanted.positions.setdefault(line.variant_id, n)
    refuse(errors)
    return wanted


def check_purchasable(units: Mapping[int, int], found: Mapping[int, Purchasable], path: Path) -> None:
    """Whether these units may be bought, stock aside.

    Raises VariantNotFound, NotPurchasable and QuantityLimit, naming every variant at fault.
    """
    refuse([error for each, n in units.items() if (error := _not_purchasable(each, n, found.get(each), path))])


def check_stock(
    units: Mapping[int, int],
    found: Mapping[int, Purchasable],
    stock: Mapping[int, Availability],
    path: Path,
) -> None:
    """Whether this many units are there now. Holds nothing. Raises NotEnoughStock, naming every variant at fault."""
    refuse(list(_shortages(units, found, stock, path)))


def order_limit(variant: ProductVariant) -> int:
    """The most units of the variant that one order may have, stock aside."""
    return min(variant.max_per_order or settings.LINE_MAX_QUANTITY, settings.LINE_MAX_QUANTITY)


def may_run_short(variant: ProductVariant) -> bool:
    """Whether it can be ordered without being in stock."""
    return variant.stock_policy != StockPolicy.DENY


def _not_purchasable(variant_id: int, units: int, found: Purchasable | None, path: Path) -> DomainError | None:
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


def _shortages(
    units: Mapping[int, int], found: Mapping[int, Purchasable], stock: Mapping[int, Availability], path: Path
) -> Iterable[DomainError]:
    for variant_id, wanted in units.items():
        free = stock.get(variant_id, NONE).quantity
        if wanted > free and not may_run_short(found[variant_id].variant):
            yield not_enough(Shortage(variant_id, wanted, free), field=path(variant_id, "quantity"))
