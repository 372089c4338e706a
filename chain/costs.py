"""What payments really cost on chain, failed ones too: read from final receipts, written down with the verdict."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from chain import networks
from chain.gateway import Spent
from chain.models import Cost, Intent


def record(spent: Iterable[tuple[Intent, Spent]], *, now: datetime) -> None:
    """Write decided transactions' costs down; belongs in the transaction that writes the verdicts."""
    Cost.objects.bulk_create(
        Cost(
            intent=intent,
            network=intent.network,
            coin=networks.network(intent.network).coin,
            txid=one.txid,
            block_number=one.block_number,
            fee_units=one.fee_units,
            detail=dict(one.detail),
            at=now,
        )
        for intent, one in spent
    )


def paid_units(network: str, *, wallets: Collection[str] | None = None, upto_block: int | None = None) -> int:
    """What our decided transactions have cost on that network: all of them, some wallets', or those up to a block.

    Units: the network's own coin's smallest.
    """
    costs = Cost.objects.filter(network=network)
    if wallets is not None:
        costs = costs.filter(intent__wallet__address__in=wallets)
    if upto_block is not None:
        costs = costs.filter(block_number__lte=upto_block)
    return int(costs.aggregate(total=Sum("fee_units"))["total"] or 0)


def of_payout(payout_id: UUID) -> list[Cost]:
    """What a payout's transactions have cost, in the order of their verdicts; nothing before the first."""
    return list(Cost.objects.filter(intent__payout_id=payout_id).order_by("id"))


def unbooked(*, limit: int) -> list[Cost]:
    """Costs that are in nobody's books, locked until the caller's transaction ends; what another one holds is left."""
    rows = Cost.objects.select_for_update(skip_locked=True, of=("self",)).select_related("intent")
    return list(rows.filter(booked_at=None).order_by("id")[:limit])


def book(costs: Iterable[Cost], *, now: datetime) -> None:
    """Mark them as booked, in the transaction that books them; the database lets that happen once."""
    Cost.objects.filter(pk__in=[cost.pk for cost in costs]).update(booked_at=now)
