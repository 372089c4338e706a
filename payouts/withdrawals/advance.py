"""The one way a withdrawal moves: lock, check the table, write history, post, tell – one transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from chain import updating
from ledger import bulk, posting
from payouts import copying, doorbell, prepared
from payouts.webhooks import outbox
from payouts.webhooks.models import Endpoint, Message
from payouts.withdrawals import ends, evidence, payload, postings, snapshots, steps
from payouts.withdrawals.models import Approval, StepTaken, Withdrawal

log = structlog.get_logger(__name__)
MANY = 100  # movements of one book from which the ledger's set-based way is the quicker one


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
    return locked_all([withdrawal_id])[0]


def locked_all(withdrawal_ids: Collection[UUID]) -> list[Withdrawal]:
    """The withdrawals, their rows locked in the order of their ids, so that no two lockers wait for each other.

    Raises: Withdrawal.DoesNotExist.
    """
    rows = Withdrawal.objects.select_for_update(of=("self",)).select_related("merchant", "user_wallet")
    found = list(rows.filter(id__in=withdrawal_ids).order_by("id"))
    if len(found) != len(withdrawal_ids):
        raise Withdrawal.DoesNotExist(f"{len(withdrawal_ids) - len(found)} of {len(withdrawal_ids)} are not there")
    return found


def take(withdrawal: Withdrawal, verb: str, by: By, *, now: datetime) -> Withdrawal:
    """Take one step with a locked (or new) withdrawal, inside the caller's transaction.

    Raises: steps.StepRefused, posting.InsufficientFunds, SameApprover (through `domain_errors`).
    """
    return take_all([(withdrawal, by)], verb, now=now)[0]


def take_all(
    moves: Sequence[tuple[Withdrawal, By]], verb: str, *, now: datetime, changed: Sequence[str] = ()
) -> list[Withdrawal]:
    """Take the same step with many locked withdrawals, all of them or none, inside the caller's transaction.

    `changed` names what the caller has changed of them; of a single one everything is saved.

    Raises: steps.StepRefused, posting.InsufficientFunds, SameApprover (through `domain_errors`).
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a step is part of a transaction")
    step = steps.STEPS[verb]
    before = [withdrawal.status for withdrawal, _ in moves]
    for status in before:
        if status not in step.source and (step.source or status):
            raise steps.StepRefused(verb, status)
    taken = [_moved(withdrawal, step, by, now=now) for withdrawal, by in moves]
    _save(taken, step, changed)
    _note(moves, step, before=before, now=now)
    _post(taken, step)
    _tell(taken, step, now=now)
    if step.rings:
        doorbell.ring_on_commit(step.rings)
    _log(moves, step)
    return taken


def _log(moves: Sequence[tuple[Withdrawal, By]], step: steps.Step) -> None:
    """A line for each; of a part of a run one line, since its history rows say the rest."""
    if len(moves) > MANY:
        first, last = (str(moves[place][0].id) for place in (0, -1))
        told = {"withdrawals": len(moves), "first_id": first, "last_id": last, "actor": moves[0][1].actor}
        log.info("withdrawal.steps", verb=step.verb, status=step.target, **told)
        return
    for withdrawal, by in moves:
        said = {"withdrawal_id": str(withdrawal.id), "actor": by.actor}
        log.info("withdrawal.step", verb=step.verb, status=step.target, **said)


def log_created(withdrawal: Withdrawal, by: By) -> None:
    """Say that a withdrawal was made."""
    _log([(withdrawal, by)], steps.STEPS["create"])


@dataclass(frozen=True, slots=True)
class Begun:
    """All that a new withdrawal's first step writes, and writes at once or not at all."""

    withdrawal: Withdrawal
    step: StepTaken
    messages: Sequence[Message]
    movements: Sequence[posting.Movement]


def begun(withdrawal: Withdrawal, by: By, *, endpoints: Sequence[Endpoint], now: datetime) -> Begun:
    """A new withdrawal's first step, not written yet; `endpoints` are those that its events may go to."""
    step = steps.STEPS["create"]
    moved = _moved(withdrawal, step, by, now=now)
    messages = [one for told in _tellings(moved, step) for one in outbox.messages_of(told, endpoints, now=now)]
    taken = _taken(moved, by, step, before="", now=now)
    return Begun(moved, taken, messages, postings.movements(moved, str(step.posts)))


def _moved(withdrawal: Withdrawal, step: steps.Step, by: By, *, now: datetime) -> Withdrawal:
    withdrawal.status = step.target
    withdrawal.updated_at = now
    if by.reason:
        withdrawal.reason = by.reason
    return withdrawal


def _save(taken: Sequence[Withdrawal], step: steps.Step, changed: Sequence[str]) -> None:
    if not step.source:
        _insert(taken)
    elif len(taken) == 1:
        taken[0].save()
    else:
        updating.update_each(taken, ["status", "updated_at", "reason", *changed])


def _insert(taken: Sequence[Withdrawal]) -> None:
    if len(taken) == 1:
        prepared.insert(taken[0])
    else:
        copying.insert_all(taken)


def _note(moves: Sequence[tuple[Withdrawal, By]], step: steps.Step, *, before: Sequence[str], now: datetime) -> None:
    """Write the history rows."""
    rows = [_taken(*move, step, before=status, now=now) for move, status in zip(moves, before, strict=True)]
    if len(rows) == 1:
        prepared.insert(rows[0])
    else:
        copying.insert_all(rows)


def _taken(withdrawal: Withdrawal, by: By, step: steps.Step, *, before: str, now: datetime) -> StepTaken:
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
    return taken


def _post(taken: Sequence[Withdrawal], step: steps.Step) -> None:
    """Move the money, book by book in the order of their ids: one call each."""
    if not step.posts:
        return
    books: dict[UUID, list[posting.Movement]] = defaultdict(list)
    for withdrawal in taken:
        books[withdrawal.merchant_id] += postings.movements(withdrawal, step.posts)
    for book in sorted(books):
        if len(books[book]) > MANY:
            bulk.post_many(books[book])
        else:
            posting.post(books[book])


def _told_by(withdrawal: Withdrawal, step: steps.Step) -> list[str]:
    """The step's events; that a new withdrawal waits for its merchant is one of its own."""
    events = [step.tells] if step.tells else []
    waits_for_merchant = step.verb == "create" and withdrawal.approval == Approval.MERCHANT
    return [*events, steps.WAITS_FOR_MERCHANT] if waits_for_merchant else events


def _tell(taken: Sequence[Withdrawal], step: steps.Step, *, now: datetime) -> None:
    """Put the events into the outbox, with the withdrawals as they are now, and wake who waits for an end."""
    outbox.add_all([telling for withdrawal in taken for telling in _tellings(withdrawal, step)], now=now)
    for withdrawal in taken:
        if withdrawal.user_wallet_id and step.target in steps.FINAL:
            ends.announce(withdrawal)


def _tellings(withdrawal: Withdrawal, step: steps.Step) -> list[outbox.Telling]:
    return [
        outbox.Telling(
            merchant_id=withdrawal.merchant_id,
            api=withdrawal.api,
            event=event,
            subject_id=withdrawal.id,
            data=snapshots.of(withdrawal),
            endpoint_id=withdrawal.callback_id,
        )
        for event in _told_by(withdrawal, step)
    ]


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
