"""Stock reads, for many variants at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from django.conf import settings

from backend.catalog.models import ProductVariant, StockPolicy
from backend.catalog.queries.rows import free_units
from backend.core.prepared import AnyOf, Read


class StockStatus(Enum):
    IN_STOCK = "IN_STOCK"
    LOW = "LOW"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    PREORDER = "PREORDER"
    BACKORDER = "BACKORDER"


@dataclass(frozen=True, slots=True)
class Availability:
    """What a shopper may know of a variant's stock. `quantity` are units that no order holds."""

    status: StockStatus
    quantity: int
    max_per_order: int

    @property
    def can_be_ordered(self) -> bool:
        return self.status is not StockStatus.OUT_OF_STOCK


_STOCK = Read[tuple[int, str, int | None, int]](
    lambda: (
        ProductVariant.objects.filter(AnyOf("id", "variants"), deleted_at__isnull=True)
        .values_list("pk", "stock_policy", "max_per_order")
        .annotate(free=free_units())
    ),
    tuple,
)
NONE = Availability(StockStatus.OUT_OF_STOCK, 0, 0)


def availability_by_variant(variant_ids: Iterable[int]) -> dict[int, Availability]:
    """Variant id -> availability; one statement. Deleted and unknown variants are absent."""
    rows = _STOCK(variants=list(variant_ids))
    return {pk: availability(policy, limit, free) for pk, policy, limit, free in rows}


def availability(policy: str, limit: int | None, units: int) -> Availability:
    """The rule: policy, the variant's own limit (None: the shop's), free units."""
    most = min(limit or settings.LINE_MAX_QUANTITY, settings.LINE_MAX_QUANTITY)
    if units > 0:
        status = StockStatus.LOW if units <= settings.LOW_STOCK else StockStatus.IN_STOCK
        return Availability(status, units, most if policy != StockPolicy.DENY else min(most, units))
    if policy == StockPolicy.DENY:
        return Availability(StockStatus.OUT_OF_STOCK, 0, 0)
    return Availability(StockStatus(policy), 0, most)
