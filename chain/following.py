"""Read every block of every network, linked by hash, and keep what came in at our addresses.

What was read above the final block may be taken back: then the follower goes back to where the chain parted and
forgets what was above. Nothing is confirmed before it stands on a final, linked stretch. Whoever reads meanwhile does
no harm: a stretch is only written down by whoever finds the cursor where it began.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from chain import addresses, alarms, families, networks
from chain.arrivals import ArrivalState, FollowedBlock, Follower, Incoming, incoming_id
from chain.failpoints import committing, failpoint
from chain.gateway import ChainError, Head, Retryable
from chain.links import Block
from chain.models import Purpose, SignedAttempt
from chain.reading import Moved, Read, Reader

log = structlog.get_logger(__name__)

BUDGET_S = 5.0  # for one network in one sweep
PARTED = "follower.parted"
PAYS_OTHERS = (Purpose.PAYMENT, Purpose.BATCH)  # whoever is paid there may be a customer of ours: that comes in
# Which of these accounts (20 bytes each) are ours on that network.
Ours = Callable[[str, Collection[bytes]], set[bytes]]


@dataclass(frozen=True, slots=True)
class Followed:
    """What a sweep has read; `news` where something came in, was confirmed or was taken back."""

    blocks: int = 0
    news: bool = False
    is_behind: bool = False

    def __add__(self, other: "Followed") -> "Followed":
        """Both together."""
        return Followed(self.blocks + other.blocks, self.news or other.news, self.is_behind or other.is_behind)


class Parted(Exception):
    """The chain has left a block that was final; a person must look before anything more is believed."""


def look(network: str, *, ours: Ours, now: datetime) -> Followed:
    """Read on at one network for a few seconds; what keeps it from that is told and concerns no other network."""
    try:
        found = follow(network, ours=ours, now=now)
    except ChainError as unread:
        log.info("follow.unread", network=network, error=str(unread))
        return Followed()
    except Parted as parted:
        alarms.raise_alarm(PARTED, subject=network, text=str(parted), now=now)
        return Followed()
    alarms.clear(PARTED, subject=network, now=now)
    return found


def follow(network: str, *, ours: Ours, now: datetime, budget_s: float = BUDGET_S) -> Followed:
    """Read one network up to its head, or as far as the time goes.

    Raises: ChainError, Parted.
    """
    until_s = time.monotonic() + budget_s
    reader = families.reader(network)
    head = reader.head()
    found = Followed()
    while True:
        cursor = _cursor(network, head)
        step = _step(reader, cursor, head, ours=ours, now=now)
        found += step
        if not step.is_behind or time.monotonic() > until_s:
            return Followed(found.blocks, found.news, step.is_behind)


def _cursor(network: str, head: Head) -> Follower:
    """How far the network is read; a network that nobody has followed yet begins at its final block."""
    row = Follower.objects.filter(network=network).first()
    if row is None:
        at = _moment(head.final_ms)
        block = {"number": head.final_number, "hash": head.final_hash, "at": at}
        place = {"final_number": head.final_number, "final_at": at, "head_number": head.number, "caught_up_at": at}
        with committing("follow_begin"):
            row, is_new = Follower.objects.get_or_create(network=network, defaults=block | place)
            if is_new:  # nothing that was read before is the ground of what is read now
                FollowedBlock.objects.filter(network=network).delete()
                FollowedBlock.objects.create(network=network, **block)
    return row


def _step(reader: Reader, cursor: Follower, head: Head, *, ours: Ours, now: datetime) -> Followed:
    """Read one stretch, or go back. Raises: ChainError, Parted."""
    catching_up = cursor.number < head.final_number
    last = min(cursor.number + reader.stride, head.final_number if catching_up else head.number)
    reads: Sequence[Read] = []
    if last > cursor.number:
        reads = reader.stretch(cursor.number + 1, last, settled=catching_up)
        failpoint("follow.after_read")
        if reads[0].block.parent != cursor.hash:
            return _go_back(reader, cursor, head)
    known = {read.block.number: read.block.hash for read in reads}
    if head.final_number not in known:
        kept = FollowedBlock.objects.filter(network=cursor.network, number=head.final_number)
        known |= kept.values_list("number", "hash")
    if known.get(head.final_number, head.final_hash) != head.final_hash:
        return _go_back(reader, cursor, head)
    return _write(cursor, reads, _incoming(cursor.network, reader, reads, ours), head, now=now)


def _write(
    cursor: Follower, reads: Sequence[Read], incoming: Sequence[Incoming], head: Head, *, now: datetime
) -> Followed:
    """Write a stretch down, and confirm what is final now; nothing where somebody else has moved the cursor."""
    network = cursor.network
    blocks = [_block(network, read) for read in reads]
    newest = blocks[-1] if blocks else FollowedBlock(number=cursor.number, hash=cursor.hash, at=cursor.at)
    final_number = max(_final_number(network, newest.number, head), cursor.final_number)
    is_behind = newest.number < head.number
    with committing("follow"):
        row = _locked(cursor)
        if row is None:
            return Followed()
        FollowedBlock.objects.bulk_create([block for block in blocks if block.number >= final_number])
        Incoming.objects.bulk_create(incoming, ignore_conflicts=True)
        rows = Incoming.objects.filter(network=network, state=ArrivalState.SEEN, block_number__lte=final_number)
        confirmed = rows.update(state=ArrivalState.CONFIRMED)
        row.number, row.hash, row.at = newest.number, newest.hash, newest.at
        row.final_number, row.head_number = final_number, head.number
        row.final_at = FollowedBlock.objects.get(network=network, number=final_number).at
        row.caught_up_at = row.caught_up_at if is_behind else now
        row.save()
        FollowedBlock.objects.filter(network=network, number__lt=final_number).delete()
    return Followed(len(blocks), bool(incoming) or confirmed > 0, is_behind)


def _locked(cursor: Follower) -> Follower | None:
    """The cursor's row, locked, where it still stands there."""
    row = Follower.objects.select_for_update().get(network=cursor.network)
    there = (cursor.number, cursor.hash, cursor.final_number)
    return row if (row.number, row.hash, row.final_number) == there else None


