"""Saving a product's variants: rows are found again, changed where they differ, added, or deleted softly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Func, JSONField, TextField, Value
from django.db.models.functions import Cast, Concat

from backend.catalog.models import ProductVariant
from backend.catalog.services.checking import VARIANT_COLUMNS
from backend.catalog.services.data import ProductData, VariantData
from backend.catalog.services.matching import match_variants, resolve_skus
from backend.core import clock
from backend.core.saving import Keep, assign, given


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a product's variants; `rows` and `skus` are in the order of `variants`."""

    variants: Sequence[VariantData]
    rows: Sequence[ProductVariant | None]
    skus: Sequence[str]
    gone: Sequence[ProductVariant]


def plan_variants(data: ProductData, *, product_id: int | None) -> Plan:
    """Decide without writing. Raises Invalid or Several when a SKU belongs to another product."""
    existing: list[ProductVariant] = []
    if product_id is not None:
        existing = list(ProductVariant.objects.filter(product_id=product_id, deleted_at__isnull=True).order_by("pk"))
    rows = match_variants(data.variants, existing)
    skus = resolve_skus(data.slug, data.variants, rows, product_id)
    kept = {row.pk for row in rows if row is not None}
    return Plan(data.variants, rows, skus, [row for row in existing if row.pk not in kept])


def save_variants(product_id: int, plan: Plan, image_ids: Sequence[int]) -> tuple[list[int], bool]:
    """Carry the plan out. Returns the variants' ids, and whether anything was written."""
    _delete(plan.gone)
    changed = []
    columns: set[str] = set()
    new = []
    rows = []
    for variant, row, sku in zip(plan.variants, plan.rows, plan.skus, strict=True):
        values = _columns(variant, sku, image_ids)
        if row is None:
            values.setdefault("name", " / ".join(variant.options.values())[:255])
            row = ProductVariant(product_id=product_id, **values)
            new.append(row)
        elif names := assign(row, values):
            changed.append(row)
            columns.update(names)
        rows.append(row)
    _update(changed, columns)
    ProductVariant.objects.bulk_create(new)
    return [row.pk for row in rows], bool(plan.gone or changed or new)


def _columns(variant: VariantData, sku: str, image_ids: Sequence[int]) -> dict[str, Any]:
    values = given(variant, VARIANT_COLUMNS)
    values["options"] = dict(variant.options)
    values["sku"] = sku
    if not isinstance(variant.image, Keep):
        values["image_id"] = None if variant.image is None else image_ids[variant.image]
    return values


def _delete(rows: Sequence[ProductVariant]) -> None:
    if rows:
        moment = clock.now()
        ProductVariant.objects.filter(pk__in=[row.pk for row in rows]).update(deleted_at=moment, updated_at=moment)


def _update(rows: Sequence[ProductVariant], columns: set[str]) -> None:
    if not rows:
        return
    if len(rows) > 1 and columns & {"sku", "options"}:
        _park(rows)
    for row in rows:
        row.updated_at = clock.now()
    ProductVariant.objects.bulk_update(rows, [*sorted(columns), "updated_at"])


def _park(rows: Sequence[ProductVariant]) -> None:
    """Give way: two variants that swap their SKUs or options would break the unique constraints in between."""
    own = Cast(F("pk"), TextField())
    ProductVariant.objects.filter(pk__in=[row.pk for row in rows]).update(
        sku=Concat(Value("~"), own),
        options=Func(Value("~"), own, function="jsonb_build_object", output_field=JSONField()),
    )
