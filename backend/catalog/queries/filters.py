"""What a client may filter products by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from backend.catalog.models import Category, Product, ProductAttribute, ProductVariant, StockPolicy
from backend.core.context import ShopContext
from backend.core.errors import Invalid
from backend.core.money import parse_minor
from backend.core.prepared import Param

MAX_VALUES = 100
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """Products whose attribute has one of the values, lies in the range, or is so."""

    key: str
    values: Sequence[str] | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    boolean: bool | None = None


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """All given conditions hold together; the values of one condition are alternatives."""

    category_slugs: Sequence[str] | None = None
    vendor_slugs: Sequence[str] | None = None
    brands: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    available: bool | None = None
    on_sale: bool | None = None
    min_rating: float | None = None
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    attributes: Sequence[AttributeFilter] = ()
    ids: Sequence[int] | None = None


EVERYTHING = ProductFilter()


def filter_products(rows: QuerySet[Product], filter: ProductFilter | None, shop: ShopContext) -> QuerySet[Product]:
    """Narrow products (already joined to the currency's listing). Raises Invalid for values that cannot be meant."""
    if filter is None:
        return rows
    rows = _by_lists(rows, filter)
    rows = _by_price(rows, filter, shop)
    if filter.available is not None:
        available = can_be_ordered(shop.currency)
        rows = rows.filter(available if filter.available else ~available)
    if filter.on_sale is not None:
        reduced = {"discount_percent__gt": 0} if filter.on_sale else {"discount_percent": 0}
        rows = rows.filter(**reduced)
    if filter.min_rating is not None:
        if not 0 <= filter.min_rating <= 5:
            raise Invalid("Ratings go from 0 to 5.", field=["filter", "minRating"])
        rows = rows.filter(rating_average__gte=Decimal(str(filter.min_rating)))
    for name, values in filter.options.items():
        rows = rows.filter(_has_option(name, _texts("options", values)))
    for attribute in filter.attributes:
        rows = rows.filter(_has_attribute(attribute))
    return rows


_VARIANTS = ProductVariant.objects.filter(product=OuterRef("pk"), deleted_at__isnull=True)
_IN_STOCK = Q(stock_levels__on_hand__gt=F("stock_levels__reserved")) | ~Q(stock_policy=StockPolicy.DENY)
"""A variant of which an order can have units, now or by promise."""


def can_be_ordered(currency: str | Param) -> Exists:
    """A product of which some variant is in stock and has a price in that currency."""
    return Exists(_VARIANTS.filter(_IN_STOCK, prices__currency=currency))


def _by_lists(rows: QuerySet[Product], filter: ProductFilter) -> QuerySet[Product]:
    if filter.category_slugs is not None:
        paths = Category.objects.filter(slug__in=_texts("categorySlugs", filter.category_slugs))
        inside = Q(pk__in=[])
        for path in paths.values_list("path", flat=True):
            inside |= Q(category__path__startswith=path)
        rows = rows.filter(inside)
    if filter.vendor_slugs is not None:
        rows = rows.filter(vendor__slug__in=_texts("vendorSlugs", filter.vendor_slugs))
    if filter.brands is not None:
        rows = rows.filter(brand__in=_texts("brands", filter.brands))
    if filter.tags is not None:
        rows = rows.filter(tags__overlap=_texts("tags", filter.tags))
    if filter.ids is not None:
        if len(filter.ids) > MAX_VALUES:
            raise Invalid(f"At most {MAX_VALUES} values.", field=["filter", "ids"])
        rows = rows.filter(pk__in=filter.ids)
    return rows


def _by_price(rows: QuerySet[Product], filter: ProductFilter, shop: ShopContext) -> QuerySet[Product]:
    if filter.price_min is not None:
        least = parse_minor(filter.price_min, shop.currency, field=("filter", "price", "min"))
        rows = rows.filter(Q(price_max__gte=least))
    if filter.price_max is not None:
        most = parse_minor(filter.price_max, shop.currency, field=("filter", "price", "max"))
        rows = rows.filter(Q(price_min__lte=most))
    return rows


def _texts(name: str, values: Sequence[str]) -> list[str]:
    if len(values) > MAX_VALUES:
        raise Invalid(f"At most {MAX_VALUES} values.", field=["filter", name])
    if any("\x00" in value or len(value) > MAX_TEXT for value in values):
        raise Invalid("A value has characters that none of ours has.", field=["filter", name])
    return list(values)


def _has_option(name: str, values: Sequence[str]) -> Exists:
    _texts("options", [name])
    one_of = Q(pk__in=[])
    for value in values:
        one_of |= Q(options__contains={name: value})
    return Exists(_VARIANTS.filter(one_of))


def _has_attribute(wanted: AttributeFilter) -> Exists:
    rows = ProductAttribute.objects.filter(product=OuterRef("pk"), attribute__key=_texts("attributes", [wanted.key])[0])
    if wanted.values is not None:
        rows = rows.filter(text__in=_texts("attributes", wanted.values))
    for bound, lookup in ((wanted.min, "number__gte"), (wanted.max, "number__lte")):
        if bound is not None:
            if not bound.is_finite() or abs(bound) >= 10**14:
                raise Invalid("This number is too large.", field=["filter", "attributes"])
            rows = rows.filter(**{lookup: bound})
    if wanted.boolean is not None:
        rows = rows.filter(boolean=wanted.boolean)
    return Exists(rows)
