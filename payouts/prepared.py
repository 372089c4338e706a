"""Statements of the hot path whose text is made once: Django makes it anew each time, which costs more than running it.

They run prepared, on Django's own connection and in its transaction; errors are Django's, instrumentation sees them.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

import psycopg
from django.db import connection, models
from django.db.models.query import get_related_populators
from psycopg.adapt import Transformer
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

M = TypeVar("M", bound=models.Model)
MOST_SHARED = 10_000  # instances of one query
FORGOTTEN = b"26000"  # invalid_sql_statement_name
# Stand-ins with which a query is made once: each is found again among its parameters.
SAMPLES: dict[type, Callable[[], Any]] = {
    UUID: uuid4,
    str: lambda: uuid4().hex,
    Decimal: lambda: Decimal(uuid4().int),
}


class _Own(threading.local):
    """A thread's cursor: Django's connections are threads' own as well."""

    cursor: psycopg.Cursor | None = None
    raw: psycopg.Connection | None = None

    def __init__(self) -> None:
        self.names: dict[str, bytes] = {}  # of the statements that are prepared on `raw`


_own = _Own()


def call(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every row of a statement's answer; for one that answers none, nothing."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw = connection.connection
    cursor = _own.cursor
    if cursor is None or cursor.connection is not raw:
        cursor = _own.cursor = psycopg.Cursor(raw)
        if raw.prepare_threshold is None and not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            raw.prepare_threshold = 0  # else the session is not ours alone: a pooler changes it between transactions
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    wrap(cursor).execute(statement, parameters)  # type: ignore[arg-type] # the stubs know Django's own cursor only
    return cursor.fetchall() if cursor.description else []


def texts(statement: str, parameters: Sequence[str | bytes | None]) -> list[tuple[bytes | None, ...]]:
    """The same by libpq's own door, all in PostgreSQL's text form: a fifth of a cursor's cost to Python.

    The statement has its parameters as $1, $2 …, with casts where their types do not follow from it.
    """
    result = answer(statement, [one.encode() if isinstance(one, str) else one for one in parameters])
    return [tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)]


