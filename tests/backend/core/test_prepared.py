"""Reads that are compiled once give what their querysets give, at every call."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import DataError, connection, connections, transaction
from django.db.models import DateTimeField, F, Max, Q, QuerySet, Sum, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Upper
from django.test.utils import CaptureQueriesContext

from backend.catalog.models import Product, ProductImage, ProductVariant, VariantPrice
from backend.core.errors import Invalid
from backend.core.paging import Ordering, PreparedPages, SortKey, page, page_request
from backend.core.prepared import AnyOf, Param, Read
from tests.factories.catalog import make_image, make_product

pytestmark = pytest.mark.django_db
Given = dict[str, Any]
MOMENT = datetime(2025, 3, 3, 9, 0, 0, 1, tzinfo=UTC)
BY_NAME = Ordering("NAME", (SortKey("name_key", str),))
BY_RATING = Ordering("RATING", (SortKey("rating_average", Decimal),), descending=True)


@pytest.fixture
def products() -> list[Product]:
    return [
        make_product(
            f"Chair {n}",
            variants=1 + n % 2,
            tags=["a", "b"][: n % 3],
            published_at=MOMENT if n % 2 else None,
            rating_average=Decimal("4.50") if n % 2 else Decimal(0),
            translations={"de": {"name": f"Stuhl {n}", "terms": {"Größe": [n, None, 1.5]}}},
        )
        for n in range(5)
    ]


def shown(rows: list[Any]) -> list[dict[str, Any]]:
    """All that instances know, their types and state included."""
    return [
        {
            **{name: (type(value), value) for name, value in row.__dict__.items() if name != "_state"},
            "state": (row._state.adding, row._state.db),
            "deferred": row.get_deferred_fields(),
        }
        for row in rows
    ]


def price_sums(products: Any) -> QuerySet[Product]:
    return Product.objects.filter(products).annotate(total=Sum("variants__prices__amount"), last=Max("variants__sku"))


DEFINITIONS: dict[str, Callable[[Any], QuerySet[Any]]] = {
    "all columns": lambda among: Product.objects.filter(among).order_by("pk"),
    "only": lambda among: Product.objects.filter(among).only("name", "translations").order_by("-pk"),
    "only the key": lambda among: Product.objects.filter(among).only("pk").order_by("pk"),
    "defer in the middle": lambda among: Product.objects.filter(among).defer("slug", "tags").order_by("pk"),
    "annotations": lambda among: (
        Product.objects.filter(among)
        .defer("description")
        .annotate(
            loud=Upper("name"),
            german=KeyTransform("de", "translations"),
            half=F("rating_average") / Decimal(2),
            moment=Value(MOMENT, DateTimeField()),
        )
        .alias(hidden=F("slug"))
        .order_by("pk")
    ),
    "aggregates": lambda among: price_sums(among).order_by("pk"),
    "a slice": lambda among: Product.objects.filter(among).order_by("-pk")[1:3],
    "a literal with a percent sign": lambda among: Product.objects.filter(among, ~Q(name="100%s %")).order_by("pk"),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_rows_are_the_querysets(products: list[Product], name: str) -> None:
    define, wanted = DEFINITIONS[name], [each.pk for each in products[:4]]
    read = Read[Product](lambda: define(AnyOf("id", "products")))
    expected = shown(list(define(Q(pk__in=wanted))))
    assert len(expected) == (2 if name == "a slice" else 4)
    assert shown(read(products=wanted)) == expected
    assert shown(read(products=wanted)) == expected  # compiled by now


def test_json_decimals_times_and_arrays_come_as_python_values(products: list[Product]) -> None:
    read = Read[Product](lambda: Product.objects.filter(slug=Param("slug")))
    [row] = read(slug=products[1].slug)
    assert row.translations == {"de": {"name": "Stuhl 1", "terms": {"Größe": [1, None, 1.5]}}}
    assert repr(row.rating_average) == "Decimal('4.50')"
    assert row.published_at == MOMENT
    assert row.published_at.utcoffset() is not None
    assert row.tags == ["a"]


def test_files_are_files(products: list[Product]) -> None:
    image = make_image(products[0], source_url="", file="products/a.webp", width=3, height=2)
    read = Read[ProductImage](lambda: ProductImage.objects.filter(AnyOf("id", "ids")))
    [row] = read(ids=[image.pk])
    assert [row.file.name, row.width, row.height] == ["products/a.webp", 3, 2]


def test_each_call_takes_its_own_values(products: list[Product]) -> None:
    read = Read[VariantPrice](
        lambda: VariantPrice.objects.filter(AnyOf("variant__product_id", "products"), currency=Param("currency"))
    )
    ids = [each.pk for each in products]

    def expected(wanted: list[int], currency: str) -> set[VariantPrice]:
        return set(VariantPrice.objects.filter(variant__product__in=wanted, currency=currency))

    for wanted, currency in ((ids, "USD"), (ids[:1], "EUR"), ([], "EUR"), (ids, "XXX"), (ids[2:], "' OR 1=1 --")):
        assert set(read(products=wanted, currency=currency)) == expected(wanted, currency)


def test_a_name_may_stand_in_several_places(products: list[Product]) -> None:
    read = Read[Product](lambda: Product.objects.filter(Q(slug=Param("text")) | Q(name=Param("text"))).order_by("pk"))
    assert read(text=products[0].slug) == read(text=products[0].name) == [products[0]]


def test_the_queryset_is_built_once_and_its_text_stays_the_same(products: list[Product]) -> None:
    built = []

    def define() -> QuerySet[Product]:
        built.append(1)
        return Product.objects.filter(AnyOf("id", "products"))

    read = Read[Product](define)
    assert built == []
    with CaptureQueriesContext(connection) as captured:
        for wanted in ([products[0].pk], [each.pk for each in products], []):
            read(products=wanted)
    assert built == [1]
    assert len({each["sql"].partition("ANY(")[0] for each in captured.captured_queries}) == 1
    assert all(" IN (" not in each["sql"] for each in captured.captured_queries)


def test_each_call_is_one_statement_that_tests_can_count(
    products: list[Product], django_assert_num_queries: Any
) -> None:
    read = Read[Product](lambda: Product.objects.filter(AnyOf("id", "products")))
    with django_assert_num_queries(3):
        for size in (1, 2, 5):
            assert len(read(products=[each.pk for each in products[:size]])) == size


def test_rows_live_on_as_any_others(products: list[Product], django_assert_num_queries: Any) -> None:
    read = Read[Product](lambda: Product.objects.filter(AnyOf("id", "products")).defer("description"))
    [row] = read(products=[products[0].pk])
    with django_assert_num_queries(1):
        assert row.description == ""
    row.name = "Renamed"
    row.save(update_fields=["name"])
    products[0].refresh_from_db()
    assert products[0].name == "Renamed"
    assert set(row.variants.all()) == set(ProductVariant.objects.filter(product=row))
    assert row == products[0]
    row.delete()
    assert not Product.objects.filter(pk=products[0].pk).exists()


@pytest.mark.parametrize(
    "define",
    [
        lambda: Product.objects.values("pk"),
        lambda: Product.objects.values_list("pk", flat=True),
        lambda: Product.objects.prefetch_related("variants"),
        lambda: Product.objects.values("pk").annotate(total=Sum("variants__position")).values("total"),
        lambda: ProductVariant.objects.select_related("product"),
        lambda: Product.objects.select_related("category", "vendor"),
    ],
)
def test_what_is_not_one_models_instances_is_refused(define: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0), pytest.raises(TypeError, match="one model's instances"):
        Read[Any](define)()


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(FieldError):
        Read[Product](lambda: Product.objects.filter(AnyOf("nothing", "ids")))(ids=[1])


def test_a_value_that_is_not_given_is_refused_before_anything_runs(django_assert_num_queries: Any) -> None:
    read = Read[Product](lambda: Product.objects.filter(AnyOf("id", "products"), slug=Param("slug")))
    with django_assert_num_queries(0), pytest.raises(KeyError, match="slug"):
        read(products=[1])


def test_a_call_that_the_database_refuses_spoils_no_other(products: list[Product]) -> None:
    read = Read[Product](lambda: Product.objects.filter(pk=Param("key")))
    with pytest.raises(DataError), transaction.atomic():
        read(key="no number")
    assert read(key=products[0].pk) == [products[0]]


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_read_from_its_first_call_on() -> None:
    # given
    rows = [make_product(f"Chair {n}") for n in range(8)]
    read = Read[Product](
        lambda: Product.objects.filter(AnyOf("id", "products"), name=Param("name")).annotate(loud=Upper("name"))
    )
    start = Barrier(len(rows))

    def ask(row: Product) -> set[tuple[int, str]]:
        try:
            start.wait()
            found = [read(products=[each.pk for each in rows], name=row.name) for _ in range(20)]
            return {(each.pk, each.loud) for some in found for each in some}  # type: ignore[attr-defined]
        finally:
            connections.close_all()

    # when
    with ThreadPoolExecutor(len(rows)) as pool:
        answers = list(pool.map(ask, rows))
    # then
    assert answers == [{(row.pk, row.name.upper())} for row in rows]


# Pages ------------------------------------------------------------------------------------------


def prepared() -> PreparedPages[Product]:
    return PreparedPages[Product](lambda: Product.objects.filter(status=Param("status")).defer("description"))


def never() -> int:
    raise AssertionError("nobody asked for the count")


@pytest.mark.parametrize("ordering", [BY_NAME, BY_RATING], ids=lambda each: each.name)
@pytest.mark.parametrize("backward", [False, True])
def test_prepared_pages_are_the_pages_of_the_queryset(
    products: list[Product], ordering: Ordering, backward: bool
) -> None:
    pages, rows = prepared(), Product.objects.filter(status="ACTIVE").defer("description")
    size, edge = ("last", "before") if backward else ("first", "after")
    cursor, seen = None, 0
    for _ in range(3):
        asked: Given = {size: 2, edge: cursor}
        expected = page(rows, ordering, page_request(**asked))
        found = pages.page(ordering, page_request(**asked), count=never, status="ACTIVE")
        assert shown(found.rows) == shown(expected.rows)
        assert found.cursors == expected.cursors
        assert [found.has_next, found.has_previous] == [expected.has_next, expected.has_previous]
        cursor, seen = found.cursors[0 if backward else -1], seen + len(found.rows)
    assert seen == len(products)


def test_prepared_pages_take_both_cursors_and_other_values(products: list[Product]) -> None:
    pages = prepared()
    whole = pages.page(BY_NAME, page_request(first=5), count=never, status="ACTIVE")
    between = page_request(first=5, after=whole.cursors[0], before=whole.cursors[4])
    assert pages.page(BY_NAME, between, count=never, status="ACTIVE").rows == whole.rows[1:4]
    assert pages.page(BY_NAME, between, count=never, status="DRAFT").rows == []
    assert pages.page(BY_NAME, page_request(first=5), count=lambda: 7, status="ACTIVE").count() == 7


def test_prepared_pages_run_one_statement_and_refuse_cursors_without_any(
    products: list[Product], django_assert_num_queries: Any
) -> None:
    pages = prepared()
    with django_assert_num_queries(1):
        found = pages.page(BY_NAME, page_request(first=1), count=never, status="ACTIVE")
    for wrong in (found.cursors[0], "rubbish"):
        with django_assert_num_queries(0), pytest.raises(Invalid):
            pages.page(BY_RATING, page_request(first=1, after=wrong), count=never, status="ACTIVE")


def test_an_empty_list_has_no_rows_and_takes_no_statement(django_assert_num_queries: Any) -> None:
    read = Read[Product](lambda: Product.objects.filter(AnyOf("id", "ids")))
    with django_assert_num_queries(0):
        assert read(ids=[]) == []
