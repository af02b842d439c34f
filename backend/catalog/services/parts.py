"""Saving what belongs to a product besides its variants: images, prices, attribute values."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from backend.catalog.models import Attribute, ProductAttribute, ProductImage, VariantPrice
from backend.catalog.services.checking import IMAGE_COLUMNS
from backend.catalog.services.data import AttributeValue, ImageData, PriceData
from backend.core.errors import DomainError, Invalid, refuse
from backend.core.saving import Keep, assign, given, problems

_KINDS: dict[type, str] = {str: "text", Decimal: "number", bool: "boolean"}


def save_images(product_id: int, images: Sequence[ImageData] | Keep, *, new: bool) -> tuple[list[int], bool]:
    """Make these the product's images. Returns their ids in that order, and whether anything was written.

    `new`: there can be none yet, so none are looked for.
    """
    if isinstance(images, Keep):
        return [], False
    left: dict[tuple[str, str], list[ProductImage]] = defaultdict(list)
    known = ProductImage.objects.filter(product_id=product_id).order_by("position", "pk")
    for row in () if new else known:
        left[row.file.name or "", row.source_url].append(row)
    rows, added, changed = [], [], []
    for image in images:
        same = left[image.file, image.source_url]
        if same:
            row = same.pop(0)
            if assign(row, given(image, IMAGE_COLUMNS)):
                changed.append(row)
        else:
            row = ProductImage(product_id=product_id, file=image.file, **given(image, IMAGE_COLUMNS))
            added.append(row)
        rows.append(row)
    gone = [row.pk for same in left.values() for row in same]
    ProductImage.objects.bulk_create(added)
    ProductImage.objects.bulk_update(changed, ["alt", "width", "height", "position"])
    if gone:
        ProductImage.objects.filter(pk__in=gone).delete()
    return [row.pk for row in rows], bool(added or changed or gone)


def save_prices(variant_ids: Sequence[int], prices: Sequence[Sequence[PriceData]], *, merge: bool, new: bool) -> bool:
    """Make these the variants' prices; with `merge`, those in other currencies stay. Whether anything was written.

    `new`: there can be none yet, so none are looked for.
    """
    rows = VariantPrice.objects.filter(variant_id__in=variant_ids)
    left = {(row.variant_id, row.currency): row for row in (() if new else rows)}
    added, changed = [], []
    for variant_id, wanted in zip(variant_ids, prices, strict=True):
        for price in wanted:
            values = given(price, ("amount", "compare_at", "cost"))
            row = left.pop((variant_id, price.currency), None)
            if row is None:
                added.append(VariantPrice(variant_id=variant_id, currency=price.currency, **values))
            elif assign(row, values):
                changed.append(row)
    gone = [] if merge else [row.pk for row in left.values()]
    VariantPrice.objects.bulk_create(added)
    VariantPrice.objects.bulk_update(changed, ["amount", "compare_at", "cost"])
    if gone:
        VariantPrice.objects.filter(pk__in=gone).delete()
    return bool(added or changed or gone)


def save_attributes(product_id: int, values: Mapping[str, AttributeValue] | Keep, *, merge: bool) -> bool:
    """Make these the product's attribute values; with `merge`, others stay. Whether anything was written.

    Raises Invalid, or Several, for attributes that do not exist and values of another kind.
    """
    if isinstance(values, Keep) or (merge and not values):
        return False
    attributes = {row.key: row for row in Attribute.objects.filter(key__in=values)}
    wanted = _typed(values, attributes)
    left = {row.attribute_id: row for row in ProductAttribute.objects.filter(product_id=product_id)}
    new, changed = [], []
    for attribute_id, columns in wanted.items():
        row = left.pop(attribute_id, None)
        if row is None:
            new.append(ProductAttribute(product_id=product_id, attribute_id=attribute_id, **columns))
        elif assign(row, columns):
            changed.append(row)
    gone = [] if merge else [row.pk for row in left.values()]
    ProductAttribute.objects.bulk_create(new)
    ProductAttribute.objects.bulk_update(changed, ["text", "number", "boolean"])
    if gone:
        ProductAttribute.objects.filter(pk__in=gone).delete()
    return bool(new or changed or gone)


def _typed(values: Mapping[str, AttributeValue], attributes: Mapping[str, Attribute]) -> dict[int, dict[str, Any]]:
    """Attribute id -> the value in the column of its kind."""
    found: dict[int, dict[str, Any]] = {}
    errors: list[DomainError] = []
    for key, value in values.items():
        attribute = attributes.get(key)
        column = _KINDS[type(value)]
        if attribute is None:
            errors.append(Invalid(f"There is no attribute {key!r}.", field=["attributes", key]))
        elif attribute.kind.lower() != column:
            message = f"The attribute {key!r} takes a {attribute.kind.lower()}, not {value!r}."
            errors.append(Invalid(message, field=["attributes", key]))
        elif wrong := problems(ProductAttribute, {column: value}, ["attributes", key]):
            errors += wrong
        else:
            found[attribute.pk] = {name: value if name == column else None for name in _KINDS.values()}
    refuse(errors)
    return found
