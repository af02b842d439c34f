"""Products, variants, categories and what belongs to them."""

from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
import strawberry_django

from backend.catalog import models, queries
from backend.catalog.queries.purchasable import reduced_from
from backend.catalog.texts import translated, translated_each, translated_term
from backend.core.paging import Together, page_request
from schema.catalog.inputs import ProductFilter, ProductSort, to_filter, to_sort
from schema.catalog.loading import (
    ancestors_of,
    availability_of,
    categories_of,
    image_of_each,
    images_of,
    listings_of,
    orderable_of,
    orderable_variants_of,
    prices_of,
    products_of,
    variants_of,
    vendors_of,
    whole,
)
from schema.catalog.parts import (
    AvailabilityType,
    Facet,
    Image,
    NameValue,
    OptionValue,
    ProductAttribute,
    ProductOption,
    Rating,
    Seo,
)
from schema.engine import ColumnField, batched, computed
from schema.server.connections import After, Before, Connection, First, Last, connection
from schema.server.context import Context
from schema.server.money import Money, MoneyRange, money
from schema.server.node import Node
from schema.vendors.types import Vendor


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

    @batched(pure=True, description="What tells this variant from the product's others, in the context's language.")
    def name(variants: list[Any], ctx: Context) -> list[str]:
        return translated_each(variants, "name", ctx.shop.language)

    @batched(description="The option values that make this variant, in the product's order.")
    def options(variants: list[Any], ctx: Context) -> list[list[NameValue]]:
        products = products_of(variants, ctx)
        return [_name_values(variant, products[variant.product_id], ctx.shop.language) for variant in variants]

    @batched(description="The price of one unit in the context's currency; null where it is not sold in it.")
    def price(variants: list[Any], ctx: Context) -> list[Money | None]:
        currency = ctx.shop.currency
        return [None if price is None else money(price.amount, currency) for price in prices_of(variants, currency)]

    @batched(description="The price before a reduction; null where nothing is reduced.")
    def compare_at_price(variants: list[Any], ctx: Context) -> list[Money | None]:
        currency = ctx.shop.currency
        before = [
            None if price is None else reduced_from(price.amount, price.compare_at)
            for price in prices_of(variants, currency)
        ]
        return [None if minor is None else money(minor, currency) for minor in before]

    @batched(
        description="The stock: whether it can be had, and how many one order can have. It says nothing of prices: see "
        "`availableForSale`."
    )
    def availability(variants: list[Any]) -> list[AvailabilityType]:
        return cast("list[AvailabilityType]", availability_of(variants))

    @batched(
        description="Whether it can be ordered now: it has a price in the context's currency, and units or a promise "
        "of them."
    )
    def available_for_sale(variants: list[Any], ctx: Context) -> list[bool]:
        prices = prices_of(variants, ctx.shop.currency)
        stock = availability_of(variants)
        return [
            price is not None and each.can_be_ordered and not queries.is_known_off_sale(variant)
            for variant, price, each in zip(variants, prices, stock, strict=True)
        ]

    @batched(description="The variant's image; the product's first where it has none of its own.")
    def image(variants: list[Any], ctx: Context) -> list[Image | None]:
        return cast("list[Image | None]", image_of_each(variants, ctx))

    @batched(description="The product that this is a variant of.")
    def product(variants: list[Any], ctx: Context) -> list["Product"]:
        products = products_of(variants, ctx)
        return [products[each.product_id] for each in variants]


def _name_values(variant: Any, product: models.Product, language: str) -> list[NameValue]:
    order = [option["name"] for option in product.options]
    names = [name for name in order if name in variant.options] + [n for n in variant.options if n not in order]
    term = product.translations
    return [
        NameValue(
            name=translated_term(term, name, language), value=translated_term(term, variant.options[name], language)
        )
        for name in names
    ]


