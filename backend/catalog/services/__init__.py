"""Catalog commands."""

from backend.catalog.services.attributes import save_attribute
from backend.catalog.services.categories import category_at, save_category
from backend.catalog.services.data import (
    AttributeData,
    AttributeValue,
    CategoryData,
    HistoryData,
    ImageData,
    OptionData,
    PriceData,
    ProductData,
    SavedProduct,
    VariantData,
)
from backend.catalog.services.listings import announce_product, count_sales, refresh_listings
from backend.catalog.services.products import save_product

__all__ = [
    "AttributeData",
    "AttributeValue",
    "CategoryData",
    "HistoryData",
    "ImageData",
    "OptionData",
    "PriceData",
    "ProductData",
    "SavedProduct",
    "VariantData",
    "announce_product",
    "category_at",
    "count_sales",
    "refresh_listings",
    "save_attribute",
    "save_category",
    "save_product",
]
