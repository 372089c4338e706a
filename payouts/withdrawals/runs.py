"""Payout runs through a network's batch contract, where it has one: what cannot go together goes singly as ever."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from chain import networks, transfers
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Withdrawal

log = structlog.get_logger(__name__)
MOST = 100


def dispatched(ids: Collection[UUID], refusals: tuple[type[Exception], ...], *, now: datetime) -> list[UUID]:
    """Send off together what can be, and answer what is left for a dispatch of its own."""
    left: list[UUID] = []
    rows = Withdrawal.objects.in_bulk(list(ids))
    groups: dict[tuple[str, str], list[UUID]] = {}
    for one in ids:
        groups.setdefault((rows[one].network, rows[one].asset), []).append(one)
    for (network, asset), members in groups.items():
        for start in range(0, len(members), MOST):
            part = members[start : start + MOST]
            if not _together(network, asset, part, refusals, now=now):
                left += part
    return left


def _together(
    network: str, asset: str, ids: Sequence[UUID], refusals: tuple[type[Exception], ...], *, now: datetime
) -> bool:
    """Whether they went; a batch that one of them keeps from going is none."""
    if len(ids) == 1 or not networks.network(network).batch_contract:
        return False
    singly: tuple[type[Exception], ...] = (transfers.NoBatch, *refusals)
    try:
        withdrawals.dispatch_together(ids, now=now)
    except transfers.NoAllowance:
        _allow(network, asset, now=now)
        return False
    except singly as refusal:
        log.info("runs.singly", network=network, asset=asset, payments=len(ids), reason=str(refusal))
        return False
    return True


def _allow(network: str, asset: str, *, now: datetime) -> None:
    """Have a lane let the batch contract move that token; these payments do not wait for it."""
    try:
        transfers.order_allowance(transfers.Allowance(network, asset), now=now)
    except transfers.NoLane as refusal:
        log.info("runs.no_allowance", network=network, asset=asset, reason=str(refusal))
