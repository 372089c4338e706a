"""Stretches of a chain whose blocks name each other by hash: the only ground that verdicts stand on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chain.gateway import Retryable

KEPT_BLOCKS = 64  # a gateway reads each of the newest blocks once per sweep


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction as a block shows it, as far as verdicts need it."""

    txid: str
    sender: str = ""  # EVM, lower case
    nonce: int = -1  # EVM
    to: str = ""  # EVM, lower case; empty where a contract is made
    data: str = ""  # EVM
    result: str = ""  # TRON


@dataclass(frozen=True, slots=True)
class Block:
    """A block as far as verdicts need it."""

    number: int
    hash: str
    parent: str
    at_ms: int
    txids: frozenset[str] = field(repr=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)  # EVM: only where they were asked for


class Kept:
    """The newest blocks that were read in this sweep, each asked for once."""

    def __init__(
        self, fetch: Callable[[int], Block], *, fetch_many: Callable[[Sequence[int]], Sequence[Block]] | None = None
    ) -> None:
        self._fetch = fetch
        self._fetch_many = fetch_many
        self._blocks: dict[int, Block] = {}

    def __call__(self, number: int) -> Block:
        """The block at a height."""
        return self._blocks.get(number) or self.keep(self._fetch(number))

    def fill(self, first: int, last: int) -> None:
        """Read what is missing of a stretch at once, where the node allows it."""
        missing = [number for number in range(first, last + 1) if number not in self._blocks]
        if self._fetch_many and len(missing) > 1:
            for block in self._fetch_many(missing):
                self.keep(block)

    def keep(self, block: Block) -> Block:
        """Remember a block that was read in another way."""
        self._blocks[block.number] = block
        while len(self._blocks) > KEPT_BLOCKS:
            del self._blocks[min(self._blocks)]
        return block


def stretch(
    fetch: Callable[[int], Block], first: int, last: int, *, parent: str = "", first_hash: str = ""
) -> list[Block]:
    """Fetch the blocks from first to last and check that each names its predecessor.

    Raises: Retryable when they do not belong together: the chain moved meanwhile, or an endpoint contradicts itself.
    """
    blocks: list[Block] = []
    before = parent
    for number in range(first, last + 1):
        block = fetch(number)
        if block.number != number or (before and block.parent != before):
            raise Retryable(f"block {number} does not follow block {number - 1} as read before")
        if number == first and first_hash and block.hash != first_hash:
            raise Retryable(f"block {number} is not the block {first_hash} that was read before")
        blocks.append(block)
        before = block.hash
    return blocks


def ends(blocks: Sequence[Block]) -> dict[str, Any]:
    """Describe a stretch for a proof: where it begins and ends, and how long it is."""
    return {
        "first": {"number": blocks[0].number, "hash": blocks[0].hash},
        "last": {"number": blocks[-1].number, "hash": blocks[-1].hash, "at_ms": blocks[-1].at_ms},
        "blocks": len(blocks),
    }
