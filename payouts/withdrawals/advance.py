"""The one way a withdrawal moves: lock, check the table, write history, post, tell – one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from ledger import posting
from payouts import doorbell, prepared
from payouts.webhooks import outbox
from payouts.withdrawals import ends, evidence, payload, postings, snapshots, steps
from payouts.withdrawals.models import Approval, StepTaken, Withdrawal

log = structlog.get_logger(__name__)


class SameApprover(Exception):
    """Maker, level 1 and level 2 must be three people."""


# Named constraints become domain errors here and nowhere else.
CONSTRAINT_ERRORS: dict[str, tuple[type[Exception], str]] = {
    "four_eyes": (SameApprover, "maker, level 1 and level 2 must be three different people"),
}


@dataclass(frozen=True, slots=True)
class By:
    """Who or what takes a step, and why."""

    actor: str
    person: User | None = None
    reason: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def locked(withdrawal_id: UUID) -> Withdrawal:
    """The withdrawal, its row locked until the transaction ends.

    Raises: Withdrawal.DoesNotExist.
    """
    return (
        Withdrawal.objects.select_for_update(of=("self",))
        .select_related("merchant", "user_wallet")
        .get(id=withdrawal_id)
    )


def take(withdrawal: Withdrawal, verb: str, by: By, *, now: datetime) -> Withdrawal:
    """Take one step with a locked (or new) withdrawal, inside the caller's transaction.

    Raises: steps.StepRefused, posting.InsufficientFunds, SameApprover (through `domain_errors`).
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a step is part of a transaction")
    step = steps.STEPS[verb]
    before = withdrawal.status
    if before not in step.source and (step.source or before):
        raise steps.StepRefused(verb, before)
    withdrawal.status = step.target
    withdrawal.updated_at = now
    if by.reason:
        withdrawal.reason = by.reason
    if step.source:
        withdrawal.save()
    else:
        prepared.insert(withdrawal)
    _note(withdrawal, step, by, before=before, now=now)
    if step.posts:
        posting.post(postings.movements(withdrawal, step.posts))
    for event in _told_by(withdrawal, step):
        _tell(withdrawal, event, now=now)
    if withdrawal.user_wallet_id and step.target in steps.FINAL:
        ends.announce(withdrawal)
    if step.rings:
        doorbell.ring_on_commit(step.rings)
    log.info("withdrawal.step", withdrawal_id=str(withdrawal.id), verb=verb, status=step.target, actor=by.actor)
    return withdrawal


def _note(withdrawal: Withdrawal, step: steps.Step, by: By, *, before: str, now: datetime) -> None:
    """Write the history row."""
    taken = StepTaken(
        withdrawal=withdrawal,
        verb=step.verb,
        from_status=before,
        to_status=step.target,
        actor=by.actor,
        person=by.person,
        payload_hash=payload.payload_hash(withdrawal),
        reason=by.reason,
        data=by.data,
        at=now,
    )
    if step.verb in evidence.VERBS:
        taken.evidence = evidence.of(taken)
    prepared.insert(taken)


def _told_by(withdrawal: Withdrawal, step: steps.Step) -> list[str]:
    """The step's events; that a new withdrawal waits for its merchant is one of its own."""
    events = [step.tells] if step.tells else []
    waits_for_merchant = step.verb == "create" and withdrawal.approval == Approval.MERCHANT
    return [*events, steps.WAITS_FOR_MERCHANT] if waits_for_merchant else events


def _tell(withdrawal: Withdrawal, event: str, *, now: datetime) -> None:
    """Put the event into the outbox, with the withdrawal as it is now."""
    outbox.add(
        merchant_id=withdrawal.merchant_id,
        api=withdrawal.api,
        event=event,
        subject_id=withdrawal.id,
        data=snapshots.of(withdrawal),
        endpoint_id=withdrawal.callback_id,
        now=now,
    )


@contextmanager
def domain_errors() -> Iterator[None]:
    """Turn a named constraint's violation into the error that it stands for."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name in CONSTRAINT_ERRORS:
            refusal, text = CONSTRAINT_ERRORS[name]
            raise refusal(text) from error
        raise
