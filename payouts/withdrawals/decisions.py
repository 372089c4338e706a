"""The verbs that people use: a yes or a no, bound to what was shown and to a fresh one-time code."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from chain.failpoints import committing
from payouts.merchants import otp
from payouts.merchants.models import Challenge
from payouts.withdrawals import advance, payload, rules, steps, whole
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Status, Withdrawal

LAST_LEVEL = 2
PERMISSIONS = {1: "payouts.approve_level1", 2: "payouts.approve_level2"}


class NotAnApprover(Exception):
    """This person holds no right to decide here."""


class ReasonMissing(Exception):
    """A rejection without a reason helps nobody."""


def show(withdrawal: Withdrawal, verb: str, *, person: User, now: datetime) -> Challenge:
    """Note what this person is being shown, before the code for `verb` is asked for."""
    shown = payload.payload_hash(withdrawal)
    return otp.challenge(person, purpose=_purpose(withdrawal.id, verb), payload_hash=shown, now=now)


def may(person: User, verb: str, withdrawal: Withdrawal) -> bool:
    """Whether this person's button for this verb would do something."""
    if not steps.allowed(verb, withdrawal.status) or not _has_right(person, verb, withdrawal):
        return False
    return verb == "reject" or person.pk not in (withdrawal.maker_id, withdrawal.level1_by_id, withdrawal.level2_by_id)


def approve(
    withdrawal_id: UUID, *, level: int, person: User, challenge_id: UUID, code: str, now: datetime
) -> Withdrawal:
    """Give one person's yes.

    Raises: NotAnApprover, steps.StepRefused, otp.OtpRefused, advance.SameApprover, addresses.BadAddress.
    """
    verb = f"approve_l{level}"
    _admit(withdrawal_id, verb, person=person)
    otp.confirm(challenge_id, person=person, code=code, now=now)
    with advance.domain_errors():
        return _approved(withdrawal_id, level=level, person=person, challenge_id=challenge_id, now=now)


@whole.retried
def _approved(withdrawal_id: UUID, *, level: int, person: User, challenge_id: UUID, now: datetime) -> Withdrawal:
    verb = f"approve_l{level}"
    with committing("approve"):
        withdrawal = _spend(withdrawal_id, verb, person=person, challenge_id=challenge_id, now=now)
        setattr(withdrawal, f"level{level}_by", person)
        last = level == LAST_LEVEL or withdrawal.approval == Approval.ONE_LEVEL
        if last:  # nothing is ever sent to an address that fails the full check, so nobody can say the last yes to it
            rules.payable(withdrawal.network, withdrawal.destination)
        advance.take(withdrawal, verb, By(person.get_username(), person), now=now)
        if last and level != LAST_LEVEL:
            advance.take(withdrawal, "auto_approve", By("policy"), now=now)
        return withdrawal


def reject(
    withdrawal_id: UUID, *, person: User, challenge_id: UUID, code: str, reason: str, now: datetime
) -> Withdrawal:
    """Give one person's no; what was frozen goes back where it came from.

    Raises: ReasonMissing, NotAnApprover, steps.StepRefused, otp.OtpRefused.
    """
    if not reason.strip():
        raise ReasonMissing("say why: the merchant reads it")
    _admit(withdrawal_id, "reject", person=person)
    otp.confirm(challenge_id, person=person, code=code, now=now)
    return _rejected(withdrawal_id, person=person, challenge_id=challenge_id, reason=reason.strip(), now=now)


@whole.retried
def _rejected(withdrawal_id: UUID, *, person: User, challenge_id: UUID, reason: str, now: datetime) -> Withdrawal:
    with committing("reject"):
        withdrawal = _spend(withdrawal_id, "reject", person=person, challenge_id=challenge_id, now=now)
        return advance.take(withdrawal, "reject", By(person.get_username(), person, reason), now=now)


def _has_right(person: User, verb: str, withdrawal: Withdrawal) -> bool:
    if verb == "reject":
        level = 2 if withdrawal.status == Status.LEVEL1_APPROVED else 1
        return person.is_active and person.has_perm(PERMISSIONS[level])
    return person.is_active and person.has_perm(PERMISSIONS[int(verb[-1])])


def _admit(withdrawal_id: UUID, verb: str, *, person: User) -> None:
    """Refuse what cannot succeed before a code is used up for it; the locked step checks right and state again."""
    _check(Withdrawal.objects.get(id=withdrawal_id), verb, person=person)


def _check(withdrawal: Withdrawal, verb: str, *, person: User) -> None:
    if not _has_right(person, verb, withdrawal):
        raise NotAnApprover(f"{person.get_username()} may not {verb.replace('_', ' ')} this withdrawal")
    if not steps.allowed(verb, withdrawal.status):
        raise steps.StepRefused(verb, withdrawal.status)


def _spend(withdrawal_id: UUID, verb: str, *, person: User, challenge_id: UUID, now: datetime) -> Withdrawal:
    withdrawal = advance.locked(withdrawal_id)
    _check(withdrawal, verb, person=person)  # its status, and with it the right that a rejection needs, may have moved
    shown = payload.payload_hash(withdrawal)
    otp.spend(challenge_id, person=person, purpose=_purpose(withdrawal_id, verb), payload_hash=shown, now=now)
    return withdrawal


def _purpose(withdrawal_id: UUID, verb: str) -> str:
    return f"{verb}:{withdrawal_id}"
