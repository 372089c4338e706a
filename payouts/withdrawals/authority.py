"""The signer's own look at the approvals: what may be signed is read from history, not taken from a queue."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from chain import transfers
from chain.models import Intent
from payouts.withdrawals import evidence, payload, withdrawals
from payouts.withdrawals.models import Approval, Status, StepTaken, Withdrawal

Way = tuple[str, ...]
TWO_PEOPLE: Way = ("approve_l1", "approve_l2")
# Whatever policy asks for, two approvers are enough: they may be quicker than screening or the merchant.
ENOUGH: dict[Approval, tuple[Way, ...]] = {
    Approval.NONE: (("auto_approve",), TWO_PEOPLE),
    Approval.MERCHANT: (("merchant_approve",), TWO_PEOPLE),
    Approval.ONE_LEVEL: (("approve_l1", "auto_approve"), TWO_PEOPLE),
    Approval.TWO_LEVELS: (TWO_PEOPLE,),
}


class NotAuthorised(Exception):
    """The approvals on record do not cover this payment."""


def authorised(payout_id: UUID) -> transfers.Payment:
    """The payment that the recorded approvals bind, rebuilt from the withdrawal.

    Raises: NotAuthorised when a step is missing, binds another payload, lacks its evidence, or one person took two.
    """
    withdrawal = Withdrawal.objects.filter(id=payout_id, status=Status.PROCESSING).first()
    if withdrawal is None:
        raise NotAuthorised(f"{payout_id} is not being processed")
    return _bound(withdrawal)


def those_authorised(payout_ids: Collection[UUID]) -> dict[UUID, transfers.Payment]:
    """The payments of these that the recorded approvals bind; the others are left out."""
    found = {}
    for withdrawal in Withdrawal.objects.filter(id__in=payout_ids, status=Status.PROCESSING).prefetch_related("steps"):
        with suppress(NotAuthorised):
            found[withdrawal.id] = _bound(withdrawal)
    return found


def authorised_together(batch: Intent) -> transfers.Batch:
    """The payments of a batch, each bound by its own approvals, in the batch's order.

    Raises: NotAuthorised when one of them is not: then none is signed.
    """
    return transfers.Batch(tuple(authorised(payout_id) for payout_id in transfers.payout_ids(batch)))


def _bound(withdrawal: Withdrawal) -> transfers.Payment:
    """Raises: NotAuthorised."""
    approvals = _approvals(withdrawal)
    if any(bytes(step.payload_hash) != payload.payload_hash(withdrawal) for step in approvals):
        raise NotAuthorised(f"{withdrawal.id} was approved with another payload")
    people = [step.person_id for step in approvals if step.verb.startswith("approve_l")]
    if None in people or len({*people, withdrawal.maker_id}) != len(people) + 1:
        raise NotAuthorised(f"{withdrawal.id} was not approved by different people")
    said = [step for step in approvals if step.verb in evidence.VERBS]
    if not all(evidence.holds(step) for step in said):
        raise NotAuthorised(f"{withdrawal.id} has an approval without its evidence: nobody's yes")
    return replace(withdrawals.payment(withdrawal), attended=bool(said))


def _approvals(withdrawal: Withdrawal) -> list[StepTaken]:
    """The recorded steps that together are enough for this withdrawal.

    Raises: NotAuthorised.
    """
    taken = {step.verb: step for step in withdrawal.steps.all()}
    for way in ENOUGH[Approval(withdrawal.approval)]:
        if all(verb in taken for verb in way):
            return [taken[verb] for verb in way]
    raise NotAuthorised(f"{withdrawal.id} lacks its approvals ({withdrawal.approval}), it has {sorted(taken)}")
