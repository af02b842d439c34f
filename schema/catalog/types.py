"""Products, variants, categories and what belongs to them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
import strawberry_django

from backend.catalog import images as image_files
from backend.catalog import models, queries
from backend.catalog.queries.purchasable import reduced_from
from backend.catalog.texts import translated, translated_term
from backend.core.paging import page_request
from backend.inventory.queries import NONE, StockStatus, availability_by_variant, available_by_product
from backend.vendors.models import Vendor as VendorRow
from schema.catalog.inputs import ImageTransformInput, ProductFilter, ProductSort, to_filter, to_sort
from schema.engine import ColumnField, batched, computed
from schema.server.connections import Connection, connection
from schema.server.context import Context
from schema.server.money import Money, MoneyRange, money
from schema.server.node import Node
from schema.vendors.types import Vendor

StockStatusEnum = strawberry.enum(
    StockStatus, name="StockStatus", description="Whether a variant can be had, and how soon."
)


def describe_enum(enum: Any, descriptions: dict[str, str]) -> None:
    for value in enum.__strawberry_definition__.values:
        value.description = descriptions[value.name]


describe_enum(
    StockStatus,
    {
        "IN_STOCK": "Plenty of units.",
        "LOW": "The last few units.",
        "OUT_OF_STOCK": "No units, and none are promised.",
        "PREORDER": "Not there yet; can be ordered in advance.",
        "BACKORDER": "No units now; can be ordered and is sent when it is back.",
    },
)


@strawberry.type(description="An image.")
class Image:
    alt: str = strawberry.field(description="What the image shows, for those who do not see it.")
    width: int | None = strawberry.field(description="Width of the original in pixels; null for images of other sites.")
    height: int | None = strawberry.field(
        description="Height of the original in pixels; null for images of other sites."
    )

    @batched(description="Where the image is, as an absolute address.")
    def url(
        images: list[Any],
        *,
        transform: Annotated[
            ImageTransformInput | None, strawberry.argument(description="How it should be delivered.")
        ] = None,
    ) -> list[str]:
        width = transform.max_width if transform else None
        format = transform.format.value if transform and transform.format else None
        return [
            image.source_url or image_files.image_url(image.file.name, max_width=width, format=format)
            for image in images
        ]


@strawberry.type(description="A name and a value.")
class NameValue:
    name: str = strawberry.field(description="The option's name, in the context's language.")
    value: str = strawberry.field(description="The value, in the context's language.")


@strawberry.type(description="A value that an option can have.")
class OptionValue:
    name: str = strawberry.field(description="The value, in the context's language.")
    value: str = strawberry.field(description="The value as filters take it: never translated.")
    available: bool = strawberry.field(description="Whether some variant with this value can be ordered.")


@strawberry.type(description="Something to choose when buying a product: its size, its color.")
class ProductOption:
    name: str = strawberry.field(description="The option's name, in the context's language.")
    key: str = strawberry.field(description="The option's name as filters take it: never translated.")
    values: list[OptionValue] = strawberry.field(description="What there is to choose from, in display order.")


@strawberry.type(description="A fact about a product.")
class ProductAttribute:
    key: str = strawberry.field(description="The attribute's key, to filter by.")
    label: str = strawberry.field(description="The attribute's name, in the context's language.")
    value: str = strawberry.field(description="The value as text; `true` or `false` for yes-or-no attributes.")


@strawberry.type(description="How customers rated something.")
class Rating:
    average: float = strawberry.field(description="From 1 to 5; 0 where nobody has rated.")
    count: int = strawberry.field(description="How many ratings there are.")


@strawberry.type(description="What search engines should show.")
class Seo:
    title: str = strawberry.field(description="The page's title.")
    description: str = strawberry.field(description="The page's description.")


@strawberry.type(name="Availability", description="Whether a variant can be had.")
class AvailabilityType:
    status: StockStatus = strawberry.field(description="Whether it can be had, and how soon.")
    quantity: int = strawberry.field(description="Units that nobody else has ordered.")
    max_per_order: int = strawberry.field(description="The most units that one order can have now.")


@strawberry_django.type(
    models.ProductVariant,
    name="ProductVariant",
    field_cls=ColumnField,
    description="What is put into carts: a product in one size, color and so on.",
)
class ProductVariant(Node):
    sku: str = strawberry.field(description="The stock keeping unit: unique in the shop.")
    barcode: str = strawberry.field(description="The barcode (GTIN, EAN, ISBN); empty where there is none.")
    weight_grams: int = strawberry.field(description="Weight in grams; 0 where it is not known.")

    @computed(description="What tells this variant from the product's others, in the context's language.")
    def name(variant: Any, ctx: Context) -> str:
        return translated(variant, "name", ctx.shop.language)

    @batched(description="The option values that make this variant, in the product's order.")
    def options(variants: list[Any], ctx: Context) -> list[list[NameValue]]:
        products = queries_for_products(variants)
        return [_name_values(variant, products[variant.product_id], ctx.shop.language) for variant in variants]

    @batched(description="The price of one unit in the context's currency; null where it is not sold in it.")
    def price(variants: list[Any], ctx: Context) -> list[Money | None]:
        currency = ctx.shop.currency
        return [None if price is None else money(price.amount, currency) for price in _prices(variants, currency)]

    @batched(description="The price before a reduction; null where nothing is reduced.")
    def compare_at_price(variants: list[Any], ctx: Context) -> list[Money | None]:
        currency = ctx.shop.currency
        before = [
            None if price is None else reduced_from(price.amount, price.compare_at)
            for price in _prices(variants, currency)
        ]
        return [None if minor is None else money(minor, currency) for minor in before]

    @batched(description="Whether it can be had, and how many.")
    def availability(variants: list[Any]) -> list[AvailabilityType]:
        found = availability_by_variant([each.pk for each in variants])
        return cast("list[AvailabilityType]", [found.get(each.pk, NONE) for each in variants])

    @batched(description="The variant's image; the product's first where it has none of its own.")
    def image(variants: list[Any]) -> list[Image | None]:
        own = queries.images_by_id({each.image_id for each in variants if each.image_id})
        others = queries.images_by_product({each.product_id for each in variants if each.image_id not in own})
        return [own.get(each.image_id) or _first(others.get(each.product_id)) for each in variants]

    @batched(description="The product that this is a variant of.")
    def product(variants: list[Any]) -> list["Product"]:
        products = queries_for_products(variants)
        return [products[each.product_id] for each in variants]


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


def queries_for_products(variants: list[models.ProductVariant]) -> dict[int, Any]:
    """The variants' products: those that came with them, and the rest in one statement.

    A product that is no longer shown is still the product of a variant that somebody has in a cart or order.
    """
    found = {
        each.product_id: each.product
        for each in variants
        if models.ProductVariant.product.is_cached(each)  # type: ignore[attr-defined]
    }
    missing = {each.product_id for each in variants} - found.keys()
    if missing:
        found.update(models.Product.objects.in_bulk(list(missing)))
    return found


def _prices(variants: list[Any], currency: str) -> list[models.VariantPrice | None]:
    return per_row(variants, f"price_{currency}", lambda ids: queries.prices_by_variant(ids, currency))


def _images(products: list[Any]) -> list[list[models.ProductImage]]:
    return per_row(products, "all_images", queries.images_by_product, [])


def _variants(products: list[Any]) -> list[list[models.ProductVariant]]:
    return per_row(products, "all_variants", queries.variants_by_product, [])


def _name_values(variant: models.ProductVariant, product: models.Product, language: str) -> list[NameValue]:
    order = [option["name"] for option in product.options]
    names = [name for name in order if name in variant.options] + [n for n in variant.options if n not in order]
    term = product.translations
    return [
        NameValue(
            name=translated_term(term, name, language), value=translated_term(term, variant.options[name], language)
        )
        for name in names
    ]


def _first(images: list[models.ProductImage] | None) -> Any:
    return images[0] if images else None


@strawberry_django.type(
    models.Product, name="Product", field_cls=ColumnField, description="Something to buy, in one or more variants."
)
class Product(Node):
    slug: str = strawberry.field(description="The product's name in addresses: unique, stable.")
    brand: str = strawberry.field(description="The brand; empty where there is none.")
    tags: list[str] = strawberry.field(description="Words to filter by.")
    created_at: datetime = strawberry.field(description="When the product was made, in UTC.")
    updated_at: datetime = strawberry.field(description="When the product was last changed, in UTC.")

    @computed(description="The name, in the context's language.")
    def name(product: Any, ctx: Context) -> str:
        return translated(product, "name", ctx.shop.language)

    @batched(description="The description as plain text, in the context's language.")
    def description(products: list[Any], ctx: Context) -> list[str]:
        return [translated(each, "description", ctx.shop.language) for each in whole(products)]

    @batched(description="The description as sanitized HTML, in the context's language.")
    def description_html(products: list[Any], ctx: Context) -> list[str]:
        return [translated(each, "description_html", ctx.shop.language) for each in whole(products)]

    @batched(description="What search engines should show.")
    def seo(products: list[Any], ctx: Context) -> list[Seo]:
        language = ctx.shop.language
        return [
            Seo(
                title=each.seo_title or translated(each, "name", language),
                description=each.seo_description or translated(each, "description", language)[:300],
            )
            for each in whole(products)
        ]

    @batched(description="Whether some variant can be ordered now.")
    def available_for_sale(products: list[Any]) -> list[bool]:
        found = available_by_product([each.pk for each in products])
        return [found.get(each.pk, False) for each in products]

    @batched(description="The largest reduction of a variant in the context's currency, in whole percent; 0 for none.")
    def discount_percent(products: list[Any], ctx: Context) -> list[int]:
        return [0 if listing is None else listing.discount_percent for listing in _listings(products, ctx)]

    @batched(description="The variants' prices in the context's currency; null where it is not sold in it.")
    def price_range(products: list[Any], ctx: Context) -> list[MoneyRange | None]:
        return [
            None if listing is None else _range(listing.price_min, listing.price_max, ctx)
            for listing in _listings(products, ctx)
        ]

    @batched(description="The variants' prices before reductions; null where nothing is reduced.")
    def compare_at_price_range(products: list[Any], ctx: Context) -> list[MoneyRange | None]:
        return [
            _range(listing.compare_at_min, listing.compare_at_max, ctx)
            if listing is not None and listing.discount_percent
            else None
            for listing in _listings(products, ctx)
        ]

    @batched(description="The first image.")
    def image(products: list[Any]) -> list[Image | None]:
        return [_first(images) for images in _images(products)]

    @batched(description="All images, in display order.")
    def images(products: list[Any]) -> list[list[Image]]:
        return cast("list[list[Image]]", _images(products))

    @batched(description="The category that it is in.")
    def category(products: list[Any]) -> list["Category | None"]:
        found = queries.categories_by_id({each.category_id for each in products if each.category_id})
        return [found.get(each.category_id) for each in products]  # type: ignore[misc]

    @batched(description="Who sells it; null where the shop itself does.")
    def vendor(products: list[Any]) -> list[Vendor | None]:
        return vendors_of(products)

    @computed(description="How customers rated it.")
    def rating(product: Any) -> Rating:
        return Rating(average=float(product.rating_average), count=product.rating_count)

    @batched(description="What there is to choose, in display order.")
    def options(products: list[Any], ctx: Context) -> list[list[ProductOption]]:
        available = queries.options_available_by_product([each.pk for each in products])
        return [_options(each, available.get(each.pk, set()), ctx.shop.language) for each in whole(products)]

    @batched(description="Facts about the product, in display order.")
    def attributes(products: list[Any], ctx: Context) -> list[list[ProductAttribute]]:
        found = queries.attributes_by_product([each.pk for each in products])
        return [[_attribute(value, ctx.shop.language) for value in found.get(each.pk, [])] for each in products]

    @batched(description="All variants, in display order.")
    def variants(products: list[Any]) -> list[list[ProductVariant]]:
        return cast("list[list[ProductVariant]]", _variants(products))

    @batched(description="How many variants there are.")
    def variant_count(products: list[Any]) -> list[int]:
        return [len(variants) for variants in _variants(products)]


def whole(products: list[Any]) -> list[Any]:
    """The products with the columns that lists leave out; one statement where some came from a list."""
    partial = [each.pk for each in products if each.get_deferred_fields()]
    if not partial:
        return products
    loaded = models.Product.objects.in_bulk(partial)
    return [loaded.get(each.pk, each) for each in products]


def vendors_of(rows: list[Any]) -> list[Any]:
    found = VendorRow.objects.in_bulk([each.vendor_id for each in rows if each.vendor_id])
    return [found.get(each.vendor_id) for each in rows]


def _listings(products: list[Any], ctx: Context) -> list[models.ProductListing | None]:
    currency = ctx.shop.currency
    return per_row(products, f"listing_{currency}", lambda ids: queries.listings_by_product(ids, currency))


def _range(low: int, high: int, ctx: Context) -> MoneyRange:
    return MoneyRange(min=money(low, ctx.shop.currency), max=money(high, ctx.shop.currency))


def _options(product: models.Product, available: set[tuple[str, str]], language: str) -> list[ProductOption]:
    terms = product.translations
    return [
        ProductOption(
            name=translated_term(terms, option["name"], language),
            key=option["name"],
            values=[
                OptionValue(
                    name=translated_term(terms, value, language),
                    value=value,
                    available=(option["name"], value) in available,
                )
                for value in option["values"]
            ],
        )
        for option in product.options
    ]


def _attribute(row: models.ProductAttribute, language: str) -> ProductAttribute:
    if row.boolean is not None:
        value = "true" if row.boolean else "false"
    elif row.number is not None:
        value = f"{row.number.normalize():f}"
    else:
        value = row.text or ""
    return ProductAttribute(key=row.attribute.key, label=translated(row.attribute, "label", language), value=value)


@strawberry.type(description="A value of a facet, and how many products would be left after choosing it.")
class FacetValue:
    value: str = strawberry.field(description="What to put into the filter.")
    label: str = strawberry.field(description="What to show.")
    count: int = strawberry.field(description="How many products the list would have after choosing it.")


@strawberry.type(description="A way to narrow a list. A facet's own choice is not counted against its values.")
class Facet:
    key: str = strawberry.field(
        description="The filter that takes the values: brands, tags, available, `options.NAME`, `attributes.KEY`."
    )
    label: str = strawberry.field(description="What to show.")
    kind: str = strawberry.field(description="LIST: choose any values. BOOLEAN: true or false.")
    values: list[FacetValue] = strawberry.field(description="The values, most frequent first.")


@strawberry.type(name="ProductConnection", description="A page of products.")
class ProductConnection(Connection[Product]):
    @batched(description="How the list can be narrowed. Counted only when you ask for it.")
    def facets(pages: list[Any]) -> list[list[Facet]]:
        return cast("list[list[Facet]]", [each.extra["facets"]() for each in pages])


@strawberry_django.type(
    models.Category, name="Category", field_cls=ColumnField, description="A node of the category tree."
)
class Category(Node):
    slug: str = strawberry.field(description="The category's name in addresses: unique, stable.")

    @computed(description="The name, in the context's language.")
    def name(category: Any, ctx: Context) -> str:
        return translated(category, "name", ctx.shop.language)

    @computed(description="The description, in the context's language.")
    def description(category: Any, ctx: Context) -> str:
        return translated(category, "description", ctx.shop.language)

    @computed(description="The image.")
    def image(category: Any, ctx: Context) -> Image | None:
        return cast(Image, _CategoryImage(category, ctx)) if category.image else None

    @batched(description="The path from the root down to the parent; empty for a root.")
    def ancestors(categories: list[Any]) -> list[list["Category"]]:
        found = queries.ancestors_by_category(categories)
        return cast("list[list[Category]]", [found[each.pk] for each in categories])

    @batched(description="The categories directly below, in the tree's order.")
    def children(categories: list[Any]) -> list[list["Category"]]:
        found = queries.children_by_category(categories)
        return cast("list[list[Category]]", [found[each.pk] for each in categories])

    @batched(description="How many products are in it and below it, in the context's currency.")
    def product_count(categories: list[Any], ctx: Context) -> list[int]:
        found = queries.product_count_by_category([each.pk for each in categories], ctx.shop)
        return [found.get(each.pk, 0) for each in categories]

    @batched(description="The products in it and below it.")
    def products(
        categories: list[Any],
        ctx: Context,
        *,
        first: Annotated[
            int | None, strawberry.argument(description="This many from the start, 20 by default.")
        ] = None,
        after: Annotated[str | None, strawberry.argument(description="Begin after this cursor.")] = None,
        last: Annotated[int | None, strawberry.argument(description="This many from the end.")] = None,
        before: Annotated[str | None, strawberry.argument(description="End before this cursor.")] = None,
        filter: Annotated[ProductFilter | None, strawberry.argument(description="Only products like this.")] = None,
        sort: Annotated[
            ProductSort | None, strawberry.argument(description="In this order; NEWEST by default.")
        ] = None,
    ) -> list[ProductConnection]:
        request = page_request(first=first, after=after, last=last, before=before)
        wanted = to_filter(filter)
        pages = queries.page_products_by_category(
            categories, shop=ctx.shop, request=request, filter=wanted, sort=to_sort(sort)
        )
        return [
            connection(page, facets=_facets_below(category, wanted, ctx))
            for category, page in zip(categories, pages, strict=True)
        ]


def _facets_below(category: models.Category, wanted: queries.ProductFilter | None, ctx: Context) -> Any:
    rows = queries.visible_products(ctx.shop).filter(category__path__startswith=category.path)
    return lambda: queries.facets(rows, wanted, ctx.shop)


class _CategoryImage:
    """A category's image in the shape of a product's."""

    source_url = ""

    def __init__(self, category: models.Category, ctx: Context) -> None:
        self.file = category.image
        self.alt = translated(category, "name", ctx.shop.language)
        self.width = category.image_width
        self.height = category.image_height


@strawberry.type(name="CategoryConnection", description="A page of categories.")
class CategoryConnection(Connection[Category]):
    pass
