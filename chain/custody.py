"""What our wallets hold on chain, exactly, while payments are moving."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chain import families, networks, units
from chain.gateway import Candidate, Gateway, Holding, Retryable
from chain.models import HotWallet, Intent, IntentState, Purpose, SignedAttempt

TRIES = 8


@dataclass(frozen=True, slots=True)
class Held:
    """Balances at one block, and what left by that block although its payout is not settled yet.

    `units + uncollected_units` is what the ledger's external accounts of the network must sum to, negated.
    Units: the asset's ledger units; a rest below one of them is left out.
    """

    units: int
    uncollected_units: int
    block_number: int
    block_hash: str


def held_units(network: str, asset: str) -> Held:
    """What the hot wallets hold, with the landed but uncollected transfers of the same moment.

    All balances are of exactly one block: on EVM the newest but one, named by its hash in every call; on TRON the
    solid head, read before and after. A collected intent was paid at final depth, so it is contained in that block
    (checked); an uncollected one counts when its transfer stands in a block up to that one. At the end the block must
    still be on the chain, and nobody may have collected anything meanwhile, otherwise all is read again.

    A caller that compares this with the ledger reads the ledger's sum before and after this call and repeats when the
    two differ: settling moves both sides in one transaction. Never inside a transaction.

    Raises: UnknownNetwork, ChainError; Retryable also when it did not hold still.
    """
    token = networks.token(network, asset)
    wallets = [wallet.address for wallet in HotWallet.objects.filter(network=network)]
    last = Retryable("not read")
    for _ in range(TRIES):
        gateway = families.gateway(network)
        try:
            holding = gateway.held(token.contract, wallets)
            return _counted(gateway, holding, network=network, asset=asset)
        except Retryable as moved:
            last = moved
    raise last


def _counted(gateway: Gateway, holding: Holding, *, network: str, asset: str) -> Held:
    """Raises: Retryable when something moved meanwhile."""
    collected = _collected(network, asset)
    open_or_new = _uncollected(network, asset)
    candidates = _candidates(open_or_new)
    if candidates:
        signed = [candidate for those in candidates.values() for candidate in those]
        gateway.read_ahead(signed, head=gateway.head(), every=True)
    landed = sum(
        intent.amount_units
        for intent in open_or_new
        if gateway.landed(intent.transfer(), candidates[intent.pk], holding).paid
    ) + sum(_landed_units(gateway, batch, holding) for batch in _batches(network, asset))
    newest = Intent.objects.filter(network=network, asset=asset, state=IntentState.PAID).exclude(collected_at=None)
    behind = newest.filter(proof__chain__first__number__gt=holding.number).exists()
    if behind or _collected(network, asset) != collected or not gateway.still(holding):
        raise Retryable("payments or blocks moved while the custody was read")
    held_units, landed_units = (units.to_ledger_units(network, asset, one) for one in (holding.units, landed))
    return Held(held_units, landed_units, holding.number, holding.hash)


def _candidates(intents: Sequence[Intent]) -> dict[UUID, list[Candidate]]:
    """All their attempts, in the order in which they were signed."""
    found: dict[UUID, list[Candidate]] = {intent.pk: [] for intent in intents}
    for attempt in SignedAttempt.objects.filter(intent__in=found).order_by("number"):
        found[attempt.intent_id].append(attempt.candidate())
    return found


def _collected(network: str, asset: str) -> int:
    return Intent.objects.filter(network=network, asset=asset).exclude(collected_at=None).count()


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
        .filter(network=network, asset=asset, purpose=Purpose.PAYMENT, collected_at=None)
        .exclude(state=IntentState.DEAD)
        .exclude(attempts=None)
    )
