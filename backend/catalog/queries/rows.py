"""What lists read of products, variants and images: the columns that they show, without the weight of a model."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import F, FilteredRelation, Q, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from backend.catalog.models import Product, ProductImage, ProductVariant
from backend.core.prepared import Param, RowTuple

_NOTHING: dict[str, Any] = {}


def _json(text: str) -> dict[str, Any]:
    """A JSON column that was read as text: most are empty, and few are asked for."""
    return _NOTHING if text == "{}" else dict(orjson.loads(text))


def _text(column: str) -> Cast:
    return Cast(column, TextField())


class ProductRow(RowTuple, model=Product):
    """A product, with its listing in the list's currency."""

    pk: int
    slug: str
    name: str
    brand: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    category_id: int | None
    vendor_id: int | None
    rating_average: Decimal
    rating_count: int
    translations_text: str
    price_min: int
    price_max: int
    compare_at_min: int
    compare_at_max: int
    discount_percent: int

    @property
    def translations(self) -> dict[str, Any]:
        return _json(self.translations_text)


PRODUCT_COLUMNS: tuple[str | Combinable, ...] = (
    "pk",
    "slug",
    "name",
    "brand",
    "tags",
    "created_at",
    "updated_at",
    "category_id",
    "vendor_id",
    "rating_average",
    "rating_count",
    _text("translations"),
    *(
        F(f"listing__{column}")
        for column in ("price_min", "price_max", "compare_at_min", "compare_at_max", "discount_percent")
    ),
)
"""Of a queryset whose `listing` is the one in the list's currency."""


class VariantRow(RowTuple, model=ProductVariant):
    """A variant, with its price in one currency; `amount` is None where it has none."""

    pk: int
    product_id: int
    sku: str
    barcode: str
    name: str
    weight_grams: int
    image_id: int | None
    options_text: str
    translations_text: str
    amount: int | None
    compare_at: int | None

    @property
    def options(self) -> dict[str, str]:
        return _json(self.options_text)

    @property
    def translations(self) -> dict[str, Any]:
        return _json(self.translations_text)


VARIANT_COLUMNS: tuple[str | Combinable, ...] = (
    "pk",
    "product_id",
    "sku",
    "barcode",
    "name",
    "weight_grams",
    "image_id",
    _text("options"),
    _text("translations"),
    F("price__amount"),
    F("price__compare_at"),
)
"""Of a queryset whose `price` is the one in the asked currency."""
PRICE_IN_CURRENCY = FilteredRelation("prices", condition=Q(prices__currency=Param("currency")))


class ImageRow(RowTuple, model=ProductImage):
    pk: int
    product_id: int
    file_name: str
    source_url: str
    alt: str
    width: int | None
    height: int | None


IMAGE_COLUMNS = ("pk", "product_id", "file", "source_url", "alt", "width", "height")
