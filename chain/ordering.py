"""Order a payment, take its verdict: the part of the protocol that is PostgreSQL alone."""

from collections.abc import Collection, Sequence
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
    return order_all([payment], now=now)[0]


def order_all(payments: Sequence[Payment], *, now: datetime) -> list[Intent]:
    """Bind payments on one network each to a wallet and a sequence number of its own, all of them or none.

    Raises: what order() does.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("order() belongs in the transaction that reserves the money")
    (network,) = {payment.network for payment in payments}
    wanted = [_wanted(payment) for payment in payments]
    wallets = lanes.take_all(network, [(one["contract"], one["amount_units"]) for one in wanted])
    recipients = [one["to_address"] for one in wanted]
    if HotWallet.objects.filter(address__in=recipients).exists():  # EVM networks share their addresses
        raise addresses.BadAddress("this is one of our own wallets")
    try:
        with transaction.atomic():
            return bind_all(list(zip(wallets, wanted, strict=True)), now=now)
    except IntegrityError as refused:
        if "intent_once_per_payout" in str(refused):
            raise AlreadyOrdered("one of these payouts has its intent") from refused
        raise


def _wanted(payment: Payment) -> dict[str, Any]:
    """What a payment's intent says. Raises: BadAddress, UnknownNetwork, BadAmount."""
    return {
        "payout_id": payment.payout_id,
        "asset": payment.asset,
        "contract": networks.token(payment.network, payment.asset).contract,
        "to_address": addresses.normalise(payment.network, payment.to_address),
        "amount_units": units.to_token_units(payment.network, payment.asset, payment.amount_units),
    }


def bind(wallet: HotWallet, *, now: datetime, **what: Any) -> Intent:
    """Give the next sequence number of a lane, whose row is locked, to a new intent."""
    return bind_all([(wallet, what)], now=now)[0]


def bind_all(orders: Sequence[tuple[HotWallet, dict[str, Any]]], *, now: datetime) -> list[Intent]:
    """Give the next sequence numbers of lanes, whose rows are locked, to new intents."""
    due = {"created_at": now, "next_sign_at": now, "next_send_at": now, "next_watch_at": now}
    intents = []
    for wallet, what in orders:
        seq = _next_seq(wallet, now=now)
        wallet.next_seq = seq + 1
        intents.append(Intent(wallet=wallet, seq=seq, network=wallet.network, **due, **what))
    made = Intent.objects.bulk_create(intents)
    for wallet in {wallet.pk: wallet for wallet, _ in orders}.values():
        HotWallet.every.filter(pk=wallet.pk).update(next_seq=wallet.next_seq)
    return made


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
    collect_all([intent_id], now=now)


def collect_all(intent_ids: Collection[UUID], *, now: datetime) -> None:
    """The same for many verdicts that one transaction acts on.

    Raises: NotToCollect when one of them is not to be taken.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("collect() belongs in the transaction that settles or refunds")
    decided = Intent.objects.filter(id__in=intent_ids, collected_at=None).exclude(state=IntentState.OPEN)
    taken = decided.update(collected_at=now)
    if taken != len(set(intent_ids)):
        raise NotToCollect(f"{len(intent_ids) - taken} of {len(intent_ids)} intents have no verdict to take")


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
