"""What a follower asks of a chain family: whole stretches of blocks with everything that came in there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chain.gateway import Head
from chain.links import Block

OWN_COIN = 0  # the index of what a transaction itself moves; its Transfer events count from 1


@dataclass(frozen=True, slots=True)
class Moved:
    """Coins or tokens that a transaction moved to somebody; accounts are their 20 bytes, NATIVE's contract none.

    The index counts within the transaction and not within its block, so that it outlasts a reorganisation.
    Units: what the contract counts in.
    """

    txid: str
    index: int
    contract: bytes
    recipient: bytes
    amount_units: int


@dataclass(frozen=True, slots=True)
class Read:
    """A block and all that was moved there, to whomever."""

    block: Block
    moved: tuple[Moved, ...] = field(repr=False)


class Reader(Protocol):
    """A network during one sweep."""

    stride: int  # how many blocks are read at once while it catches up

    def head(self) -> Head:
        """The newest common and the newest final block. Raises: ChainError."""

    def hash_at(self, number: int) -> str:
        """The hash of the block at a height now, which a reorganisation may change. Raises: ChainError."""

    def stretch(self, first: int, last: int, *, settled: bool) -> Sequence[Read]:
        """The blocks of a stretch with what was moved there, each following the one before it.

        `settled`: the stretch is final, so that whoever tells it otherwise than others is put aside.
        Raises: ChainError.
        """

    def stayed(self, moved: Sequence[Moved], hashes: Mapping[str, str]) -> list[Moved]:
        """Those that did not fail in the end; `hashes` names each transaction's block. Raises: ChainError."""