def _final_number(network: str, newest: int, head: Head) -> int:
    """The newest of the blocks that were read which is final.

    Who has read up to the final block has compared it with the chain's; who has not, goes by the blocks above.
    """
    if newest >= head.final_number:
        return head.final_number
    return newest - networks.network(network).confirmations + 1


def _go_back(reader: Reader, cursor: Follower, head: Head) -> Followed:
    """Forget what is not on the chain any more.

    Raises: Parted when that would be a final block; ChainError.
    """
    kept = list(FollowedBlock.objects.filter(network=cursor.network, number__lte=head.number).order_by("number"))
    if not kept:
        raise Retryable(f"the nodes are behind block {cursor.final_number}")
    if reader.hash_at(kept[0].number) != kept[0].hash:
        raise Parted(f"block {kept[0].number} was final as {kept[0].hash} and is another one now")
    low, high = 0, len(kept)  # kept[low] is on the chain, kept[high] is not
    while high - low > 1:
        middle = (low + high) // 2
        on_chain = reader.hash_at(kept[middle].number) == kept[middle].hash
        low, high = (middle, high) if on_chain else (low, middle)
    ground = kept[low]
    if ground.number == cursor.number:
        raise Retryable("the chain moved while it was read")
    with committing("follow_back"):
        row = _locked(cursor)
        if row is None:
            return Followed()
        above = Incoming.objects.filter(network=cursor.network, block_number__gt=ground.number)
        taken, _ = above.filter(state=ArrivalState.SEEN).delete()
        FollowedBlock.objects.filter(network=cursor.network, number__gt=ground.number).delete()
        row.number, row.hash, row.at = ground.number, ground.hash, ground.at
        row.save()
    log.warning("follow.reorganised", network=cursor.network, block=cursor.number, back_to=ground.number, taken=taken)
    return Followed(news=taken > 0, is_behind=True)


def _incoming(network: str, reader: Reader, reads: Sequence[Read], ours: Ours) -> list[Incoming]:
    """What came in from outside. Raises: ChainError."""
    mine = ours(network, {one.recipient for read in reads for one in read.moved})
    to_us = [(one, read.block) for read in reads for one in read.moved if one.recipient in mine]
    own = _own(network, {one.txid for one, _ in to_us})
    found = {(one.txid, one.index): block for one, block in to_us if one.txid not in own}
    moved = [one for one, _ in to_us if one.txid not in own]
    stayed = reader.stayed(moved, {txid: block.hash for (txid, _), block in found.items()})
    named = _Names(network)
    return [_row(named, one, found[one.txid, one.index]) for one in stayed]


def _own(network: str, txids: Collection[str]) -> set[str]:
    """Those that move what is ours already: sweeps into a hot wallet and gas for them."""
    attempts = SignedAttempt.objects.filter(txid__in=txids, intent__network=network)
    return set(attempts.exclude(intent__purpose__in=PAYS_OTHERS).values_list("txid", flat=True))


class _Names:
    """What accounts are called on a network, each asked once: a checksum costs more than all the rest of a row."""

    def __init__(self, network: str) -> None:
        row = networks.network(network)
        self.network = network
        self._assets = {addresses.account_bytes(network, one.contract): asset for asset, one in row.tokens.items()}
        self._assets[b""] = row.coin
        self._texts = {b"": networks.NATIVE}

    def text(self, account: bytes) -> str:
        """Its address."""
        if account not in self._texts:
            self._texts[account] = addresses.from_bytes(self.network, account)
        return self._texts[account]

    def asset(self, contract: bytes) -> str:
        """What the contract's coins are in our books; empty where they are none of ours."""
        return self._assets.get(contract, "")


def _row(named: _Names, one: Moved, block: Block) -> Incoming:
    at = _moment(block.at_ms)
    return Incoming(
        id=incoming_id(named.network, one.txid, one.index, at=at),
        network=named.network,
        txid=one.txid,
        index=one.index,
        block_number=block.number,
        block_hash=block.hash,
        block_at=at,
        contract=named.text(one.contract),
        asset=named.asset(one.contract),
        recipient=named.text(one.recipient),
        amount_units=one.amount_units,
    )


def _block(network: str, read: Read) -> FollowedBlock:
    block = read.block
    return FollowedBlock(network=network, number=block.number, hash=block.hash, at=_moment(block.at_ms))


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
