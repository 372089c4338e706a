"""Write different values into many rows with one statement whose length does not grow with them.

Django's bulk_update makes an expression per row and field, which costs more than the statement that they become.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def update_each(rows: Sequence[models.Model], names: Sequence[str]) -> int:
    """Write these fields of rows of one model as they are in memory; how many were there. No signals, no auto_now."""
    if not rows:
        return 0
    meta, quote = type(rows[0])._meta, connection.ops.quote_name  # noqa: SLF001 - Django's documented door to a model's fields
    by_name = {field.name: field for field in meta.concrete_fields}
    fields = [meta.pk, *(by_name[name] for name in names)]
    columns = [quote(str(field.column)) for field in fields]
    holes = ", ".join(f"%s::{_type(field)}[]" for field in fields)
    new = ", ".join(f"{column} = new.{column}" for column in columns[1:])
    statement = (  # of our own models' names alone
        f"UPDATE {quote(meta.db_table)} AS old SET {new} FROM unnest({holes}) AS new ({', '.join(columns)}) "  # noqa: S608 - see above
        f"WHERE old.{columns[0]} = new.{columns[0]}"
    )
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _type(field: "models.Field[Any, Any]") -> str:
    """Its type in PostgreSQL, without a length: whatever is too long is refused by the column, not cut by a cast."""
    return str(field.rel_db_type(connection)).partition("(")[0]
