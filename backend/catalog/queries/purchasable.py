"""Which variants can be bought in a currency, and for how much."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.catalog.models import Product, ProductStatus, ProductVariant
from backend.catalog.queries.details import prices_by_variant
from backend.core import clock
from backend.vendors.models import VendorStatus


@dataclass(frozen=True, slots=True)
class Purchasable:
    """A variant (with its product) as a cart sees it. `price` in minor units; None where it is not sold."""

    variant: ProductVariant
    on_sale: bool
    price: int | None
    compare_at: int | None

    @property
    def can_be_bought(self) -> bool:
        return self.on_sale and self.price is not None


def purchasable_variants(ids: Iterable[int], currency: str) -> dict[int, Purchasable]:
    """Variant id -> what it costs and whether it is on sale; unknown ids are absent. Two statements."""
    wanted = list(ids)
    prices = prices_by_variant(wanted, currency)
    rows = ProductVariant.objects.filter(pk__in=wanted).select_related("product", "product__vendor")
    found = {}
    for row in rows:
        price = prices.get(row.pk)
        found[row.pk] = Purchasable(
            variant=row,
            on_sale=_is_on_sale(row),
            price=None if price is None else price.amount,
            compare_at=None if price is None else reduced_from(price.amount, price.compare_at),
        )
    return found


def reduced_from(amount: int, compare_at: int | None) -> int | None:
    """The price before, where it was higher."""
    return compare_at if compare_at is not None and compare_at > amount else None


def is_known_off_sale(row: object) -> bool:
    """Whether a variant or product that a cart holds, and that came with its vendor, is not sold any more.

    Those from lists and pages come without: they are there because they are sold.
    """
    if isinstance(row, ProductVariant):
        cached = ProductVariant.product.is_cached(row)  # type: ignore[attr-defined]
        return cached and (row.deleted_at is not None or is_known_off_sale(row.product))
    if not isinstance(row, Product) or not Product.vendor.is_cached(row):  # type: ignore[attr-defined]
        return False
    return not _is_sold(row)


def _is_on_sale(variant: ProductVariant) -> bool:
    return variant.deleted_at is None and _is_sold(variant.product)


def _is_sold(product: Product) -> bool:
    return (
        product.deleted_at is None
        and product.status == ProductStatus.ACTIVE
        and (product.published_at is None or product.published_at <= clock.now())
        and (product.vendor is None or product.vendor.status == VendorStatus.APPROVED)
    )
