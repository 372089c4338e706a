"""What our wallets hold on chain, exactly, while payments, deposits and sweeps are moving."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Sum

from chain import deposit_lanes, families, networks, units
from chain.gateway import Candidate, Gateway, Holding, Retryable
from chain.models import (
    FollowedBlock,
    Follower,
    HotWallet,
    Incoming,
    Intent,
    IntentState,
    Purpose,
    SignedAttempt,
)

TRIES = 8
PAUSE_S = 0.4  # the follower reads a block a moment later than we


@dataclass(frozen=True, slots=True)
class Held:
    """Balances at one block, and what differs from the books by that block: it left, or came in, and is not booked yet.

    `units + uncollected_units - arriving_units` is what the ledger's external accounts of the network must sum to,
    negated, as long as everything that came in was booked to the last of its units.
    Units: the asset's ledger units; a rest below one of them is left out. `exact` counts as the chain does.
    """

    units: int
    uncollected_units: int
    block_number: int
    block_hash: str
    deposits_units: int = 0  # of `units`, what lies on deposit addresses
    arriving_units: int = 0
    exact: int = 0  # units + uncollected_units - arriving_units


def held_units(network: str, asset: str) -> Held:
    """What hot wallets and deposit addresses hold, with what is on its way at the same moment.

    All balances are of exactly one block: on EVM the newest but one, named by its hash in every call; on TRON the
    solid head, read before and after. A collected intent was paid at final depth, so it is contained in that block
    (checked); an uncollected one counts when its transfer stands in a block up to that one. At the end the block must
    still be on the chain, and nobody may have collected anything meanwhile, otherwise all is read again.

    A sweep changes nothing of the sum: both its ends are ours. Of the deposit addresses those are asked for where
    something happens; of the others it is known. What came in there by that block and is in nobody's books is what the
    follower has seen: so the block is one that it has read.

    A caller that compares this with the ledger reads the ledger's sum before and after this call and repeats when the
    two differ: settling and crediting move both sides in one transaction. Never inside a transaction.

    Raises: UnknownNetwork, ChainError; Retryable also when it did not hold still.
    """
    last = Retryable("not read")
    for attempt in range(TRIES):
        if attempt > TRIES // 2:
            time.sleep(PAUSE_S)  # for the next block: nobody tells of it
        try:
            return _held(families.gateway(network), network, asset)
        except Retryable as moved:
            last = moved
    raise last


def _held(gateway: Gateway, network: str, asset: str) -> Held:
    """Raises: Retryable when something moved meanwhile, ChainError."""
    contract, collected = networks.token(network, asset).contract, _collected(network, asset)
    hot = list(HotWallet.objects.filter(network=network).values_list("address", flat=True))
    resting_units = deposit_lanes.resting_units(network, contract)  # first and last: between them nobody comes or goes
    busy = [wallet.address for wallet in deposit_lanes.busy(network)]
    read_up_to = Follower.objects.filter(network=network).values_list("number", flat=True).first() if busy else None
    holding = gateway.held(contract, [*hot, *busy], upto=read_up_to)
    landed = _landed(gateway, holding, network=network, asset=asset)
    arriving = _arriving(holding, network=network, asset=asset, busy=busy, read_up_to=read_up_to)
    newest = Intent.objects.filter(network=network, asset=asset, state=IntentState.PAID).exclude(collected_at=None)
    behind = newest.filter(proof__chain__first__number__gt=holding.number).exists()
    looked_at = deposit_lanes.resting_units(network, contract) != resting_units
    if behind or looked_at or _collected(network, asset) != collected or not gateway.still(holding):
        raise Retryable("payments or blocks moved while the custody was read")
    on_deposits = sum(holding.each[len(hot) :]) + resting_units
    total = sum(holding.each) + resting_units
    own = (units.to_ledger_units(network, asset, one) for one in (total, landed, on_deposits, arriving))
    held, uncollected, deposited, coming = own
    exact = total + landed - arriving
    return Held(held, uncollected, holding.number, holding.hash, deposited, coming, exact)


def _landed(gateway: Gateway, holding: Holding, *, network: str, asset: str) -> int:
    """What has left by that block and is not settled. Raises: ChainError."""
    open_or_new = _uncollected(network, asset)
    candidates = _candidates(open_or_new)
    if candidates:
        signed = [candidate for those in candidates.values() for candidate in those]
        gateway.read_ahead(signed, head=gateway.head(), every=True)
    singly = sum(
        intent.amount_units
        for intent in open_or_new
        if gateway.landed(intent.transfer(), candidates[intent.pk], holding).paid
    )
    return singly + sum(_landed_units(gateway, batch, holding) for batch in _batches(network, asset))


def _candidates(intents: Sequence[Intent]) -> dict[UUID, list[Candidate]]:
    """All their attempts, in the order in which they were signed."""
    found: dict[UUID, list[Candidate]] = {intent.pk: [] for intent in intents}
    for attempt in SignedAttempt.objects.filter(intent__in=found).order_by("number"):
        found[attempt.intent_id].append(attempt.candidate())
    return found


def _arriving(holding: Holding, *, network: str, asset: str, busy: Collection[str], read_up_to: int | None) -> int:
    """What came in by that block at the addresses that were asked for, and is not booked.

    Raises: Retryable when the follower has not read that block, or has read another one there.
    """
    if read_up_to is None:
        return 0
    came = Incoming.objects.filter(network=network, asset=asset)
    booked_later = came.filter(block_number__gt=holding.number).exclude(collected_at=None).exists()
    seen = FollowedBlock.objects.filter(network=network, number=holding.number).values_list("hash", flat=True).first()
    if read_up_to < holding.number or booked_later or (seen and seen != holding.hash):
        raise Retryable(f"block {holding.number} is not what the follower has read")
    waiting = came.filter(recipient__in=busy, collected_at=None, block_number__lte=holding.number)
    return int(waiting.aggregate(total=Sum("amount_units"))["total"] or 0)


def _collected(network: str, asset: str) -> tuple[int, int]:
    """How many payments are settled, how many deposits booked."""
    settled = Intent.objects.filter(network=network, asset=asset).exclude(collected_at=None)
    return settled.count(), Incoming.objects.filter(network=network, asset=asset).exclude(collected_at=None).count()


def _batches(network: str, asset: str) -> list[Intent]:
    """The batches some of whose payments are not settled yet."""
    rows = Intent.objects.select_related("wallet").filter(network=network, asset=asset, purpose=Purpose.BATCH)
    open_or_new = rows.exclude(state=IntentState.DEAD).exclude(attempts=None)
    return list(open_or_new.filter(payments__collected_at=None).distinct())


def _landed_units(gateway: Gateway, batch: Intent, holding: Holding) -> int:
    """What a batch has paid by that block of payments that nobody has collected."""
    made = gateway.landed(batch.transfer(), batch.candidates(), holding).made
    rows = batch.payments.order_by("id")
    return sum(
        row.amount_units for row, is_made in zip(rows, made, strict=False) if is_made and row.collected_at is None
    )


def _uncollected(network: str, asset: str) -> list[Intent]:
    return list(
        Intent.objects.select_related("wallet")
        .filter(network=network, asset=asset, purpose=Purpose.PAYMENT, given_up="", collected_at=None)
        .exclude(state=IntentState.DEAD)
        .exclude(attempts=None)
    )