def _first(images: list[Any] | None) -> Any:
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

    @batched(pure=True, description="The name, in the context's language.")
    def name(products: list[Any], ctx: Context) -> list[str]:
        return translated_each(products, "name", ctx.shop.language)

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

    @batched(
        description="Whether some variant can be ordered now: it has a price in the context's currency, and units or a "
        "promise of them."
    )
    def available_for_sale(products: list[Any], ctx: Context) -> list[bool]:
        found = orderable_of(products, ctx)
        return [each.pk in found and not queries.is_known_off_sale(each) for each in products]

    @batched(description="The largest reduction of a variant in the context's currency, in whole percent; 0 for none.")
    def discount_percent(products: list[Any], ctx: Context) -> list[int]:
        return [0 if listing is None else listing.discount_percent for listing in listings_of(products, ctx)]

    @batched(description="The variants' prices in the context's currency; null where it is not sold in it.")
    def price_range(products: list[Any], ctx: Context) -> list[MoneyRange | None]:
        return [
            None if listing is None else _range(listing.price_min, listing.price_max, ctx)
            for listing in listings_of(products, ctx)
        ]

    @batched(description="The variants' prices before reductions; null where nothing is reduced.")
    def compare_at_price_range(products: list[Any], ctx: Context) -> list[MoneyRange | None]:
        return [
            _range(listing.compare_at_min, listing.compare_at_max, ctx)
            if listing is not None and listing.discount_percent
            else None
            for listing in listings_of(products, ctx)
        ]

    @batched(description="The first image.")
    def image(products: list[Any], ctx: Context) -> list[Image | None]:
        return [_first(images) for images in images_of(products, ctx)]

    @batched(description="All images, in display order.")
    def images(products: list[Any], ctx: Context) -> list[list[Image]]:
        return cast("list[list[Image]]", images_of(products, ctx))

    @batched(description="The category that it is in.")
    def category(products: list[Any]) -> list["Category | None"]:
        return categories_of(products)

    @batched(description="Who sells it; null where the shop itself does.")
    def vendor(products: list[Any]) -> list[Vendor | None]:
        return vendors_of(products)

    @computed(description="How customers rated it.")
    def rating(product: Any) -> Rating:
        return Rating(average=float(product.rating_average), count=product.rating_count)

    @batched(description="What there is to choose, in display order.")
    def options(products: list[Any], ctx: Context) -> list[list[ProductOption]]:
        available = [
            {choice for variant in variants for choice in variant.options.items()}
            for variants in orderable_variants_of(products, ctx)
        ]
        return [
            _options(each, choices, ctx.shop.language) for each, choices in zip(whole(products), available, strict=True)
        ]

    @batched(description="Facts about the product, in display order.")
    def attributes(products: list[Any], ctx: Context) -> list[list[ProductAttribute]]:
        found = queries.attributes_by_product([each.pk for each in products])
        return [[_attribute(value, ctx.shop.language) for value in found.get(each.pk, [])] for each in products]

    @batched(description="All variants, in display order.")
    def variants(products: list[Any], ctx: Context) -> list[list[ProductVariant]]:
        return cast("list[list[ProductVariant]]", variants_of(products, ctx))

    @batched(description="How many variants there are.")
    def variant_count(products: list[Any], ctx: Context) -> list[int]:
        return [len(variants) for variants in variants_of(products, ctx)]


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


def _attribute(row: queries.AttributeRow, language: str) -> ProductAttribute:
    if row.boolean is not None:
        value = "true" if row.boolean else "false"
    elif row.number is not None:
        value = f"{row.number.normalize():f}"
    else:
        value = row.text or ""
    shown = value if row.text is None else translated_term(row.translations, value, language)
    label = translated(row, "label", language)
    return ProductAttribute(key=row.key, label=label, value=shown, filter_value=value)


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

    @batched(pure=True, description="The name, in the context's language.")
    def name(categories: list[Any], ctx: Context) -> list[str]:
        return translated_each(categories, "name", ctx.shop.language)

    @batched(pure=True, description="The description, in the context's language.")
    def description(categories: list[Any], ctx: Context) -> list[str]:
        return translated_each(categories, "description", ctx.shop.language)

    @computed(description="The image.")
    def image(category: Any, ctx: Context) -> Image | None:
        return cast(Image, _CategoryImage(category, ctx)) if category.image else None

    @batched(description="The path from the root down to the parent; empty for a root.")
    def ancestors(categories: list[Any]) -> list[list["Category"]]:
        return cast("list[list[Category]]", ancestors_of(categories))

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
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
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
        facets = Together(lambda: queries.facets_by_category(categories, wanted, ctx.shop))
        return [connection(page, facets=facets.of(number)) for number, page in enumerate(pages)]


class _CategoryImage:
    """A category's image in the shape of a product's."""

    source_url = ""

    def __init__(self, category: models.Category, ctx: Context) -> None:
        self.file_name = str(category.image)
        self.alt = translated(category, "name", ctx.shop.language)
        self.product_id = None
        self.width = category.image_width
        self.height = category.image_height


@strawberry.type(name="CategoryConnection", description="A page of categories.")
class CategoryConnection(Connection[Category]):
    pass
