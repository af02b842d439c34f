"""Facets: for each value of a filter, how many products would be listed with it chosen."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

from django.db.models import CharField, Count, F, Func, QuerySet
from django.db.models.fields.json import KeyTransform

from backend.catalog.models import Attribute, Category, Product, ProductAttribute, ProductVariant
from backend.catalog.queries.filters import AttributeFilter, ProductFilter, can_be_ordered, filter_products
from backend.catalog.queries.lists import ONE_LIST, Lists, subtrees
from backend.catalog.queries.products import visible_products
from backend.catalog.texts import translated, translated_term
from backend.core.context import ShopContext

MAX_FACET_VALUES = 50
Rows = QuerySet[Product]
Counted = list[dict[str, Counter[str]]]
"""For each list, by what is counted (an option's name, an attribute's key): value -> products."""
Label = Callable[[str], str]

_LABELS = {
    "en": {"brands": "Brand", "tags": "Tag", "available": "Availability", "true": "In stock", "false": "Sold out"},
    "de": {
        "brands": "Marke",
        "tags": "Schlagwort",
        "available": "Verfügbarkeit",
        "true": "Auf Lager",
        "false": "Ausverkauft",
    },
}


class FacetKind(Enum):
    LIST = "LIST"
    BOOLEAN = "BOOLEAN"


@dataclass(frozen=True, slots=True)
class FacetValue:
    """`value` is what the filter takes, `label` what it is called in the context's language."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """`key` says which filter takes the values: brands, tags, available, `options.NAME`, `attributes.KEY`."""

    key: str
    label: str
    kind: FacetKind
    values: list[FacetValue]


def facets(rows: Rows, filter: ProductFilter | None, shop: ShopContext) -> list[Facet]:
    """The facets of a list. Each ignores its own filter and obeys the others.

    `rows` are the list's products before the filter. The number of statements does not depend on the products.
    """
    return _Facets(rows, ONE_LIST, filter, shop).all()[0]


def facets_by_category(
    categories: Sequence[Category], filter: ProductFilter | None, shop: ShopContext
) -> list[list[Facet]]:
    """The facets of each category's products, its subtree's included: as many statements as for one."""
    below, lists = subtrees(categories)
    return _Facets(visible_products(shop).filter(below), lists, filter, shop).all()


class _Facets:
    """Counts values for several lists at once: `rows` are the products of all of them, before the filter."""

    def __init__(self, rows: Rows, lists: Lists, filter: ProductFilter | None, shop: ShopContext) -> None:
        self._rows, self._lists, self._shop = rows, lists, shop
        self._chosen = filter or ProductFilter()

    def all(self) -> list[list[Facet]]:
        """Each list's facets: those that have values."""
        found = [*self._columns(), *self._options(), *self._attributes()]
        return [[facets[n] for facets in found if facets[n].values] for n in range(self._lists.size)]

    def _columns(self) -> list[list[Facet]]:
        texts = _LABELS.get(self._shop.language, _LABELS["en"])
        brands = self._count(_brands, self._without(brands=None))
        tags = self._count(_tags, self._without(tags=None))
        available = self._count(partial(_availability, shop=self._shop), self._without(available=None))
        return [
            self._facets("brands", texts["brands"], brands, "", str),
            self._facets("tags", texts["tags"], tags, "", self._term),
            self._facets("available", texts["available"], available, "", texts.__getitem__, FacetKind.BOOLEAN),
        ]

    def _options(self) -> Iterable[list[Facet]]:
        chosen = self._chosen.options

        def without(name: str | None) -> Rows:
            return self._without(options={key: values for key, values in chosen.items() if key != name})

        counted = self._relaxed(_options, without, chosen)
        for name in sorted(_names(counted)):
            yield self._facets(f"options.{name}", self._term(name), counted, name, self._term)

    def _attributes(self) -> Iterable[list[Facet]]:
        chosen: Sequence[AttributeFilter] = self._chosen.attributes

        def without(key: str | None) -> Rows:
            return self._without(attributes=[each for each in chosen if each.key != key])

        counted = self._relaxed(_attributes, without, [each.key for each in chosen])
        language = self._shop.language
        for row in Attribute.objects.filter(key__in=_names(counted)).order_by("position", "pk"):
            label = partial(_term_of, row.translations, language)
            yield self._facets(f"attributes.{row.key}", translated(row, "label", language), counted, row.key, label)

    def _without(self, **relaxed: Any) -> Rows:
        return filter_products(self._rows, replace(self._chosen, **relaxed), self._shop)

    def _relaxed(
        self, count: Callable[[Rows, Lists], Any], without: Callable[[str | None], Rows], chosen: Iterable[str]
    ) -> Counted:
        """Counts per name under all filters; for each chosen name, counted again without its own."""
        counted = self._count(count, without(None))
        for name in chosen:
            for each, again in zip(counted, self._count(count, without(name)), strict=True):
                each[name] = again.get(name, Counter())
        return counted

    def _count(self, count: Callable[[Rows, Lists], Any], rows: Rows) -> Counted:
        counted: Counted = [{} for _ in range(self._lists.size)]
        for group, name, value, total in count(rows, self._lists):
            for n in self._lists.holding(group):
                counted[n].setdefault(name, Counter())[value] += total
        return counted

    def _facets(
        self, key: str, label: str, counted: Counted, name: str, value: Label, kind: FacetKind = FacetKind.LIST
    ) -> list[Facet]:
        return [Facet(key, label, kind, _values(each.get(name, Counter()), value)) for each in counted]

    def _term(self, term: str) -> str:
        if self._terms is None:
            self._terms = _read_terms(self._rows, self._shop.language)
        return self._terms.get(term, term)

    _terms: dict[str, str] | None = None


