"""What clients send to find products."""

from decimal import Decimal
from enum import Enum

import strawberry

from backend.catalog import queries
from backend.core.errors import Invalid
from schema.server.ids import IdNotFound, decode_int


def _value(name: str, description: str) -> str:
    return strawberry.enum_value(name, description=description)  # type: ignore[return-value]


@strawberry.enum(description="The order of a product list. Ties are broken by id, so that pages never overlap.")
class ProductSort(Enum):
    RELEVANCE = _value("RELEVANCE", "Best match first; without a search query, newest first.")
    NEWEST = _value("NEWEST", "Newest first.")
    PRICE_ASC = _value("PRICE_ASC", "Cheapest first, by the lowest price of a product in the context's currency.")
    PRICE_DESC = _value("PRICE_DESC", "Dearest first, by the lowest price of a product in the context's currency.")
    NAME_ASC = _value(
        "NAME_ASC",
        "By the name in the shop's default language (not the context's), A to Z, without regard to case and accents.",
    )
    NAME_DESC = _value(
        "NAME_DESC",
        "By the name in the shop's default language (not the context's), Z to A, without regard to case and accents.",
    )
    RATING_DESC = _value("RATING_DESC", "Best rated first.")
    BEST_SELLING = _value("BEST_SELLING", "Most units sold first.")
    DISCOUNT_DESC = _value("DISCOUNT_DESC", "Largest reduction first.")


@strawberry.enum(description="The file format of an image.")
class ImageFormat(Enum):
    WEBP = _value("WEBP", "WebP: small, understood by every current browser.")
    JPEG = _value("JPEG", "JPEG: understood everywhere; no transparency.")
    PNG = _value("PNG", "PNG: lossless.")
    AVIF = _value("AVIF", "AVIF: smallest, understood by recent browsers.")


@strawberry.input(description="How an image should be delivered. Images of other sites are delivered as they are.")
class ImageTransformInput:
    max_width: int | None = strawberry.field(
        default=None,
        description="About this wide at most, in pixels: rounded up to 100, 200, 400, 800, 1200, 1600 or 2400, and "
        "never wider than the original.",
    )
    format: ImageFormat | None = strawberry.field(default=None, description="In this format.")


@strawberry.input(description="A range of prices in the context's currency, both ends included.")
class PriceRangeInput:
    min: Decimal | None = strawberry.field(default=None, description="At least this much.")
    max: Decimal | None = strawberry.field(default=None, description="At most this much.")


@strawberry.input(description="An option and the values of it that will do.")
class NameValuesInput:
    name: str = strawberry.field(description="The option's name, for example `Size`.")
    values: list[str] = strawberry.field(description="Any of these values.")


@strawberry.input(description="An attribute and what it has to be.")
class AttributeFilterInput:
    key: str = strawberry.field(description="The attribute's key, for example `material`.")
    values: list[str] | None = strawberry.field(default=None, description="Text attributes: any of these values.")
    min: Decimal | None = strawberry.field(default=None, description="Number attributes: at least this.")
    max: Decimal | None = strawberry.field(default=None, description="Number attributes: at most this.")
    boolean: bool | None = strawberry.field(default=None, description="Yes-or-no attributes: this answer.")


@strawberry.input(description="Conditions on products. All that are given hold together.")
class ProductFilter:
    category_slugs: list[str] | None = strawberry.field(
        default=None, description="In any of these categories or below them."
    )
    vendor_slugs: list[str] | None = strawberry.field(default=None, description="Sold by any of these vendors.")
    brands: list[str] | None = strawberry.field(default=None, description="Of any of these brands.")
    tags: list[str] | None = strawberry.field(default=None, description="With any of these tags.")
    price: PriceRangeInput | None = strawberry.field(
        default=None, description="With a variant's price in this range, in the context's currency."
    )
    available: bool | None = strawberry.field(
        default=None, description="Can be ordered now, in the context's currency (true), or not (false)."
    )
    on_sale: bool | None = strawberry.field(default=None, description="Reduced (true) or not (false).")
    min_rating: float | None = strawberry.field(default=None, description="Rated at least so, from 0 to 5.")
    options: list[NameValuesInput] | None = strawberry.field(
        default=None, description="Has, for each of these options, a variant with one of the values."
    )
    attributes: list[AttributeFilterInput] | None = strawberry.field(
        default=None, description="Meets each of these attribute conditions."
    )
    ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Is one of these.")


def to_filter(given: ProductFilter | None) -> queries.ProductFilter | None:
    """The domain's filter. Ids of other types match nothing, as unknown ones do."""
    if given is None:
        return None
    if len(given.options or []) > 10 or len(given.attributes or []) > 10:
        raise Invalid("At most 10 options and 10 attributes.", field=["filter"])
    return queries.ProductFilter(
        category_slugs=given.category_slugs,
        vendor_slugs=given.vendor_slugs,
        brands=given.brands,
        tags=given.tags,
        price_min=given.price.min if given.price else None,
        price_max=given.price.max if given.price else None,
        available=given.available,
        on_sale=given.on_sale,
        min_rating=given.min_rating,
        options={each.name: each.values for each in given.options or []},
        attributes=[
            queries.AttributeFilter(each.key, each.values, each.min, each.max, each.boolean)
            for each in given.attributes or []
        ],
        ids=None if given.ids is None else [pk for pk in map(_product_pk, given.ids) if pk is not None],
    )


def _product_pk(global_id: str) -> int | None:
    try:
        return decode_int(global_id, "Product")
    except IdNotFound:
        return None


def to_sort(sort: ProductSort | None) -> queries.ProductSort:
    return queries.ProductSort((sort or ProductSort.NEWEST).value)
