"""Rows without models: what a `values_list` gives, by names, in reads and in pages."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F, QuerySet, Sum
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Upper

from backend.catalog.models import Product, ProductImage
from backend.core.paging import Ordering, PreparedPages, SortKey, page, page_request
from backend.core.prepared import AnyOf, Param, Read, RowTuple
from tests.factories.catalog import make_category, make_image, make_product

pytestmark = pytest.mark.django_db
MOMENT = datetime(2025, 3, 3, 9, 0, 0, 1, tzinfo=UTC)
BY_NAME = Ordering("NAME", (SortKey("name_key", str),))
BY_RATING = Ordering("RATING", (SortKey("rating_average", Decimal),), descending=True)


class Row(RowTuple, model=Product):
    pk: int
    name: str
    rating: Decimal
    published_at: datetime | None
    translations: dict[str, Any]
    tags: list[str]


COLUMNS = ("pk", "name", "rating_average", "published_at", "translations", "tags")


@pytest.fixture
def products() -> list[Product]:
    return [
        make_product(
            f"Chair {n % 3} {n}",
            variants=1 + n % 2,
            tags=["a", "b"][: n % 3],
            published_at=MOMENT if n % 2 else None,
            rating_average=Decimal("4.50") if n % 2 else Decimal(0),
            translations={"de": {"name": f"Stuhl {n}", "terms": {"Größe": [n, None, 1.5]}}} if n else {},
        )
        for n in range(5)
    ]


def typed(rows: Any) -> list[list[tuple[type, Any]]]:
    return [[(type(value), value) for value in row] for row in rows]


DEFINITIONS: dict[str, Callable[[QuerySet[Product]], QuerySet[Any, Any]]] = {
    "columns": lambda rows: rows.order_by("pk").values_list(*COLUMNS),
    "expressions": lambda rows: rows.order_by("-pk").values_list(
        "pk", Upper("name"), F("rating_average") / Decimal(2), "slug", KeyTransform("de", "translations"), "tags"
    ),
    "relations": lambda rows: rows.order_by("pk").values_list(
        "pk", "category__name", "rating_average", "category__created_at", "translations", "tags", "category__path"
    ),
    "aggregates": lambda rows: (
        rows.annotate(total=Sum("variants__prices__amount")).order_by("total", "pk").values_list(*COLUMNS, "total")
    ),
    "a slice": lambda rows: rows.order_by("-pk").values_list(*COLUMNS)[1:3],
    "no parameter but a literal": lambda rows: rows.exclude(name="100%s %").order_by("pk").values_list(*COLUMNS),
}  # fmt: skip


@pytest.mark.parametrize("define", DEFINITIONS.values(), ids=DEFINITIONS)
def test_rows_are_those_of_the_values_list(
    products: list[Product], define: Any, django_assert_num_queries: Any
) -> None:
    Product.objects.filter(pk=products[0].pk).update(category=make_category("Chairs"))
    ids = [each.pk for each in products[:4]]
    expected = typed(define(Product.objects.filter(pk__in=ids)))
    assert expected
    read = Read[Row](lambda: define(Product.objects.filter(AnyOf("id", "ids"))), Row)
    assert typed(read(ids=ids)) == expected
    with django_assert_num_queries(1):
        assert typed(read(ids=ids)) == expected  # compiled by now; logged, and so by a cursor
    assert all(type(row) is Row for row in read(ids=ids))


def test_columns_have_names_and_those_beyond_follow() -> None:
    product = make_product("Chair", tags=["a"], published_at=MOMENT, slug="chair")
    read = Read[Row](lambda: Product.objects.filter(pk=Param("pk")).values_list(*COLUMNS, "slug"), Row)
    [row] = read(pk=product.pk)
    assert Row.names == ("pk", "name", "rating", "published_at", "translations", "tags")
    assert (row.pk, row.name, row.published_at, row.tags) == (product.pk, "Chair", MOMENT, ["a"])
    assert row[len(Row.names) :] == ("chair",)
    assert Row.model is Product
    with pytest.raises(AttributeError):
        row.name = "Other"
    with pytest.raises(AttributeError):
        row.slug  # noqa: B018


def test_rows_of_two_reads_are_no_more_equal_than_their_columns() -> None:
    """They are tuples: what is kept by row is kept by identity, as the engine does."""
    product = make_product("Chair")
    read = Read[Row](lambda: Product.objects.filter(pk=Param("pk")).values_list(*COLUMNS), Row)
    [one], [other] = read(pk=product.pk), read(pk=product.pk)
    assert one == other
    assert one is not other


def test_a_file_is_its_name() -> None:
    class Image(RowTuple, model=ProductImage):
        pk: int
        file: str

    image = make_image(make_product(), source_url="", file="products/a.webp", width=3, height=2)
    read = Read[Image](lambda: ProductImage.objects.filter(AnyOf("id", "ids")).values_list("pk", "file"), Image)
    assert read(ids=[image.pk]) == [(image.pk, "products/a.webp")]


@pytest.mark.parametrize(
    "define",
    [
        lambda: Product.objects.all(),
        lambda: Product.objects.values("pk"),
        lambda: Product.objects.values_list("pk", flat=True),
        lambda: Product.objects.values_list("pk", "name", named=True),
    ],
    ids=["instances", "dicts", "flat", "named"],
)
def test_what_is_no_values_list_is_refused(define: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0), pytest.raises(TypeError, match="values_list"):
        Read[Row](define, Row)()


@pytest.mark.parametrize("ordering", [BY_NAME, BY_RATING], ids=lambda each: each.name)
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_pages_of_rows_are_the_pages_of_instances(products: list[Product], ordering: Ordering, backward: bool) -> None:
    """Cursors too: a client may turn the page after the server was updated."""
    pages = PreparedPages[Row](lambda: Product.objects.filter(status=Param("status")).values_list(*COLUMNS), Row)
    size, edge = ("last", "before") if backward else ("first", "after")
    cursor, seen = None, []  # type: ignore[var-annotated]
    for _ in range(3):
        asked: dict[str, Any] = {size: 2, edge: cursor}
        expected = page(Product.objects.filter(status="ACTIVE"), ordering, page_request(**asked))
        found = pages.page(ordering, page_request(**asked), count=lambda: 5, status="ACTIVE")
        assert [row.pk for row in found.rows] == [row.pk for row in expected.rows]
        assert [row.name for row in found.rows] == [row.name for row in expected.rows]
        assert found.cursors == expected.cursors
        assert [found.has_next, found.has_previous] == [expected.has_next, expected.has_previous]
        cursor = found.cursors[0 if backward else -1]
        seen += [row.pk for row in found.rows]
    assert sorted(seen) == [each.pk for each in products]
