"""Reading the catalog."""

from typing import Annotated, Any

import strawberry

from backend.catalog import models, queries
from backend.core.errors import Invalid
from backend.core.paging import page_request
from schema.catalog.inputs import ProductFilter, ProductSort, to_filter, to_sort
from schema.catalog.types import Category, CategoryConnection, Product, ProductConnection, ProductVariant
from schema.engine import root_query
from schema.server.connections import After, Before, First, Last, connection
from schema.server.context import Context
from schema.server.ids import IdNotFound, decode_int
from schema.server.node import integer_keys, register


def one_key(type_name: str, id: str | None, name: str, value: str | None) -> tuple[int | None, str | None]:
    """The id's primary key or the natural key, of which exactly one must be given. Raises Invalid, IdNotFound."""
    if (id is None) == (value is None):
        raise Invalid(f"Give either id or {name}.", field=[name])
    if value is not None and "\x00" in value:
        raise IdNotFound
    return (None if id is None else decode_int(id, type_name)), value


@strawberry.type
class CatalogQuery:
    @root_query(description="A product, by id or by slug; null when there is none to be seen.")
    def product(
        ctx: Context,
        *,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="The product's id.")] = None,
        slug: Annotated[str | None, strawberry.argument(description="The product's slug.")] = None,
    ) -> Product | None:
        try:
            pk, text = one_key("Product", id, "slug", slug)
        except IdNotFound:
            return None
        return queries.find_product(currency=ctx.shop.currency, pk=pk, slug=text)  # type: ignore[return-value]

    @root_query(description="A variant, by id or by SKU; null when there is none to be seen.")
    def variant(
        *,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="The variant's id.")] = None,
        sku: Annotated[str | None, strawberry.argument(description="The variant's SKU.")] = None,
    ) -> ProductVariant | None:
        try:
            pk, text = one_key("ProductVariant", id, "sku", sku)
        except IdNotFound:
            return None
        return queries.find_variant(pk=pk, sku=text)  # type: ignore[return-value]

    @root_query(description="A category, by id or by slug; null when there is none.")
    def category(
        *,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="The category's id.")] = None,
        slug: Annotated[str | None, strawberry.argument(description="The category's slug.")] = None,
    ) -> Category | None:
        try:
            pk, text = one_key("Category", id, "slug", slug)
        except IdNotFound:
            return None
        return queries.find_category(pk=pk, slug=text)  # type: ignore[return-value]

    @root_query(description="The categories without a parent, in the tree's order.")
    def categories(
        *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> CategoryConnection:
        request = page_request(first=first, after=after, last=last, before=before)
        return connection(queries.page_root_categories(request))  # type: ignore[no-any-return]

    @root_query(description="The products that are sold in the context's currency.")
    def products(
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
    ) -> ProductConnection:
        request = page_request(first=first, after=after, last=last, before=before)
        wanted = to_filter(filter)
        page = queries.page_products(shop=ctx.shop, request=request, filter=wanted, sort=to_sort(sort))
        return connection(  # type: ignore[no-any-return]
            page, facets=lambda: queries.facets(queries.visible_products(ctx.shop), wanted, ctx.shop)
        )


def _load_products(_context: Context, keys: list[str]) -> dict[str, Any]:
    return {str(pk): row for pk, row in queries.products_by_id(integer_keys(keys)).items()}


def _load_variants(_context: Context, keys: list[str]) -> dict[str, Any]:
    return {str(row.pk): row for row in queries.visible_variants().filter(pk__in=integer_keys(keys))}


def _load_categories(_context: Context, keys: list[str]) -> dict[str, Any]:
    return {str(pk): row for pk, row in queries.categories_by_id(integer_keys(keys)).items()}


register("Product", models.Product, _load_products)
register("ProductVariant", models.ProductVariant, _load_variants)
register("Category", models.Category, _load_categories)
