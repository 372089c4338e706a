"""The node: its chain, the transactions that wait, and what moves them: broadcast, mine, reorganise."""

import contextlib
import threading
from collections.abc import Callable, Container, Iterable
from typing import Final

from eth_hash.auto import keccak

from chain.devnet import blocks, engine, execution, genesis, receipts, refusals, rules
from chain.devnet.blocks import Block, Mined
from chain.devnet.engine import State
from chain.devnet.parameters import Parameters
from chain.devnet.store import Store
from chain.devnet.transactions import Transaction

MAX_DROPS_TOLD: Final = 1_000


class Node:
    """One full node with its own block producer.

    Every public method takes the lock, so that whoever calls two of them as one step takes it first.
    """

    def __init__(self, store: Store, *, parameters: Parameters, clock_ms: Callable[[], int]) -> None:
        head = store.head()
        if head is None:
            raise ValueError("the chain has no genesis block")
        self.lock = threading.RLock()
        self.parameters = parameters
        self.mining = True
        self.dropped: list[dict[str, str]] = []
        self._store = store
        self._clock_ms = clock_ms
        self._skipped_ms = 0
        self._head = head
        self._solid_number = int(store.fact(genesis.SOLID) or 0)
        self._forks = int(store.fact(genesis.FORKS) or 0)
        self._seen: set[bytes] = set()
        self._pending: dict[bytes, Transaction] = {}
        self._pending_state = self._state_on(head)

    # What readers ask.

    @property
    def head(self) -> Block:
        """The last block."""
        return self._head

    @property
    def solid(self) -> Block:
        """The last block that no reorganisation can take away."""
        return self._existing(self._solid_number)

    @property
    def pending(self) -> list[Transaction]:
        """The transactions that wait for a block, oldest first."""
        with self.lock:
            return list(self._pending.values())

    def now_ms(self) -> int:
        """Tell the time."""
        return self._clock_ms() + self._skipped_ms

    def next_slot_ms(self) -> int:
        """Tell when the next block is due."""
        return self._head.timestamp_ms + self.parameters.block_ms

    def block(self, number: int) -> Block | None:
        """Find a block by its number."""
        with self.lock:
            return self._store.block(number) if number >= 0 else None

    def mined_in(self, number: int) -> list[Mined]:
        """List the transactions of a block."""
        with self.lock:
            return self._store.mined_in(number)

    def find(self, txid: bytes) -> tuple[int, Mined] | None:
        """Find a transaction and its block's number."""
        with self.lock:
            return self._store.find(txid)

    def contains(self, txid: bytes) -> bool:
        """Tell whether a transaction is in a block."""
        return self.find(txid) is not None

    def state(self, *, solid: bool) -> State:
        """Open the state to read: the solid block's, or the head's with the waiting transactions applied."""
        with self.lock:
            return self._state_on(self.solid) if solid else self._pending_state

    # What moves the chain.

    def broadcast(self, transaction: Transaction) -> None:
        """Take a transaction into the pool.

        The txid is remembered before anything is checked, so that a transaction that was refused here is a
        duplicate when it comes again.

        Raises: Refused.
        Source: java-tron Wallet.broadcastTransaction.
        """
        with self.lock:
            if self.parameters.tx_cache and transaction.txid in self._seen:
                raise refusals.Refused(refusals.DUPLICATE, "Transaction already exists.")
            self._seen.add(transaction.txid)
            if transaction.txid in self._pending:
                raise refusals.Refused(refusals.DUPLICATE, "Dup transaction.")
            rules.check(self, transaction)
            self._execute(self._pending_state, transaction)
            self._pending[transaction.txid] = transaction

    def mine(self) -> Block:
        """Put the waiting transactions into a block; those that no longer pass the checks are dropped."""
        with self.lock:
            timestamp_ms = max(self.now_ms(), self._head.timestamp_ms + 1)
            state = self._state_on(self._head, timestamp_ms=timestamp_ms)
            mined = [
                entry
                for transaction in self._pending.values()
                if (entry := self._try_to_mine(state, transaction, timestamp_ms=timestamp_ms))
            ]
            state.persist()
            block = blocks.seal(
                number=self._head.number + 1,
                parent=self._head.id,
                timestamp_ms=timestamp_ms,
                txids=[entry.transaction.txid for entry in mined],
                # The other fork's producer is another one, which also makes its blocks differ.
                witness=keccak(b"witness" + self._forks.to_bytes(8))[-20:],
                state_root=bytes(state.state_root),
            )
            self._solid_number = max(self._solid_number, block.number - self.parameters.solid_lag)
            self._store.append(block, mined, facts=((genesis.SOLID, str(self._solid_number)),))
            self._restart_pool(block, ())
            return block

    def reorganise(self, depth: int, *, repool: bool, keep: Container[bytes] = ()) -> list[bytes]:
        """Take the last blocks away; their transactions wait again if `repool`, or if named in `keep`.

        Raises: Refused when a solid block would go.
        """
        with self.lock:
            target = self._head.number - depth
            if depth < 1 or target < self._solid_number:
                raise refusals.Refused(refusals.OTHER, f"block {target} would be the head, but a later one is solid")
            orphans = [
                entry.transaction
                for number in range(target + 1, self._head.number + 1)
                for entry in self._store.mined_in(number)
            ]
            self._forks += 1
            self._store.cut(target, facts=((genesis.FORKS, str(self._forks)),))
            waiting = [orphan for orphan in orphans if repool or orphan.txid in keep]
            self._restart_pool(self._existing(target), [*waiting, *self._pending.values()])
            return [orphan.txid for orphan in orphans]

    def skip(self, ms: int) -> None:
        """Let that time pass at once, without a block."""
        with self.lock:
            self._skipped_ms += ms

    def drop(self, txid: bytes) -> bool:
        """Lose a waiting transaction; tell whether there was one."""
        with self.lock:
            found = self._pending.pop(txid, None) is not None
            self._restart_pool(self._head, list(self._pending.values()))
            return found

    def forget(self, txid: bytes) -> None:
        """Forget that a txid was broadcast here, as another node behind the same address would not know of it."""
        with self.lock:
            self._seen.discard(txid)

    def _state_on(self, block: Block, *, timestamp_ms: int | None = None) -> State:
        return engine.open_state(
            self._store.nodes,
            root=block.state_root,
            number=block.number + 1,
            timestamp_ms=self.next_slot_ms() if timestamp_ms is None else timestamp_ms,
        )

    def _existing(self, number: int) -> Block:
        block = self.block(number)
        if block is None:
            raise LookupError(f"block {number} is missing")
        return block

    def _execute(self, state: State, transaction: Transaction) -> execution.Receipt:
        return execution.apply(state, transaction, parameters=self.parameters, now_ms=self._head.timestamp_ms)

    def _try_to_mine(self, state: State, transaction: Transaction, *, timestamp_ms: int) -> Mined | None:
        try:
            rules.check(self, transaction)
            receipt = self._execute(state, transaction)
        except refusals.Refused as refusal:
            self.dropped = [*self.dropped, {"txid": transaction.txid.hex(), "code": refusal.code}][-MAX_DROPS_TOLD:]
            return None
        number = self._head.number + 1
        told = receipts.info(transaction, receipt, number=number, timestamp_ms=timestamp_ms)
        return Mined(transaction=transaction, result=receipt.result, info=told)

    def _restart_pool(self, head: Block, waiting: Iterable[Transaction]) -> None:
        """Make `head` the head, and let these transactions wait on it, as far as they still pass."""
        self._head = head
        self._pending = {}
        self._pending_state = self._state_on(head)
        for transaction in waiting:
            # One that fails now is kept all the same: it may pass when it is mined.
            with contextlib.suppress(refusals.Refused):
                self._execute(self._pending_state, transaction)
            self._pending[transaction.txid] = transaction
