"""What lists read of products, variants and images: the columns that they show, without the weight of a model."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import F, FilteredRelation, JSONField, Q, Sum, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, NullIf

from backend.catalog.models import Category, Product, ProductAttribute, ProductImage, ProductListing, ProductVariant
from backend.core.prepared import Param, RowTuple

_NO_TEXTS = Cast(Value("{}"), JSONField())
_TRANSLATIONS = NullIf("translations", _NO_TEXTS)
"""Translations, or None where there are none, as mostly: an empty object costs more to read than the name beside it."""


_LISTED = ("price_min", "price_max", "compare_at_min", "compare_at_max", "discount_percent")


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
    translations: dict[str, Any] | None
    price_min: int
    price_max: int
    compare_at_min: int
    compare_at_max: int
    discount_percent: int


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
    _TRANSLATIONS,
    *(F(f"listing__{column}") for column in _LISTED),
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
    translations: dict[str, Any] | None
    amount: int | None
    compare_at: int | None

    @property
    def options(self) -> dict[str, str]:
        return dict(orjson.loads(self.options_text))


VARIANT_COLUMNS: tuple[str | Combinable, ...] = (
    "pk",
    "product_id",
    "sku",
    "barcode",
    "name",
    "weight_grams",
    "image_id",
    Cast("options", TextField()),
    _TRANSLATIONS,
    F("price__amount"),
    F("price__compare_at"),
)
"""Of a queryset whose `price` is the one in the asked currency."""
STOCKED_VARIANT_COLUMNS = (*VARIANT_COLUMNS, "stock_policy", "max_per_order")


class StockedVariantRow(VariantRow, model=ProductVariant):
    """A variant with its price and its stock; `free` are its `free_units`."""

    stock_policy: str
    max_per_order: int | None
    free: int


def free_units() -> Combinable:
    """Units of a variant, in all places, that no order holds."""
    return Coalesce(Sum(F("stock_levels__on_hand") - F("stock_levels__reserved")), 0)


def price_in_currency() -> FilteredRelation:
    """A variant's price; a new one for each queryset, since a queryset changes it."""
    return FilteredRelation("prices", condition=Q(prices__currency=Param("currency")))


class ImageRow(RowTuple, model=ProductImage):
    pk: int
    product_id: int
    file_name: str
    source_url: str
    alt: str
    width: int | None
    height: int | None


IMAGE_COLUMNS = ("pk", "product_id", "file", "source_url", "alt", "width", "height")


class ListingRow(RowTuple, model=ProductListing):
    """A product's prices in one currency; `pk` is the product's."""

    pk: int
    price_min: int
    price_max: int
    compare_at_min: int
    compare_at_max: int
    discount_percent: int


LISTING_COLUMNS = ("product_id", *_LISTED)


def listing_key(currency: str) -> str:
    """Where a product that has been read keeps its listing in that currency, or None where it has none."""
    return f"listing in {currency}"


class AttributeRow(RowTuple, model=ProductAttribute):
    """A product's value of an attribute, with the attribute; `pk` is the product's."""

    pk: int
    key: str
    label: str
    translations: dict[str, Any] | None
    text: str | None
    number: Decimal | None
    boolean: bool | None


ATTRIBUTE_COLUMNS = (
    "product_id",
    "attribute__key",
    "attribute__label",
    NullIf("attribute__translations", _NO_TEXTS),
    "text",
    "number",
    "boolean",
)


class NameRow(RowTuple, model=Product):
    pk: int
    name: str
    translations: dict[str, Any] | None


NAME_COLUMNS = ("pk", "name", _TRANSLATIONS)


class CategoryRow(RowTuple, model=Category):
    """`image` is the file's name; empty where there is none."""

    pk: int
    slug: str
    name: str
    description: str
    translations: dict[str, Any] | None
    path: str
    depth: int
    numchild: int
    image: str
    image_width: int | None
    image_height: int | None


CATEGORY_COLUMNS = (
    "pk",
    "slug",
    "name",
    "description",
    _TRANSLATIONS,
    "path",
    "depth",
    "numchild",
    "image",
    "image_width",
    "image_height",
)
