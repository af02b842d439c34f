"""Saving a whole product: its row, and everything that belongs to it, in one transaction."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from backend.catalog.models import Product
from backend.catalog.services import parts, variants
from backend.catalog.services.checking import HISTORY_COLUMNS, PRODUCT_COLUMNS, check_product
from backend.catalog.services.data import ProductData, SavedProduct
from backend.catalog.services.listings import refresh_listings
from backend.catalog.texts import clean_html, name_key, plain_text
from backend.core import outbox
from backend.core.saving import Keep, Outcome, assign, given


@transaction.atomic
def save_product(*, data: ProductData) -> SavedProduct:
    """Create the product of that slug, or bring it in step with the data. The same data again writes nothing.

    Variants keep their ids when their SKU or their options are found again; those that are not named are deleted
    softly. Locks the product's row. Emits product.changed when anything changed. Raises Invalid or Several, naming
    places in the data (["variants", "2", "sku"]); then nothing is written.
    """
    check_product(data)
    product = Product.objects.select_for_update().filter(slug=data.slug, deleted_at__isnull=True).first()
    if product is None:
        return _create(data)
    return _update(product, data)


def _create(data: ProductData) -> SavedProduct:
    plan = variants.plan_variants(data, product_id=None)
    values = _columns(data) | given(data.history, HISTORY_COLUMNS)
    product = Product.objects.create(slug=data.slug, **values)
    variant_ids = _save_parts(product, data, plan, new=True)[1]
    _announce(product.pk)
    return SavedProduct(product.pk, Outcome.CREATED, variant_ids)


def _update(product: Product, data: ProductData) -> SavedProduct:
    plan = variants.plan_variants(data, product_id=product.pk)
    changed = assign(product, _columns(data))
    parts_changed, variant_ids = _save_parts(product, data, plan, new=False)
    if not changed and not parts_changed:
        return SavedProduct(product.pk, Outcome.UNCHANGED, variant_ids)
    product.save(update_fields=[*changed, "updated_at"])
    _announce(product.pk)
    return SavedProduct(product.pk, Outcome.UPDATED, variant_ids)


def _save_parts(product: Product, data: ProductData, plan: "variants.Plan", *, new: bool) -> tuple[bool, list[int]]:
    """Write what belongs to the product; whether anything changed, and the variants' ids in the data's order."""
    prices = [variant.prices for variant in data.variants]
    image_ids, images_changed = parts.save_images(product.pk, data.images, new=new)
    variant_ids, variants_changed = variants.save_variants(product.pk, plan, image_ids)
    prices_changed = parts.save_prices(variant_ids, prices, merge=data.merge, new=new)
    attributes_changed = parts.save_attributes(product.pk, data.attributes, merge=data.merge)
    changed = images_changed or variants_changed or prices_changed or attributes_changed
    return changed, variant_ids


def _columns(data: ProductData) -> dict[str, Any]:
    values = given(data, PRODUCT_COLUMNS)
    values["name_key"] = name_key(data.name)
    values["options"] = [{"name": option.name, "values": list(option.values)} for option in data.options]
    if "tags" in values:
        values["tags"] = list(values["tags"])
    if "description_html" in values:
        values["description_html"] = clean_html(values["description_html"])
        values.setdefault("description", plain_text(values["description_html"]))
    if not isinstance(data.translations, Keep):
        values["translations"] = {language: _translation(texts) for language, texts in data.translations.items()}
    return values


def _translation(texts: Mapping[str, Any]) -> dict[str, Any]:
    """A language's texts; its HTML is cleaned and told in plain words, as the product's own is."""
    values = dict(texts)
    if values.get("description_html"):
        values["description_html"] = clean_html(values["description_html"])
        values.setdefault("description", plain_text(values["description_html"]))
    return values


def _announce(product_id: int) -> None:
    refresh_listings([product_id])
    outbox.emit("product.changed", key=str(product_id))
