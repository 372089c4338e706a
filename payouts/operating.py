"""What `manage.py chain` asks: one withdrawal's whole way, and the proofs of everything that was completed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from chain import alarms, audit, gateway, inspection, pausing, transfers
from chain.models import Pause
from payouts import doorbell
from payouts.withdrawals import sheet, withdrawals
from payouts.withdrawals.models import Status, Withdrawal

PAGE = 200
# What a withdrawal waits for as long as the chain has not been asked for anything.
WAITS: dict[str, str] = {
    Status.PENDING: "screening, or the merchant's own yes",
    Status.PENDING_REVIEW: "the first approval",
    Status.LEVEL1_APPROVED: "the second approval",
    Status.APPROVED: "the next dispatch",
}


def waits_for(withdrawal: Withdrawal) -> str:
    """What has to happen next, in plain words; empty when nothing has."""
    if withdrawal.status == Status.PROCESSING:
        found = inspection.payment(withdrawal.id)
        return str(found["waits_for"]) if found else "nothing that is on record: a person must look"
    if withdrawal.status == Status.APPROVED:
        obstacle = alarms.standing().filter(kind="payment.obstacle", subject=str(withdrawal.id)).first()
        if obstacle:
            return obstacle.text
        subject = f"{withdrawal.network}/{withdrawal.asset}"
        short = alarms.standing().filter(kind="withdrawals.waiting", subject=subject).first()
        if short:
            return f"a lane that can pay: {short.text}"
    return WAITS.get(withdrawal.status, "")


def resume(network: str, *, address: str = "", by: str, reason: str, now: datetime) -> Pause:
    """End a pause and wake those who waited for it.

    Raises: what pausing.resume() does.
    """
    ended = pausing.resume(network, address=address, by=by, reason=reason, now=now)
    for sweep in ("dispatch", "sign"):
        doorbell.ring(sweep)
    return ended


def give_up(withdrawal_id: UUID, *, by: str, reason: str, now: datetime) -> None:
    """Never pay what cannot be signed: it is refunded when its number on the lane is used up for nothing.

    Raises: transfers.NotToGiveUp.
    """
    transfers.give_up(withdrawal_id, by=by, reason=reason, now=now)
    doorbell.ring("sign")


def inspect(withdrawal_id: UUID) -> dict[str, Any] | None:
    """One withdrawal with its steps and its payment; None when there is no such withdrawal."""
    withdrawal = Withdrawal.objects.filter(id=withdrawal_id).first()
    if withdrawal is None:
        return None
    return {
        "withdrawal": withdrawal.id,
        "status": withdrawal.status,
        "network": withdrawal.network,
        "to": withdrawal.destination,
        "amount": sheet.money(withdrawal.asset, int(withdrawal.net_units)),
        "waits_for": waits_for(withdrawal),
        "steps": [
            {"verb": step.verb, "to": step.to_status, "by": step.actor, "at": step.at, "reason": step.reason}
            for step in withdrawal.steps.all()
        ],
        "payment": inspection.payment(withdrawal.id),
    }


@dataclass(slots=True)
class Audit:
    """What an audit found."""

    checked: int = 0
    unread: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything was checked and all of it holds."""
        return not (self.unread or self.problems)


def audit_completed(
    names: Sequence[str],
    *,
    urls: Sequence[str],
    since: datetime | None,
    now: datetime,
    progress: Callable[[int, int], object],
) -> Audit:
    """Check the proof of every COMPLETED withdrawal on these networks again, through these nodes or our own."""
    found = Audit()
    rows = Withdrawal.objects.filter(status=Status.COMPLETED)
    rows = rows.filter(updated_at__gte=since) if since else rows
    total = rows.filter(network__in=names).count()
    for name in names:
        of_network = rows.filter(network=name)
        if not of_network.exists():
            continue
        try:
            auditor = audit.Auditor(name, urls=urls)
        except gateway.ChainError as unread:
            found.unread.append(f"{name}: {of_network.count()} payments not checked: {unread}")
            continue
        for withdrawal in _paged(of_network):
            _check(auditor, withdrawal, found, now=now)
            progress(found.checked, total)
    return found


def _check(auditor: audit.Auditor, withdrawal: Withdrawal, found: Audit, *, now: datetime) -> None:
    what = f"{withdrawal.id} on {withdrawal.network}"
    try:
        problems = auditor.problems(withdrawals.payment(withdrawal), now=now)
    except gateway.ChainError as unread:
        found.unread.append(f"{what}: {unread}")
        return
    found.checked += 1
    found.problems += [f"{what}: {problem}" for problem in problems]


def _paged(rows: QuerySet[Withdrawal]) -> Iterator[Withdrawal]:
    last: UUID | None = None
    while page := list((rows.filter(id__gt=last) if last else rows).order_by("id")[:PAGE]):
        yield from page
        last = page[-1].id
