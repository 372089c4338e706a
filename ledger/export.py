"""What leaves the ledger as proof: one event with its path to a block's hash, or the whole chain. See verify.py."""

import json
from collections.abc import Sequence
from typing import Any, BinaryIO
from uuid import UUID

from ledger import seals, verify
from ledger.models import Block, Event


class NotSealed(Exception):
    """No block holds this event yet; the sealer will come by."""


def event(book: UUID, id_: UUID, *, through: int | None = None) -> dict[str, Any]:
    """An event, its path to the root of its block, and the blocks from there to block `through` (or the newest).

    Raises: Event.DoesNotExist, NotSealed.
    """
    xid = Event.objects.values_list("xid", flat=True).get(book=book, id=id_)
    sealed = Block.objects.filter(xid_to__gt=xid).order_by("xid_to").first()
    if sealed is None:
        raise NotSealed(f"no block holds event {id_} yet")
    lines = next(lines for _, lines in seals.contents([sealed], bytes))
    leaves = [verify.leaf(line) for line in lines]
    begins = f"{book}\t{id_}\t".encode()
    index = next(index for index, line in enumerate(lines) if line.startswith(begins))
    blocks = Block.objects.filter(number__gte=sealed.number).order_by("number")
    if through is not None:
        blocks = blocks.filter(number__lte=max(through, sealed.number))
    return {
        "format": verify.EVENT_FORMAT,
        "event": _columns(lines[index].decode()),
        "index": index,
        "path": [neighbour.hex() for neighbour in path(verify.levels(leaves), index)],
        "blocks": [seals.header(block) for block in blocks.iterator()],
    }


def path(levels: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """What it takes besides a leaf to come to the root: the neighbour on every level where there is one."""
    neighbours = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            neighbours.append(level[index ^ 1])
        index //= 2
    return neighbours


def _columns(line: str) -> dict[str, str]:
    """The columns of a sealed line; verify.line() puts them together again."""
    columns = dict(zip(verify.COLUMNS, line.split("\t"), strict=True))
    return columns | {"reference": json.loads(columns["reference"])}


def chain(stream: BinaryIO) -> int:
    """Write every block with the lines of its events; how many blocks that were."""
    written = 0
    stream.write(_json({"format": verify.CHAIN_FORMAT, "columns": list(verify.COLUMNS)}))
    for blocks in seals.batches():
        for block, lines in seals.contents(blocks, bytes):
            body = b"".join(line + b"\n" for line in lines)
            stream.write(_json(seals.header(block) | {"bytes": len(body)}))
            stream.write(body)
            written += 1
    return written


def _json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"
