"""Withdrawals that leave together: in one transaction of ours, and of the chain's where a batch contract is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from chain import networks, transfers
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Withdrawal

log = structlog.get_logger(__name__)
MOST = 100


def dispatch(rows: Sequence[Withdrawal], *, now: datetime) -> None:
    """Hand approved withdrawals of one asset on one network to the chain; what cannot share a transaction goes singly.

    Raises: what withdrawals.dispatch() does, when one of them is refused: those before it may have gone.
    """
    for start in range(0, len(rows), MOST):
        part = rows[start : start + MOST]
        ids = [row.id for row in part]
        if not _as_batch(part[0].network, part[0].asset, ids, now=now):
            withdrawals.dispatch_together(ids, now=now)


def _as_batch(network: str, asset: str, ids: Sequence[UUID], *, now: datetime) -> bool:
    """Whether they went in a batch; one that some of them keep from going is none."""
    if len(ids) == 1 or not networks.network(network).batch_contract:
        return False
    try:
        withdrawals.dispatch_together(ids, now=now, order=transfers.order_batch)
    except transfers.NoAllowance:
        _allow(network, asset, now=now)
        return False
    except (transfers.NoBatch, transfers.NoLane) as refusal:
        log.info("runs.singly", network=network, asset=asset, payments=len(ids), reason=str(refusal))
        return False
    return True


def _allow(network: str, asset: str, *, now: datetime) -> None:
    """Have a lane let the batch contract move that token; these payments do not wait for it."""
    try:
        transfers.order_allowance(transfers.Allowance(network, asset), now=now)
    except transfers.NoLane as refusal:
        log.info("runs.no_allowance", network=network, asset=asset, reason=str(refusal))
