"""The sealer: what was committed goes into Merkle blocks chained by hash, off the write path.

A block's hash covers every column of its events and all blocks before it. Whoever keeps one, outside this database, can
show later that nothing up to it was changed, removed or slipped in: ledger/verify.py needs nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from django.db import IntegrityError, connection, transaction
from psycopg import sql

from ledger.models import Anchor, Block

Taken = TypeVar("Taken")
EVENTS_PER_BLOCK = 16_384
BLOCKS_PER_SWEEP = 64
STREAMED = 1_024  # so many blocks are read together

# Spelled out, while the door to blocks has ledger_sealed_text(): two texts, either can accuse the other.
# As CSV between characters that no line can hold: the lines come as they are.
_LINES = """
COPY (
    SELECT concat_ws(E'\\t', book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance,
                     target_balance, to_json(reference), encode(request_hash, 'hex'), data,
                     (extract(epoch FROM at) * 1000000)::bigint, xid)
    FROM ledger_event WHERE xid >= {}::text::xid8 AND xid < {}::text::xid8 ORDER BY xid, book, id
) TO STDOUT (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02', ESCAPE E'\\x02')
"""

_OLDEST_UNSEALED = """
SELECT at FROM ledger_event
WHERE xid >= coalesce((SELECT xid_to FROM ledger_block ORDER BY number DESC LIMIT 1), '0') ORDER BY xid LIMIT 1
"""


class XidsWentBack(Exception):
    """The database numbers its transactions below what is sealed already: it was restored without its counter."""


def seal_due(*, now: datetime, limit: int = EVENTS_PER_BLOCK) -> int:
    """Seal what is committed and not sealed yet, in blocks of about `limit` events; how many events that were.

    A sweep to be repeated: it stops after some blocks, and at once when another sealer is at work.

    Raises: XidsWentBack.
    """
    sealed = 0
    for _ in range(BLOCKS_PER_SWEEP):
        events = _seal(limit, now)
        sealed += events
        if events < limit:
            break
    return sealed


def _seal(limit: int, now: datetime) -> int:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10min'")  # a payout run of many thousands is one block
            cursor.execute("SELECT events FROM ledger_seal(%s, %s)", [limit, now])
            row = cursor.fetchone()
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error) and cause.diag.constraint_name == "xids_rise":
            raise XidsWentBack(str(error)) from error
        raise
    return row[0] if row else 0


def oldest_unsealed_at() -> datetime | None:
    """When the oldest event that no block holds was written; None when all are sealed.

    Found by its transaction's number, at the cost of one row, however many wait.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_UNSEALED)
        row = cursor.fetchone()
    return row[0] if row else None


def newest() -> Block | None:
    """The block that covers all the others."""
    return Block.objects.order_by("-number").first()


def to_anchor(network: str) -> Block | None:
    """The newest block, whose hash is to be made public on that network; None when it has been."""
    block = newest()
    if block and not Anchor.objects.filter(block=block.number, network=network).exists():
        return block
    return None


def anchored(block: int, *, network: str, txid: str, now: datetime) -> None:
    """Write down in which transaction a block's hash was made public; a repeat changes nothing.

    Raises: Block.DoesNotExist.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_anchored(%s, %s, %s, %s)", [block, network, txid, now])
        if cursor.fetchone() != (True,):
            raise Block.DoesNotExist(f"there is no block {block}")


def header(block: Block) -> dict[str, Any]:
    """A block's parts as they are hashed and exported, see ledger/verify.py."""
    return {
        "number": block.number,
        "previous": bytes(block.previous).hex(),
        "xid_from": block.xid_from,
        "xid_to": block.xid_to,
        "xid_next": block.xid_next,
        "events": block.events,
        "events_total": block.events_total,
        "root": bytes(block.root).hex(),
        "sealed_at": microseconds(block.sealed_at),
        "hash": bytes(block.hash).hex(),
    }


def batches() -> Iterator[list[Block]]:
    """All blocks in their order, some at a time."""
    last = 0
    while found := list(Block.objects.filter(number__gt=last).order_by("number")[:STREAMED]):
        yield found
        last = found[-1].number


def contents(blocks: Sequence[Block], take: Callable[[bytes], Taken]) -> Iterator[tuple[Block, list[Taken]]]:
    """Each of some blocks that follow one another, with what is taken from the lines of the events that belong into it.

    Every event from the first block's edge to the last one's is in some block's lines: one that no block sealed, too.
    """
    taken: list[Taken] = []
    due = iter(blocks)
    block = next(due)
    for text in _lines(blocks[0].xid_from, blocks[-1].xid_to):
        xid = int(text[text.rindex(b"\t") + 1 :])
        while xid >= block.xid_to:
            yield block, taken
            block, taken = next(due), []
        taken.append(take(text))
    yield block, taken
    for block in due:
        yield block, []


def _lines(xid_from: int, xid_to: int) -> Iterator[bytes]:
    """The sealed lines of all events of a stretch of transactions, in the order of their leaves."""
    connection.ensure_connection()
    assert connection.connection is not None  # noqa: S101 - for the type checker: it was ensured
    statement = sql.SQL(_LINES).format(sql.Literal(str(xid_from)), sql.Literal(str(xid_to)))
    with connection.connection.cursor() as cursor, cursor.copy(statement) as rows:
        for row in rows:
            yield bytes(row)[:-1]


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + moment.microsecond
