"""From the JSON of a line to what the catalog saves. Each function raises BadValue naming the field at fault."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backend.catalog.models import Attribute
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
)
from backend.core.saving import KEEP, Keep
from backend.transfer.cartograph.fields import (
    Fields,
    amount,
    boolean,
    decimal,
    file_name,
    location_name,
    mapping,
    moment,
    nullable,
    text,
    texts,
    texts_by_name,
    translations,
    whole,
)
from backend.transfer.errors import BadValue


@dataclass(frozen=True, slots=True)
class ParsedProduct:
    """`data` lacks category and vendor, named here by slugs. `stock` is location -> index of a variant -> units."""

    data: ProductData
    category: str | Keep | None
    vendor: str | Keep | None
    stock: dict[str, dict[int, int]]


def parse_vendor(value: Any) -> dict[str, Any]:
    """The arguments of save_vendor."""
    fields = Fields(value, "vendor")
    found = {
        "slug": fields.needed("slug", text),
        "name": fields.needed("name", text),
        "description": fields.optional("description", text),
        "status": fields.optional("status", text),
    }
    fields.finish()
    return found


def parse_category(value: Any) -> CategoryData:
    fields = Fields(value, "category")
    parent = fields.optional("parent", nullable(text))
    data = CategoryData(
        slug=fields.needed("slug", text),
        name=fields.needed("name", text),
        parent=None if isinstance(parent, Keep) else parent,
        description=fields.optional("description", text),
        image=fields.optional("image", file_name),
        image_width=fields.optional("image_width", nullable(whole)),
        image_height=fields.optional("image_height", nullable(whole)),
        translations=fields.optional("translations", translations),
    )
    fields.finish()
    return data


def parse_attribute(value: Any) -> AttributeData:
    fields = Fields(value, "attribute")
    data = AttributeData(
        key=fields.needed("key", text),
        label=fields.needed("label", text),
        kind=fields.optional("kind", text),
        position=fields.optional("position", whole),
        translations=fields.optional("translations", translations),
    )
    fields.finish()
    return data


def parse_product(value: Any, kinds: Callable[[str], str | None]) -> ParsedProduct:
    """A product; `kinds` tells an attribute's kind by its key (None: there is none)."""
    fields = Fields(value, "product")
    stock: dict[str, dict[int, int]] = {}
    variants = [_variant(each, number, stock) for number, each in enumerate(_list(fields, "variants"))]
    images = fields.objects("images")
    data = ProductData(
        slug=fields.needed("slug", text),
        name=fields.needed("name", text),
        description=fields.optional("description", text),
        description_html=fields.optional("description_html", text),
        brand=fields.optional("brand", text),
        tags=fields.optional("tags", texts),
        options=[_option(each) for each in _list(fields, "options")],
        status=fields.optional("status", text),
        published_at=fields.optional("published_at", nullable(moment)),
        seo_title=fields.optional("seo_title", text),
        seo_description=fields.optional("seo_description", text),
        translations=fields.optional("translations", translations),
        variants=variants,
        images=KEEP if isinstance(images, Keep) else [_image(each) for each in images],
        attributes=_attributes(fields, kinds),
        history=_history(fields),
    )
    parsed = ParsedProduct(
        data, fields.optional("category", nullable(text)), fields.optional("vendor", nullable(text)), stock
    )
    fields.finish()
    return parsed


def _list(fields: Fields, name: str) -> list[Fields]:
    values = fields.objects(name)
    return [] if isinstance(values, Keep) else list(values)


def _option(fields: Fields) -> OptionData:
    option = OptionData(name=fields.needed("name", text), values=fields.needed("values", texts))
    fields.finish()
    return option


def _image(fields: Fields) -> ImageData:
    file = fields.optional("file", file_name)
    source_url = fields.optional("source_url", text)
    image = ImageData(
        file="" if isinstance(file, Keep) else file,
        source_url="" if isinstance(source_url, Keep) else source_url,
        alt=fields.optional("alt", text),
        width=fields.optional("width", nullable(whole)),
        height=fields.optional("height", nullable(whole)),
        position=fields.needed("position", whole),
    )
    fields.finish()
    return image


def _history(fields: Fields) -> HistoryData:
    return HistoryData(
        created_at=fields.optional("created_at", moment),
        sales_count=fields.optional("sales_count", whole),
        rating_average=fields.optional("rating_average", decimal),
        rating_count=fields.optional("rating_count", whole),
    )


def _variant(fields: Fields, number: int, stock: dict[str, dict[int, int]]) -> VariantData:
    """A variant; its stock is put into `stock`."""
    for location, units in _stock(fields).items():
        stock.setdefault(location, {})[number] = units
    options = fields.optional("options", texts_by_name)
    variant = VariantData(
        sku=fields.needed("sku", text),
        options={} if isinstance(options, Keep) else options,
        prices=[_price(currency, price) for currency, price in fields.by_name("prices").items()],
        name=fields.optional("name", text),
        barcode=fields.optional("barcode", text),
        position=fields.needed("position", whole),
        image=fields.optional("image", nullable(whole)),
        weight_grams=fields.optional("weight_grams", whole),
        requires_shipping=fields.optional("requires_shipping", boolean),
        taxable=fields.optional("taxable", boolean),
        stock_policy=fields.optional("stock_policy", text),
        max_per_order=fields.optional("max_per_order", nullable(whole)),
        translations=fields.optional("translations", translations),
    )
    fields.finish()
    return variant


def _stock(fields: Fields) -> Mapping[str, int]:
    def read(value: Any) -> dict[str, int]:
        return {location_name(name): whole(units) for name, units in mapping(value).items()}

    found = fields.optional("stock", read)
    return {} if isinstance(found, Keep) else found


def _price(currency: str, fields: Fields) -> PriceData:
    price = PriceData(
        currency=currency,
        amount=fields.needed("amount", amount(currency)),
        compare_at=fields.optional("compare_at", nullable(amount(currency))),
        cost=fields.optional("cost", nullable(amount(currency))),
    )
    fields.finish()
    return price


def _attributes(fields: Fields, kinds: Callable[[str], str | None]) -> dict[str, AttributeValue] | Keep:
    values = fields.optional("attributes", mapping)
    if isinstance(values, Keep):
        return KEEP
    return {key: _attribute(key, value, kinds(key)) for key, value in values.items()}


def _attribute(key: str, value: Any, kind: str | None) -> AttributeValue:
    readers: dict[str, Callable[[Any], str | Decimal | bool]] = {
        Attribute.Kind.TEXT: text,
        Attribute.Kind.NUMBER: decimal,
        Attribute.Kind.BOOLEAN: boolean,
    }
    if kind is None:
        raise BadValue(f"product.attributes.{key}: there is no such attribute.")
    try:
        return readers[kind](value)
    except BadValue as error:
        raise BadValue(f"product.attributes.{key}: {error}") from error
