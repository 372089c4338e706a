"""Changing a rule takes two people: one proposes, another confirms with a one-time code, and both stay written down.

The application's database role may not write the rules themselves: a function of the database does, from a proposal
that somebody else made, and only if the row is still what the proposal says it was.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.models import QuerySet

from payouts.merchants import otp
from payouts.merchants.book import BookedAddress
from payouts.merchants.models import Challenge
from payouts.withdrawals import whole
from payouts.withdrawals.models import FeeRule, PolicyRule
from payouts.withdrawals.rule_models import Kind, LimitRule, RuleDecision, RuleProposal, Verdict

PROPOSE, CONFIRM = "payouts.propose_rules", "payouts.confirm_rules"
MODELS: Mapping[Kind, type[models.Model]] = {
    Kind.POLICY: PolicyRule,
    Kind.LIMIT: LimitRule,
    Kind.ADDRESS: BookedAddress,
    Kind.FEE: FeeRule,
}
MADE_HERE = ("id", "added_by_id", "added_at")  # what no proposal says: the database fills it in


class AmendRefused(Exception):
    """A change of the rules that cannot be."""


class NotAllowed(AmendRefused):
    """This person holds no right to that."""


class SamePerson(AmendRefused):
    """Nobody confirms what he proposed himself."""


class DecidedAlready(AmendRefused):
    """Somebody was quicker."""


class RowMoved(AmendRefused):
    """The row is no longer what it was when the change was proposed."""


class NothingChanges(AmendRefused):
    """Before and after are the same."""


class CannotBe(AmendRefused):
    """The database has no place for such a row."""


# fmt: off
REFUSALS: Mapping[str, tuple[type[AmendRefused], str]] = {
    "rule_takes_two_people":    (SamePerson,     "somebody else than who proposed it has to confirm it"),
    "payouts_ruledecision_pkey": (DecidedAlready, "this has been decided already"),
    "rule_as_proposed":         (RowMoved,       "the row has changed since this was proposed: propose it again"),
    "address_booked_once":      (CannotBe,       "this address is in the book already"),
    "one_fee_per_case":         (CannotBe,       "there is a fee for this case already"),
    "limit_not_below_drawn":    (CannotBe,       "more than that is drawn"),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be: `row` none is a new one, `after` none removes it.

    A credit line is no row of ours: `after` says what it was and is to be, and the ledger keeps it.
    """

    kind: Kind
    row: int | None
    after: Mapping[str, Any] | None
    reason: str = ""


def values(row: models.Model) -> dict[str, Any]:
    """A rule's columns as they are written down, by their names in the database."""
    fields = [field for field in row._meta.concrete_fields if field.attname not in MADE_HERE]  # noqa: SLF001 - Django's
    return {field.attname: _plain(field, getattr(row, field.attname)) for field in fields}


def propose(change: Change, *, by: User, now: datetime) -> RuleProposal:
    """Write down what one person wants; nothing takes effect.

    Raises: NotAllowed, NothingChanges, RowMoved when the row is gone.
    """
    if not (by.is_active and by.has_perm(PROPOSE)):
        raise NotAllowed(f"{by.get_username()} may not propose changes of rules")
    before = None
    if change.row is not None:
        row = MODELS[change.kind]._default_manager.filter(pk=change.row).first()  # noqa: SLF001 - Django's
        if row is None:
            raise RowMoved("the row is no longer there")
        before = values(row)
    if before == change.after:
        raise NothingChanges("nothing would change")
    return RuleProposal.objects.create(
        kind=change.kind, row=change.row, before=before, after=change.after, reason=change.reason.strip(), by=by, at=now
    )


def undecided() -> QuerySet[RuleProposal]:
    """What waits for a second person, the oldest first."""
    return RuleProposal.objects.filter(decision=None).order_by("id")


def show(proposal: RuleProposal, *, person: User, now: datetime) -> Challenge:
    """Note what this person is being shown, before the code is asked for."""
    return otp.challenge(person, purpose=_purpose(proposal.id), payload_hash=payload_hash(proposal), now=now)


