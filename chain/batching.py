"""Many payments of one token by one transaction, where a network has a batch contract (EVM; off by default).

A batch is an intent of its own: a lane's next nonce, bytes committed before they are sent, watched to finality. Its
payments are intents too, one per payout as ever, but without bytes: they share the batch's fate. In a final block each
is PAID by its exact Transfer, or DEAD because the token refused it; when the whole transaction reverts or its nonce
goes to a foreign one, all are DEAD on that proof. The contract pays a batch's id once (chain/contracts).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from chain import addresses, lanes, networks, proofs, units, updating
from chain.evm import batches
from chain.fields import new_id
from chain.gateway import Judgement, Outcome, Transfer
from chain.models import HotWallet, Intent, IntentState, Purpose
from chain.ordering import AlreadyOrdered, Payment, bind

MOST = 100  # payments in one batch


class NoBatch(Exception):
    """These payments go one by one: no batch contract there, no token, too few, too many, or of different assets."""


class NoAllowance(NoBatch):
    """No lane lets the batch contract move this token yet."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the signer was told may be paid together, in the order of the batch's payments."""

    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class Allowance:
    """The batch contract of a network may move that asset of a lane; both are read from the table of networks."""

    network: str
    asset: str


def order(payments: Sequence[Payment], *, now: datetime) -> Intent:
    """Bind payments of one asset to one transaction of a lane; needs the caller's transaction.

    Raises: NoBatch, NoAllowance, NoLane, BadAddress, UnknownNetwork, BadAmount, AlreadyOrdered.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("order() belongs in the transaction that reserves the money")
    network, asset = _common(payments)
    token = networks.token(network, asset).contract
    lines = [_line(payment) for payment in payments]
    if HotWallet.objects.filter(address__in=[to_address for to_address, _ in lines]).exists():
        raise addresses.BadAddress("one of our own wallets is among them")
    able = _allowed(network, asset).filter(state=IntentState.PAID).values_list("wallet", flat=True)
    if not able:
        raise NoAllowance(f"no lane on {network} has let the batch contract move {asset}")
    total_units = sum(amount_units for _, amount_units in lines)
    wallet = lanes.take(network, contract=token, amount_units=total_units, wallets=set(able))
    batch = _bind(wallet, payments, now=now)
    rows = _rows(batch, payments, lines, token=token)
    try:
        with transaction.atomic():
            Intent.objects.bulk_create(rows)
    except IntegrityError as refused:
        if "intent_once_per_payout" in str(refused):
            raise AlreadyOrdered("one of these payouts has its intent") from refused
        raise
    return batch


def _rows(batch: Intent, payments: Sequence[Payment], lines: Sequence[tuple[str, int]], *, token: str) -> list[Intent]:
    """The batch's payments; the order of their ids is the order in the call."""
    at = batch.created_at
    shared = {
        "wallet": batch.wallet,
        "batch": batch,
        "seq": batch.seq,
        "network": batch.network,
        "asset": batch.asset,
        "contract": token,
        "created_at": at,
        "next_sign_at": at,
        "next_send_at": at,
        "next_watch_at": at,
    }
    return [
        Intent(id=one, payout_id=payment.payout_id, to_address=to_address, amount_units=amount_units, **shared)
        for one, payment, (to_address, amount_units) in zip(
            sorted(new_id() for _ in lines), payments, lines, strict=True
        )
    ]


def order_allowance(allowance: Allowance, *, now: datetime) -> Intent | None:
    """Have the next open lane without one let the batch contract move a token; None when all have, or will.

    Raises: NoLane: none of them has the gas.
    """
    with transaction.atomic():
        asked = _allowed(allowance.network, allowance.asset).exclude(state=IntentState.DEAD)
        rows = HotWallet.objects.filter(network=allowance.network, paused=False)
        missing = set(rows.exclude(pk__in=asked.values("wallet")).values_list("pk", flat=True))
        if not missing:
            return None
        wallet = lanes.take(allowance.network, contract=networks.NATIVE, amount_units=0, wallets=missing)
        if _allowed(allowance.network, allowance.asset).filter(wallet=wallet).exclude(state=IntentState.DEAD).exists():
            return None
        to_address, data = payload_of_allowance(allowance)
        what = {"asset": allowance.asset, "contract": "", "to_address": to_address, "amount_units": 0, "data": data}
        return bind(wallet, now=now, purpose=Purpose.ALLOWANCE, **what)


def payout_ids(batch: Intent) -> list[UUID]:
    """Whose payments these are, in the batch's order."""
    return [payout for payout in batch.payments.order_by("id").values_list("payout_id", flat=True) if payout]


