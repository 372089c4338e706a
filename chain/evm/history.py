"""Which final transaction of a wallet has which nonce, read from the chain alone."""

from collections.abc import Callable
from functools import lru_cache

from chain.endpoints import Unreachable
from chain.evm.client import Receipt
from chain.evm.nonces import MOST_READ
from chain.gateway import Head, Retryable
from chain.links import Block, Entry

KEPT_COUNTS = 4_096


class History:
    """The final part of a chain as it was when this was made."""

    def __init__(
        self,
        head: Head,
        *,
        count: Callable[[str, int], int],
        block: Callable[[int], Block],
        receipt: Callable[[str], Receipt | None],
    ) -> None:
        """Take the three questions: nonces used up to a block, a block with its entries, a final receipt."""
        self._head = head
        self._count = lru_cache(KEPT_COUNTS)(count)
        self._block = block
        self._receipt = receipt

    def count(self, wallet: str) -> int:
        """How many final transactions the wallet has made. Raises: ChainError."""
        return self._count(wallet, self._head.final_number)

    def find(self, wallet: str, nonce: int, *, txid: str = "") -> Entry:
        """The wallet's final transaction with that nonce; where `txid` is it, few questions are enough.

        Nodes forget the states of older blocks, not the blocks: where nothing is counted any more, they are read.

        Raises: ChainError when the chain's nodes do not show it.
        """
        if txid and (found := self._at(self._place(txid), wallet, nonce)):
            return found
        try:
            return self._counted(wallet, nonce)
        except Unreachable:
            raise
        except Retryable:
            newest = self._head.final_number
            for number in range(newest, max(newest - MOST_READ, -1), -1):
                if found := self._at(number, wallet, nonce):
                    return found
            raise

    def _counted(self, wallet: str, nonce: int) -> Entry:
        before, since = -1, self._head.final_number
        while since - before > 1:
            middle = (before + since) // 2
            if self._count(wallet, middle) > nonce:
                since = middle
            else:
                before = middle
        found = self._at(since, wallet, nonce)
        if not found:
            raise Retryable(f"block {since} of {wallet}'s nonce {nonce} does not show the transaction")
        return found

    def _place(self, txid: str) -> int | None:
        """The final block that a transaction's receipt names."""
        receipt = self._receipt(txid)
        return receipt.number if receipt else None

    def _at(self, number: int | None, wallet: str, nonce: int) -> Entry | None:
        if number is None:
            return None
        asked = (wallet.lower(), nonce)
        return next((entry for entry in self._block(number).entries if (entry.sender, entry.nonce) == asked), None)
