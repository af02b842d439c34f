"""What is wrong with a product's data, before anything is written: every fault at once, each with its place.

Places are paths like ["variants", "2", "prices", "0", "amount"].
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from backend.catalog.models import AMOUNT_MAX, Product, ProductImage, ProductVariant
from backend.catalog.services.data import ImageData, OptionData, PriceData, ProductData
from backend.core.errors import DomainError, Invalid, Required, refuse
from backend.core.saving import KEEP, Keep, given, problems

PRODUCT_COLUMNS = (
    "name",
    "brand",
    "category_id",
    "vendor_id",
    "description",
    "description_html",
    "published_at",
    "seo_description",
    "seo_title",
    "status",
    "tags",
    "translations",
)
VARIANT_COLUMNS = (
    "sku",
    "name",
    "barcode",
    "options",
    "position",
    "weight_grams",
    "requires_shipping",
    "taxable",
    "stock_policy",
    "max_per_order",
    "translations",
)
IMAGE_COLUMNS = ("source_url", "alt", "width", "height", "position")
HISTORY_COLUMNS = ("created_at", "sales_count", "rating_average", "rating_count")
MAX_RATING = 5
MAX_OPTIONS_BYTES = 1500
"""A variant's options are a key of an index, whose entries PostgreSQL limits."""
_SLUG = re.compile(r"[-\w]{1,255}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def check_product(data: ProductData) -> None:
    """Raise Invalid or Required, or Several of them, when the data cannot be a product."""
    found: list[DomainError] = []
    if not _SLUG.fullmatch(data.slug):
        found.append(Invalid("A slug has 1 to 255 letters, digits, dashes and underscores.", field=["slug"]))
    columns = [name for name in PRODUCT_COLUMNS if not name.endswith("_id")]
    found += problems(Product, given(data, columns))
    found += problems(Product, given(data.history, HISTORY_COLUMNS), ["history"])
    if isinstance(data.history.rating_average, Decimal) and not 0 <= data.history.rating_average <= MAX_RATING:
        found.append(Invalid(f"A rating is from 0 to {MAX_RATING}.", field=["history", "rating_average"]))
    found += _options(data.options)
    found += _variants(data)
    found += _images(() if isinstance(data.images, Keep) else data.images)
    refuse(found)


def _options(options: Sequence[OptionData]) -> Iterator[DomainError]:
    names = [option.name for option in options]
    for index, option in enumerate(options):
        path = ["options", str(index)]
        if not option.name or not option.values:
            yield Required("An option has a name and values.", field=path)
        if names.index(option.name) != index:
            yield Invalid(f"The option {option.name!r} is named twice.", field=path)
        if len(set(option.values)) < len(option.values):
            yield Invalid(f"The option {option.name!r} has a value twice.", field=path)
        yield from problems(Product, {"options": [{"name": option.name, "values": list(option.values)}]}, path)


def _variants(data: ProductData) -> Iterator[DomainError]:
    values = {option.name: set(option.values) for option in data.options}
    images = None if isinstance(data.images, Keep) else len(data.images)
    for index, variant in enumerate(data.variants):
        path = ["variants", str(index)]
        names = VARIANT_COLUMNS if variant.sku else [name for name in VARIANT_COLUMNS if name != "sku"]
        columns = given(variant, names) | {"options": dict(variant.options)}
        yield from problems(ProductVariant, columns, path)
        if isinstance(variant.max_per_order, int) and variant.max_per_order < 1:
            yield Invalid("A limit per order is 1 or more; without one there is none.", field=[*path, "max_per_order"])
        yield from _options_of_variant(variant.options, values, path)
        yield from _prices(variant.prices, path)
        if variant.image not in (KEEP, None) and not 0 <= variant.image < (images or 0):
            yield Invalid("There is no such image.", field=[*path, "image"])
    yield from _once((variant.sku for variant in data.variants), "sku", "The SKU {!r} is given twice.")
    keys = (tuple(sorted(variant.options.items())) for variant in data.variants)
    yield from _once(keys, "options", "Two variants have the same options.", empty=False)


def _once(values: Iterable[Any], name: str, message: str, *, empty: bool = True) -> Iterator[DomainError]:
    """A fault for each value that an earlier variant has; empty ones do not count when `empty` is true."""
    seen = set()
    for index, value in enumerate(values):
        if value in seen and (value or not empty):
            yield Invalid(message.format(value), field=["variants", str(index), name])
        seen.add(value)


def _options_of_variant(
    options: Mapping[str, str], known: Mapping[str, set[str]], path: Sequence[str]
) -> Iterator[DomainError]:
    if len(orjson.dumps(dict(options))) > MAX_OPTIONS_BYTES:
        yield Invalid("The options of a variant are too long.", field=[*path, "options"])
    for name in known:
        if name not in options:
            yield Required(f"There is no value for the option {name!r}.", field=[*path, "options"])
    for name, value in options.items():
        if value not in known.get(name, ()):
            yield Invalid(f"The product's options have no {name!r} with the value {value!r}.", field=[*path, "options"])


def _prices(prices: Sequence[PriceData], path: Sequence[str]) -> Iterator[DomainError]:
    currencies = [price.currency for price in prices]
    for index, price in enumerate(prices):
        here = [*path, "prices", str(index)]
        if not _CURRENCY.fullmatch(price.currency) or currencies.index(price.currency) != index:
            yield Invalid("Each price has a currency code of its own.", field=[*here, "currency"])
        for name in ("amount", "compare_at", "cost"):
            amount = getattr(price, name)
            if isinstance(amount, int) and not 0 <= amount <= AMOUNT_MAX:
                yield Invalid("A price is neither negative nor that large.", field=[*here, name])


def _images(images: Sequence[ImageData]) -> Iterator[DomainError]:
    for index, image in enumerate(images):
        path = ["images", str(index)]
        if bool(image.file) == bool(image.source_url):
            yield Invalid("An image is either a file or an address.", field=path)
        elif image.file and not (isinstance(image.width, int) and isinstance(image.height, int)):
            yield Required("An image file comes with its width and height.", field=[*path, "width"])
        yield from problems(ProductImage, given(image, IMAGE_COLUMNS), path)
