"""The ledger's seals, made public by the chain room: what is to be anchored, what has been, what the chain holds."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from chain import anchoring, transfers
from chain.models import Intent, IntentState
from ledger import seals
from ledger.models import Anchor, Block

log = structlog.get_logger(__name__)
BATCH = 100


class NotSealed(Exception):
    """The ledger has sealed no such block: nothing is made public of it."""


def sweep(*, now: datetime) -> int:
    """Take over what the chain has decided about anchors, then order the next one where it is due; how many moved."""
    done = sum(_collected(one, now=now) for one in anchoring.decided(limit=BATCH))
    return done + _ordered(now=now)


def expected(intent: Intent) -> anchoring.Anchor:
    """What an anchor's intent must carry, read from the block that the ledger has sealed under its number.

    Raises: NotSealed.
    """
    try:
        number = anchoring.read(intent.network, intent.data).number
    except anchoring.NoAnchor as wrong:
        raise NotSealed(f"intent {intent.id} carries no anchor") from wrong
    block = Block.objects.filter(number=number).first()
    if block is None:
        raise NotSealed(f"there is no block {number}")
    return _anchor(block, intent.network)


def public(*, wallets: frozenset[str] = frozenset()) -> list[tuple[int, str]] | None:
    """Numbers and hashes of the blocks that the chains hold, for audit.prove(); None where nothing was ever anchored.

    Raises: gateway.ChainError, addresses.BadAddress.
    """
    names = anchoring.networks_on_record() | set(Anchor.objects.values_list("network", flat=True).distinct())
    names |= {settings.SEAL_ANCHOR_NETWORK} - {""}
    if not names:
        return None
    found = [anchor for name in sorted(names) for anchor in anchoring.public(name, wallets=wallets)]
    return [(anchor.number, anchor.hash.hex()) for anchor in found]


def _ordered(*, now: datetime) -> int:
    network = settings.SEAL_ANCHOR_NETWORK
    if not network or not anchoring.is_due(network, now=now):
        return 0
    block = seals.to_anchor(network)
    if block is None:
        return 0
    try:
        anchoring.order(_anchor(block, network), now=now)
    except transfers.NoLane as refused:
        log.warning("anchor.waits", network=network, reason=str(refused))
        return 0
    except IntegrityError as raced:
        if "intent_one_open_anchor" not in str(raced):
            raise
        return 0
    return 1


def _collected(one: anchoring.Decided, *, now: datetime) -> int:
    """Write down where the block's hash stands; an anchor that can never land is let go, and the next one ordered."""
    anchor = one.anchor
    try:
        with transaction.atomic(durable=True):
            if one.outcome == IntentState.PAID:
                seals.anchored(anchor.number, network=anchor.network, txid=one.txid, now=now)
            else:
                log.warning("anchor.dead", network=anchor.network, block=anchor.number, txid=one.txid)
            transfers.collect(one.intent_id, now=now)
    except transfers.NotToCollect:
        return 0
    except Block.DoesNotExist:
        log.exception("anchor.without_its_block", network=anchor.network, block=anchor.number, txid=one.txid)
        return 0
    return 1


def _anchor(block: Block, network: str) -> anchoring.Anchor:
    return anchoring.Anchor(network, block.number, bytes(block.hash))
