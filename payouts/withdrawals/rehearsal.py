"""What the chain or the signer would refuse now waits, APPROVED, with an alarm; the merchant may still cancel it.

Looked at again every minute. What would end in a block as failed is tried after a quarter of an hour all the same: the
revert in a final block is the proof on which it is refunded. What no block would take (TRX to a contract) only waits.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chain import alarms, transfers
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Status, Withdrawal

ALARM = "payment.obstacle"
LOOK_AGAIN_AFTER = timedelta(minutes=1)
TRIED_AFTER = timedelta(minutes=15)


def passed(ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Those that would be paid now, or that have waited long enough. Never inside a transaction."""
    held_since = _standing()
    _forget_ended(held_since, now=now)
    rows = Withdrawal.objects.in_bulk(ids)
    payments = [withdrawals.payment(rows[one]) for one in ids]
    found = _capped(payments)
    found |= transfers.obstacles([one for one in payments if one.payout_id not in found])
    go = []
    for one in ids:
        obstacle = found.get(one)
        if obstacle is None:
            if one in held_since:
                alarms.clear(ALARM, subject=str(one), now=now)
        elif not (obstacle.in_a_block and now - held_since.get(one, now) >= TRIED_AFTER):
            alarms.raise_alarm(ALARM, subject=str(one), text=obstacle.reason, now=now)
            Withdrawal.objects.filter(id=one, status=Status.APPROVED).update(held_until=now + LOOK_AGAIN_AFTER)
            continue
        go.append(one)
    return go


def _capped(payments: Sequence[transfers.Payment]) -> dict[UUID, transfers.Obstacle]:
    """Those that the signer would never sign; a cap that is raised lets them go."""
    found = {}
    for payment in payments:
        try:
            transfers.check_order(payment)
        except transfers.OverCap as capped:
            found[payment.payout_id] = transfers.Obstacle(str(capped), in_a_block=False)
    return found


def _standing() -> dict[UUID, datetime]:
    """Which withdrawals are held back, and since when."""
    return {UUID(row.subject): row.raised_at for row in alarms.standing().filter(kind=ALARM)}


def _forget_ended(held: Collection[UUID], *, now: datetime) -> None:
    """Clear the alarms of withdrawals that went on or were cancelled."""
    if not held:
        return
    waiting = set(Withdrawal.objects.filter(id__in=held, status=Status.APPROVED).values_list("id", flat=True))
    for ended in set(held) - waiting:
        alarms.clear(ALARM, subject=str(ended), now=now)
