"""Where on the chain a wallet's nonce was used, found by counting."""

from collections.abc import Callable

from chain import links
from chain.endpoints import Unreachable
from chain.evm import facts
from chain.gateway import Retryable, Transfer

MOST_READ = 1_000  # blocks


def free_at(transfer: Transfer, used: Callable[[int], int], read: Callable[[int], links.Block], *, newest: int) -> int:
    """The newest block, up to that one, at which the transfer's nonce was free; `used` counts nonces up to a block.

    Nodes forget the states of older blocks (most keep 128), but not the blocks: so the search goes back in growing
    steps, and where nothing is counted any more, it reads block by block.

    Raises: ChainError.
    """
    if used(newest) <= transfer.seq:
        return newest
    taken, step = newest, 1
    while (free := max(taken - step, 0)) > 0:
        try:
            if used(free) <= transfer.seq:
                break
        except Unreachable:
            raise
        except Retryable:
            return _before(transfer, read, taken)
        taken, step = free, step * 2
    while taken - free > 1:
        middle = (free + taken) // 2
        if used(middle) <= transfer.seq:
            free = middle
        else:
            taken = middle
    return free


def _before(transfer: Transfer, read: Callable[[int], links.Block], newest: int) -> int:
    """The block before the one that holds the nonce's transaction.

    Raises: Retryable when it is too far back.
    """
    oldest = max(newest - MOST_READ, 0)
    for number in range(newest, oldest, -1):
        if facts.taker(transfer, read(number)):
            return number - 1
    raise Retryable(f"nonce {transfer.seq} was used before block {oldest}, of which no endpoint knows the state")
