"""Products and variants as the storefront sees them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import reduce
from typing import Any

from django.db.models import Count, F, FilteredRelation, IntegerField, Q, QuerySet, Value

from backend.catalog.models import STOREFRONT, Category, Product, ProductVariant
from backend.catalog.queries.filters import EVERYTHING, ProductFilter, filter_products
from backend.catalog.queries.lists import subtrees
from backend.catalog.queries.rows import LISTING_COLUMNS, PRODUCT_COLUMNS, ListingRow, ProductRow, listing_key
from backend.core import clock
from backend.core.context import ShopContext
from backend.core.paging import (
    Ordering,
    Page,
    PageRequest,
    PreparedPages,
    SortKey,
    Together,
    page,
    page_of,
    page_queryset,
)
from backend.core.prepared import AnyOf, Param, Read
from backend.vendors.models import VendorStatus


class ProductSort(Enum):
    RELEVANCE = "RELEVANCE"
    NEWEST = "NEWEST"
    PRICE_ASC = "PRICE_ASC"
    PRICE_DESC = "PRICE_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    RATING_DESC = "RATING_DESC"
    BEST_SELLING = "BEST_SELLING"
    DISCOUNT_DESC = "DISCOUNT_DESC"


_LISTED = {"price_min", "discount_percent"}


def _ordering(sort: ProductSort, path: str, kind: type, *, descending: bool) -> Ordering:
    # The tie-break lies in the same table as the key, so that one index holds both.
    tie = SortKey("listed_id") if path in _LISTED else SortKey("pk")
    return Ordering(sort.value, (SortKey(path, kind),), descending=descending, primary_key=tie)


_NEWEST = ("created_at", datetime, True)
_KEYS: dict[ProductSort, tuple[str, type, bool]] = {
    ProductSort.RELEVANCE: _NEWEST,
    ProductSort.NEWEST: _NEWEST,
    ProductSort.PRICE_ASC: ("price_min", int, False),
    ProductSort.PRICE_DESC: ("price_min", int, True),
    ProductSort.NAME_ASC: ("name_key", str, False),
    ProductSort.NAME_DESC: ("name_key", str, True),
    ProductSort.RATING_DESC: ("rating_average", Decimal, True),
    ProductSort.BEST_SELLING: ("sales_count", int, True),
    ProductSort.DISCOUNT_DESC: ("discount_percent", int, True),
}
ORDERINGS = {sort: _ordering(sort, path, kind, descending=down) for sort, (path, kind, down) in _KEYS.items()}


def published(now: datetime | Param | None = None) -> Q:
    """What a shopper may see, as conditions on a product."""
    from_now_on = Q(published_at__isnull=True) | Q(published_at__lte=now or clock.now())
    sold_by = Q(vendor__isnull=True) | Q(vendor__status=VendorStatus.APPROVED)
    return STOREFRONT & from_now_on & sold_by


def visible_products(shop: ShopContext) -> QuerySet[Product]:
    """The products of lists: visible to shoppers and sold in the context's currency."""
    return _visible(shop.currency, clock.now())


def _visible(currency: str | Param, now: datetime | Param) -> QuerySet[Product]:
    listing = FilteredRelation("listings", condition=Q(listings__currency=currency))
    rows = Product.objects.annotate(listing=listing).filter(published(now), listing__price_min__gte=0)
    # Filters and orders use these names: each filter through the relation itself would join it once more.
    return rows.alias(
        listed_id=F("listing__product_id"),
        price_min=F("listing__price_min"),
        price_max=F("listing__price_max"),
        discount_percent=F("listing__discount_percent"),
    )


_PAGES = PreparedPages[ProductRow](
    lambda: _visible(Param("currency"), Param("now")).values_list(*PRODUCT_COLUMNS), ProductRow
)


# Grouped by a constant: a queryset's own `count()` runs at once.
_COUNT = Read[tuple[int]](
    lambda: (
        _visible(Param("currency"), Param("now"))
        .annotate(_all=Value(1))
        .values("_all")
        .annotate(_count=Count("pk"))
        .values_list("_count")
    ),
    tuple,
)
_BY_SLUG = Read[Product](lambda: _with_listing().filter(published(Param("now")), slug=Param("slug")))
_BY_PK = Read[Product](lambda: _with_listing().filter(published(Param("now")), pk=Param("pk")))
_WHOLE = Read[Product](lambda: Product.objects.filter(AnyOf("id", "ids")))


