"""Thousands of movements in one commit, with the outcome of posting them one after another."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import connection, transaction

from ledger import binary, calls, fresh, packing, posting
from ledger.accounts import Ref
from ledger.packing import Packed
from ledger.posting import LedgerRefused, Movement, Posted

_POST_MANY = """
SELECT * FROM ledger_post_many(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
    %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::int[], %s::numeric[], %s::text[], %s::jsonb[], %s::int[],
    %s::bool, %s::bool)
"""
_POST_TOGETHER = """
SELECT * FROM ledger_post_together(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
    %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::int[], %s::numeric[], %s::text[], %s::jsonb[], %s::int[])
"""
STATEMENT_TIMEOUT = "60s"  # a call of thousands may take longer than a request's statements

OnError = Literal["all_or_nothing", "skip_bad"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A movement that was not posted: its position in the call, from 0, and why."""

    position: int
    movement: Movement
    error: LedgerRefused


class BatchRefused(LedgerRefused):
    """One movement of the batch is refused and so nothing moved; `position` (from 0) and `movement` say which."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error.rule, ref=refusal.error.ref, short_units=refusal.error.short_units)
        self.position = refusal.position
        self.movement = refusal.movement
        self.__cause__ = refusal.error


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many movements were written now, which positions had been written before, which were refused and why."""

    posted: int
    repeated: list[int]
    refused: list[Refusal]


def post_many(movements: Sequence[Movement], *, on_error: OnError = "all_or_nothing") -> Outcome:
    """Post the movements in their order in one commit, over as many books as they name.

    Every balance in between meets its floor. Each movement stands for itself: one that repeats an earlier posting is
    counted as repeated, and a whole call can be repeated after a crash. With "skip_bad" a refused movement is left out
    and the others go on, on the balances without it. The two movements of a conversion (converting.legs()) stand
    next to each other, and are posted or refused together.

    Raises: BatchRefused naming the first refused movement, without "skip_bad"; LedgerRefused for data that the database
    cannot hold and for a race of two different calls for one id: nothing moved.
    """
    if on_error not in ("all_or_nothing", "skip_bad"):
        raise ValueError(f"on_error is 'all_or_nothing' or 'skip_bad', not {on_error!r}")
    if not movements:
        return Outcome(0, [], [])
    skip = on_error == "skip_bad"
    packed = packing.pack(movements)
    with _time_enough():
        if fresh.posted(movements, packed):
            return Outcome(len(movements), [], [])
        with posting.refusals():
            rows = calls.call(_POST_MANY, [*_parameters(packed, movements), skip, False])
    refs = {ref.id: ref for ref in packed.accounts.refs}
    refused = [Refusal(row[9] - 1, movements[row[9] - 1], error_of(row, refs)) for row in rows if row[0] is not None]
    if refused and not skip:
        raise BatchRefused(refused[0])
    repeated = [row[9] - 1 for row in rows if row[0] is None and row[8]]
    return Outcome(len(movements) - len(refused) - len(repeated), repeated, refused)


def post_each(movements: Sequence[Movement]) -> list[Posted | LedgerRefused]:
    """Post what belongs to different callers in one commit; each gets its own answer or refusal."""
    packed = packing.pack(movements)
    with posting.refusals():
        rows = calls.call(_POST_TOGETHER, _parameters(packed, movements))
    refs = {ref.id: ref for ref in packed.accounts.refs}
    return [
        error_of(row, refs)
        if row[0] is not None
        else Posted(movement.id, row[3], row[4], int(row[5]), int(row[6]), row[7], row[8])
        for movement, row in zip(movements, rows, strict=True)
    ]


def error_of(row: Sequence[Any], refs: Mapping[UUID, Ref]) -> LedgerRefused:
    """The domain error that a row's refusal is."""
    rule, account, short = row[:3]
    ref = refs.get(account) if account else None
    return posting.REFUSALS.get(rule, LedgerRefused)(rule, ref=ref, short_units=None if short is None else int(short))


def _parameters(packed: Packed, movements: Sequence[Movement]) -> list[Any]:
    accounts = packed.accounts
    again = len({movement.id for movement in movements}) < len(movements)
    earlier = _earlier(movements) if again else None
    return [accounts.books(), accounts.ids(), *accounts.parts(), *packed.columns, earlier]


def _earlier(movements: Sequence[Movement]) -> binary.IntArray:
    """For each movement the position (from 1) of the one before it with the same book and id, 0 for none."""
    last: dict[tuple[UUID, UUID], int] = {}
    places = []
    for place, movement in enumerate(movements, start=1):
        key = (movement.source.book, movement.id)
        places.append(last.get(key, 0))
        last[key] = place
    return binary.ints(binary.numbers(places))


@contextmanager
def _time_enough() -> Iterator[None]:
    """In the caller's transaction as he set it; in our own with our own limit."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
        yield
