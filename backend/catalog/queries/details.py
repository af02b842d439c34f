"""What belongs to products and variants, for many of them at once; one statement each."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import F, Q

from backend.catalog.models import (
    ProductAttribute,
    ProductImage,
    ProductListing,
    ProductVariant,
    StockPolicy,
    VariantPrice,
)


def variants_by_product(ids: Iterable[int]) -> dict[int, list[ProductVariant]]:
    """Product id -> its variants in display order; products without any are absent."""
    found: dict[int, list[ProductVariant]] = defaultdict(list)
    rows = ProductVariant.objects.filter(product_id__in=list(ids), deleted_at__isnull=True)
    for row in rows.order_by("product_id", "position", "pk"):
        found[row.product_id].append(row)
    return found


def listings_by_product(ids: Iterable[int], currency: str) -> dict[int, ProductListing]:
    return {row.product_id: row for row in ProductListing.objects.filter(product_id__in=list(ids), currency=currency)}


def prices_by_variant(ids: Iterable[int], currency: str) -> dict[int, VariantPrice]:
    rows = VariantPrice.objects.filter(variant_id__in=list(ids), currency=currency)
    return {row.variant_id: row for row in rows.only("variant_id", "currency", "amount", "compare_at")}


def images_by_product(ids: Iterable[int]) -> dict[int, list[ProductImage]]:
    """Product id -> its images in display order; products without any are absent."""
    found: dict[int, list[ProductImage]] = defaultdict(list)
    for row in ProductImage.objects.filter(product_id__in=list(ids)).order_by("product_id", "position", "pk"):
        found[row.product_id].append(row)
    return found


def images_by_id(ids: Iterable[int]) -> dict[int, ProductImage]:
    return {row.pk: row for row in ProductImage.objects.filter(pk__in=list(ids))}


def attributes_by_product(ids: Iterable[int]) -> dict[int, list[ProductAttribute]]:
    """Product id -> its attribute values, with their attributes, in display order."""
    found: dict[int, list[ProductAttribute]] = defaultdict(list)
    rows = ProductAttribute.objects.filter(product_id__in=list(ids)).select_related("attribute")
    for row in rows.order_by("product_id", "attribute__position", "attribute_id"):
        found[row.product_id].append(row)
    return found


def options_available_by_product(ids: Iterable[int]) -> dict[int, set[tuple[str, str]]]:
    """Product id -> the option values (name, value) of which some variant can be ordered."""
    in_stock = Q(stock_levels__on_hand__gt=F("stock_levels__reserved")) | ~Q(stock_policy=StockPolicy.DENY)
    rows = ProductVariant.objects.filter(in_stock, product_id__in=list(ids), deleted_at__isnull=True)
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for product_id, options in rows.values_list("product_id", "options"):
        found[product_id].update(options.items())
    return found
