"""The way of prepared reads to libpq: counted, guarded and mended as Django's own statements are."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import (
    DEFAULT_DB_ALIAS,
    DataError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    router,
    transaction,
)
from django.db.models import BooleanField, CharField, ExpressionWrapper, F, IntegerField, Q, Value
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.catalog.models import Product
from backend.core import prepared
from backend.core.prepared import AnyOf, Param, Read
from tests.factories.catalog import make_product

pytestmark = pytest.mark.django_db
MOMENT = datetime(2025, 3, 3, 9, tzinfo=UTC)


def by_id() -> Read[Product]:
    return Read[Product](lambda: Product.objects.filter(AnyOf("id", "ids")).order_by("pk"))


def prepared_statements() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'cartograph%%' ORDER BY prepare_time")
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def fresh() -> None:
    """A connection on which nothing was prepared."""
    connections[DEFAULT_DB_ALIAS].__dict__.pop(prepared._SESSION, None)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")


# Counting -------------------------------------------------------------------------------------------


class Watch:
    """An execute wrapper, as the server's count of statements is."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any, bool]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        assert context["connection"] is connections[DEFAULT_DB_ALIAS]
        self.seen.append((sql, list(params or []), many))
        return execute(sql, params, many, context)


@pytest.mark.parametrize("way", ["direct", "logged", "unprepared"])
def test_wrappers_see_each_statement_on_each_way(way: str, settings: Any) -> None:
    product, read, watch = make_product(), by_id(), Watch()
    settings.PREPARED_STATEMENTS = way != "unprepared"
    with connection.execute_wrapper(watch):
        for _ in range(2):
            if way == "logged":
                with CaptureQueriesContext(connection) as captured:
                    assert read(ids=[product.pk]) == [product]
                assert len(captured) == 1
                assert f"ANY('{{{product.pk}}}'" in captured.captured_queries[0]["sql"]
            else:
                assert read(ids=[product.pk]) == [product]
    assert len(watch.seen) == 2
    [(sql, params, many)] = {str(each): each for each in watch.seen}.values()
    assert sql.startswith('SELECT "catalog_product"')
    assert "ANY(%s)" in sql
    assert (params, many) == ([[product.pk]], False)


def test_lists_of_one_and_of_many_are_prepared_apart(fresh: None) -> None:
    """PostgreSQL would plan a list of one anew at each call."""
    one, other, read = make_product(), make_product(), by_id()
    for _ in range(8):
        assert read(ids=[one.pk]) == [one]
        assert read(ids=[other.pk, one.pk]) == [one, other]
        assert read(ids=[]) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans FROM pg_prepared_statements WHERE name LIKE 'cartograph%%'")
        plans = dict(cursor.fetchall())
    assert len(plans) == 2
    [of_one] = [statement for statement in plans if "ANY" not in statement]
    assert '."id" = $1' in of_one
    assert plans[of_one] >= 2


def test_a_list_of_one_beside_one_of_many_finds_what_both_allow() -> None:
    one, other = make_product(slug="one"), make_product(slug="other")
    read = Read[Product](lambda: Product.objects.filter(AnyOf("id", "ids"), AnyOf("slug", "slugs")).order_by("pk"))
    assert read(ids=[one.pk], slugs=["one"]) == [one]
    assert read(ids=[one.pk], slugs=["one", "other"]) == [one]
    assert read(ids=[one.pk, other.pk], slugs=["other"]) == [other]
    assert read(ids=[one.pk, other.pk], slugs=["other", "one"]) == [one, other]
    assert read(ids=[one.pk], slugs=[]) == []


def test_an_array_beside_ids_stays_an_array() -> None:
    tagged = make_product(tags=["oak"])
    make_product(tags=["pine"])
    read = Read[Product](lambda: Product.objects.filter(AnyOf("id", "ids"), tags__overlap=Param("tags")))
    assert read(ids=[tagged.pk], tags=["oak"]) == [tagged]
    assert read(ids=[tagged.pk], tags=["pine"]) == []


def test_a_wrapper_may_refuse_a_statement() -> None:
    product, read = make_product(), by_id()

    def refuse(*_: Any) -> Any:
        raise RuntimeError("not here")

    with connection.execute_wrapper(refuse), pytest.raises(RuntimeError, match="not here"):
        read(ids=[product.pk])
    assert read(ids=[product.pk]) == [product]


def test_wrappers_are_asked_from_the_last_to_the_first() -> None:
    product, read, order = make_product(), by_id(), []  # type: ignore[var-annotated]

    def named(name: str) -> Any:
        def wrapper(execute: Any, *call: Any) -> Any:
            order.append(name)
            return execute(*call)

        return wrapper

    def asked(ask: Callable[[], Any]) -> list[str]:
        order.clear()
        with connection.execute_wrapper(named("one")), connection.execute_wrapper(named("two")):
            ask()
        return list(order)

    assert asked(lambda: read(ids=[product.pk])) == asked(lambda: list(Product.objects.filter(pk=product.pk)))