def payload_hash(proposal: RuleProposal) -> bytes:
    """What a code confirms: the whole change."""
    said = [str(proposal.id), proposal.kind, proposal.row, proposal.before, proposal.after, proposal.by_id]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


def may_confirm(person: User, proposal: RuleProposal) -> bool:
    """Whether this person's yes would count."""
    return person.is_active and person.has_perm(CONFIRM) and person.pk != proposal.by_id


def may_decline(person: User, proposal: RuleProposal) -> bool:
    """Whether this person may say no; who proposed it may take it back so."""
    return person.is_active and (person.pk == proposal.by_id or person.has_perm(CONFIRM))


def confirm(proposal_id: UUID, *, person: User, challenge_id: UUID, code: str, now: datetime) -> RuleDecision:
    """Give the second person's yes: the change takes effect.

    Raises: NotAllowed, SamePerson, DecidedAlready, RowMoved, CannotBe, otp.OtpRefused.
    """
    proposal = RuleProposal.objects.get(id=proposal_id)
    _check(proposal, person)
    otp.confirm(challenge_id, person=person, code=code, now=now)
    return _confirmed(proposal_id, person=person, challenge_id=challenge_id, now=now)


@whole.retried
def _confirmed(proposal_id: UUID, *, person: User, challenge_id: UUID, now: datetime) -> RuleDecision:
    with transaction.atomic(durable=True):
        proposal = RuleProposal.objects.get(id=proposal_id)
        shown = payload_hash(proposal)
        otp.spend(challenge_id, person=person, purpose=_purpose(proposal_id), payload_hash=shown, now=now)
        return enact(proposal, by=person, now=now)


def enact(proposal: RuleProposal, *, by: User, now: datetime) -> RuleDecision:
    """Let the change take effect, once the second person's code was spent; part of the caller's transaction.

    Raises: NotAllowed, SamePerson, DecidedAlready, RowMoved, CannotBe.
    """
    _check(proposal, by)
    return _decide(proposal, Verdict.CONFIRMED, by=by, now=now)


def decline(proposal_id: UUID, *, person: User, now: datetime) -> RuleDecision:
    """Say no; nothing takes effect.

    Raises: NotAllowed, DecidedAlready.
    """
    proposal = RuleProposal.objects.get(id=proposal_id)
    if not may_decline(person, proposal):
        raise NotAllowed(f"{person.get_username()} may not decline this")
    return _decide(proposal, Verdict.DECLINED, by=person, now=now)


def _check(proposal: RuleProposal, person: User) -> None:
    if not (person.is_active and person.has_perm(CONFIRM)):
        raise NotAllowed(f"{person.get_username()} may not confirm changes of rules")
    if person.pk == proposal.by_id:
        raise SamePerson(REFUSALS["rule_takes_two_people"][1])
    if RuleDecision.objects.filter(proposal=proposal).exists():
        raise DecidedAlready(REFUSALS["payouts_ruledecision_pkey"][1])


def _decide(proposal: RuleProposal, verdict: Verdict, *, by: User, now: datetime) -> RuleDecision:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT payouts_decide_rule(%s::uuid, %s::text, %s::bigint, %s::timestamptz)",
                [proposal.id, verdict, by.pk, now],
            )
    except (IntegrityError, DataError) as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        refusal, text = REFUSALS.get(name or "", (CannotBe, f"no such row can be: {name or error}"))
        raise refusal(text) from error
    return RuleDecision.objects.get(proposal=proposal)


def _plain(field: Any, value: Any) -> str | int | bool | None:
    """The value as JSON holds it, one and the same for a row from the database and one that a form has filled in."""
    if value is None or isinstance(value, bool):
        return value
    return int(value) if isinstance(field, models.IntegerField) else str(value)


def _purpose(proposal_id: UUID) -> str:
    return f"rule:{proposal_id}"
