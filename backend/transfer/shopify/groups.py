"""Bringing the rows of a product together, wherever in the file they stand, without holding the file in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.utils.text import slugify

from backend.transfer.shopify.files import Row

MAX_SLUG = 255


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one product; `slug` is empty when its rows name none."""

    slug: str
    rows: list[Row]


@dataclass(slots=True)
class Scan:
    """What a first reading finds out: how many rows there are, and which products' rows stand apart."""

    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    apart: set[str] = field(default_factory=set)


def scan(rows: Iterable[Row]) -> Scan:
    """Read all rows once, keeping only their handles."""
    found = Scan()
    current = ""
    for slug, _ in _slugged(rows):
        if slug and slug != current and slug in found.counts:
            found.apart.add(slug)
        found.rows += 1
        found.counts[slug] = found.counts.get(slug, 0) + 1
        current = slug
    found.counts = {slug: found.counts[slug] for slug in found.apart}
    return found


def groups(rows: Iterable[Row], scanned: Scan) -> Iterator[Group]:
    """The products in the order in which they are complete. Only rows that stand apart are kept for later."""
    waiting: dict[str, list[Row]] = {}
    current = Group("", [])
    for slug, row in _slugged(rows):
        if slug in scanned.apart:
            same = waiting.setdefault(slug, [])
            same.append(row)
            if len(same) == scanned.counts[slug]:
                yield Group(slug, waiting.pop(slug))
            continue
        if (not slug or slug != current.slug) and current.rows:
            yield current
            current = Group(slug, [])
        elif not current.rows:
            current = Group(slug, [])
        current.rows.append(row)
    if current.rows:
        yield current


def _slugged(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Each row with its product's slug: from its handle; from its title; or, having neither, the row's above."""
    slug = ""
    for row in rows:
        name = row.cells.get("handle") or row.cells.get("title")
        if name:
            slug = slugify(name, allow_unicode=True)[:MAX_SLUG]
        yield slug, row
