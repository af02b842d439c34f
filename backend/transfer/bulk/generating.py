"""Inventing products: number and seed alone decide what a product is, so that any batch can be made by itself."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, product

from django.utils.text import slugify

from backend.catalog.models import ProductStatus, StockPolicy
from backend.transfer.bulk.words import (
    ADJECTIVES,
    BRANDS,
    COLORS,
    DEPARTMENTS,
    SENTENCES,
    TAGS,
    VENDORS,
    Department,
)

OLDEST = datetime(2022, 1, 1, tzinfo=UTC)
NEWEST = datetime(2025, 1, 1, tzinfo=UTC)
MAX_VARIANTS = 100
EUR_PER_USD = Decimal("0.92")
CategoryKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class InventedVariant:
    """Prices in minor units: (amount, reduced from) by currency."""

    sku: str
    options: dict[str, str]
    prices: dict[str, tuple[int, int | None]]
    on_hand: int
    weight_grams: int
    stock_policy: str


@dataclass(frozen=True, slots=True)
class InventedProduct:
    slug: str
    name: str
    sentences: list[str]
    category: CategoryKey
    brand: str
    vendor: str | None
    tags: list[str]
    options: list[dict[str, object]]
    status: str
    created_at: datetime
    sales_count: int
    material: str
    width_cm: int
    handmade: bool
    picture: int
    variants: list[InventedVariant]


def category_keys() -> list[CategoryKey]:
    """The path of names of every leaf that products stand in."""
    return [
        (department.name, group, _plural(kind))
        for department in DEPARTMENTS
        for group, kinds in department.groups.items()
        for kind in kinds
    ]


def product_slug(name: str, seed: int, number: int) -> str:
    return f"{slugify(name)}-{seed}-{number}"


def invent_product(*, seed: int, number: int, variants: int) -> InventedProduct:
    """The product of that number in the shop of that seed."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 -- the same shop again, not a secret
    department = chance.choice(DEPARTMENTS)
    group = chance.choice(list(department.groups))
    kind = chance.choice(department.groups[group])
    material = chance.choice(department.materials)
    name = f"{chance.choice(ADJECTIVES)} {material} {kind}"
    options, choices = _options(department, variants, chance)
    return InventedProduct(
        slug=product_slug(name, seed, number),
        name=name,
        sentences=[f"A {kind.lower()} of {material.lower()}.", *chance.sample(SENTENCES, 2)],
        category=(department.name, group, _plural(kind)),
        brand=chance.choice(BRANDS),
        vendor=chance.choice(VENDORS) if chance.random() < 0.6 else None,
        tags=chance.sample(TAGS, chance.randint(1, 4)),
        options=options,
        status=_status(chance),
        created_at=OLDEST + (NEWEST - OLDEST) * chance.random() // timedelta(seconds=1) * timedelta(seconds=1),
        sales_count=int(chance.paretovariate(0.8)) - 1,
        material=material,
        width_cm=chance.randint(5, 240),
        handmade=chance.random() < 0.25,
        picture=chance.randrange(10**6),
        variants=_variants(f"D{seed}-{number}", department, choices, chance),
    )


def _options(
    department: Department, variants: int, chance: random.Random
) -> tuple[list[dict[str, object]], list[dict[str, str]]]:
    """The product's options, and those of each variant: colors, and the department's own where there are many."""
    if variants == 1:
        return [], [{}]
    sizes = min(len(department.values), variants, chance.randint(1, 4))
    sizes = max(sizes, -(-variants // len(COLORS)))
    names = {"Color": _in_order(COLORS, -(-variants // sizes), chance)}
    if sizes > 1:
        names[department.option] = _in_order(_lengthen(department.values, sizes), sizes, chance)
    choices = [dict(zip(names, values, strict=True)) for values in islice(product(*names.values()), variants)]
    return [{"name": name, "values": values} for name, values in names.items()], choices


def _in_order(values: Sequence[str], number: int, chance: random.Random) -> list[str]:
    """Some of the values, in their own order."""
    return [values[index] for index in sorted(chance.sample(range(len(values)), number))]


def _lengthen(values: Sequence[str], number: int) -> list[str]:
    return [*values, *(f"No. {extra}" for extra in range(len(values) + 1, number + 1))]


def _variants(
    sku: str, department: Department, choices: Sequence[dict[str, str]], chance: random.Random
) -> list[InventedVariant]:
    low, high = department.prices
    base = _rounded(low * (high / low) ** chance.random())
    reduced = chance.choice((10, 15, 20, 25, 30, 40, 50)) if chance.random() < 0.25 else 0
    dearer = chance.random() < 0.3
    weight = chance.randint(50, 5000)
    return [
        InventedVariant(
            sku=f"{sku}-{position}",
            options=options,
            prices=_prices(_rounded(base * (1 + 0.05 * position)) if dearer else base, reduced),
            on_hand=_on_hand(chance),
            weight_grams=weight,
            stock_policy=_policy(chance),
        )
        for position, options in enumerate(choices, start=1)
    ]


def _prices(usd: int, reduced: int) -> dict[str, tuple[int, int | None]]:
    """`usd` is the price; with `reduced`, it is that many percent below what it was."""
    amounts = {"USD": usd, "EUR": _rounded(float(usd * EUR_PER_USD))}
    return {
        currency: (amount, _rounded(amount * 100 / (100 - reduced)) if reduced else None)
        for currency, amount in amounts.items()
    }


def _rounded(cents: float) -> int:
    """A price as shops have them: 4.90, 24.90, 349.00."""
    if cents < 10000:
        return max(1, round(cents / 100)) * 100 - 10
    return round(cents / 500) * 500 - 100


def _on_hand(chance: random.Random) -> int:
    """Some are sold out, some are low."""
    kind = chance.random()
    if kind < 0.08:
        return 0
    return chance.randint(1, 5) if kind < 0.2 else chance.randint(6, 400)


def _policy(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.95:
        return StockPolicy.DENY
    return StockPolicy.BACKORDER if kind < 0.99 else StockPolicy.PREORDER


def _status(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.96:
        return ProductStatus.ACTIVE
    return ProductStatus.DRAFT if kind < 0.99 else ProductStatus.ARCHIVED


def _plural(kind: str) -> str:
    if kind.endswith("s") or kind in {"Chinos", "Bed Linen", "Outdoor Living"}:
        return kind
    return f"{kind}es" if kind.endswith(("x", "ch", "sh")) else f"{kind}s"
