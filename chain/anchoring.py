"""Make a hash public: a transaction of a wallet to itself that moves nothing and carries a number and the hash.

It goes the way of every payment: a lane's next sequence number, signed by the signer, sent until the chain decides.

EVM networks alone carry anchors. A TRON wallet numbers nothing: nobody could find all that it has sent without trusting
the database that is to be checked. On EVM the nonces from nought on are the list (chain/evm/history.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from chain import addresses, families, lanes, networks
from chain.evm.gateway import Gateway as EvmGateway
from chain.evm.history import History
from chain.models import HotWallet, Intent, IntentState, Purpose
from chain.ordering import bind

TAG = b"sluice1:"  # what its data begin with
NUMBER, HASH = 8, 32  # bytes
LATEST = 32  # a wallet's newest transactions are looked at whatever the database says of them
MOST_UNKNOWN = 1_000  # so many of a wallet's transactions that no intent explains are looked for, the newest


class NoAnchor(ValueError):
    """These bytes are no anchor."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A number and the 32 bytes that are to be known under it."""

    network: str
    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of an ordered anchor: `txid` shows it where it is PAID, else why it never will be."""

    intent_id: UUID
    anchor: Anchor
    outcome: IntentState
    txid: str


def data_of(anchor: Anchor) -> str:
    """What the transaction carries, in hexadecimal."""
    return (TAG + anchor.number.to_bytes(NUMBER, "big") + anchor.hash.rjust(HASH, b"\0")).hex()


def read(network: str, data: str) -> Anchor:
    """The anchor that a transaction carries.

    Raises: NoAnchor.
    """
    try:
        raw = bytes.fromhex(data.removeprefix("0x"))
    except ValueError as wrong:
        raise NoAnchor("not hexadecimal") from wrong
    if len(raw) != len(TAG) + NUMBER + HASH or not raw.startswith(TAG):
        raise NoAnchor("no anchor of ours")
    return Anchor(network, int.from_bytes(raw[len(TAG) : -HASH], "big"), raw[-HASH:])


def is_due(network: str, *, now: datetime) -> bool:
    """Tell whether another anchor may be ordered: none is open, and the last that did not fail is old enough."""
    ordered = Intent.objects.filter(purpose=Purpose.ANCHOR, network=network).exclude(state=IntentState.DEAD)
    young = now - timedelta(seconds=settings.SEAL_ANCHOR_EVERY_S)
    return not ordered.exclude(state=IntentState.PAID, created_at__lte=young).exists()


def order(anchor: Anchor, *, now: datetime) -> Intent:
    """Bind an anchor to a wallet and its next sequence number; of two callers at once one gets through.

    Raises: lanes.NoLane; IntegrityError (intent_one_open_anchor) while another one is open.
    """
    with transaction.atomic():
        wallet = lanes.take(anchor.network, contract=networks.NATIVE, amount_units=0)
        return bind(
            wallet,
            now=now,
            purpose=Purpose.ANCHOR,
            asset="",
            contract="",
            to_address=wallet.address,
            amount_units=0,
            data=data_of(anchor),
        )


def decided(*, limit: int) -> list[Decided]:
    """Decided anchors that nobody has collected, oldest verdict first."""
    rows = Intent.objects.filter(collected_at=None, purpose=Purpose.ANCHOR).exclude(state=IntentState.OPEN)
    return [
        Decided(row.id, read(row.network, row.data), IntentState(row.state), row.txid)
        for row in rows.order_by("verdict_at", "id")[:limit]
    ]


def networks_on_record() -> set[str]:
    """Where anchors have been ordered."""
    return set(Intent.objects.filter(purpose=Purpose.ANCHOR).values_list("network", flat=True).distinct())


def public(network: str, *, wallets: frozenset[str] = frozenset()) -> list[Anchor]:
    """Every anchor in the final transactions of our wallets, and of `wallets`, as the chain itself shows them.

    The database says which wallets are ours and where a transaction should stand, never what it carries. What somebody
    has removed from it is looked for: each nonce that no intent explains, and the newest ones in any case. Such a
    search asks for a wallet's nonce at earlier blocks, which takes a node that keeps the states of those.

    Raises: ChainError, BadAddress; UnknownNetwork for a network that carries no anchors.
    """
    gateway = families.gateway(network)
    if not isinstance(gateway, EvmGateway):
        raise networks.UnknownNetwork(f"{network} carries no anchors")
    history = gateway.history()
    ours = HotWallet.objects.filter(network=network).values_list("address", flat=True)
    asked = {addresses.normalise(network, wallet) for wallet in wallets}.union(ours)
    return [anchor for wallet in sorted(asked) for anchor in _of(history, network, wallet)]


def _of(history: History, network: str, wallet: str) -> Iterator[Anchor]:
    ordered = Intent.objects.filter(wallet__network=network, wallet__address=wallet)
    known = {seq: (purpose, txid) for seq, purpose, txid in ordered.values_list("seq", "purpose", "txid")}
    end = history.count(wallet)
    unknown = [nonce for nonce in range(end) if nonce not in known][-MOST_UNKNOWN:]
    anchors = [seq for seq, (purpose, _) in known.items() if purpose == Purpose.ANCHOR and seq < end]
    for nonce in sorted({*anchors, *unknown, *range(max(end - LATEST, 0), end)}):
        found = history.find(wallet, nonce, txid=known.get(nonce, ("", ""))[1])
        if found.to != wallet.lower():
            continue
        try:
            yield read(network, found.data)
        except NoAnchor:
            continue
