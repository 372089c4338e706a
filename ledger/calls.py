"""Calls of the ledger's functions on Django's own connection, prepared and with binary parameters."""

import itertools
import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors
from psycopg.adapt import Dumper
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from ledger import binary


class Units(int):
    """A whole number of any size, always sent as PostgreSQL's numeric: the prepared statement stays the same."""


class _UnitsDumper(Dumper):
    format = Format.TEXT
    oid = 1700

    def dump(self, obj: Units) -> bytes:
        return int.__repr__(obj).encode()


def json_text(data: Mapping[str, Any]) -> str:
    """The movement's data as the database is given it.

    Raises: ValueError for a number that JSON does not have.
    """
    return json.dumps(data, allow_nan=False) if data else "{}"


def whole(units: int) -> int:
    """The number itself.

    Raises: TypeError for anything but an int.
    """
    if isinstance(units, bool) or not isinstance(units, int):
        raise TypeError(f"units are an int, not {units!r}")
    return units


def all_whole(units: Sequence[int]) -> Sequence[int]:
    """The numbers themselves.

    Raises: TypeError for anything but an int among them.
    """
    if set(map(type, units)) != {int}:
        for one in units:
            whole(one)
    return units


class _Own(threading.local):
    """A thread's cursor: Django's connections are threads' own as well."""

    cursor: psycopg.Cursor | None = None
    prepared: dict[tuple[Any, ...], bytes]  # a statement and its parameters' types, by the name that the session has


_own = _Own()
_NO_SUCH_STATEMENT = b"26000"


def call(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every row of a statement's answer, in one round trip.

    Django's own cursor writes the parameters into the text, which is parsed and planned every time. This one is the
    driver's plain cursor on the same connection and in the same transaction; Django's wrapper around it turns errors
    into Django's and lets instrumentation see the statement.
    """
    own = connections[DEFAULT_DB_ALIAS]
    cursor = _cursor(own)
    wrap = own.make_debug_cursor if own.queries_logged else own.make_cursor
    wrap(cursor).execute(statement, parameters)  # type: ignore[arg-type] # the stubs know Django's own cursor only
    return cursor.fetchall()


def call_alone(statement: str, parameters: Sequence[binary.Array | None]) -> str | None:
    """The one value that a statement answers, as text; for a statement that is a transaction of its own.

    It goes to libpq as it is: what a cursor does around that costs as much as posting several movements. Where somebody
    wants to see statements, or a session is not ours to keep them prepared in, it goes as any other.

    Raises: TransactionManagementError inside a transaction.
    """
    own = connections[DEFAULT_DB_ALIAS]  # `connection` looks this up for each of its attributes
    if own.in_atomic_block:
        raise transaction.TransactionManagementError("this statement is a transaction of its own")
    if own.queries_logged or own.execute_wrappers or not _keeps_its_session(own):
        value: str | None = call(statement, parameters)[0][0]
        return value
    raw = _cursor(own).connection
    types = [0 if parameter is None else parameter.oid for parameter in parameters]
    with own.wrap_database_errors, raw.lock:
        answer = _answer(raw.pgconn, statement, parameters, types)
        if answer.status != ExecStatus.TUPLES_OK and _sqlstate(answer) == _NO_SUCH_STATEMENT:
            _own.prepared.clear()  # somebody has had the session forget them
            answer = _answer(raw.pgconn, statement, parameters, types)
        if answer.status != ExecStatus.TUPLES_OK:
            raise _error(raw.pgconn, answer)
        text = answer.get_value(0, 0)
    return None if text is None else text.decode()


def _answer(pgconn: PGconn, statement: str, parameters: Sequence[binary.Array | None], types: list[int]) -> PGresult:
    key = (statement, *types)
    name = _own.prepared.get(key)
    if name is None:
        name = f"ledger_{len(_own.prepared)}".encode()
        places = (f"${place}" for place in itertools.count(1))
        numbered = re.sub("%s", lambda _: next(places), statement)
        made = pgconn.prepare(name, numbered.encode(), types)
        if made.status != ExecStatus.COMMAND_OK:
            return made
        _own.prepared[key] = name
    values: Sequence[Any] = parameters  # the type that psycopg gives them leaves NULL out
    return pgconn.exec_prepared(name, values, [Format.BINARY] * len(types), Format.TEXT)


def _sqlstate(answer: PGresult) -> bytes:
    return answer.error_field(DiagnosticField.SQLSTATE) or b""


def _error(pgconn: PGconn, answer: PGresult) -> psycopg.Error:
    if pgconn.status != ConnStatus.OK:
        return psycopg.OperationalError(answer.get_error_message())
    return errors.error_from_result(answer)


def _cursor(own: BaseDatabaseWrapper) -> psycopg.Cursor:
    """This thread's cursor on Django's connection, opened where there is none on this one."""
    own.close_if_health_check_failed()
    own.ensure_connection()
    own.validate_thread_sharing()
    raw = own.connection
    cursor = _own.cursor
    if cursor is None or cursor.connection is not raw:
        cursor = _own.cursor = _open(raw, own)
        _own.prepared = {}
    return cursor


def _open(raw: psycopg.Connection, own: BaseDatabaseWrapper) -> psycopg.Cursor:
    cursor = psycopg.Cursor(raw)
    cursor.format = Format.BINARY
    cursor.adapters.register_dumper(Units, _UnitsDumper)
    binary.register(cursor)
    if raw.prepare_threshold is None and _keeps_its_session(own):
        raw.prepare_threshold = 0  # Django's cursors bind on the client's side and are never prepared
    return cursor


def _keeps_its_session(own: BaseDatabaseWrapper) -> bool:
    """Whether statements may stay prepared: not behind a pooler that changes sessions between transactions."""
    return not own.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