def payload(batch: Batch, *, of: UUID) -> tuple[str, str, str, str]:
    """What the batch's intent must say: network, asset, the contract called, call data in hexadecimal.

    Raises: NoBatch, BadAddress, UnknownNetwork, BadAmount.
    """
    network, asset = _common(batch.payments)
    return network, asset, networks.network(network).batch_contract, _data(of, batch.payments)


def payload_of_allowance(allowance: Allowance) -> tuple[str, str]:
    """What the allowance's intent must say: the token called, call data in hexadecimal.

    Raises: UnknownNetwork.
    """
    contract = networks.network(allowance.network).batch_contract
    data = batches.approve_call(addresses.account_bytes(allowance.network, contract))
    return networks.token(allowance.network, allowance.asset).contract, data.hex()


def line(batch: Intent, payment: Intent) -> int | None:
    """At which place of its batch's call a payment stands, if it does."""
    at = sorted(batch.payments.values_list("id", flat=True)).index(payment.id)
    lines = batches.read_pay_call(bytes.fromhex(batch.data)).payments
    own = batches.Payment(addresses.account_bytes(payment.network, payment.to_address), payment.amount_units)
    return at if at < len(lines) and lines[at] == own else None


def decide(batch: Intent, judgement: Judgement, *, landed_block: int, now: datetime) -> str:
    """Write the payments' ends down in the transaction that writes the batch's; answers what is wrong, or nothing.

    Each must be the line of the signed call at its place: rows that somebody put there later get no verdict.
    """
    rows = list(batch.payments.select_for_update().select_related("wallet").order_by("id"))
    lines = batches.read_pay_call(bytes.fromhex(batch.data)).payments
    said = [(addresses.account_bytes(row.network, row.to_address), row.amount_units) for row in rows]
    if said != [(line.to_account, line.amount_units) for line in lines]:
        return f"the payments of batch {batch.id} are not what it paid"
    proof = {name: value for name, value in judgement.proof.items() if name not in ("made", "raw")}
    made = judgement.proof.get("made") or [False] * len(rows)
    for index, (row, is_paid) in enumerate(zip(rows, made, strict=True)):
        own = proof | {"batch": {"intent": str(batch.id), "index": index}} | _ending(row.transfer(), judgement, is_paid)
        row.state = IntentState.PAID if is_paid else IntentState.DEAD
        row.txid, row.proof, row.landed_block, row.verdict_at = judgement.txid, own, landed_block, now
    updating.update_each(rows, ["state", "txid", "proof", "landed_block", "verdict_at"])
    return ""


def _ending(transfer: Transfer, judgement: Judgement, is_paid: bool) -> dict[str, object]:  # noqa: FBT001 - a table of two
    if is_paid:
        return {"log": proofs.event(transfer)}
    return {"reason": "the token refused it"} if judgement.outcome is Outcome.PAID else {}


def _common(payments: Sequence[Payment]) -> tuple[str, str]:
    """The network and the asset of them all. Raises: NoBatch, UnknownNetwork."""
    pairs = {(payment.network, payment.asset) for payment in payments}
    if len(pairs) != 1 or not 1 < len(payments) <= MOST:
        raise NoBatch(f"a batch is 2 to {MOST} payments of one asset on one network")
    network, asset = pairs.pop()
    if not networks.network(network).batch_contract or networks.token(network, asset).contract == networks.NATIVE:
        raise NoBatch(f"{asset} goes singly on {network}")
    return network, asset


def _line(payment: Payment) -> tuple[str, int]:
    amount_units = units.to_token_units(payment.network, payment.asset, payment.amount_units)
    return addresses.normalise(payment.network, payment.to_address), amount_units


def _data(of: UUID, payments: Sequence[Payment]) -> str:
    """The call that pays them; its id on chain follows from the intent's."""
    network, asset = _common(payments)
    lines = tuple(
        batches.Payment(addresses.account_bytes(network, to_address), amount_units)
        for to_address, amount_units in map(_line, payments)
    )
    token = addresses.account_bytes(network, networks.token(network, asset).contract)
    return batches.pay_call(batches.Batch(hashlib.sha256(b"sluice batch" + of.bytes).digest(), token, lines)).hex()


def _bind(wallet: HotWallet, payments: Sequence[Payment], *, now: datetime) -> Intent:
    one = new_id()
    _, asset, to_address, data = payload(Batch(tuple(payments)), of=one)
    what = {"asset": asset, "contract": "", "to_address": to_address, "amount_units": 0, "data": data}
    return bind(wallet, now=now, id=one, purpose=Purpose.BATCH, **what)


def _allowed(network: str, asset: str) -> QuerySet[Intent]:
    """The allowances of that asset for the contract that the network has now."""
    to_address, data = payload_of_allowance(Allowance(network, asset))
    return Intent.objects.filter(purpose=Purpose.ALLOWANCE, network=network, to_address=to_address, data=data)
