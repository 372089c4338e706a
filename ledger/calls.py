"""Calls of the ledger's functions on Django's own connection, prepared and with binary parameters."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

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


_own = _Own()


def call(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every row of a statement's answer, in one round trip.

    Django's own cursor writes the parameters into the text, which is parsed and planned every time. This one is the
    driver's plain cursor on the same connection and in the same transaction; Django's wrapper around it turns errors
    into Django's and lets instrumentation see the statement.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_thread_sharing()
    raw = connection.connection
    cursor = _own.cursor
    if cursor is None or cursor.connection is not raw:
        cursor = _own.cursor = _open(raw)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    wrap(cursor).execute(statement, parameters)  # type: ignore[arg-type] # the stubs know Django's own cursor only
    return cursor.fetchall()


def _open(raw: psycopg.Connection) -> psycopg.Cursor:
    cursor = psycopg.Cursor(raw)
    cursor.format = Format.BINARY
    cursor.adapters.register_dumper(Units, _UnitsDumper)
    binary.register(cursor)
    if raw.prepare_threshold is None and _keeps_its_session():
        raw.prepare_threshold = 0  # Django's cursors bind on the client's side and are never prepared
    return cursor


def _keeps_its_session() -> bool:
    """Whether statements may stay prepared: not behind a pooler that changes sessions between transactions."""
    return not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