def answer(statement: str, packed: Sequence[bytes | None]) -> PGresult:
    """The driver's own result of such a statement."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw = connection.connection
    if _own.raw is not raw:
        _own.raw, _own.names = raw, {}
    with connection.wrap_database_errors:
        result = _run(raw, statement, packed)
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            raise psycopg.errors.error_from_result(result)
    return result


def _packed(value: Any) -> bytes:
    return (str(value).lower() if isinstance(value, bool) else str(value)).encode()


def _numbered(statement: str, count: int) -> str:
    """Django's statement with libpq's names for its parameters."""
    parts = statement.split("%s")
    if len(parts) != count + 1 or "%" in "".join(parts):
        raise TypeError("a statement whose parameters cannot be numbered")
    return parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], start=1))


def _run(raw: psycopg.Connection, statement: str, packed: Sequence[Any]) -> PGresult:
    if connection.in_atomic_block or connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return raw.pgconn.exec_params(statement.encode(), packed)
    if statement in _own.names:
        result = raw.pgconn.exec_prepared(_own.names[statement], packed)
        if result.error_field(DiagnosticField.SQLSTATE) != FORGOTTEN:
            return result
        _own.names.clear()  # the driver has had the session forget all its statements, as it does after a rollback
    name = _own.names[statement] = f"sluice_{len(_own.names)}".encode()
    made = raw.pgconn.prepare(name, statement.encode())
    return raw.pgconn.exec_prepared(name, packed) if made.status == ExecStatus.COMMAND_OK else made


class Query(Generic[M]):
    """A query of one shape: `make` builds it from values of these types, once; after that only the values change."""

    def __init__(self, make: Callable[..., models.QuerySet[M]], *types: type) -> None:
        self._make, self._types = make, types
        self._made: tuple[str, list[Any], Callable[[list[tuple[Any, ...]]], list[M]]] | None = None
        self._numbered: str | None = None
        self._instances: dict[tuple[bytes | None, ...], M] = {}

    def rows(self, *values: Any) -> list[M]:
        """What it finds for these values, as model instances."""
        if self._made is None:
            self._made = self._prepare()
        statement, parameters, read = self._made
        filled = [values[one.number] if isinstance(one, _Slot) else one for one in parameters]
        return read(call(statement, filled))

    def first(self, *values: Any) -> M | None:
        """The first that it finds, if any."""
        return next(iter(self.rows(*values)), None)

    def shared(self, *values: Any) -> M | None:
        """The first that it finds, by libpq's own door: as long as the row says the same, always the same instance.

        It is read every time, made once, and everybody's: for what nobody changes.
        """
        if self._made is None:
            self._made = self._prepare()
        statement, parameters, read = self._made
        if self._numbered is None:
            self._numbered = _numbered(statement, len(parameters))
        packed = [_packed(values[one.number] if isinstance(one, _Slot) else one) for one in parameters]
        result = answer(self._numbered, packed)
        if not result.ntuples:
            return None
        row = tuple(result.get_value(0, column) for column in range(result.nfields))
        found = self._instances.get(row)
        if found is None:
            if len(self._instances) >= MOST_SHARED:
                self._instances.clear()
            loader = Transformer(connection.connection)
            loader.set_pgresult(result)
            (found,) = read(loader.load_rows(0, 1, tuple))
            self._instances[row] = found
        return found

    def _prepare(self) -> tuple[str, list[Any], Callable[[list[tuple[Any, ...]]], list[M]]]:
        samples = [SAMPLES[one]() for one in self._types]
        query = self._make(*samples)
        compiler = query.query.get_compiler(connection=connection)
        statement, parameters = compiler.as_sql()
        slots = {sample: _Slot(number) for number, sample in enumerate(samples)}
        found = [slots.get(one, one) if isinstance(one, tuple(SAMPLES)) else one for one in parameters]
        if {one for one in found if isinstance(one, _Slot)} != set(slots.values()):
            raise TypeError("a value of this query does not show in its parameters")
        return statement, found, _reader(compiler)


class _Slot:
    """The place of a value."""

    def __init__(self, number: int) -> None:
        self.number = number


def _reader(compiler: Any) -> Callable[[list[tuple[Any, ...]]], list[Any]]:
    """From rows to instances, as Django's ModelIterable does it."""
    info, select, using = compiler.klass_info, compiler.select, connection.alias
    first, last = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column.target.attname for column, *_ in select[first:last]]
    populators = get_related_populators(info, select, using)  # type: ignore[call-arg]  # the stubs are of Django 6
    converters = compiler.get_converters([column for column, *_ in select])

    def read(rows: Iterable[Any]) -> list[Any]:
        found = []
        for row in compiler.apply_converters(rows, converters) if converters else rows:
            instance = info["model"].from_db(using, names, row[first:last])
            for populator in populators:
                populator.populate(row, instance)
            found.append(instance)
        return found

    return read


def insert(row: models.Model) -> None:
    """Insert a new row, as `save(force_insert=True)` does, but for the signals, of which we have none."""
    statement, fields, key = _insert(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    ((made,),) = call(statement, values)
    setattr(row, key, made)
    row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - what save() does


@cache
def _insert(model: type[models.Model]) -> "tuple[str, list[models.Field[Any, Any]], str]":
    meta, quote = model._meta, connection.ops.quote_name  # noqa: SLF001 - Django's documented door to a model's fields
    fields = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(quote(str(field.column)) for field in fields)
    holes = ", ".join("%s" for _ in fields)
    key = quote(str(meta.pk.column))
    statement = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({holes}) RETURNING {key}"  # noqa: S608 - the model's own names
    return statement, fields, str(meta.pk.attname)
