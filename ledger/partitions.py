"""Events lie in a table per month; next months' tables are made ahead."""

from datetime import datetime

from django.db import connection


def make_ahead(now: datetime) -> list[str]:
    """Make the partitions of this month and the next two that are not there yet, and name them.

    To be called daily or so. Without it nothing is refused: events of a month without its own partition lie in the
    default one, where they stay.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_make_ahead(%s)", [now])
        return [name for (name,) in cursor.fetchall()]