# Transactions ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_read_may_be_the_first_statement_of_a_transaction() -> None:
    product, read, watch = make_product(), by_id(), Watch()
    with transaction.atomic():
        with connection.execute_wrapper(watch):
            assert read(ids=[product.pk]) == [product]
        assert connection.connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
        Product.objects.filter(pk=product.pk).update(name="Inside")
        assert [each.name for each in read(ids=[product.pk])] == ["Inside"]
        transaction.set_rollback(True)
    assert len(watch.seen) == 1
    assert [each.name for each in read(ids=[product.pk])] == [product.name]
    assert connection.connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


@pytest.mark.usefixtures("fresh")
def test_what_was_prepared_in_a_transaction_outlives_its_rollback() -> None:
    product, read = make_product(), by_id()
    for _ in range(2):
        with transaction.atomic():
            assert read(ids=[product.pk]) == [product]
            transaction.set_rollback(True)
    assert read(ids=[product.pk]) == [product]
    assert len(prepared_statements()) == 1


def test_a_broken_transaction_takes_no_read_until_it_is_over() -> None:
    product, read, watch = make_product(), by_id(), Watch()
    read(ids=[product.pk])
    with transaction.atomic():
        transaction.set_rollback(True)
        with connection.execute_wrapper(watch), pytest.raises(transaction.TransactionManagementError):
            read(ids=[product.pk])
    assert watch.seen == []
    assert read(ids=[product.pk]) == [product]


# Errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", [True, False], ids=["prepared", "unprepared"])
@pytest.mark.parametrize(
    ("define", "values", "kind"),
    [
        (lambda: Product.objects.filter(pk=Param("it")), {"it": "no number"}, DataError),
        (lambda: Product.objects.filter(pk=Param("it")), {"it": 2**70}, DataError),
        (lambda: Product.objects.filter(name=Param("it")), {"it": "a\x00b"}, DataError),
        (lambda: Product.objects.filter(AnyOf("name", "it")), {"it": ["a", "\x00"]}, DataError),
        (lambda: Product.objects.filter(name=Param("it")), {"it": object()}, ProgrammingError),
        (lambda: Product.objects.extra(where=["nothing = 1"]), {}, ProgrammingError),
    ],
    ids=["a word for a number", "too large a number", "a NUL", "a NUL in a list", "no SQL value", "no such column"],
)
def test_errors_are_djangos_and_end_with_the_savepoint(
    define: Any, values: dict[str, Any], kind: type[Exception], on: bool, settings: Any
) -> None:
    settings.PREPARED_STATEMENTS = on
    product, good, bad = make_product(), by_id(), Read[Product](define)
    for _ in range(2):
        with pytest.raises(kind) as raised, transaction.atomic():
            bad(**values)
        assert isinstance(raised.value.__cause__, psycopg.Error)
        assert good(ids=[product.pk]) == [product]


@pytest.mark.django_db(transaction=True)
def test_after_an_error_outside_of_transactions_the_connection_goes_on() -> None:
    product, read = make_product(), Read[Product](lambda: Product.objects.filter(pk=Param("it")))
    for _ in range(2):
        with pytest.raises(DataError):
            read(it="no number")
        raw = connection.connection
        assert read(it=product.pk) == [product]
        assert connection.connection is raw


@pytest.mark.usefixtures("fresh")
def test_a_statement_that_fails_as_it_runs_stays_prepared() -> None:
    product = make_product()
    read = Read[Product](
        lambda: Product.objects.filter(pk=product.pk).annotate(
            found=ExpressionWrapper(Value(1) / Param("by"), IntegerField())
        )
    )
    with pytest.raises(DataError), transaction.atomic():
        read(by=0)  # prepared; it is running it that fails
    assert read(by=1) == [product]
    assert len(prepared_statements()) == 1


