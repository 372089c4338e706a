"""Where to read many receipts at once: by the solid blocks that hold their transactions, not one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chain import links
from chain.gateway import Candidate, Head

BLOCK_COSTS = 4  # a block and its receipts are worth as many questions for single receipts
SLACK = 2  # blocks by which the chain's pace may have differed when the bytes were signed


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask: single receipts, all receipts of some blocks; and what need not be asked, being in no block."""

    txids: Sequence[str] = ()
    blocks: Sequence[int] = ()
    absent: Sequence[str] = ()


def is_early(candidate: Candidate, head: Head) -> bool:
    """Tell that live bytes can be in no solid block yet, by what is known of the chain's pace, and have not expired.

    Nothing but the time of the next look stands on it. What has no expiration comes from a proof: it has landed.
    """
    in_time = candidate.expiration_ms is not None and head.final_ms <= candidate.expiration_ms
    return candidate.is_live and in_time and head.blocks_until_final(candidate) > 0


def plan(
    candidates: Sequence[Candidate], read: Callable[[int], links.Block], *, head: Head, every: bool = False
) -> Plan:
    """Look the transactions up in the blocks that may hold them, where they are many enough for that.

    With `every` the blocks are all from the oldest reference block on: what is in none of them is in no solid block.

    Raises: ChainError.
    """
    due = [candidate for candidate in candidates if every or not is_early(candidate, head)]
    txids = [candidate.txid for candidate in due]
    oldest = min((candidate.ref_number for candidate in due), default=0)
    first = oldest + 1 + (0 if every else max(head.number - head.final_number - SLACK, 0))
    blocks = head.final_number - first + 1
    if not 0 < blocks <= min(links.KEPT_BLOCKS, len(due) // BLOCK_COSTS):
        return Plan(txids)
    stretch = links.stretch(read, first, head.final_number)
    places = {txid: block.number for block in stretch for txid in block.txids}
    numbers = sorted({places[txid] for txid in txids if txid in places})
    unseen = [txid for txid in txids if txid not in places]
    return Plan(blocks=numbers, absent=unseen) if every else Plan(unseen, numbers)
