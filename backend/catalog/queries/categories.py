"""The category tree: a subtree is a prefix of the path."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from backend.catalog.models import Category
from backend.catalog.queries.rows import CATEGORY_COLUMNS, CategoryRow
from backend.core import clock
from backend.core.context import ShopContext
from backend.core.paging import Ordering, Page, PageRequest, SortKey, page
from backend.core.prepared import AnyOf, Param, Read

STEPS = Category.steplen
_TREE_ORDER = Ordering("TREE", (SortKey("path", str),))
_BY_ID = Read[CategoryRow](
    lambda: Category.objects.filter(AnyOf("id", "ids")).values_list(*CATEGORY_COLUMNS), CategoryRow
)
_BY_SLUG = Read[CategoryRow](
    lambda: Category.objects.filter(slug=Param("slug")).values_list(*CATEGORY_COLUMNS), CategoryRow
)
_BY_PATH = Read[CategoryRow](
    lambda: Category.objects.filter(AnyOf("path", "paths")).values_list(*CATEGORY_COLUMNS), CategoryRow
)
_COUNT = """
SELECT category.id, count(product.id)
FROM catalog_category AS category
LEFT JOIN catalog_category AS inside ON inside.path LIKE category.path || '%%'
LEFT JOIN (
  catalog_product AS product
  JOIN catalog_productlisting AS listing ON listing.product_id = product.id AND listing.currency = %s
  LEFT JOIN vendors_vendor AS vendor ON vendor.id = product.vendor_id
) ON product.category_id = inside.id AND product.status = 'ACTIVE' AND product.deleted_at IS NULL
  AND (product.published_at IS NULL OR product.published_at <= %s)
  AND (product.vendor_id IS NULL OR vendor.status = 'APPROVED')
WHERE category.id = ANY(%s) GROUP BY category.id
"""


def visible_categories() -> QuerySet[Category]:
    return Category.objects.all()


def find_category(*, pk: int | None = None, slug: str | None = None) -> CategoryRow | None:
    rows = _BY_ID(ids=[pk]) if pk is not None else _BY_SLUG(slug=slug)
    return rows[0] if rows else None


def page_root_categories(request: PageRequest) -> Page[Category]:
    """The categories without a parent, in the tree's order."""
    return page(visible_categories().filter(depth=1), _TREE_ORDER, request)


def categories_by_id(ids: Iterable[int]) -> dict[int, CategoryRow]:
    return {row.pk: row for row in _BY_ID(ids=list(ids))}


def children_by_category(categories: Sequence[Any]) -> dict[int, list[Category]]:
    """Category id -> its direct children, in the tree's order; one statement."""
    below = Q(pk__in=[])
    for each in categories:
        if each.numchild:
            below |= Q(path__startswith=each.path, depth=each.depth + 1)
    by_path: dict[str, list[Category]] = defaultdict(list)
    for row in visible_categories().filter(below).order_by("path"):
        by_path[row.path[:-STEPS]].append(row)
    return {each.pk: by_path[each.path] for each in categories}


def categories_by_path(paths: Iterable[str]) -> dict[str, CategoryRow]:
    """Path -> category, and its ancestors as well; one statement."""
    every = {path[:end] for path in paths for end in range(STEPS, len(path) + STEPS, STEPS)}
    return {row.path: row for row in _BY_PATH(paths=sorted(every))}


def ancestors_by_category(categories: Sequence[Any]) -> dict[int, list[CategoryRow]]:
    """Category id -> the path from the root down to its parent; one statement."""
    by_path = categories_by_path(each.path[:-STEPS] for each in categories)
    return {each.pk: ancestors_in(by_path, each.path) for each in categories}


def ancestors_in(by_path: Mapping[str, CategoryRow], path: str) -> list[CategoryRow]:
    """The categories above that path, from the root down."""
    return [by_path[path[:end]] for end in range(STEPS, len(path), STEPS) if path[:end] in by_path]


def product_count_by_category(ids: Iterable[int], shop: ShopContext) -> dict[int, int]:
    """Category id -> visible products in it and below it; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [shop.currency, clock.now(), list(ids)])
        return dict(cursor.fetchall())
