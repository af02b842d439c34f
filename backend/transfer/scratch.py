"""Copies of the catalog's tables that a dry run writes to in place of the tables themselves.

They are temporary tables of the same names: PostgreSQL finds these first, so the same code runs on them unchanged and
later things of a file see earlier ones. Nobody else sees them or waits for them: rows of the shop are read, not locked.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from backend.catalog.models import (
    Attribute,
    Category,
    Product,
    ProductAttribute,
    ProductImage,
    ProductListing,
    ProductVariant,
    VariantPrice,
)
from backend.core.models import OutboxEvent
from backend.inventory.models import Location, StockLevel, StockMovement
from backend.vendors.models import Vendor

# What products belong to comes after them: a product that appears in between is no harm, one that is missing is.
_COPIED: list[type[Model]] = [
    StockLevel,
    Location,
    VariantPrice,
    ProductVariant,
    ProductImage,
    ProductAttribute,
    Attribute,
    Product,
    Category,
    Vendor,
]
# Imports write these and read nothing from them, so they start empty.
_EMPTY: list[type[Model]] = [OutboxEvent, ProductListing, StockMovement]


@contextmanager
def scratch_tables() -> Iterator[None]:
    """Within this, on this connection, the catalog is a copy of itself."""
    with transaction.atomic():
        schema = _ask("SELECT current_schema()")
        for model in (*_COPIED, *_EMPTY):
            _execute(f'CREATE TEMPORARY TABLE "{model._meta.db_table}" (LIKE {_real(model, schema)} INCLUDING ALL)')
        for model in _COPIED:
            _copy(model, schema)
    try:
        yield
    finally:
        with suppress(DatabaseError):  # the connection broke, and the copies went with it
            for model in (*_COPIED, *_EMPTY):
                _execute(f'DROP TABLE IF EXISTS pg_temp."{model._meta.db_table}"')


def forbid_real_writes() -> None:
    """Let the transaction (or the savepoint) that has just begun write to temporary tables and to no others."""
    _execute("SET TRANSACTION READ ONLY")


def _copy(model: type[Model], schema: str) -> None:
    """Rows, the next id, and what the planner knows: temporary tables are not looked after by themselves."""
    table, key = model._meta.db_table, model._meta.pk.column
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    _execute(f'INSERT INTO pg_temp."{table}" ({columns}) SELECT {columns} FROM {_real(model, schema)}')  # noqa: S608
    next_id = f'SELECT COALESCE(max("{key}"), 0) + 1 FROM pg_temp."{table}"'  # noqa: S608
    _execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), ({next_id}), false)")
    _execute(f'ANALYZE pg_temp."{table}"')


def _real(model: type[Model], schema: str) -> str:
    return f'"{schema}"."{model._meta.db_table}"'


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _ask(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])
