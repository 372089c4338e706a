"""Order a payment, take its verdict: the part of the protocol that is PostgreSQL alone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from chain import addresses, lanes, networks, units
from chain.models import AttemptState, HotWallet, Intent, IntentState, Purpose, SignedAttempt


class AlreadyOrdered(Exception):
    """This payout has its intent; there is never a second one."""


class NotToCollect(Exception):
    """The intent is still open, or somebody took its verdict before."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What the caller wants paid; the signer compares it again with what it signs.

    Units: the asset's ledger units; the intent counts in the token's.
    """

    payout_id: UUID
    network: str
    asset: str
    to_address: str
    amount_units: int
    attended: bool = True  # whether some person has said yes to it: the signer's caps ask


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an intent; DEAD: it can never pay, and `txid` is why, ours that failed or a foreign one."""

    intent_id: UUID
    payout_id: UUID
    outcome: IntentState
    txid: str
    proof: dict[str, Any]


def order(payment: Payment, *, now: datetime) -> Intent:
    """Bind a payment to a wallet and its next sequence number; needs the caller's transaction.

    Raises: BadAddress, UnknownNetwork, BadAmount (no whole number of the token's units), lanes.NoLane, AlreadyOrdered.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("order() belongs in the transaction that reserves the money")
    contract = networks.token(payment.network, payment.asset).contract
    token_units = units.to_token_units(payment.network, payment.asset, payment.amount_units)
    to_address = addresses.normalise(payment.network, payment.to_address)
    wallet = lanes.take(payment.network, contract=contract, amount_units=token_units)
    if HotWallet.objects.filter(address=to_address).exists():  # EVM networks share their addresses
        raise addresses.BadAddress("this is one of our own wallets")
    try:
        with transaction.atomic():
            return bind(
                wallet,
                now=now,
                payout_id=payment.payout_id,
                asset=payment.asset,
                contract=contract,
                to_address=to_address,
                amount_units=token_units,
            )
    except IntegrityError as refused:
        if "intent_once_per_payout" in str(refused):
            raise AlreadyOrdered(f"payout {payment.payout_id} has its intent") from refused
        raise


def bind(wallet: HotWallet, *, now: datetime, **what: Any) -> Intent:
    """Give the next sequence number of a lane, whose row is locked, to a new intent."""
    seq = _next_seq(wallet, now=now)
    due = {"next_sign_at": now, "next_send_at": now, "next_watch_at": now}
    intent = Intent.objects.create(wallet=wallet, seq=seq, network=wallet.network, created_at=now, **due, **what)
    HotWallet.objects.filter(pk=wallet.pk).update(next_seq=seq + 1)
    return intent


def awaiting_signature(*, limit: int, now: datetime | None = None) -> list[Intent]:
    """The open intents that need the signer: no live bytes yet (or any more), or fees to be raised."""
    live = SignedAttempt.objects.filter(intent=OuterRef("pk"), state=AttemptState.LIVE)
    return list(
        Intent.objects.filter(state=IntentState.OPEN, wallet__paused=False, batch=None)
        .filter(next_sign_at__lte=now or timezone.now())
        .filter(Q(bump_due=True) | ~Exists(live))
        .select_related("wallet")
        .order_by("created_at", "id")[:limit]
    )


def verdicts(*, limit: int) -> list[Verdict]:
    """Decided payments that nobody has collected, oldest verdict first."""
    rows = Intent.objects.filter(collected_at=None, purpose=Purpose.PAYMENT).exclude(state=IntentState.OPEN)
    return [
        Verdict(row.id, row.payout_id, IntentState(row.state), row.txid, row.proof)
        for row in rows.order_by("verdict_at", "id")[:limit]
    ]


def collect(intent_id: UUID, *, now: datetime) -> None:
    """Mark a verdict as taken, in the transaction that acts on it; of two takers one gets through.

    Raises: NotToCollect, which must undo the caller's transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("collect() belongs in the transaction that settles or refunds")
    taken = (
        Intent.objects.filter(id=intent_id, collected_at=None).exclude(state=IntentState.OPEN).update(collected_at=now)
    )
    if taken != 1:
        raise NotToCollect(f"intent {intent_id} has no verdict to take")


def latest_txid(payout_id: UUID) -> str | None:
    """The transaction to show for a payout: ours that decided it, else the newest signed one."""
    return latest_txids([payout_id]).get(payout_id)


def latest_txids(payout_ids: Collection[UUID]) -> dict[UUID, str]:
    """The same for many payouts at once; those without a signed transaction are left out."""
    carriers = {
        payout: batch or intent
        for payout, batch, intent in Intent.objects.filter(payout_id__in=payout_ids).values_list(
            "payout_id", "batch", "id"
        )
    }
    attempts = list(SignedAttempt.objects.filter(intent__in=set(carriers.values())).order_by("number"))
    shown = {attempt.intent_id: attempt.txid for attempt in attempts}
    shown |= {attempt.intent_id: attempt.txid for attempt in attempts if attempt.state == AttemptState.LANDED}
    return {payout: shown[carrier] for payout, carrier in carriers.items() if payout and carrier in shown}


def _next_seq(wallet: HotWallet, *, now: datetime) -> int:
    """The next nonce; on TRON a timestamp of no other payment of this wallet, so that equal ones share no txid."""
    if networks.network(wallet.network).family == "tron":
        return max(wallet.next_seq, int(now.timestamp() * 1000))
    return wallet.next_seq
