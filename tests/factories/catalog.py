"""Catalog rows for tests: visible to shoppers and in stock, unless a test says otherwise.

Prices are minor units by currency: `prices={"USD": 1250}`.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any

from backend.catalog.models import (
    Attribute,
    Category,
    Product,
    ProductAttribute,
    ProductImage,
    ProductStatus,
    ProductVariant,
    VariantPrice,
)
from backend.catalog.services import refresh_listings
from backend.catalog.texts import name_key
from backend.inventory.models import Location, StockLevel

PRICES: Mapping[str, int] = {"USD": 1000, "EUR": 900}
_numbers = count(1)


def make_category(name: str = "", *, parent: Category | None = None, **fields: Any) -> Category:
    """A category below `parent`, or a root; its slug is unique when none is given."""
    number = next(_numbers)
    fields.setdefault("slug", f"category-{number}")
    fields["name"] = name or f"Category {number}"
    if parent is None:
        root: Category = Category.objects.add_root(fields)
        return root
    parent.refresh_from_db()  # treebeard counts children on the instance
    child: Category = Category.objects.add_child(parent, fields)
    return child


def make_product(
    name: str = "",
    *,
    variants: int = 1,
    prices: Mapping[str, int] = PRICES,
    compare_at: Mapping[str, int] | None = None,
    stock: int = 10,
    **fields: Any,
) -> Product:
    """An active product with that many variants: one has no options, several have sizes.

    `prices`, `compare_at` and `stock` hold for each variant. `fields` are columns.
    """
    number = next(_numbers)
    name = name or f"Product {number}"
    fields.setdefault("slug", f"product-{number}")
    fields.setdefault("status", ProductStatus.ACTIVE)
    sizes = [f"Size {n}" for n in range(1, variants + 1)] if variants > 1 else []
    fields.setdefault("options", [{"name": "Size", "values": sizes}] if sizes else [])
    product = Product.objects.create(name=name, name_key=name_key(name), **fields)
    for position in range(variants):
        options = {"Size": sizes[position]} if sizes else {}
        make_variant(product, prices=prices, compare_at=compare_at, stock=stock, position=position, options=options)
    return product


def make_variant(
    product: Product | None = None,
    *,
    prices: Mapping[str, int] = PRICES,
    compare_at: Mapping[str, int] | None = None,
    stock: int = 10,
    reserved: int = 0,
    **fields: Any,
) -> ProductVariant:
    """A variant of `product` (of a new one, when none is given) with prices, stock and fresh listings."""
    product = product or make_product(variants=0)
    number = next(_numbers)
    fields.setdefault("sku", f"SKU-{number}")
    fields.setdefault("position", product.variants.count())
    if "options" not in fields:
        fields["options"] = {"Size": f"Size {number}"} if product.variants.exists() else {}
    fields.setdefault("name", " / ".join(fields["options"].values()))
    variant = ProductVariant.objects.create(product=product, **fields)
    set_prices(variant, prices, compare_at)
    make_stock(variant, on_hand=stock, reserved=reserved)
    return variant


def set_prices(variant: ProductVariant, prices: Mapping[str, int], compare_at: Mapping[str, int] | None = None) -> None:
    """Replace a variant's prices and bring the listings in step."""
    VariantPrice.objects.filter(variant=variant).delete()
    VariantPrice.objects.bulk_create(
        VariantPrice(variant=variant, currency=currency, amount=amount, compare_at=(compare_at or {}).get(currency))
        for currency, amount in prices.items()
    )
    refresh_listings([variant.product_id])


def make_stock(
    variant: ProductVariant, *, on_hand: int = 10, reserved: int = 0, location: str = "Main warehouse"
) -> StockLevel:
    """A variant's stock level at a location, set to these numbers."""
    place, _ = Location.objects.get_or_create(name=location)
    level, _ = StockLevel.objects.update_or_create(
        variant=variant, location=place, defaults={"on_hand": on_hand, "reserved": reserved}
    )
    return level


def make_image(product: Product, *, source_url: str = "https://images.example/a.jpg", **fields: Any) -> ProductImage:
    """An image on another site, last in the product's order."""
    fields.setdefault("position", product.images.count())
    return ProductImage.objects.create(product=product, source_url=source_url, **fields)


def make_attribute(
    product: Product, key: str, *, text: str | None = None, number: float | None = None, boolean: bool | None = None
) -> ProductAttribute:
    """A product's value of an attribute; the attribute is made when there is none of that key."""
    kind = Attribute.Kind.TEXT if text is not None else Attribute.Kind.NUMBER
    if boolean is not None:
        kind = Attribute.Kind.BOOLEAN
    attribute, _ = Attribute.objects.get_or_create(key=key, defaults={"label": key.capitalize(), "kind": kind})
    return ProductAttribute.objects.create(
        product=product, attribute=attribute, text=text, number=number, boolean=boolean
    )
