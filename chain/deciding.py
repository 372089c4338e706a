"""Write verdicts down, once each: whoever finds an intent OPEN decides it, everybody else changes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chain import batching, costs, updating
from chain.failpoints import committing
from chain.gateway import Judgement
from chain.models import AttemptState, Intent, IntentState, Purpose, SignedAttempt

NOBODY_COLLECTS = (Purpose.BATCH, Purpose.ALLOWANCE, Purpose.SWEEP, Purpose.TOP_UP)
UNDECIDED = (AttemptState.LIVE, AttemptState.SUPERSEDED)
DECIDED = ["state", "txid", "proof", "landed_block", "verdict_at", "collected_at", "bump_due", "last_error"]


class Contradiction(Exception):
    """A verdict names bytes that were proven absent before; nothing is written."""


def decide(seen: Sequence[tuple[Intent, Judgement]], *, now: datetime) -> int:
    """Write all of these verdicts or none of them, each with its proof; how many were still to be written.

    Raises: Contradiction.
    """
    with committing("verdict"):
        rows = Intent.objects.select_for_update(of=("self",)).select_related("wallet")
        still = {row.pk: row for row in rows.filter(pk__in=[one.pk for one, _ in seen]).order_by("pk")}
        decided = [(still[one.pk], judgement) for one, judgement in seen if still[one.pk].state == IntentState.OPEN]
        attempts: dict[UUID, list[SignedAttempt]] = {one.pk: [] for one, _ in decided}
        for attempt in SignedAttempt.objects.filter(intent__in=attempts):
            attempts[attempt.intent_id].append(attempt)
        for intent, judgement in decided:
            _note(intent, judgement, attempts[intent.pk], now=now)
        updating.update_each([intent for intent, _ in decided], DECIDED)
        _close_attempts(decided, attempts)
        for intent, judgement in decided:
            _close_payments(intent, judgement, now=now)
        costs.record([(intent, judgement.spent) for intent, judgement in decided if judgement.spent], now=now)
    return len(decided)


def _note(intent: Intent, judgement: Judgement, attempts: Iterable[SignedAttempt], *, now: datetime) -> None:
    """The verdict in the row; the proof with the signed bytes says what was paid without anybody's database."""
    raw = next((bytes(attempt.raw).hex() for attempt in attempts if attempt.txid == judgement.txid), None)
    intent.state = IntentState(judgement.outcome)
    intent.txid = judgement.txid
    intent.proof = dict(judgement.proof) | ({"raw": raw} if raw else {})
    intent.landed_block = _block_of(judgement.proof)
    intent.verdict_at = now
    intent.collected_at = now if intent.purpose in NOBODY_COLLECTS else None
    intent.bump_due = False
    intent.last_error = ""


def _block_of(proof: Mapping[str, Any]) -> int:
    """The block of the transaction that decided: a foreign one's is named, ours begins the stretch."""
    return int((proof.get("block") or proof["chain"]["first"])["number"])


def _close_attempts(
    decided: Sequence[tuple[Intent, Judgement]], attempts: Mapping[UUID, Sequence[SignedAttempt]]
) -> None:
    """Raises: Contradiction when the deciding bytes are ours but were proven absent."""
    ends: dict[AttemptState, list[int]] = {AttemptState.LANDED: [], AttemptState.VOID: []}
    for intent, judgement in decided:
        for attempt in attempts[intent.pk]:
            landed = attempt.txid == judgement.txid
            if attempt.state in UNDECIDED:
                ends[AttemptState.LANDED if landed else AttemptState.VOID].append(attempt.pk)
            elif landed:
                raise Contradiction(f"{attempt.txid} decided it, but is no longer a candidate")
    for state, rows in ends.items():
        if rows:
            SignedAttempt.objects.filter(pk__in=rows).update(state=state)


def _close_payments(intent: Intent, judgement: Judgement, *, now: datetime) -> None:
    """Raises: Contradiction when a batch's payments are not those that its bytes pay."""
    if intent.purpose == Purpose.BATCH:
        wrong = batching.decide(intent, judgement, landed_block=_block_of(judgement.proof), now=now)
        if wrong:
            raise Contradiction(wrong)
