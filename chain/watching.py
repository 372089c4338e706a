"""Ask the final part of the chain what became of each open payment, and write its verdict down once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from chain import alarms, batching, costs, families, networks
from chain.failpoints import committing, failpoint
from chain.gateway import ChainError, Gateway, Head, Judgement, Outcome
from chain.models import AttemptState, Intent, IntentState, Purpose, SignedAttempt

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=20)  # how long what a dead worker had in hand waits; two looks at the same do no harm
SOONEST_S, LATEST_S = 1, 30
NOTE_LENGTH = 500
NOBODY_COLLECTS = (Purpose.BATCH, Purpose.ALLOWANCE)
UNDECIDED = (AttemptState.LIVE, AttemptState.SUPERSEDED)


class Contradiction(Exception):
    """A verdict names bytes that were proven absent before; nothing is written."""


def watch_due(*, now: datetime, limit: int) -> int:
    """Look at the open intents whose turn it is; how many got their verdict.

    Nothing that was seen before is trusted: every look starts from the chain, so a reorganisation needs no undoing.
    """
    return sum(_watch_network(network.name, now=now, limit=limit) for network in networks.configured())


def _watch_network(network: str, *, now: datetime, limit: int) -> int:
    intents = _claim(network, now=now, limit=limit)
    if not intents:
        return 0
    gateway = families.gateway(network)
    try:
        head = gateway.head()
        attempts = SignedAttempt.objects.filter(intent__in=intents)
        gateway.read_ahead(list(attempts.order_by("id").values_list("txid", flat=True)))
    except ChainError as unread:
        _put_off([intent.pk for intent in intents], f"watch: {unread}", network=network, now=now)
        return 0
    return sum(_watch(gateway, intent, head=head, now=now) for intent in intents)


def _claim(network: str, *, now: datetime, limit: int) -> list[Intent]:
    """Take a lease on due intents in one short transaction, so that no network call happens inside one."""
    with committing("watch_lease"):
        due = list(
            Intent.objects.select_for_update(skip_locked=True)
            .filter(state=IntentState.OPEN, network=network, next_watch_at__lte=now)
            .exclude(attempts=None)
            .order_by("next_watch_at")
            .values_list("id", flat=True)[:limit]
        )
        Intent.objects.filter(id__in=due).update(next_watch_at=now + LEASE)
    return list(Intent.objects.select_related("wallet").filter(id__in=due).order_by("created_at", "id"))


def _watch(gateway: Gateway, intent: Intent, *, head: Head, now: datetime) -> bool:
    failpoint("judge.before_read")
    try:
        judgement = gateway.judge(intent.transfer(), intent.candidates(), head=head, scan=intent.scan, now=now)
    except ChainError as unread:
        _put_off([intent.pk], f"watch: {unread}", network=intent.network, now=now)
        return False
    failpoint("judge.after_read")
    if judgement.alarm:
        log.error("payment needs a person", intent=str(intent.id), payout=str(intent.payout_id), alarm=judgement.alarm)
        alarms.raise_alarm("payment.person", subject=str(intent.id), text=judgement.alarm, now=now)
    if intent.bump_due and not judgement.bump_due:  # whatever kept a bump back, none is needed any more
        alarms.clear("payment.fees", subject=str(intent.id), now=now)
    try:
        return _write(intent, judgement, now=now)
    except Contradiction as wrong:
        log.exception("contradicting verdicts", intent=str(intent.id), payout=str(intent.payout_id), reason=str(wrong))
        _put_off([intent.pk], f"watch: {wrong}", network=intent.network, now=now)
        return False


def _write(intent: Intent, judgement: Judgement, *, now: datetime) -> bool:
    """Write down what was seen; tell whether that was the verdict."""
    if judgement.outcome is not Outcome.OPEN:
        return _decide(intent, judgement, now=now)
    if judgement.expired:
        with committing("expiry"):
            _expire(intent, judgement)
            _note(intent, judgement, now=now)
    else:
        with committing("look"):
            _note(intent, judgement, now=now)
    return False


def _expire(intent: Intent, judgement: Judgement) -> None:
    for txid, proof in judgement.expired.items():
        intent.attempts.filter(txid=txid, state=AttemptState.LIVE).update(state=AttemptState.EXPIRED, proof=dict(proof))


def _note(intent: Intent, judgement: Judgement, *, now: datetime) -> None:
    Intent.objects.filter(pk=intent.pk, state=IntentState.OPEN).update(
        next_watch_at=now + _interval(intent, now=now),
        bump_due=judgement.bump_due,
        scan=dict(judgement.scan),
        last_error=judgement.note[:NOTE_LENGTH],
    )


def _decide(intent: Intent, judgement: Judgement, *, now: datetime) -> bool:
    """Compare-and-swap: whoever finds the intent OPEN decides it, everybody else changes nothing."""
    with committing("verdict"):
        decided = Intent.objects.filter(pk=intent.pk, state=IntentState.OPEN).update(
            state=IntentState(judgement.outcome),
            txid=judgement.txid,
            proof=_whole(judgement),
            landed_block=_block_of(judgement.proof),
            verdict_at=now,
            collected_at=now if intent.purpose in NOBODY_COLLECTS else None,
            bump_due=False,
            last_error="",
        )
        if decided:
            _close_attempts(intent, judgement.txid)
            _close_payments(intent, judgement, now=now)
            if judgement.spent:
                costs.record(intent, judgement.spent, now=now)
    return bool(decided)


def _whole(judgement: Judgement) -> dict[str, Any]:
    """The proof with the signed bytes, so that it says what was paid without anybody's database."""
    landed = SignedAttempt.objects.filter(txid=judgement.txid).first()
    return dict(judgement.proof) | ({"raw": bytes(landed.raw).hex()} if landed else {})


def _block_of(proof: Mapping[str, Any]) -> int:
    """The block of the transaction that decided: a foreign one's is named, ours begins the stretch."""
    return int((proof.get("block") or proof["chain"]["first"])["number"])


def _close_attempts(intent: Intent, txid: str) -> None:
    """Raises: Contradiction when the deciding bytes are ours but were proven absent."""
    ours = SignedAttempt.objects.filter(intent=intent)
    landed = ours.filter(txid=txid, state__in=UNDECIDED).update(state=AttemptState.LANDED)
    if not landed and ours.filter(txid=txid).exists():
        raise Contradiction(f"{txid} decided it, but is no longer a candidate")
    ours.filter(state__in=UNDECIDED).update(state=AttemptState.VOID)


def _close_payments(intent: Intent, judgement: Judgement, *, now: datetime) -> None:
    """Raises: Contradiction when a batch's payments are not those that its bytes pay."""
    if intent.purpose == Purpose.BATCH:
        wrong = batching.decide(intent, judgement, landed_block=_block_of(judgement.proof), now=now)
        if wrong:
            raise Contradiction(wrong)


def _put_off(intents: list[UUID], reason: str, *, network: str, now: datetime) -> None:
    interval = timedelta(milliseconds=max(networks.network(network).block_ms, SOONEST_S * 1000))
    Intent.objects.filter(pk__in=intents, state=IntentState.OPEN).update(
        next_watch_at=now + interval, last_error=reason[:NOTE_LENGTH]
    )
    failpoint("watch.after_put_off")


def _interval(intent: Intent, *, now: datetime) -> timedelta:
    """A quarter of a block at first, slower the longer it takes."""
    waited_s = (now - intent.created_at).total_seconds()
    quarter_s = networks.network(intent.network).block_ms / 4000
    return timedelta(seconds=min(max(SOONEST_S, quarter_s, waited_s / 60), LATEST_S))
