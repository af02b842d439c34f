"""Writing the demo catalog: categories, vendors, attributes, products with pictures and stock."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product as combinations
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.text import slugify

from backend.catalog.models import Category, ProductStatus, StockPolicy
from backend.catalog.services import (
    AttributeData,
    AttributeValue,
    CategoryData,
    HistoryData,
    ImageData,
    OptionData,
    PriceData,
    ProductData,
    VariantData,
    save_attribute,
    save_category,
    save_product,
)
from backend.core.money import parse_minor
from backend.core.saving import KEEP
from backend.inventory.models import Location
from backend.inventory.services import default_location, set_on_hand
from backend.transfer.demo.files import (
    DemoCategory,
    DemoProduct,
    Prices,
    read_categories,
    read_products,
    read_words,
)
from backend.transfer.pictures import PALETTES, SIZE, draw_picture
from backend.vendors.models import Vendor, VendorStatus
from backend.vendors.services import save_vendor

OPENED = datetime(2025, 3, 3, 9, tzinfo=UTC)
"""When the shop's first product went on sale; one more every third day."""
CURRENCIES = ("USD", "EUR")
PICTURES = "products/demo"


def fill_catalog() -> int:
    """Write everything; returns the number of products. Belongs in a transaction, on an empty shop."""
    for vendor in read_words()["vendors"]:
        save_vendor(**vendor, status=VendorStatus.APPROVED)
    for position, attribute in enumerate(read_words()["attributes"]):
        save_attribute(
            data=AttributeData(
                key=attribute["key"],
                label=attribute["label"],
                kind=attribute["kind"],
                position=position,
                translations={"de": {"label": attribute["label_de"], "terms": attribute.get("values_de", {})}},
            )
        )
    _save_categories(read_categories(), parent=None)
    products = read_products()
    writer = _ProductWriter()
    for number, product in enumerate(products):
        writer.write(product, number)
    return len(products)


def _save_categories(categories: Sequence[DemoCategory], parent: str | None) -> None:
    for category in categories:
        picture = category.get("picture")
        save_category(
            data=CategoryData(
                slug=category["slug"],
                name=category["name"],
                parent=parent,
                description=category.get("text", ""),
                image=_draw(picture[0], picture[1], folder="categories/demo") if picture else KEEP,
                image_width=SIZE if picture else KEEP,
                image_height=SIZE if picture else KEEP,
                translations={"de": {"name": category["name_de"], "description": category.get("text_de", "")}},
            )
        )
        _save_categories(category.get("children", []), category["slug"])


class _ProductWriter:
    """Writes products; knows the ids of what they refer to."""

    def __init__(self) -> None:
        self._categories = dict(Category.objects.values_list("slug", "pk"))
        self._vendors = dict(Vendor.objects.values_list("slug", "pk"))
        self._location: Location = default_location()

    def write(self, product: DemoProduct, number: int) -> None:
        saved = save_product(data=self._data(product, number))
        quantities = dict(zip(saved.variant_ids, product["stock"], strict=True))
        set_on_hand(quantities=quantities, location=self._location, reason="demo")

    def _data(self, product: DemoProduct, number: int) -> ProductData:
        choices = _choices(product)
        pictures = _pictures(product)
        return ProductData(
            slug=product["slug"],
            name=product["name"],
            description_html=f"<p>{product['text']}</p>",
            category_id=self._categories[product["category"]],
            vendor_id=self._vendors[product["vendor"]] if "vendor" in product else None,
            brand=product["brand"],
            tags=product["tags"],
            status=ProductStatus.ACTIVE,
            options=[OptionData(name=name, values=values) for name, values in product["options"].items()],
            images=[
                ImageData(file=file, alt=product["name"], width=SIZE, height=SIZE, position=position)
                for position, file in enumerate(pictures.values())
            ],
            attributes=_attributes(product),
            variants=[
                VariantData(
                    options=options,
                    sku=slugify("-".join((product["slug"], *options.values()))).upper(),
                    prices=_prices(product, options),
                    position=position,
                    image=_picture_of(options, list(pictures)),
                    weight_grams=product["grams"],
                    stock_policy=product.get("policy", StockPolicy.DENY),
                    translations={"de": {"name": " / ".join(_german(value) for value in options.values())}},
                )
                for position, options in enumerate(choices)
            ],
            translations={"de": _translation(product)},
            history=HistoryData(created_at=OPENED + timedelta(days=3 * number), sales_count=_sales(product)),
        )


def _choices(product: DemoProduct) -> list[dict[str, str]]:
    """The options of each variant; the last option changes fastest."""
    names = list(product["options"])
    return [dict(zip(names, values, strict=True)) for values in combinations(*product["options"].values())]


def _prices(product: DemoProduct, options: Mapping[str, str]) -> list[PriceData]:
    extras = [extra for value, extra in product.get("extra", {}).items() if value in options.values()]
    now = _with_extras((product["usd"], product["eur"]), extras)
    before = _with_extras(product["was"], extras) if "was" in product else (None, None)
    return [
        PriceData(currency=currency, amount=amount, compare_at=compare_at)
        for currency, amount, compare_at in zip(CURRENCIES, now, before, strict=True)
    ]


def _with_extras(prices: Prices, extras: Sequence[Prices]) -> list[int]:
    """Minor units by currency, in the order of CURRENCIES."""
    return [
        sum(parse_minor(Decimal(each[index]), currency) for each in (prices, *extras))
        for index, currency in enumerate(CURRENCIES)
    ]


def _attributes(product: DemoProduct) -> dict[str, AttributeValue]:
    kinds = {attribute["key"]: attribute["kind"] for attribute in read_words()["attributes"]}
    return {
        key: Decimal(value) if kinds[key] == "NUMBER" and isinstance(value, str) else value
        for key, value in product["attributes"].items()
    }


def _translation(product: DemoProduct) -> dict[str, Any]:
    words = [*product["options"], *(value for values in product["options"].values() for value in values)]
    words += product["tags"]
    return {
        "name": product["name_de"],
        "description": product["text_de"],
        "description_html": f"<p>{product['text_de']}</p>",
        "terms": {word: _german(word) for word in words},
    }


def _german(word: str) -> str:
    return read_words()["terms_de"].get(word, word)


def _sales(product: DemoProduct) -> int:
    """Made up, so that lists by sales have an order: best sellers first, then what costs less."""
    return (1000 if "bestseller" in product["tags"] else 100) + 10_000 // int(Decimal(product["usd"]) + 1)


def _pictures(product: DemoProduct) -> dict[str, str]:
    """Color -> picture, the product's own color first: one for each color that it comes in."""
    shape, palette = product["picture"]
    colors = [color.lower() for color in product["options"].get("Color", []) if color.lower() in PALETTES]
    return {color: _draw(shape, color, folder=PICTURES) for color in dict.fromkeys([palette, *colors])}


def _picture_of(options: Mapping[str, str], colors: Sequence[str]) -> int | None:
    color = options.get("Color", "").lower()
    return colors.index(color) if color in colors else None


def _draw(shape: str, palette: str, *, folder: str) -> str:
    """The name of the picture of that shape and color in the storage, drawn when it is not there."""
    name = f"{folder}/{shape}-{palette}.webp"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(draw_picture(shape, palette)))
    return name