# Connections ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_prepares_anew() -> None:
    product, read = make_product(), by_id()
    for _ in range(3):
        assert read(ids=[product.pk]) == [product]
        assert len(prepared_statements()) == 1
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ends_is_told_once_and_replaced() -> None:
    """As `schema.server.db` looks after its threads' connections."""
    product, read = make_product(), by_id()
    assert read(ids=[product.pk]) == [product]
    settings = {**connection.get_connection_params(), "autocommit": True}
    settings = {name: settings[name] for name in ("dbname", "host", "port", "user", "password") if settings.get(name)}
    with psycopg.connect(**settings, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    with pytest.raises(OperationalError):
        read(ids=[product.pk])
    connection.close_if_unusable_or_obsolete()
    assert read(ids=[product.pk]) == [product]


@pytest.mark.usefixtures("fresh")
def test_without_preparation_nothing_is_prepared(settings: Any) -> None:
    settings.PREPARED_STATEMENTS = False
    product, read = make_product(tags=["a"], published_at=MOMENT), by_id()
    first, again = read(ids=[product.pk]), read(ids=[product.pk])
    assert prepared_statements() == []
    settings.PREPARED_STATEMENTS = True
    [row] = read(ids=[product.pk])
    assert len(prepared_statements()) == 1
    for each in (*first, *again):
        assert {**each.__dict__, "_state": None} == {**row.__dict__, "_state": None}


@pytest.mark.usefixtures("fresh")
def test_only_so_many_statements_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "PREPARED_KEPT", 3)
    product, reads = make_product(), [by_id() for _ in range(5)]
    for read in (*reads, *reads, reads[4], reads[4], reads[2]):
        assert read(ids=[product.pk]) == [product]
        assert len(prepared_statements()) <= 3
    of_2, of_3, of_4 = prepared_statements()
    reads[0](ids=[product.pk])  # makes room of what was not used the longest
    assert prepared_statements()[:2] == [of_2, of_4]
    assert of_3 not in prepared_statements()


@pytest.mark.usefixtures("fresh")
def test_a_failed_attempt_to_make_room_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "PREPARED_KEPT", 1)
    product, one, two = make_product(), by_id(), by_id()
    assert one(ids=[product.pk]) == [product]
    with pytest.raises(ProgrammingError), transaction.atomic():
        with pytest.raises(ProgrammingError), connection.cursor() as cursor:
            cursor.execute("SELECT nothing")
        with pytest.raises(InternalError):  # PostgreSQL takes nothing before the savepoint's end
            two(ids=[product.pk])
        raise ProgrammingError
    for read in (one, two, one):
        assert read(ids=[product.pk]) == [product]
    assert len(prepared_statements()) <= 2


@pytest.mark.django_db(transaction=True)
def test_statements_follow_a_column_whose_type_changes() -> None:
    """A migration while web processes run: PostgreSQL refuses to run what it has prepared."""
    product, read = make_product(brand="Ada"), by_id()
    assert read(ids=[product.pk])[0].brand == "Ada"
    with connection.cursor() as cursor:
        cursor.execute("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'brand'")
        [kind] = cursor.fetchone()
        try:
            cursor.execute("ALTER TABLE catalog_product ALTER brand TYPE varchar(777)")
            assert read(ids=[product.pk])[0].brand == "Ada"
            assert read(ids=[product.pk])[0].brand == "Ada"
        finally:
            cursor.execute(f"ALTER TABLE catalog_product ALTER brand TYPE {kind}")


@pytest.mark.django_db(transaction=True)
def test_statements_that_somebody_else_forgets_are_prepared_again() -> None:
    """`DISCARD ALL`, as poolers do between their clients."""
    product, read = make_product(), by_id()
    for _ in range(2):
        assert read(ids=[product.pk]) == [product]
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")


# Values ---------------------------------------------------------------------------------------------

WORDS = ["plain", "with, comma", 'with "quotes"', "with {braces}", "back\\slash", "Größe 'é'", " ", "NULL", "%s", "$1"]


@pytest.mark.usefixtures("fresh")
def test_within_a_transaction_a_forgotten_statement_is_told_as_such_and_prepared_for_the_next() -> None:
    product, read = make_product(), by_id()
    assert read(ids=[product.pk]) == [product]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        read(ids=[product.pk])
    assert read(ids=[product.pk]) == [product]


class ToReplica:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"


@pytest.mark.django_db(transaction=True)
def test_the_router_decides_at_each_call_which_database_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    product, read, routers = make_product(), by_id(), list[Any]()
    monkeypatch.setitem(connections.settings, "replica", connections.settings[DEFAULT_DB_ALIAS])
    monkeypatch.setattr(router, "routers", routers)
    connections["replica"].connect()  # tests may not have one opened for them
    try:
        for routers[:], alias in [([], "default"), ([ToReplica()], "replica"), ([], "default")] * 2:
            [row] = read(ids=[product.pk])
            assert (row, row._state.db) == (product, alias)
        assert prepared._SESSION in connections["replica"].__dict__
    finally:
        connections["replica"].close()
        del connections["replica"]


def test_lists_of_texts_are_taken_to_the_letter() -> None:
    products = [make_product(word or "-", brand=word) for word in WORDS]
    read = Read[Product](lambda: Product.objects.filter(AnyOf("brand", "brands")).order_by("pk"))
    assert read(brands=WORDS) == products
    assert read(brands=WORDS[2:3]) == products[2:3]
    assert read(brands=["none", "of them"]) == []
    assert read(brands=[None, "plain"]) == products[:1]  # type: ignore[list-item]


