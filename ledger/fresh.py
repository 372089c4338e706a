"""The short way of posting, for one movement or thousands: all new, all allowed, between accounts that are open.

Whatever is out of the ordinary leaves everything as it was, and the longer ways find out what it is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger import calls, packing, posting
from ledger.packing import Packed
from ledger.posting import Movement, Posted

_COLUMNS = (
    "%s::uuid[], %s::uuid[], %s::numeric[], %s::int[], %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::int[],"
    " %s::numeric[], %s::text[], %s::jsonb[]"
)
_POST = f"SELECT ledger_post_fresh({_COLUMNS})"
_POST_CROWD = f"SELECT ledger_post_crowd({_COLUMNS}, true, true)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def posted(movements: Sequence[Movement], packed: Packed) -> bool:
    """Whether the movements are written now, with the call's transaction; otherwise nothing is."""
    with posting.refusals():
        return bool(calls.call(_POST, _parameters(movements, packed))[0][0])


def post_together(movements: Sequence[Movement]) -> list[Posted] | None:
    """Post different callers' movements, None when they do not go this way; waits 100 ms for a row, not longer.

    Raises: TransactionManagementError inside a transaction; OperationalError when somebody holds a row for longer;
    IntegrityError when one of them has been posted before.
    """
    answer = calls.call_alone(_POST_CROWD, _parameters(movements, packing.pack(movements)))
    return _answers(movements, answer) if answer is not None else None


def _parameters(movements: Sequence[Movement], packed: Packed) -> list[Any]:
    accounts = packed.accounts
    return [accounts.books(), accounts.ids(), *packing.changes(movements, accounts), *packed.columns]


def _answers(movements: Sequence[Movement], answer: str) -> list[Posted]:
    at, *columns = answer.split("|")
    moment = _EPOCH + timedelta(microseconds=int(at))
    numbers = [map(int, column.split(",")) for column in columns]
    return [
        Posted(movement.id, source_seq, target_seq, source, target, moment, repeated=False)
        for movement, source_seq, target_seq, source, target in zip(movements, *numbers, strict=True)
    ]
