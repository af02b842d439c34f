"""Which variant of the data is which row, and SKUs for those that have none."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

import orjson
from django.utils.text import slugify

from backend.catalog.models import ProductVariant
from backend.catalog.services.data import VariantData
from backend.core.errors import DomainError, Invalid, refuse

MAX_SKU = 100
_HASH_LENGTH = 8


def match_variants(variants: Sequence[VariantData], rows: Iterable[ProductVariant]) -> list[ProductVariant | None]:
    """The row of each variant: that of its SKU, else that of its options; None where there is none yet."""
    left = list(rows)
    by_sku = {row.sku: row for row in left}
    found = [by_sku.get(variant.sku) if variant.sku else None for variant in variants]
    taken = {row.pk for row in found if row is not None}
    by_options = {_key(row.options): row for row in left if row.pk not in taken}
    return [row or by_options.pop(_key(variant.options), None) for row, variant in zip(found, variants, strict=True)]


def resolve_skus(
    slug: str, variants: Sequence[VariantData], rows: Sequence[ProductVariant | None], product_id: int | None
) -> list[str]:
    """The SKU of each variant: the given one, else its row's, else one made from the slug and the options.

    Raises Invalid, or Several, for given SKUs that another product has.
    """
    given = [variant.sku or (row.sku if row else "") for variant, row in zip(variants, rows, strict=True)]
    made = {index: make_sku(slug, variants[index].options.values()) for index, sku in enumerate(given) if not sku}
    longer = {index: make_sku(slug, variants[index].options.values(), hashed=True) for index in made}
    wanted = {*given, *made.values(), *longer.values()} - {""}
    elsewhere = _owners(wanted, product_id)
    refuse(_conflicts(given, elsewhere))
    taken = {*given, *elsewhere}
    for index, sku in made.items():
        given[index] = _first_free((sku, longer[index]), taken)
        taken.add(given[index])
    return given


def make_sku(slug: str, values: Iterable[str], *, hashed: bool = False) -> str:
    """A SKU that only depends on the slug and the option values: RED-SHIRT-EXTRA-LARGE.

    It ends in a hash where the readable part does not tell everything ("C" and "C++"), or when told to.
    """
    parts = [slug, *values]
    words = [slugify(part) for part in parts]
    sku = "-".join(word for word in words if word).upper()
    exact = all(word == part.casefold().replace(" ", "-") for word, part in zip(words, parts, strict=True))
    if exact and not hashed and 0 < len(sku) <= MAX_SKU:
        return sku
    digest = hashlib.sha256(orjson.dumps(parts)).hexdigest()[:_HASH_LENGTH].upper()
    return f"{sku[: MAX_SKU - _HASH_LENGTH - 1].rstrip('-')}-{digest}".lstrip("-")


def _key(options: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(options.items()))


def _owners(skus: Collection[str], product_id: int | None) -> dict[str, str]:
    """SKU -> slug of the other product that has it."""
    rows = ProductVariant.objects.filter(sku__in=skus, deleted_at__isnull=True)
    if product_id is not None:
        rows = rows.exclude(product_id=product_id)
    return dict(rows.values_list("sku", "product__slug"))


def _conflicts(skus: Sequence[str], elsewhere: Mapping[str, str]) -> list[DomainError]:
    return [
        Invalid(f"The SKU {sku!r} belongs to the product {elsewhere[sku]!r}.", field=["variants", str(index), "sku"])
        for index, sku in enumerate(skus)
        if sku in elsewhere
    ]


def _first_free(skus: Sequence[str], taken: Collection[str]) -> str:
    for sku in skus:
        if sku not in taken:
            return sku
    raise Invalid(f"No SKU can be made: {skus[-1]!r} is taken. Give one.", field=["variants"])
