"""Reads that are defined once as a Django queryset and compiled once a process.

Building a queryset and compiling it to SQL costs several times what a small statement costs to run. A `Read` pays
that at its first call; later calls fill in the parameters, run the statement and make the rows. PostgreSQL is spared
too: it parses and plans a statement once a connection.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import orjson
import psycopg
from django.conf import settings
from django.db import connections
from django.db.models import BooleanField, Expression, F, Func, Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.fields.json import JSONField
from django.db.models.query import ModelIterable
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzBinaryLoader
from psycopg.types.json import JsonbBinaryLoader

Row = TypeVar("Row")


class _Slot:
    """Where a parameter's value goes among a statement's parameters."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Param(Expression):
    """A value that each call gives by name, where a queryset takes one: `filter(currency=Param("currency"))`.

    Not for a value whose column Django converts on its way in (JSON, files): the call's value goes in as it is.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [_Slot(self.name)]

    def get_group_by_cols(self) -> list[Any]:
        return []


class AnyOf(Func):
    """`column = ANY(array)`: one statement text for lists of any length, unlike `IN`.

    A condition that rows must meet: neither negated nor one of several alternatives, because an empty list ends a Read.
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()
    conditional = True

    def __init__(self, column: str, name: str) -> None:
        super().__init__(F(column), Param(name))


class Read(Generic[Row]):
    """A queryset of model instances, compiled at the first call.

    `define` returns the queryset, with `Param` for what calls give; it must not depend on anything else that changes.
    Deferred columns and annotations work; `select_related` and `prefetch_related` do not.
    """

    def __init__(self, define: "Callable[[], QuerySet[Any, Any]]") -> None:
        self._define = define
        self._statements: dict[str, _Statement] = {}

    def __call__(self, **values: Any) -> list[Row]:
        """The rows. A list parameter is a list; every parameter is given. For an empty list nothing is asked."""
        if any(type(value) is list and not value for value in values.values()):
            return []
        queryset = None
        alias = "default"
        if len(connections.settings) > 1:
            queryset = self._define()
            alias = queryset.db
        statement = self._statements.get(alias)
        if statement is None:
            statement = self._statements[alias] = _Statement(self._define() if queryset is None else queryset, alias)
        return statement.rows(values)


class _Statement:
    def __init__(self, queryset: "QuerySet[Any, Any]", alias: str) -> None:
        self._alias = alias
        compiler = queryset.query.get_compiler(alias)
        self._sql, self._params = compiler.as_sql()
        plain = queryset._iterable_class is ModelIterable and not queryset._prefetch_related_lookups  # type: ignore[attr-defined]
        if not plain or compiler.klass_info is None or compiler.klass_info.get("related_klass_infos"):
            raise TypeError("A Read is of one model's instances.")
        fields = compiler.klass_info["select_fields"]
        self._start, self._end = fields[0], fields[-1] + 1
        self._model: type[Model] = compiler.klass_info["model"]
        self._names = [compiler.select[index][0].target.attname for index in fields]
        self._annotations = list(compiler.annotation_col_map.items())
        columns = [each[0] for each in compiler.select]
        self._converters = [
            (position, [convert for convert in converters if not _is_json(convert)], expression)
            for position, (converters, expression) in compiler.get_converters(columns).items()
        ]
        self._converters = [each for each in self._converters if each[1]]

    def rows(self, values: dict[str, Any]) -> list[Any]:
        connection = connections[self._alias]
        params = [values[each.name] if type(each) is _Slot else each for each in self._params]
        cursor = _read_cursor(connection)
        cursor.execute(self._sql, params)
        return list(self._instances(self._converted(cursor.fetchall(), connection)))

    def _converted(self, rows: Sequence[Sequence[Any]], connection: Any) -> Iterable[Sequence[Any]]:
        if not self._converters:
            return rows
        converted = [list(row) for row in rows]
        for position, converters, expression in self._converters:
            for row in converted:
                value = row[position]
                for convert in converters:
                    value = convert(value, expression, connection)
                row[position] = value
        return converted

    def _instances(self, rows: Iterable[Sequence[Any]]) -> Iterator[Model]:
        """Instances as `from_db` makes them, without its signals and its look at every field: a fifth of the cost."""
        model, alias, names = self._model, self._alias, self._names
        make, start, end = model.__new__, self._start, self._end
        for row in rows:
            instance = make(model)
            state = ModelState()
            state.adding = False
            state.db = alias
            attributes = instance.__dict__
            attributes["_state"] = state
            attributes.update(zip(names, row[start:end], strict=True))
            for name, position in self._annotations:
                attributes[name] = row[position]
            yield instance


# The connection's side -----------------------------------------------------------------------------


class _ReadCursor(psycopg.Cursor[Any]):
    """Binds at the server, prepares, and takes binary answers, which are cheaper to read than texts."""

    logged = False

    def execute(self, query: Any, params: Any = None, **_: Any) -> "_ReadCursor":
        super().execute(query, params, prepare=settings.PREPARED_STATEMENTS, binary=True)
        if self.logged:
            # Where Django looks for a statement's text with its values.
            text = psycopg.ClientCursor(self.connection).mogrify(query, params)
            self._query: Any = SimpleNamespace(query=text.encode())
        return self


class _JsonLoader(JsonbBinaryLoader):
    """Most JSON columns are empty objects."""

    def load(self, data: Buffer) -> Any:
        text = bytes(data)[1:]  # after the format's version
        return {} if text == b"{}" else orjson.loads(text)


def _is_json(converter: Any) -> bool:
    """Whether that is a JSONField's own converter, whose work the cursor has done."""
    field = getattr(converter, "__self__", None)
    return isinstance(field, JSONField) and field.decoder is None


_cursors: "WeakKeyDictionary[psycopg.Connection[Any], _ReadCursor]" = WeakKeyDictionary()
"""One for each connection to PostgreSQL, kept as long as that."""


def _read_cursor(connection: Any) -> Any:
    """The connection's cursor for reads, wrapped as Django wraps: statements are counted, logged, errors translated."""
    connection.ensure_connection()
    raw = connection.connection
    cursor = _cursors.get(raw)
    if cursor is None:
        raw.prepare_threshold = 0  # Django's own cursors bind at the client and never prepare
        cursor = _cursors[raw] = _ReadCursor(raw)
        cursor.adapters.register_loader("jsonb", _JsonLoader)
        cursor.adapters.register_loader("timestamptz", TimestamptzBinaryLoader)
    cursor.logged = connection.queries_logged
    return connection.make_debug_cursor(cursor) if cursor.logged else connection.make_cursor(cursor)
