"""What several fields of a row need: read for all rows at once, and once a request."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from backend.catalog import models, queries
from backend.inventory.queries import NONE, Availability, availability, availability_by_variant
from backend.vendors.queries import vendors_by_id
from schema.server.context import Context

_VARIANT_ROWS = {queries.VariantRow, queries.StockedVariantRow}


def per_row(
    rows: list[Any], name: str, load: Callable[[list[int]], Mapping[int, Any]], default: Any = None
) -> list[Any]:
    """Something of each row by its primary key, read once a request: fields that need the same thing share it."""
    missing = [row for row in rows if name not in row.__dict__]
    if missing:
        found = load([row.pk for row in missing])
        for row in missing:
            row.__dict__[name] = found.get(row.pk, default)
    return [row.__dict__[name] for row in rows]


def products_of(variants: list[Any], ctx: Context) -> dict[int, Any]:
    """The variants' products with all columns: those that came with them, and the rest in one statement.

    A product that is no longer shown is still the product of a variant that somebody has in a cart or order.
    """
    found = {each.product_id: each.product for each in variants if _has_product(each)}
    missing = {each.product_id for each in variants} - found.keys()
    known = {pk: row for pk in missing if isinstance(row := ctx.products.get(pk), models.Product)}
    return {**found, **known, **queries.whole_products(missing - known.keys())}


def _has_product(variant: Any) -> bool:
    return isinstance(variant, models.ProductVariant) and models.ProductVariant.product.is_cached(variant)  # type: ignore[attr-defined]


def prices_of(variants: list[Any], currency: str) -> list[Any]:
    """What has each variant's `amount` and `compare_at`, or None: rows of a list came with it."""
    if set(map(type, variants)) <= _VARIANT_ROWS:
        return [None if each.amount is None else each for each in variants]
    return per_row(variants, f"price_{currency}", lambda ids: queries.prices_by_variant(ids, currency))


def availability_of(variants: list[Any]) -> list[Availability]:
    for each in variants:
        if isinstance(each, queries.StockedVariantRow) and "availability" not in each.__dict__:
            each.__dict__["availability"] = availability(each.stock_policy, each.max_per_order, each.free)
    return per_row(variants, "availability", availability_by_variant, NONE)


def orderable_variants_of(products: list[Any], ctx: Context) -> list[list[queries.VariantRow]]:
    """Each product's variants that can be ordered in the context's currency."""
    variants = variants_of(products, ctx)
    stock = iter(availability_of(list(chain.from_iterable(variants))))
    return [[each for each in row if next(stock).can_be_ordered and each.amount is not None] for row in variants]


def orderable_of(products: list[Any], ctx: Context) -> set[int]:
    """The ids of those that have a variant that can be ordered in the context's currency.

    Lists ask for just that; a page shows the variants and their stock anyway.
    """
    if not _are_pages(products):
        return queries.orderable_products([each.pk for each in products], ctx.shop.currency)
    return {each.pk for each, variants in zip(products, orderable_variants_of(products, ctx), strict=True) if variants}


def images_of(products: list[Any], ctx: Context) -> list[list[queries.ImageRow]]:
    _know(products, ctx)
    return per_row(products, "all_images", queries.images_by_product, [])


def variants_of(products: list[Any], ctx: Context) -> list[list[queries.VariantRow]]:
    _know(products, ctx)
    currency, stocked = ctx.shop.currency, _are_pages(products)
    return per_row(
        products, "all_variants", lambda ids: queries.variants_by_product(ids, currency, stocked=stocked), []
    )


def _are_pages(products: list[Any]) -> bool:
    """Whether these are no rows of a list. A page shows the stock of its variants, and where its category is."""
    return queries.ProductRow not in set(map(type, products))


def categories_of(products: list[Any]) -> list[Any]:
    """Each product's category or None. One that was found alone knows where it is: the ancestors come with it."""
    if not all("category_path" in each.__dict__ for each in products):
        found = queries.categories_by_id({each.category_id for each in products if each.category_id})
        return [found.get(each.category_id) for each in products]
    by_path = queries.categories_by_path({each.category_path for each in products if each.category_path})
    for path, row in by_path.items():
        row.__dict__["ancestors"] = queries.ancestors_in(by_path, path)
    return [by_path.get(each.category_path) for each in products]


def ancestors_of(categories: list[Any]) -> list[list[Any]]:
    missing = [each for each in categories if "ancestors" not in each.__dict__]
    found = queries.ancestors_by_category(missing) if missing else {}
    return [found[each.pk] if each.pk in found else each.__dict__["ancestors"] for each in categories]


def _know(products: list[Any], ctx: Context) -> None:
    """Their variants and images will ask for them."""
    for each in products:
        ctx.products[each.pk] = each


def owners_of(images: list[Any], ctx: Context) -> list[Any]:
    """What has the name of each image's product; one statement where some came without their product."""
    names = ctx.products
    missing = {each.product_id for each in images} - names.keys() - {None}
    if missing:
        names.update(queries.names_by_product(missing))
    return [names.get(each.product_id) for each in images]


def image_of_each(variants: list[Any], ctx: Context) -> list[queries.ImageRow | None]:
    """The variants' own images; the product's first where there is none. Two statements, or what is there already."""
    _know([each.product for each in variants if _has_product(each)], ctx)
    by_product = {pk: images for pk in {each.product_id for each in variants} if (images := _known_images(pk, ctx))}
    own = {image.pk: image for images in by_product.values() for image in images}
    own.update(queries.images_by_id({each.image_id for each in variants if each.image_id} - own.keys()))
    others = {each.product_id for each in variants if each.image_id not in own} - by_product.keys()
    by_product.update(queries.images_by_product(others))
    return [own.get(each.image_id) or _first(by_product.get(each.product_id)) for each in variants]


def _known_images(product_id: int, ctx: Context) -> list[queries.ImageRow] | None:
    row = ctx.products.get(product_id)
    return None if row is None else row.__dict__.get("all_images")


def _first(images: list[queries.ImageRow] | None) -> queries.ImageRow | None:
    return images[0] if images else None


def whole(products: list[Any]) -> list[Any]:
    """The products with the columns that lists leave out; one statement where some came from a list."""
    partial = [each.pk for each in products if isinstance(each, queries.ProductRow)]
    if not partial:
        return products
    loaded = queries.whole_products(partial)
    return [loaded.get(each.pk, each) for each in products]


def vendors_of(rows: list[Any]) -> list[Any]:
    found = vendors_by_id({each.vendor_id for each in rows if each.vendor_id})
    return [found.get(each.vendor_id) for each in rows]


def listings_of(products: list[Any], ctx: Context) -> list[Any]:
    """What has each product's prices, as a ProductListing has them, or None: rows of a list came with them."""
    if set(map(type, products)) == {queries.ProductRow}:
        return products
    currency = ctx.shop.currency
    return per_row(products, queries.listing_key(currency), lambda ids: queries.listings_by_product(ids, currency))