# Each gives rows of (group of products, what is counted, its value, products); one statement each.


def _brands(rows: Rows, lists: Lists) -> Any:
    return _grouped(rows.exclude(brand=""), lists).values_list("_group", "_none", "brand").annotate(total=Count("pk"))


def _tags(rows: Rows, lists: Lists) -> Any:
    tags = _grouped(rows, lists).annotate(tag=Func(F("tags"), function="unnest", output_field=CharField()))
    return tags.values_list("_group", "_none", "tag").annotate(total=Count("pk", distinct=True))


def _availability(rows: Rows, lists: Lists, *, shop: ShopContext) -> Any:
    counted = _grouped(rows, lists).annotate(free=can_be_ordered(shop.currency))
    found = counted.values_list("_group", "_none", "free").annotate(total=Count("pk"))
    return [(group, name, "true" if free else "false", total) for group, name, free, total in found]


def _options(rows: Rows, lists: Lists) -> Any:
    variants = ProductVariant.objects.filter(product__in=rows.order_by().values("pk"), deleted_at__isnull=True)
    pairs = variants.annotate(_group=lists.group("product__"), **_pairs("options"))
    found = pairs.values_list("_group", "_key", "_text")
    return found.order_by().annotate(total=Count("product_id", distinct=True))


def _attributes(rows: Rows, lists: Lists) -> Any:
    values = ProductAttribute.objects.filter(product__in=rows.order_by().values("pk"), text__gt="")
    found = values.annotate(_group=lists.group("product__")).values_list("_group", "attribute__key", "text")
    return found.order_by().annotate(total=Count("pk"))


def _grouped(rows: Rows, lists: Lists) -> Any:
    return rows.order_by().annotate(_group=lists.group(), _none=ONE_LIST.group())


def _pairs(column: str | KeyTransform) -> dict[str, Func]:
    """`_key` and `_text` of each pair of a JSON object: PostgreSQL steps through both in turn."""
    text = {"template": "(%(expressions)s))", "arg_joiner": " ->> jsonb_object_keys("}
    return {
        "_key": Func(column, function="jsonb_object_keys", output_field=CharField()),
        "_text": Func(column, column, output_field=CharField(), **text),
    }


def _read_terms(rows: Rows, language: str) -> dict[str, str]:
    """What options, their values and tags are called in that language: as most of these products have it."""
    found: dict[str, Counter[str]] = {}
    terms = KeyTransform("terms", KeyTransform(language, "translations"))
    kind = Func(terms, function="jsonb_typeof", output_field=CharField())
    pairs = rows.order_by().alias(_kind=kind).filter(_kind="object").annotate(**_pairs(terms))
    for term, word, total in pairs.values_list("_key", "_text").annotate(total=Count("pk")):
        found.setdefault(term, Counter())[word] = total
    return {term: min(words, key=lambda word: (-words[word], word)) for term, words in found.items()}


def _term_of(translations: dict[str, Any], language: str, term: str) -> str:
    return translated_term(translations, term, language)


def _names(counted: Counted) -> set[str]:
    return {name for each in counted for name in each}


def _values(counts: Counter[str], label: Label) -> list[FacetValue]:
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_FACET_VALUES]
    return [FacetValue(value, label(value), total) for value, total in ranked]
