"""Many new rows by COPY: what `bulk_create` does, without a statement of thousands of parameters."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db import connection, models

FEW = 50  # up to here one statement is as quick
Cell = Callable[[models.Model], Any]
TEXTS = (models.CharField, models.TextField)
PLAIN = (
    models.UUIDField,
    models.DecimalField,
    models.IntegerField,
    models.BooleanField,
    models.DateTimeField,
    models.BinaryField,
    models.ForeignKey,
)
PART = 5_000  # rows of one statement, which has its time limit


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, in the caller's transaction.

    A key that the database makes is not read back, and no signals are sent.
    """
    if not rows:
        return
    if len(rows) <= FEW:
        type(rows[0])._default_manager.bulk_create(rows)  # noqa: SLF001 - Django's documented door to a model's rows
    else:
        insert_stream(rows)


def insert_stream(rows: Iterable[models.Model]) -> None:
    """The same for rows that come one by one: no more of them than one statement takes are held."""
    source = iter(rows)
    while part := list(islice(source, PART)):
        statement, cells = _into(type(part[0]))
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in part:
                copy.write_row([cell(row) for cell in cells])
                row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - what save() does


@cache
def _into(model: type[models.Model]) -> tuple[str, list[Cell]]:
    meta, quote = model._meta, connection.ops.quote_name  # noqa: SLF001 - Django's documented door to a model's fields
    fields = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(quote(str(field.column)) for field in fields)
    return f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN", [_cell(field) for field in fields]


def _cell(field: "models.Field[Any, Any]") -> Cell:
    """How a row's value of this field is found: as it is where psycopg knows its type, else as `save()` finds it."""
    if type(field).pre_save is models.Field.pre_save and isinstance(field, TEXTS):
        get = attrgetter(field.attname)
        return lambda row: value if type(value := get(row)) is str or value is None else str(value)  # a choice's value
    if type(field).pre_save is models.Field.pre_save and isinstance(field, PLAIN):
        return attrgetter(field.attname)
    return lambda row: field.get_db_prep_save(field.pre_save(row, True), connection)
