"""Give up a payment that can never be signed: its number is used up by a transaction that pays nobody.

On an EVM lane everything behind an unsigned nonce waits. Once a payment is given up, only a transaction of no coin from
the lane to itself may be signed for it, with that nonce. That one's final receipt is the proof that the number is gone;
only then is the intent DEAD, and its payout refunded. What has been signed is not given up: its bytes may be out.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chain import networks
from chain.failpoints import committing
from chain.gateway import Judgement, Outcome
from chain.models import Intent, IntentState, Purpose

REASON_LENGTH = 200


class NotToGiveUp(ValueError):
    """This payment may still be made, has ended, or holds up nobody."""


@dataclass(frozen=True, slots=True)
class Filler:
    """What may be signed for a payment that was given up: nothing, with its number."""

    intent_id: UUID


def give_up(payout_id: UUID, *, by: str, reason: str, now: datetime) -> Intent:
    """Never pay it; again is no change.

    Raises: NotToGiveUp.
    """
    with committing("give_up"):
        rows = Intent.objects.select_for_update(of=("self",)).filter(payout_id=payout_id, purpose=Purpose.PAYMENT)
        intent = rows.first()
        if intent is None or not (by and reason):
            raise NotToGiveUp("there is no such payment, or nobody says who gives it up and why")
        if intent.given_up:
            return intent
        obstacle = _obstacle(intent)
        if obstacle:
            raise NotToGiveUp(obstacle)
        intent.given_up = f"{by}: {reason}"[:REASON_LENGTH]
        intent.last_error = ""
        intent.next_sign_at = now
        intent.save(update_fields=["given_up", "last_error", "next_sign_at"])
        return intent


def judged(intent: Intent, judgement: Judgement) -> Judgement:
    """What the chain's word means for it: where its filler has done nothing as it should, it never can pay."""
    if not intent.given_up or judgement.outcome is not Outcome.PAID:
        return judgement
    reason = f"given up by {intent.given_up}; its number is used up by a transaction that pays nobody"
    return replace(judgement, outcome=Outcome.DEAD, proof={**judgement.proof, "reason": reason})


def _obstacle(intent: Intent) -> str:
    """Why it is not to be given up; the database's own guard refuses the same."""
    if intent.state != IntentState.OPEN:
        return f"it is {intent.state}"
    if intent.batch_id is not None:
        return "it goes with a batch"
    if networks.network(intent.network).family != "evm":
        return "nothing waits behind it: numbers do not go one after the other there"
    return "its bytes are signed, and may be out" if intent.attempts.exists() else ""
