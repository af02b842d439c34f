"""Writing the catalog to a Cartograph file: the same shop, the same bytes."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Collate

from backend.catalog.models import (
    Attribute,
    Category,
    Product,
    ProductAttribute,
    ProductImage,
    ProductVariant,
    VariantPrice,
)
from backend.core.money import Money
from backend.transfer.cartograph import HEADER, VERSION
from backend.vendors.models import Vendor

BATCH = 500
_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS


def export_lines(*, want_file: Callable[[str], None]) -> Iterator[bytes]:
    """Every line of the file. `want_file` is called with the storage name of each image file that a line names.

    Products stand in the order of their slugs. Holds one batch of products in memory.
    """
    yield _line(HEADER, {"version": VERSION})
    for vendor in Vendor.objects.order_by(Collate("slug", "C")):
        yield _line("vendor", _vendor(vendor))
    for category, parent in _tree():
        want_file(category.image.name or "")
        yield _line("category", _category(category, parent))
    for attribute in Attribute.objects.order_by("position", Collate("key", "C")):
        yield _line("attribute", _attribute(attribute))
    for product in _products():
        for image in product.images.all():
            want_file(image.file.name or "")
        yield _line("product", _product(product))


def _line(kind: str, value: dict[str, Any]) -> bytes:
    return orjson.dumps({kind: value}, option=_OPTIONS)


def _tree() -> Iterator[tuple[Category, str | None]]:
    """Each category with its parent's slug, parents first, siblings in their order."""
    slugs: dict[str, str] = {}
    for category in Category.objects.order_by("path"):
        slugs[category.path] = category.slug
        yield category, slugs.get(category.path[: -Category.steplen])


def _products() -> Iterator[Product]:
    rows = Product.objects.filter(deleted_at__isnull=True)
    ids = list(rows.order_by(Collate("slug", "C")).values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        found = _whole(rows).in_bulk(ids[start : start + BATCH])
        yield from (found[pk] for pk in ids[start : start + BATCH] if pk in found)


def _whole(rows: QuerySet[Product]) -> QuerySet[Product]:
    variants = ProductVariant.objects.filter(deleted_at__isnull=True).order_by("position", "pk")
    return rows.select_related("category", "vendor").prefetch_related(
        Prefetch("variants", variants.prefetch_related("prices", "stock_levels__location")),
        Prefetch("images", ProductImage.objects.order_by("position", "pk")),
        Prefetch("attribute_values", ProductAttribute.objects.select_related("attribute")),
    )


def _vendor(vendor: Vendor) -> dict[str, Any]:
    return {
        "slug": vendor.slug,
        "name": vendor.name,
        "description": vendor.description,
        "status": vendor.status,
    }


def _category(category: Category, parent: str | None) -> dict[str, Any]:
    return {
        "slug": category.slug,
        "parent": parent,
        "name": category.name,
        "description": category.description,
        "image": category.image.name or "",
        "image_width": category.image_width,
        "image_height": category.image_height,
        "translations": category.translations,
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    return {
        "key": attribute.key,
        "label": attribute.label,
        "kind": attribute.kind,
        "position": attribute.position,
        "translations": attribute.translations,
    }


def _product(product: Product) -> dict[str, Any]:
    images = list(product.images.all())
    numbers = {image.pk: number for number, image in enumerate(images)}
    return {
        "slug": product.slug,
        "name": product.name,
        "description": product.description,
        "description_html": product.description_html,
        "category": product.category.slug if product.category else None,
        "vendor": product.vendor.slug if product.vendor else None,
        "brand": product.brand,
        "tags": product.tags,
        "options": product.options,
        "status": product.status,
        "published_at": _moment(product.published_at),
        "created_at": _moment(product.created_at),
        "seo_title": product.seo_title,
        "seo_description": product.seo_description,
        "translations": product.translations,
        "sales_count": product.sales_count,
        "rating_average": str(product.rating_average),
        "rating_count": product.rating_count,
        "images": [_image(image) for image in images],
        "attributes": {value.attribute.key: _value(value) for value in product.attribute_values.all()},
        "variants": [_variant(variant, numbers) for variant in product.variants.all()],
    }


def _image(image: ProductImage) -> dict[str, Any]:
    return {
        **({"file": image.file.name} if image.file.name else {"source_url": image.source_url}),
        "alt": image.alt,
        "width": image.width,
        "height": image.height,
        "position": image.position,
    }


def _value(value: ProductAttribute) -> str | bool:
    if value.number is not None:
        return format(value.number.normalize(), "f")
    return value.text if value.text is not None else bool(value.boolean)


def _variant(variant: ProductVariant, images: dict[int, int]) -> dict[str, Any]:
    return {
        "sku": variant.sku,
        "name": variant.name,
        "barcode": variant.barcode,
        "options": variant.options,
        "position": variant.position,
        "image": images.get(variant.image_id) if variant.image_id else None,
        "weight_grams": variant.weight_grams,
        "requires_shipping": variant.requires_shipping,
        "taxable": variant.taxable,
        "stock_policy": variant.stock_policy,
        "max_per_order": variant.max_per_order,
        "translations": variant.translations,
        "prices": {price.currency: _price(price) for price in variant.prices.all()},
        "stock": {level.location.name: level.on_hand for level in variant.stock_levels.all()},
    }


def _price(price: VariantPrice) -> dict[str, str | None]:
    def text(minor: int | None) -> str | None:
        return None if minor is None else Money(minor, price.currency).amount

    return {"amount": text(price.amount), "compare_at": text(price.compare_at), "cost": text(price.cost)}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
