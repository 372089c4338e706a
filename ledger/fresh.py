"""The short way of posting, for one movement or thousands: all new, all allowed, between accounts that are open.

Whatever is out of the ordinary leaves everything as it was, and the longer ways find out what it is.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from ledger import calls, packing, posting
from ledger.packing import Packed
from ledger.posting import Movement, Posted

_COLUMNS = (
    "%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::int[], %s::numeric[], %s::text[],"
    " %s::jsonb[]"
)
_POST = f"SELECT done FROM ledger_post_fresh({_COLUMNS}, false)"  # noqa: S608 - our own columns
_POST_CROWD = f"SELECT * FROM ledger_post_crowd({_COLUMNS}, true, true)"  # noqa: S608 - our own columns


def posted(packed: Packed) -> bool:
    """Whether the movements are written now, with the call's transaction; otherwise nothing is."""
    with posting.refusals():
        return bool(calls.call(_POST, _parameters(packed))[0][0])


def post_together(movements: Sequence[Movement]) -> list[Posted] | None:
    """Post different callers' movements, None when they do not go this way; waits 100 ms for a row, not longer.

    Raises: TransactionManagementError inside a transaction; OperationalError when somebody holds a row for longer;
    IntegrityError when one of them has been posted before.
    """
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("a call for several callers is a transaction of its own")
    packed = packing.pack(movements)
    done, at, *columns = calls.call(_POST_CROWD, _parameters(packed))[0]
    return _answers(movements, at, columns) if done else None


def _parameters(packed: Packed) -> list[Any]:
    return [packed.accounts.books(), packed.accounts.ids(), *packed.columns]


def _answers(movements: Sequence[Movement], at: Any, columns: list[Any]) -> list[Posted]:
    return [
        Posted(movement.id, source_seq, target_seq, int(source), int(target), at, repeated=False)
        for movement, source_seq, target_seq, source, target in zip(movements, *columns, strict=True)
    ]