def page_products(
    *,
    shop: ShopContext,
    request: PageRequest,
    filter: ProductFilter | None = None,
    sort: ProductSort = ProductSort.NEWEST,
) -> Page[ProductRow]:
    """One page of the storefront's products. Raises Invalid for a cursor of another order and for odd filters."""
    if filter is None or filter == EVERYTHING:

        def count() -> int:
            counted = _COUNT(currency=shop.currency, now=clock.now())
            return counted[0][0] if counted else 0

        return _PAGES.page(ORDERINGS[sort], request, count=count, currency=shop.currency, now=clock.now())
    rows = filter_products(visible_products(shop), filter, shop)
    return page(rows.values_list(*PRODUCT_COLUMNS), ORDERINGS[sort], request, ProductRow)


def page_products_by_category(
    categories: Sequence[Category],
    *,
    shop: ShopContext,
    request: PageRequest,
    filter: ProductFilter | None = None,
    sort: ProductSort = ProductSort.NEWEST,
) -> list[Page[ProductRow]]:
    """A page of each category's products, its subtree's included; one statement, and one more for their counts."""
    rows = filter_products(visible_products(shop), filter, shop)
    windows = [
        page_queryset(
            rows.filter(category__path__startswith=category.path).values_list(*PRODUCT_COLUMNS),
            ORDERINGS[sort],
            request,
        ).annotate(_list=Value(n, IntegerField()))
        for n, category in enumerate(categories)
    ]
    union = windows[0] if len(windows) == 1 else windows[0].union(*windows[1:], all=True)
    found: list[list[ProductRow]] = [[] for _ in categories]
    for *row, number in union:
        found[number].append(ProductRow(row))
    counts = Together(lambda: _count_below(categories, rows))
    return [page_of(rows_of_one, ORDERINGS[sort], request, count=counts.of(n)) for n, rows_of_one in enumerate(found)]


def _count_below(categories: Sequence[Category], rows: QuerySet[Product]) -> list[int]:
    """How many of the rows are in each category and below it; one statement."""
    below, lists = subtrees(categories)
    counts = [0] * lists.size
    groups = rows.filter(below).order_by().annotate(_group=lists.group()).values_list("_group")
    for group, total in groups.annotate(total=Count("pk")):
        for number in lists.holding(group):
            counts[number] += total
    return counts


def products_by_id(ids: Iterable[int]) -> dict[int, Product]:
    """Visible products, by id; those without a price in the currency too."""
    return {row.pk: row for row in Product.objects.filter(published(), pk__in=list(ids))}


def whole_products(ids: Iterable[int]) -> dict[int, Product]:
    """Products with all columns, shown or not, by id."""
    return {row.pk: row for row in _WHOLE(ids=list(ids))}


def _with_listing() -> QuerySet[Product]:
    """All products, with the columns of their listing in a currency and their category's path beside their own."""
    listing = FilteredRelation("listings", condition=Q(listings__currency=Param("currency")))
    columns = {_beside(column): F(f"listing__{column}") for column in LISTING_COLUMNS}
    return Product.objects.annotate(listing=listing, **columns, category_path=F("category__path"))


def _beside(column: str) -> str:
    return f"listing_{column}"


def find_product(*, currency: str, pk: int | None = None, slug: str | None = None) -> Product | None:
    """The product, with its listing in that currency (see `listings_by_product`) and its `category_path`."""
    given = {"now": clock.now(), "currency": currency}
    rows = _BY_SLUG(slug=slug, **given) if pk is None else _BY_PK(pk=pk, **given)
    if not rows:
        return None
    product = rows[0]
    listing = ListingRow(product.__dict__.pop(_beside(column)) for column in LISTING_COLUMNS)
    product.__dict__[listing_key(currency)] = None if listing.pk is None else listing
    return product


def visible_variants() -> QuerySet[ProductVariant]:
    return ProductVariant.objects.filter(_through_product(published()), deleted_at__isnull=True)


def find_variant(*, pk: int | None = None, sku: str | None = None) -> ProductVariant | None:
    return visible_variants().filter(Q(pk=pk) if pk is not None else Q(sku=sku)).first()


def _asked_of_product(child: Any) -> Q:
    lookup, value = child
    return Q(**{f"product__{lookup}": value})


def _through_product(condition: Q) -> Q:
    """The same condition, asked of a variant's product."""
    children = [
        _through_product(child) if isinstance(child, Q) else _asked_of_product(child) for child in condition.children
    ]
    combine = Q.__or__ if condition.connector == Q.OR else Q.__and__
    joined = reduce(combine, children)
    return ~joined if condition.negated else joined
