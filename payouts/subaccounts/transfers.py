"""Transfers between a merchant's main account and its sub-accounts: accepted at once, done by a worker, once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet, Sum

from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, Movement
from payouts import doorbell
from payouts.merchants.models import Merchant
from payouts.subaccounts.models import SubAccount, Transfer
from payouts.webhooks import outbox
from payouts.webhooks.models import Endpoint

log = structlog.get_logger(__name__)

EVENT = "transfer_status_update"
INSUFFICIENT = "insufficient balance"
Pending = dict[tuple[UUID, str], int]  # owner and asset → units


class InsufficientBalance(Exception):
    """What is asked for is not there, or on its way elsewhere already."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a merchant's program wants moved, in the asset's ledger units."""

    merchant: Merchant
    api: str
    sub_account: SubAccount
    direction: Transfer.Direction
    asset: str
    network: str
    amount_units: int
    actor: str
    callback: Endpoint | None = None


def account(merchant: Merchant, owner: UUID, asset: str) -> Ref:
    """What an owner in the merchant's book may spend of an asset."""
    return Ref(merchant.id, owner, asset, Purpose.AVAILABLE)


def accept(order: Order, *, now: datetime) -> Transfer:
    """Write a transfer down for the worker, when its money is there now; part of the caller's transaction.

    Raises: InsufficientBalance.
    """
    transfer = Transfer(
        merchant=order.merchant,
        api=order.api,
        sub_account=order.sub_account,
        direction=order.direction,
        asset=order.asset,
        network=order.network,
        amount_units=order.amount_units,
        actor=order.actor,
        callback=order.callback,
        created_at=now,
        updated_at=now,
    )
    source, _ = _sides(transfer)
    held_units = balances.balance(source).balance_units
    leaving_units = leaving(order.merchant).get((source.owner, order.asset), 0)
    if order.amount_units > held_units - leaving_units:
        raise InsufficientBalance(str(source.owner))
    transfer.save(force_insert=True)
    doorbell.ring_on_commit("transfers")
    return transfer


def to_do(*, limit: int) -> list[UUID]:
    """The oldest that nobody has done."""
    rows = Transfer.objects.filter(status=Transfer.Status.PENDING).order_by("id")
    return list(rows.values_list("id", flat=True)[:limit])


def do(transfer_id: UUID, *, now: datetime) -> Transfer | None:
    """Move the money, or say why it does not move; None where another worker was quicker.

    The ledger's id is made of the transfer's, so that not even a worker that died in between moves it twice.
    """
    with transaction.atomic(durable=True):
        rows = Transfer.objects.select_for_update(of=("self",)).select_related("merchant", "sub_account")
        transfer = rows.filter(id=transfer_id, status=Transfer.Status.PENDING).first()
        if transfer is None:
            return None
        try:
            posting.post([_movement(transfer)])
        except posting.InsufficientFunds:  # a refusal of the ledger's leaves the transaction as it was
            transfer.status, transfer.reason = Transfer.Status.FAILED, INSUFFICIENT
        else:
            transfer.status = Transfer.Status.COMPLETED
        transfer.updated_at = now
        transfer.save(update_fields=["status", "reason", "updated_at"])
        _tell(transfer, now=now)
        doorbell.ring_on_commit("webhooks")
    log.info("transfer.done", transfer_id=str(transfer.id), status=transfer.status)
    return transfer


def of(sub_account: SubAccount) -> QuerySet[Transfer]:
    """A sub-account's transfers, newest first."""
    return Transfer.objects.filter(sub_account=sub_account).order_by("-id")


def leaving(merchant: Merchant) -> Pending:
    """What is on its way out of each of the merchant's balances, and has not left yet."""
    return _pending(merchant, out=True)


def coming(merchant: Merchant) -> Pending:
    """What is on its way into each of them."""
    return _pending(merchant, out=False)


def _pending(merchant: Merchant, *, out: bool) -> Pending:
    rows = Transfer.objects.filter(merchant=merchant, status=Transfer.Status.PENDING)
    sums = rows.values_list("sub_account__account", "direction", "asset").annotate(units=Sum("amount_units"))
    found: Pending = {}
    for sub, direction, asset, amount_units in sums.order_by():
        is_subs = (direction == Transfer.Direction.TO_MASTER) == out
        key = (sub if is_subs else merchant.id, asset)
        found[key] = found.get(key, 0) + int(amount_units)
    return found


def _sides(transfer: Transfer) -> tuple[Ref, Ref]:
    """From where and to where."""
    merchant, asset = transfer.merchant, transfer.asset
    main, sub = (account(merchant, owner, asset) for owner in (merchant.id, transfer.sub_account.account))
    return (main, sub) if transfer.direction == Transfer.Direction.TO_SUB else (sub, main)


def _movement(transfer: Transfer) -> Movement:
    source, target = _sides(transfer)
    event = posting.event_id(transfer.id, "transfer")
    return Movement(
        id=event,
        txn=event,
        kind=Kind.TRANSFER,
        source=source,
        target=target,
        amount_units=int(transfer.amount_units),
        reference=str(transfer.id),
    )


def _tell(transfer: Transfer, *, now: datetime) -> None:
    outbox.add(
        outbox.Telling(
            merchant_id=transfer.merchant_id,
            api=transfer.api,
            event=EVENT,
            subject_id=transfer.id,
            data=snapshot(transfer),
            endpoint_id=transfer.callback_id,
        ),
        now=now,
    )


def snapshot(transfer: Transfer) -> dict[str, Any]:
    """A transfer as it is at one moment, as plain JSON; its amount in ledger units as text."""
    return {
        "id": str(transfer.id),
        "account": str(transfer.sub_account.account),
        "external_id": transfer.sub_account.external_id,
        "direction": str(transfer.direction),
        "asset": transfer.asset,
        "network": transfer.network,
        "amount_units": str(int(transfer.amount_units)),
        "status": str(transfer.status),
        "reason": transfer.reason,
        "created_at": transfer.created_at.isoformat(),
        "updated_at": transfer.updated_at.isoformat(),
    }
