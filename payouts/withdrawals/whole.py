"""A transaction that PostgreSQL gave up on is run again as a whole, at most five times (DESIGN §4)."""

import psycopg
import tenacity
from django.db import OperationalError


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction may simply be run again: a serialization failure or a deadlock (40001, 40P01)."""
    again = psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected
    return isinstance(error, OperationalError) and isinstance(error.__cause__, again)


retried = tenacity.retry(
    retry=tenacity.retry_if_exception(is_conflict),
    stop=tenacity.stop_after_attempt(5),
    wait=tenacity.wait_random(0, 0.05),
    reraise=True,
)
