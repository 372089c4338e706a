"""The signer's own look at the approvals: what may be signed is read from history, not taken from a queue."""

from uuid import UUID

from chain import transfers
from payouts.withdrawals import payload, withdrawals
from payouts.withdrawals.models import Approval, Status, Withdrawal

NEEDED = {
    Approval.NONE: ("auto_approve",),
    Approval.MERCHANT: ("merchant_approve",),
    Approval.ONE_LEVEL: ("approve_l1", "auto_approve"),
    Approval.TWO_LEVELS: ("approve_l1", "approve_l2"),
}


class NotAuthorised(Exception):
    """The approvals on record do not cover this payment."""


def authorised(payout_id: UUID) -> transfers.Payment:
    """The payment that the recorded approvals bind, rebuilt from the withdrawal.

    Raises: NotAuthorised when a step is missing, binds another payload, or one person took two of them.
    """
    withdrawal = Withdrawal.objects.filter(id=payout_id, status=Status.PROCESSING).first()
    if withdrawal is None:
        raise NotAuthorised(f"{payout_id} is not being processed")
    now_hash = payload.payload_hash(withdrawal)
    needed = NEEDED[Approval(withdrawal.approval)]
    taken = {step.verb: step for step in withdrawal.steps.filter(verb__in=needed)}
    if set(taken) != set(needed):
        raise NotAuthorised(f"{payout_id} lacks {sorted(set(needed) - set(taken))}")
    if any(bytes(step.payload_hash) != now_hash for step in taken.values()):
        raise NotAuthorised(f"{payout_id} was approved with another payload")
    people = [step.person_id for step in taken.values() if step.verb.startswith("approve_l")]
    if None in people or len({*people, withdrawal.maker_id}) != len(people) + 1:
        raise NotAuthorised(f"{payout_id} was not approved by different people")
    return withdrawals.payment(withdrawal)
