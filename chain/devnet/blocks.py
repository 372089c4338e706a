"""A block: its header, its id and the transactions it holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chain.devnet import addresses, messages, transactions
from chain.devnet.transactions import Transaction

NUMBER_BYTES: Final = 8
VERSION: Final = 31
NO_HASH: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header and the root of the state after it.

    Units: milliseconds.
    """

    number: int
    id: bytes
    parent: bytes
    timestamp_ms: int
    transactions_root: bytes
    witness: bytes
    state_root: bytes


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in its block, with what `gettransactioninfobyid` tells about it."""

    transaction: Transaction
    result: str
    info: dict[str, Any]


def seal(
    *, number: int, parent: bytes, timestamp_ms: int, txids: Sequence[bytes], witness: bytes, state_root: bytes
) -> Block:
    """Close a block.

    Its id is, as on TRON, the hash of the header with the number written over the first eight bytes.
    """
    root = hashlib.sha256(b"".join(txids)).digest() if txids else NO_HASH
    header = messages.BlockHeaderRaw(
        timestamp=timestamp_ms,
        txTrieRoot=root,
        parentHash=parent,
        number=number,
        witness_address=addresses.PREFIX + witness,
        version=VERSION,
    )
    digest = hashlib.sha256(header.SerializeToString()).digest()
    return Block(
        number=number,
        id=number.to_bytes(NUMBER_BYTES) + digest[NUMBER_BYTES:],
        parent=parent,
        timestamp_ms=timestamp_ms,
        transactions_root=root,
        witness=witness,
        state_root=state_root,
    )


def to_json(block: Block, mined: Sequence[Mined], *, visible: bool) -> dict[str, Any]:
    """Write a block as the wallet API shows it."""
    header = {
        "raw_data": {
            "number": block.number,
            "txTrieRoot": block.transactions_root.hex(),
            "witness_address": addresses.show(block.witness, visible=visible),
            "parentHash": block.parent.hex(),
            "version": VERSION,
            "timestamp": block.timestamp_ms,
        },
        "witness_signature": "",
    }
    shown: dict[str, Any] = {"blockID": block.id.hex(), "block_header": header}
    if mined:
        shown["transactions"] = [
            transactions.to_json(entry.transaction, visible=visible, result=entry.result) for entry in mined
        ]
    return shown
