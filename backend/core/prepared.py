"""Reads that are defined once as a Django queryset and compiled once a process.

Building a queryset and compiling it to SQL costs several times what a small statement costs to run. A `Read` pays
that at its first call; later calls fill in the parameters, run the statement and make the rows. PostgreSQL is spared
too: it parses and plans a statement once a connection.

Statements go to libpq directly (`psycopg.pq`), values and rows through psycopg's adapters: a cursor would cost several
times what a small statement does.
"""

import re
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any, ClassVar, Generic, TypeVar

import orjson
import psycopg
from django.conf import settings
from django.db import connections
from django.db.models import BooleanField, Expression, F, Func, Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.fields.json import JSONField
from django.db.models.query import ModelIterable, ValuesListIterable
from psycopg.abc import Buffer
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.datetime import TimestamptzBinaryLoader
from psycopg.types.json import JsonbBinaryLoader

Row = TypeVar("Row")
BINARY = 1
PREPARED_KEPT = 300
"""Statements of a connection that PostgreSQL keeps; the least recently used makes room."""
OUTDATED = {b"0A000", b"26000"}
"""What PostgreSQL says of a statement whose columns have changed their types, and of one that somebody discarded."""
_SESSION = "cartograph_session"
"""Where Django's connection holds its `_Session`."""
_numbers = count()
_ANY = re.compile(r"= ANY\(\$(\d+)\)")


class RowTuple(tuple[Any, ...]):
    """A row without its model: a subclass annotates the columns of a `values_list`, by names that its model has, too.

    The first is `pk`; a subclass of a subclass adds columns. Columns beyond those annotated are in `row[len(names):]`.
    """

    model: ClassVar[type[Model]]
    names: ClassVar[tuple[str, ...]]
    pk: Any

    def __init_subclass__(cls, *, model: type[Model]) -> None:
        cls.model = model
        cls.names = (*getattr(cls, "names", ()), *cls.__annotations__)
        # Its attributes are twice as fast as properties.
        columns = namedtuple("columns", cls.names)  # type: ignore[misc]
        for name in cls.names:
            setattr(cls, name, getattr(columns, name))


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
    """A queryset, compiled at the first call: of one model's instances, or with `row` of a `values_list`.

    `row` is the tuple type that each row becomes, plain or a RowTuple.

    `define` returns the queryset, with `Param` for what calls give; it must not depend on anything else that changes.
    Deferred columns and annotations work; `select_related` and `prefetch_related` do not.
    """

    def __init__(self, define: "Callable[[], QuerySet[Any, Any]]", row: type[tuple[Any, ...]] | None = None) -> None:
        self._define = define
        self._row = row
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
            queryset = self._define() if queryset is None else queryset
            statement = self._statements[alias] = _Statement(queryset, alias, self._row)
        return statement.rows(values)


class _Text:
    """What PostgreSQL is told to prepare, and a name for it."""

    __slots__ = ("name", "sql")

    def __init__(self, sql: str) -> None:
        self.sql = sql.encode()
        self.name = b"cartograph_%d" % next(_numbers)


class _Statement:
    """A compiled queryset: its text, how each call's values go in, and what becomes of a row."""

    def __init__(self, queryset: "QuerySet[Any, Any]", alias: str, row: type[tuple[Any, ...]] | None) -> None:
        self._alias = alias
        compiler = queryset.query.get_compiler(alias)
        self.sql, self._params = compiler.as_sql()
        text = self.sql % tuple(f"${n}" for n in range(1, len(self._params) + 1))
        self.of_many = _Text(text)
        self.of_one = _Text(_ANY.sub(r"= $\1", text))
        self._lists = [int(number) - 1 for number in _ANY.findall(text)]
        self._make: Callable[[Any], Any] = (
            _instances(queryset, compiler, alias) if row is None else _tuples(queryset, row)
        )
        columns = [each[0] for each in compiler.select]
        self._converters = [
            (position, [convert for convert in converters if not _is_json(convert)], expression)
            for position, (converters, expression) in compiler.get_converters(columns).items()
        ]
        self._converters = [each for each in self._converters if each[1]]

    def rows(self, values: dict[str, Any]) -> list[Any]:
        connection = connections[self._alias]
        params = [values[each.name] if type(each) is _Slot else each for each in self._params]
        if not self._converters:
            return _fetch(connection, self, params, self._make)
        return [self._make(row) for row in self._converted(_fetch(connection, self, params, tuple), connection)]

    def for_values(self, params: list[Any]) -> tuple[_Text, list[Any]]:
        """The text, and what goes into it.

        A list of one is asked for as one value: PostgreSQL takes any list for one of ten rows, finds planning for just
        this one cheaper, and would do so at each call, which takes longer than reading the row.
        """
        if not self._lists or any(len(params[position]) != 1 for position in self._lists):
            return self.of_many, params
        values = list(params)
        for position in self._lists:
            [values[position]] = params[position]
        return self.of_one, values

    def _converted(self, rows: Sequence[Sequence[Any]], connection: Any) -> Iterable[Sequence[Any]]:
        converted = [list(row) for row in rows]
        for position, converters, expression in self._converters:
            for row in converted:
                value = row[position]
                for convert in converters:
                    value = convert(value, expression, connection)
                row[position] = value
        return converted