LISTS = {
    "ids": ("id", lambda rows: [row.pk for row in rows]),
    "ids beyond 32 bits": ("id", lambda rows: [*(row.pk for row in rows), 2**40, -1]),
    "ids and None": ("id", lambda rows: [*(row.pk for row in rows), None]),
    "decimals": ("rating_average", lambda rows: [Decimal("4.5"), Decimal("0.00")]),
    "decimals as integers": ("rating_average", lambda rows: [0, 4]),
    "moments": ("published_at", lambda rows: [MOMENT, MOMENT.replace(year=2020)]),
    "moments and None": ("published_at", lambda rows: [None, MOMENT]),
}


@pytest.mark.parametrize(("column", "values"), LISTS.values(), ids=LISTS)
def test_lists_of_each_kind_find_what_a_queryset_finds(column: str, values: Any) -> None:
    rows = [
        make_product("Good", rating_average=Decimal("4.50"), published_at=MOMENT),
        make_product("New", rating_average=Decimal(0), published_at=MOMENT.replace(year=2024)),
    ]
    given = values(rows)
    read = Read[Product](lambda: Product.objects.filter(AnyOf(column, "values")).order_by("pk"))
    expected = list(Product.objects.filter(**{f"{column}__in": given}).order_by("pk"))
    assert expected
    assert read(values=given) == read(values=given) == expected


def test_flags_and_uuids_find_their_rows() -> None:
    users = [User.objects.create(username=f"u{n}", email=f"u{n}@b.example", is_staff=n == 1) for n in range(3)]
    staff = Read[User](lambda: User.objects.filter(is_staff=Param("staff")).order_by("pk"))
    assert staff(staff=True) == users[1:2]
    assert staff(staff=False) == [users[0], users[2]]
    either = Read[User](lambda: User.objects.filter(AnyOf("is_staff", "staff")).order_by("pk"))
    assert either(staff=[True, False]) == users
    ids = [UUID(int=1), UUID(int=2)]
    same = Read[User](lambda: User.objects.annotate(key=Value(ids[0])).filter(AnyOf("key", "keys")).order_by("pk"))
    assert same(keys=ids) == users
    assert same(keys=ids[1:]) == []


SINGLE: list[tuple[str, list[Any]]] = [
    ("published_at__gte", [MOMENT, None, MOMENT.replace(year=2024)]),
    ("published_at__lt", [None, MOMENT]),
    ("rating_average__gte", [Decimal("4.5"), 4, 5, Decimal("4.49999"), 0]),
    ("rating_average__lt", [4, Decimal("4.51"), True and 5]),
    ("name__gt", ["", "Good", "Größe", "ZZ"]),
    ("category_id", [None, 1]),
]


@pytest.mark.parametrize(("lookup", "values"), SINGLE, ids=[lookup for lookup, _ in SINGLE])
def test_one_read_takes_values_of_several_types_in_turn(lookup: str, values: list[Any]) -> None:
    """The first call's types are what the statement is prepared with."""
    make_product("Good", rating_average=Decimal("4.50"), published_at=MOMENT)
    make_product("New", rating_average=Decimal(0))

    def expected(value: Any) -> list[Product]:
        if value is None:
            return []  # a comparison with NULL is never true
        return list(Product.objects.filter(**{lookup: value}).order_by("pk"))

    for order in (values, values[::-1]):
        read = Read[Product](lambda: Product.objects.filter(**{lookup: Param("it")}).order_by("pk"))
        assert [read(it=value) for value in [*order, *order]] == [expected(value) for value in [*order, *order]]


def test_values_stand_anywhere_in_an_expression() -> None:
    product = make_product("Good", brand="")
    read = Read[Product](
        lambda: (
            Product.objects.annotate(
                said=Coalesce(Param("word"), F("name"), output_field=CharField()),
                flag=Coalesce(Param("flag"), Value(value=False), output_field=BooleanField()),
            )
            .filter(Q(name=Param("name")) | Q(brand=Param("word")))
            .order_by("pk")
        )
    )
    for word, flag, name in (("a", True, "Good"), (None, None, "Good"), ("", False, "none")):
        [row] = read(word=word, flag=flag, name=name)
        assert row == product
        assert (row.said, row.flag) == ("Good" if word is None else word, bool(flag))  # type: ignore[attr-defined]


def test_columns_that_are_null_come_as_none() -> None:
    product = make_product(published_at=None)
    [row] = by_id()(ids=[product.pk])
    assert (row.published_at, row.category_id) == (None, None)
