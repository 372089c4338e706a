"""The chain on disk: one SQLite file in which a block, its transactions and its state become visible together.

A process that is killed leaves the last committed block as head. Trie nodes are only ever added, so the state of every
block that exists can be opened, and a reorganisation merely deletes blocks.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from eth.db.backends.base import BaseDB

from chain.devnet import transactions
from chain.devnet.blocks import Block, Mined

SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS node (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL, parent BLOB NOT NULL, timestamp_ms INTEGER NOT NULL,
    transactions_root BLOB NOT NULL, witness BLOB NOT NULL, state_root BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS mined (
    txid BLOB PRIMARY KEY, number INTEGER NOT NULL, position INTEGER NOT NULL,
    raw BLOB NOT NULL, signatures TEXT NOT NULL, result TEXT NOT NULL, info TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS mined_by_block ON mined (number, position);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
BLOCK_COLUMNS: Final = "number, id, parent, timestamp_ms, transactions_root, witness, state_root"
MINED_COLUMNS: Final = "raw, signatures, result, info"


class Nodes(BaseDB):
    """Trie nodes and contract codes; new ones wait in memory until their block is appended."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        if key in self._waiting:
            return self._waiting[key]
        row = self._connection.execute("SELECT value FROM node WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        value: bytes = row[0]
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._waiting[key] = value

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("trie nodes are never deleted: older states need them")

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def write(self) -> None:
        """Insert what waits; the caller has a transaction open."""
        self._connection.executemany("INSERT OR IGNORE INTO node VALUES (?, ?)", self._waiting.items())
        self._waiting = {}


class Store:
    """Blocks, transactions, state and single facts in one SQLite file."""

    def __init__(self, path: Path) -> None:
        # The node's lock lets one thread in at a time, so the connection may change hands.
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(SCHEMA)
        self.nodes = Nodes(self._connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def append(self, block: Block, mined: Sequence[Mined], *, facts: Iterable[tuple[str, str]]) -> None:
        """Commit a block with everything in it."""
        rows = [
            (
                entry.transaction.txid,
                block.number,
                position,
                entry.transaction.raw,
                json.dumps([signature.hex() for signature in entry.transaction.signatures]),
                entry.result,
                json.dumps(entry.info),
            )
            for position, entry in enumerate(mined)
        ]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self.nodes.write()
            self._connection.execute(
                f"INSERT INTO block ({BLOCK_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
                (
                    block.number,
                    block.id,
                    block.parent,
                    block.timestamp_ms,
                    block.transactions_root,
                    block.witness,
                    block.state_root,
                ),
            )
            self._connection.executemany("INSERT INTO mined VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._write_facts(facts)

    def cut(self, number: int, *, facts: Iterable[tuple[str, str]]) -> None:
        """Commit the loss of all blocks above a number."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("DELETE FROM mined WHERE number > ?", (number,))
            self._connection.execute("DELETE FROM block WHERE number > ?", (number,))
            self._write_facts(facts)

    def head(self) -> Block | None:
        """Find the last block."""
        return self._one_block("ORDER BY number DESC LIMIT 1", ())

    def block(self, number: int) -> Block | None:
        """Find a block by its number."""
        return self._one_block("WHERE number = ?", (number,))

    def mined_in(self, number: int) -> list[Mined]:
        """List a block's transactions in their order."""
        rows = self._connection.execute(
            f"SELECT {MINED_COLUMNS} FROM mined WHERE number = ? ORDER BY position",  # noqa: S608 - a constant
            (number,),
        )
        return [_mined(row) for row in rows]

    def find(self, txid: bytes) -> tuple[int, Mined] | None:
        """Find a transaction and the number of its block."""
        row = self._connection.execute(
            f"SELECT {MINED_COLUMNS}, number FROM mined WHERE txid = ?",  # noqa: S608 - a constant
            (txid,),
        ).fetchone()
        return None if row is None else (row[-1], _mined(row[:-1]))

    def fact(self, name: str) -> str | None:
        """Read a single fact."""
        row = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _write_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        self._connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts)

    def _one_block(self, condition: str, values: tuple[int, ...]) -> Block | None:
        row = self._connection.execute(
            f"SELECT {BLOCK_COLUMNS} FROM block {condition}",  # noqa: S608 - constants of this module
            values,
        ).fetchone()
        return None if row is None else Block(*row)


def _mined(row: Sequence[Any]) -> Mined:
    raw, signatures, result, info = row
    return Mined(
        transaction=transactions.decode(raw, [bytes.fromhex(signature) for signature in json.loads(signatures)]),
        result=result,
        info=json.loads(info),
    )
