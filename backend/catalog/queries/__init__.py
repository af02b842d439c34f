"""Catalog reads: batch in, batch out."""

from backend.catalog.queries.categories import (
    ancestors_by_category,
    categories_by_id,
    children_by_category,
    find_category,
    page_root_categories,
    product_count_by_category,
    visible_categories,
)
from backend.catalog.queries.details import (
    attributes_by_product,
    images_by_id,
    images_by_product,
    listings_by_product,
    names_by_product,
    options_available_by_product,
    orderable_products,
    prices_by_variant,
    variants_by_id,
    variants_by_product,
)
from backend.catalog.queries.facets import Facet, FacetKind, FacetValue, facets, facets_by_category
from backend.catalog.queries.filters import AttributeFilter, ProductFilter, filter_products
from backend.catalog.queries.products import (
    ProductSort,
    find_product,
    find_variant,
    page_products,
    page_products_by_category,
    products_by_id,
    visible_products,
    visible_variants,
)
from backend.catalog.queries.purchasable import Purchasable, purchasable_variants
from backend.catalog.queries.rows import ImageRow, ProductRow, VariantRow

__all__ = [
    "AttributeFilter",
    "Facet",
    "FacetKind",
    "FacetValue",
    "ImageRow",
    "ProductFilter",
    "ProductRow",
    "ProductSort",
    "Purchasable",
    "VariantRow",
    "ancestors_by_category",
    "attributes_by_product",
    "categories_by_id",
    "children_by_category",
    "facets",
    "facets_by_category",
    "filter_products",
    "find_category",
    "find_product",
    "find_variant",
    "images_by_id",
    "images_by_product",
    "listings_by_product",
    "names_by_product",
    "options_available_by_product",
    "orderable_products",
    "page_products",
    "page_products_by_category",
    "page_root_categories",
    "prices_by_variant",
    "product_count_by_category",
    "products_by_id",
    "purchasable_variants",
    "variants_by_id",
    "variants_by_product",
    "visible_categories",
    "visible_products",
    "visible_variants",
]