def _instances(queryset: "QuerySet[Any, Any]", compiler: Any, alias: str) -> Callable[[Sequence[Any]], Model]:
    """Instances as `from_db` makes them, without its signals and its look at every field: a fifth of the cost."""
    plain = queryset._iterable_class is ModelIterable and not queryset._prefetch_related_lookups  # type: ignore[attr-defined]
    if not plain or compiler.klass_info is None or compiler.klass_info.get("related_klass_infos"):
        raise TypeError("A Read is of one model's instances.")
    fields = compiler.klass_info["select_fields"]
    start, end = fields[0], fields[-1] + 1
    model = compiler.klass_info["model"]
    names = [compiler.select[index][0].target.attname for index in fields]
    annotations = list(compiler.annotation_col_map.items())
    new = model.__new__

    def make(row: Sequence[Any]) -> Model:
        instance: Model = new(model)
        state = ModelState()
        state.adding = False
        state.db = alias
        attributes = instance.__dict__
        attributes["_state"] = state
        attributes.update(zip(names, row[start:end], strict=True))
        for name, position in annotations:
            attributes[name] = row[position]
        return instance

    return make


def _tuples(queryset: "QuerySet[Any, Any]", row: type[tuple[Any, ...]]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    if queryset._iterable_class is not ValuesListIterable:  # type: ignore[attr-defined]
        raise TypeError("A Read with a row is of a values_list.")
    return partial(tuple.__new__, row)  # type: ignore[arg-type]


# The connection's side -----------------------------------------------------------------------------


def _fetch(connection: Any, statement: _Statement, params: list[Any], make: Callable[[Any], Any]) -> list[Any]:
    """What `make` makes of each row. Statements are counted and logged, errors translated, as with Django's cursors."""
    if connection.connection is None:
        connection.ensure_connection()
    session: _Session | None = connection.__dict__.get(_SESSION)
    if session is None or session.raw is not connection.connection:
        session = connection.__dict__[_SESSION] = _Session(connection.connection)
    if connection.queries_logged or not session.takes_statements:
        cursor = session.cursor(connection)
        cursor.execute(statement.sql, params)
        return [make(row) for row in cursor.fetchall()]
    connection.validate_no_broken_transaction()

    def execute(_sql: str, params: list[Any], _many: bool, _context: Any) -> list[Any]:
        return session.run(statement, params, make)

    for wrapper in reversed(connection.execute_wrappers):
        execute = partial(wrapper, execute)
    with connection.wrap_database_errors:
        return execute(statement.sql, params, False, {"connection": connection, "cursor": session.reading})


class _Session:
    """A connection to PostgreSQL, with what was prepared on it."""

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self.raw = raw
        self.reading = _ReadCursor(raw)
        self.reading.adapters.register_loader("jsonb", _JsonLoader)
        self.reading.adapters.register_loader("timestamptz", TimestamptzBinaryLoader)
        self._transformer = Transformer(self.reading)
        self._prepared: OrderedDict[bytes, bytes] = OrderedDict()
        self._numbers = count()

    @property
    def takes_statements(self) -> bool:
        """Whether a statement can go to libpq as it is: not where psycopg has to begin a transaction before it."""
        pgconn = self.raw.pgconn
        begun = self.raw.autocommit or pgconn.transaction_status != TransactionStatus.IDLE
        return begun and pgconn.pipeline_status == PipelineStatus.OFF

    def cursor(self, connection: Any) -> Any:
        """The cursor as Django would wrap it."""
        self.reading.logged = connection.queries_logged
        return (
            connection.make_debug_cursor(self.reading) if self.reading.logged else connection.make_cursor(self.reading)
        )

    def run(self, statement: _Statement, params: list[Any], make: Callable[[Any], Any]) -> list[Any]:
        """Raises psycopg's errors."""
        text, params = statement.for_values(params)
        result = self._execute(text, params)
        if result.status != ExecStatus.TUPLES_OK and self._forget(text, result):
            result = self._execute(text, params)
        self._check(result, ExecStatus.TUPLES_OK)
        transformer = self._transformer
        transformer.set_pgresult(result)
        try:
            return transformer.load_rows(0, result.ntuples, make)
        finally:
            transformer.set_pgresult(None)

    def _execute(self, text: _Text, params: list[Any]) -> PGresult:
        pgconn = self.raw.pgconn
        values = self._dump(params)
        if not settings.PREPARED_STATEMENTS:
            return pgconn.exec_params(text.sql, values, self._types(params), None, BINARY)
        name = self._prepared.get(text.name)
        if name is None:
            name = self._prepare(text, self._types(params))
        else:
            self._prepared.move_to_end(text.name)
        return pgconn.exec_prepared(name, values, None, BINARY)

    def _prepare(self, text: _Text, types: list[int]) -> bytes:
        pgconn = self.raw.pgconn
        if len(self._prepared) >= PREPARED_KEPT:
            _, oldest = self._prepared.popitem(last=False)
            pgconn.exec_(b"DEALLOCATE " + oldest)  # where that fails, so does what follows, or it was gone
        name = b"%s_%d" % (text.name, next(self._numbers))
        self._check(pgconn.prepare(name, text.sql, types), ExecStatus.COMMAND_OK)
        self._prepared[text.name] = name
        return name

    def _forget(self, text: _Text, result: PGresult) -> bool:
        """Have a statement prepared anew that is gone or outdated; whether that can be now: not in a transaction."""
        if result.error_field(DiagnosticField.SQLSTATE) in OUTDATED:
            self._prepared.pop(text.name, None)
            return self.raw.pgconn.transaction_status == TransactionStatus.IDLE
        return False

    def _check(self, result: PGresult, status: ExecStatus) -> None:
        if result.status == status:
            return
        if self.raw.pgconn.status == ConnStatus.BAD:
            raise psycopg.OperationalError(result.get_error_message())
        raise error_from_result(result)

    def _dump(self, params: list[Any]) -> Any:
        """The values as texts."""
        values = self._dump_plain(params)
        for position, each in enumerate(params):
            if type(each) is list:
                values[position] = self._dump_list(each)
        return values

    def _dump_plain(self, params: list[Any]) -> list[Buffer | None]:
        plain = [None if type(each) is list else each for each in params]
        return list(self._transformer.dump_sequence(plain, [PyFormat.TEXT] * len(plain)))

    def _types(self, params: list[Any]) -> list[int]:
        """The values' types; 0 where PostgreSQL is to infer it from its place."""
        self._dump_plain(params)
        found = self._transformer.types or ()
        return [0 if type(each) in (int, list) else oid for each, oid in zip(params, found, strict=True)]

    def _dump_list(self, values: list[Any]) -> Buffer | None:
        if set(map(type, values)) == {int}:
            return f"{{{','.join(map(str, values))}}}".encode()  # most lists are ids, and long
        return self._transformer.dump_sequence([values], [PyFormat.TEXT])[0]


class _ReadCursor(psycopg.Cursor[Any]):
    """Binds at the server and takes binary answers, as the direct way does.

    It prepares nothing: psycopg would have PostgreSQL forget all statements at a rollback, ours too.
    """

    logged = False

    def execute(self, query: Any, params: Any = None, **_: Any) -> "_ReadCursor":
        super().execute(query, params, prepare=False, binary=True)
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
