"""One worker at a time at a sweep whose rows have no leases: two would only do the same twice, and refuse it.

Nothing rests on it: what must not happen twice, constraints and row locks prevent. The lock belongs to the worker's
connection to PostgreSQL, so that it goes with a worker that dies.
"""

import functools
from collections.abc import Callable

from django.db import connection


def one_at_a_time(sweep: Callable[[], int]) -> Callable[[], int]:
    """Do nothing where another worker is at the same sweep now; what that one does not see yet, beat rings for."""
    name = f"sluice.sweep.{sweep.__name__}"

    @functools.wraps(sweep)
    def swept() -> int:
        if not _ask("SELECT pg_try_advisory_lock(hashtext(%s))", name):
            return 0
        try:
            return sweep()
        finally:
            _ask("SELECT pg_advisory_unlock(hashtext(%s))", name)

    return swept


def _ask(statement: str, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [name])
        (said,) = cursor.fetchone()
    return bool(said)
