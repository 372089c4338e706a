"""Where on the chain a wallet's nonce was used, found by counting."""

from collections.abc import Callable


def free_at(used: Callable[[int], int], nonce: int, *, newest: int) -> int:
    """The newest block, up to that one, at which the nonce was free; `used` counts nonces up to a block."""
    if used(newest) <= nonce:
        return newest
    free, taken = 0, newest
    while taken - free > 1:
        middle = (free + taken) // 2
        if used(middle) <= nonce:
            free = middle
        else:
            taken = middle
    return free
