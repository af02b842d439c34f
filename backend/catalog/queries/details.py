"""What belongs to products and variants, for many of them at once; one statement each."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import QuerySet

from backend.catalog.models import (
    Product,
    ProductAttribute,
    ProductImage,
    ProductListing,
    ProductVariant,
    VariantPrice,
)
from backend.catalog.queries.filters import can_be_ordered
from backend.catalog.queries.rows import (
    ATTRIBUTE_COLUMNS,
    IMAGE_COLUMNS,
    LISTING_COLUMNS,
    NAME_COLUMNS,
    STOCKED_VARIANT_COLUMNS,
    VARIANT_COLUMNS,
    AttributeRow,
    ImageRow,
    ListingRow,
    NameRow,
    StockedVariantRow,
    VariantRow,
    free_units,
    price_in_currency,
)
from backend.core.prepared import AnyOf, Param, Read

_VARIANTS = Read[VariantRow](lambda: _variants_in_order().values_list(*VARIANT_COLUMNS), VariantRow)
_STOCKED_VARIANTS = Read[StockedVariantRow](
    lambda: _variants_in_order().values_list(*STOCKED_VARIANT_COLUMNS).annotate(free=free_units()), StockedVariantRow
)
_LISTINGS = Read[ListingRow](
    lambda: ProductListing.objects.filter(AnyOf("product_id", "products"), currency=Param("currency")).values_list(
        *LISTING_COLUMNS
    ),
    ListingRow,
)
_PRICES = Read[VariantPrice](
    lambda: VariantPrice.objects.filter(AnyOf("variant_id", "variants"), currency=Param("currency")).only(
        "variant_id", "currency", "amount", "compare_at"
    )
)
_IMAGES = Read[ImageRow](
    lambda: (
        ProductImage.objects.filter(AnyOf("product_id", "products"))
        .order_by("product_id", "position", "pk")
        .values_list(*IMAGE_COLUMNS)
    ),
    ImageRow,
)
_ORDERABLE = Read[tuple[int]](
    lambda: Product.objects.filter(AnyOf("id", "products"), can_be_ordered(Param("currency"))).values_list("pk"), tuple
)
_ATTRIBUTES = Read[AttributeRow](
    lambda: (
        ProductAttribute.objects.filter(AnyOf("product_id", "products"))
        .order_by("product_id", "attribute__position", "attribute_id")
        .values_list(*ATTRIBUTE_COLUMNS)
    ),
    AttributeRow,
)
_NAMES = Read[NameRow](lambda: Product.objects.filter(AnyOf("id", "products")).values_list(*NAME_COLUMNS), NameRow)
_IMAGES_BY_ID = Read[ImageRow](
    lambda: ProductImage.objects.filter(AnyOf("id", "ids")).values_list(*IMAGE_COLUMNS), ImageRow
)
_VARIANTS_BY_ID = Read[ProductVariant](lambda: ProductVariant.objects.filter(AnyOf("id", "ids")))


def _variants_in_order() -> QuerySet[ProductVariant]:
    return (
        ProductVariant.objects.annotate(price=price_in_currency())
        .filter(AnyOf("product_id", "products"), deleted_at__isnull=True)
        .order_by("product_id", "position", "pk")
    )


def variants_by_product(ids: Iterable[int], currency: str, *, stocked: bool = False) -> dict[int, list[VariantRow]]:
    """Product id -> its variants in display order, priced in that currency; products without any are absent.

    `stocked`: with their stock (StockedVariantRow).
    """
    found: dict[int, list[VariantRow]] = defaultdict(list)
    read = _STOCKED_VARIANTS if stocked else _VARIANTS
    for row in read(products=list(ids), currency=currency):
        found[row.product_id].append(row)
    return found


def variants_by_id(ids: Iterable[int]) -> dict[int, ProductVariant]:
    """For what somebody has in a cart already: also those that are no longer shown."""
    return {row.pk: row for row in _VARIANTS_BY_ID(ids=list(ids))}


def listings_by_product(ids: Iterable[int], currency: str) -> dict[int, ListingRow]:
    return {row.pk: row for row in _LISTINGS(products=list(ids), currency=currency)}


def prices_by_variant(ids: Iterable[int], currency: str) -> dict[int, VariantPrice]:
    return {row.variant_id: row for row in _PRICES(variants=list(ids), currency=currency)}


def images_by_product(ids: Iterable[int]) -> dict[int, list[ImageRow]]:
    """Product id -> its images in display order; products without any are absent."""
    found: dict[int, list[ImageRow]] = defaultdict(list)
    for row in _IMAGES(products=list(ids)):
        found[row.product_id].append(row)
    return found


def images_by_id(ids: Iterable[int]) -> dict[int, ImageRow]:
    return {row.pk: row for row in _IMAGES_BY_ID(ids=list(ids))}


def names_by_product(ids: Iterable[int]) -> dict[int, NameRow]:
    return {row.pk: row for row in _NAMES(products=list(ids))}


def attributes_by_product(ids: Iterable[int]) -> dict[int, list[AttributeRow]]:
    """Product id -> its attribute values, with their attributes, in display order."""
    found: dict[int, list[AttributeRow]] = defaultdict(list)
    for row in _ATTRIBUTES(products=list(ids)):
        found[row.pk].append(row)
    return found


def orderable_products(ids: Iterable[int], currency: str) -> set[int]:
    """Those of these products of which some variant can be ordered in that currency."""
    return {pk for (pk,) in _ORDERABLE(products=list(ids), currency=currency)}
