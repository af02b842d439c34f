"""What products, categories and attributes are saved from. KEEP leaves a column as it is (its default, when new)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.core.saving import KEEP, Keep, Outcome

AttributeValue = str | Decimal | bool
Translations = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceData:
    """Amounts in minor units."""

    currency: str
    amount: int
    compare_at: int | Keep | None = KEEP
    cost: int | Keep | None = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageData:
    """`file` is a name in the storage, with its size in pixels; or `source_url` is an address elsewhere."""

    file: str = ""
    source_url: str = ""
    alt: str | Keep = KEEP
    width: int | Keep | None = KEEP
    height: int | Keep | None = KEEP
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionData:
    name: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantData:
    """`options` maps names to values; without a `sku`, the variant of these options keeps its own or gets a made one.

    `image` is an index in the product's images. A new variant without a name is called by its option values.
    """

    options: Mapping[str, str]
    sku: str = ""
    prices: Sequence[PriceData] = ()
    name: str | Keep = KEEP
    barcode: str | Keep = KEEP
    position: int = 0
    image: int | Keep | None = KEEP
    weight_grams: int | Keep = KEEP
    requires_shipping: bool | Keep = KEEP
    taxable: bool | Keep = KEEP
    stock_policy: str | Keep = KEEP
    max_per_order: int | Keep | None = KEEP
    translations: Translations | Keep = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryData:
    """What the shop itself found out about a product: taken for a new product, never for one that is there."""

    created_at: datetime | Keep = KEEP
    sales_count: int | Keep = KEEP
    rating_average: Decimal | Keep = KEEP
    rating_count: int | Keep = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductData:
    """A whole product. `description` follows from `description_html` where only that is given.

    With `merge`, what stands in the shop and is not named here stays: prices in other currencies, other attributes.
    Without it, the product has afterwards exactly these. Variants that are not named are deleted in either case.
    """

    slug: str
    name: str
    variants: Sequence[VariantData]
    options: Sequence[OptionData] = ()
    description: str | Keep = KEEP
    description_html: str | Keep = KEEP
    category_id: int | Keep | None = KEEP
    vendor_id: int | Keep | None = KEEP
    brand: str | Keep = KEEP
    tags: Sequence[str] | Keep = KEEP
    status: str | Keep = KEEP
    published_at: datetime | Keep | None = KEEP
    seo_title: str | Keep = KEEP
    seo_description: str | Keep = KEEP
    translations: Translations | Keep = KEEP
    images: Sequence[ImageData] | Keep = KEEP
    attributes: Mapping[str, AttributeValue] | Keep = KEEP
    history: HistoryData = HistoryData()
    merge: bool = False


@dataclass(frozen=True, slots=True)
class SavedProduct:
    """`variant_ids` are in the order of the data's variants."""

    product_id: int
    outcome: Outcome
    variant_ids: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryData:
    """`parent` is a slug; `after` the slug of the sibling that it must stand behind, if its order matters."""

    slug: str
    name: str
    parent: str | None = None
    after: str | None = None
    description: str | Keep = KEEP
    image: str | Keep = KEEP
    image_width: int | Keep | None = KEEP
    image_height: int | Keep | None = KEEP
    translations: Translations | Keep = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeData:
    key: str
    label: str
    kind: str | Keep = KEEP
    position: int | Keep = KEEP
    translations: Translations | Keep = KEEP
