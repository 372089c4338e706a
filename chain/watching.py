"""Ask the final part of the chain what became of each open payment, and write its verdict down once."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, QuerySet

from chain import alarms, deciding, due, families, giving_up, networks
from chain.failpoints import committing, failpoint
from chain.gateway import Candidate, ChainError, Gateway, Head, Judgement, Outcome
from chain.models import AttemptState, Intent, IntentState, SignedAttempt

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=20)  # how long what a dead worker had in hand waits; two looks at the same do no harm
SOONEST_S, FORESEEN_S, LATEST_S = 0.5, 15, 30  # chains have been seen to hurry after they had stood still
NOTE_LENGTH = 500
Seen = Sequence[tuple[Intent, Judgement]]


def watch_due(*, now: datetime, limit: int) -> int:
    """Look at the open intents whose turn it is; how many got their verdict.

    Nothing that was seen before is trusted: every look starts from the chain, so a reorganisation needs no undoing.
    """
    return sum(_watch_network(network, now=now, limit=limit) for network in due.networks_of(_due(now)))


def _due(now: datetime) -> QuerySet[Intent]:
    """The open intents with signed bytes that are to be looked at now."""
    signed = SignedAttempt.objects.filter(intent=OuterRef("pk"))
    return Intent.objects.filter(Exists(signed), state=IntentState.OPEN, next_watch_at__lte=now)


def _watch_network(network: str, *, now: datetime, limit: int) -> int:
    intents = _claim(network, now=now, limit=limit)
    if not intents:
        return 0
    gateway = families.gateway(network)
    try:
        head = gateway.head()
        attempts = list(SignedAttempt.objects.filter(intent__in=intents).order_by("id"))
        gateway.read_ahead([attempt.candidate() for attempt in attempts], head=head)
    except ChainError as unread:
        _put_off([intent.pk for intent in intents], f"watch: {unread}", network=network, now=now)
        return 0
    candidates = _candidates(attempts)
    seen = []
    for intent in intents:
        judgement = _judge(gateway, intent, candidates.get(intent.pk, []), head=head, now=now)
        if judgement:
            seen.append((intent, judgement))
    return _write(seen, head=head, now=now)


def _claim(network: str, *, now: datetime, limit: int) -> list[Intent]:
    """Take a lease on due intents in one short transaction, so that no network call happens inside one."""
    with committing("watch_lease"):
        rows = _due(now).select_for_update(skip_locked=True).filter(network=network).order_by("next_watch_at")
        leased = list(rows.values_list("id", flat=True)[:limit])
        Intent.objects.filter(id__in=leased).update(next_watch_at=now + LEASE)
    return list(Intent.objects.select_related("wallet").filter(id__in=leased).order_by("created_at", "id"))


def _candidates(attempts: Iterable[SignedAttempt]) -> dict[UUID, list[Candidate]]:
    """By intent, in the order in which they were signed."""
    found: dict[UUID, list[Candidate]] = {}
    for attempt in sorted(attempts, key=lambda one: one.number):
        found.setdefault(attempt.intent_id, []).append(attempt.candidate())
    return found


def _judge(
    gateway: Gateway, intent: Intent, candidates: Sequence[Candidate], *, head: Head, now: datetime
) -> Judgement | None:
    """What the chain says of one payment; None, and noted, where it could not be asked."""
    failpoint("judge.before_read")
    try:
        said = gateway.judge(intent.transfer(), candidates, head=head, scan=intent.scan, now=now)
        judgement = giving_up.judged(intent, said)
    except ChainError as unread:
        _put_off([intent.pk], f"watch: {unread}", network=intent.network, now=now)
        return None
    failpoint("judge.after_read")
    if judgement.alarm:
        log.error("payment needs a person", intent=str(intent.id), payout=str(intent.payout_id), alarm=judgement.alarm)
        alarms.raise_alarm("payment.person", subject=str(intent.id), text=judgement.alarm, now=now)
    if intent.bump_due and not judgement.bump_due:  # whatever kept a bump back, none is needed any more
        alarms.clear("payment.fees", subject=str(intent.id), now=now)
    return judgement


def _write(seen: Seen, *, head: Head, now: datetime) -> int:
    """Write down what was seen; how many verdicts there were among it."""
    for intent, judgement in seen:
        if judgement.expired:
            with committing("expiry"):
                _expire(intent, judgement)
                _note([(intent, judgement)], head=head, now=now)
    looks = [one for one in seen if one[1].outcome is Outcome.OPEN and not one[1].expired]
    if looks:
        with committing("look"):
            _note(looks, head=head, now=now)
    return _decide([one for one in seen if one[1].outcome is not Outcome.OPEN], now=now)


def _decide(decided: Seen, *, now: datetime) -> int:
    """All verdicts at once; where one of them contradicts what is known, each by itself."""
    if not decided:
        return 0
    try:
        return deciding.decide(decided, now=now)
    except deciding.Contradiction as wrong:
        if len(decided) > 1:
            return sum(_decide([one], now=now) for one in decided)
        ((intent, _),) = decided
        log.exception("contradicting verdicts", intent=str(intent.id), payout=str(intent.payout_id), reason=str(wrong))
        _put_off([intent.pk], f"watch: {wrong}", network=intent.network, now=now)
        return 0


def _expire(intent: Intent, judgement: Judgement) -> None:
    for txid, proof in judgement.expired.items():
        intent.attempts.filter(txid=txid, state=AttemptState.LIVE).update(state=AttemptState.EXPIRED, proof=dict(proof))


def _note(looks: Seen, *, head: Head, now: datetime) -> None:
    """Write what there is to say of open payments, one statement for all of whom the same is said."""
    alike: dict[tuple[timedelta, bool, str, str], list[UUID]] = {}
    for intent, judgement in looks:
        said = judgement.bump_due, json.dumps(judgement.scan), judgement.note[:NOTE_LENGTH]
        alike.setdefault((_interval(intent, judgement, head=head, now=now), *said), []).append(intent.pk)
    for (interval, bump_due, scan, note), intents in alike.items():
        Intent.objects.filter(pk__in=intents, state=IntentState.OPEN).update(
            next_watch_at=now + interval, bump_due=bump_due, scan=json.loads(scan), last_error=note
        )


def _put_off(intents: list[UUID], reason: str, *, network: str, now: datetime) -> None:
    interval = timedelta(milliseconds=max(networks.network(network).block_ms, SOONEST_S * 1000))
    Intent.objects.filter(pk__in=intents, state=IntentState.OPEN).update(
        next_watch_at=now + interval, last_error=reason[:NOTE_LENGTH]
    )
    failpoint("watch.after_put_off")


def _interval(intent: Intent, judgement: Judgement, *, head: Head, now: datetime) -> timedelta:
    """Until it can be final, as far as can be said; then a quarter of a block at first, slower the longer it takes.

    Nobody relies on it: a look too early finds nothing, and none is put off for long.
    """
    waited_s = (now - intent.created_at).total_seconds()
    until_final_s = min(judgement.final_in * head.block_ms / 1000, FORESEEN_S)
    return timedelta(seconds=min(max(SOONEST_S, head.block_ms / 4000, waited_s / 60, until_final_s), LATEST_S))
