"""Facets: for each value of a filter, how many products would be left after choosing it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.db.models import Count, F, Func, QuerySet

from backend.catalog.models import Product, ProductAttribute, ProductVariant
from backend.catalog.queries.filters import AVAILABLE, AttributeFilter, ProductFilter, filter_products
from backend.core.context import ShopContext

MAX_FACET_VALUES = 50
Rows = QuerySet[Product]


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """`key` says which filter takes the values: brands, tags, available, `options.NAME`, `attributes.KEY`."""

    key: str
    label: str
    kind: str
    values: list[FacetValue]


def facets(rows: Rows, filter: ProductFilter | None, shop: ShopContext) -> list[Facet]:
    """The facets of a list. Each ignores its own filter and obeys the others: counts are the list's after choosing.

    `rows` are the list's products before the filter. The number of statements does not depend on the products.
    """
    chosen = filter or ProductFilter()
    found = [
        _brands(filter_products(rows, replace(chosen, brands=None), shop)),
        _tags(filter_products(rows, replace(chosen, tags=None), shop)),
        _availability(filter_products(rows, replace(chosen, available=None), shop)),
        *_options(rows, chosen, shop),
        *_attributes(rows, chosen, shop),
    ]
    return [facet for facet in found if facet.values]


def _brands(rows: Rows) -> Facet:
    counted = rows.exclude(brand="").order_by().values_list("brand").annotate(total=Count("pk", distinct=True))
    return Facet("brands", "Brand", "LIST", _values(counted))


def _tags(rows: Rows) -> Facet:
    unnested = rows.annotate(tag=Func(F("tags"), function="unnest")).order_by().values_list("tag", "pk")
    return Facet("tags", "Tag", "LIST", _values(Counter(tag for tag, _ in set(unnested)).items()))


def _availability(rows: Rows) -> Facet:
    total, available = rows.count(), rows.filter(AVAILABLE).count()
    counts = [("true", available), ("false", total - available)]
    labels = {"true": "In stock", "false": "Sold out"}
    return Facet("available", "Availability", "BOOLEAN", [FacetValue(v, labels[v], n) for v, n in counts if n])


def _options(rows: Rows, chosen: ProductFilter, shop: ShopContext) -> Iterable[Facet]:
    def without(name: str | None) -> Rows:
        kept = {key: values for key, values in chosen.options.items() if key != name}
        return filter_products(rows, replace(chosen, options=kept), shop)

    def count(products: Rows) -> dict[str, Counter[str]]:
        variants = ProductVariant.objects.filter(product__in=products.order_by().values("pk"), deleted_at__isnull=True)
        pairs = {
            (product, name, value)
            for product, options in variants.values_list("product_id", "options")
            for name, value in options.items()
        }
        return _grouped((name, value) for _, name, value in pairs)

    counts = _relaxed(count, without, chosen.options)
    return [Facet(f"options.{name}", name, "LIST", _values(each.items())) for name, each in sorted(counts.items())]


def _attributes(rows: Rows, chosen: ProductFilter, shop: ShopContext) -> Iterable[Facet]:
    labels: dict[str, str] = {}

    def without(key: str | None) -> Rows:
        kept: list[AttributeFilter] = [each for each in chosen.attributes if each.key != key]
        return filter_products(rows, replace(chosen, attributes=kept), shop)

    def count(products: Rows) -> dict[str, Counter[str]]:
        values = ProductAttribute.objects.filter(product__in=products.order_by().values("pk"), text__isnull=False)
        triples = values.values_list("attribute__key", "attribute__label", "text", "product_id")
        labels.update({key: label for key, label, _, _ in triples})
        return _grouped((key, text) for key, _, text, _ in triples if text)

    counts = _relaxed(count, without, [each.key for each in chosen.attributes])
    return [Facet(f"attributes.{key}", labels[key], "LIST", _values(each.items())) for key, each in counts.items()]


def _relaxed(
    count: Callable[[Rows], dict[str, Counter[str]]], without: Callable[[str | None], Rows], chosen: Iterable[str]
) -> dict[str, Counter[str]]:
    """Counts per name under all filters; for each chosen name, counted again without its own."""
    counts = count(without(None))
    for name in chosen:
        counts[name] = count(without(name)).get(name, Counter())
    return counts


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, Counter[str]]:
    grouped: dict[str, Counter[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, Counter())[value] += 1
    return grouped


def _values(counts: Iterable[tuple[str, int]]) -> list[FacetValue]:
    ranked = sorted(counts, key=lambda pair: (-pair[1], pair[0]))[:MAX_FACET_VALUES]
    return [FacetValue(value, value, total) for value, total in ranked]
