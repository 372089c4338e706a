"""Send the committed bytes, the same ones again and again until the chain decides; no answer of a node is a verdict."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, QuerySet

from chain import due, families
from chain.failpoints import committing, failpoint
from chain.gateway import Answer, Gateway
from chain.models import AttemptState, BroadcastAttempt, Intent, IntentState, SignedAttempt

LEASE = timedelta(seconds=20)  # how long what a dead worker had in hand waits; two that send the same do no harm
FIRST_INTERVAL_S, LONGEST_INTERVAL_S = 2, 15  # the last is how long what all nodes have lost stays lost
TAKEN_FACTOR = 4  # what a node has taken is sent again for the case only that it loses it
ANSWER_LENGTH = 500


def send_due(*, now: datetime, limit: int) -> int:
    """Send the live bytes of the intents whose turn it is; how many were sent.

    Any number of workers may do this at once. A network that does not answer holds up nobody but itself.
    """
    return sum(_send_network(network, now=now, limit=limit) for network in due.networks_of(_due(now)))


def _due(now: datetime) -> QuerySet[Intent]:
    """The open intents whose live bytes are to be sent now."""
    live = SignedAttempt.objects.filter(intent=OuterRef("pk"), state=AttemptState.LIVE)
    return Intent.objects.filter(Exists(live), state=IntentState.OPEN, next_send_at__lte=now)


def _send_network(network: str, *, now: datetime, limit: int) -> int:
    attempts = _claim(network, now=now, limit=limit)
    return _send(families.gateway(network), attempts, now=now) if attempts else 0


def _claim(network: str, *, now: datetime, limit: int) -> list[SignedAttempt]:
    """Take a lease on due intents in one short transaction, so that no network call happens inside one."""
    with committing("send_lease"):
        rows = _due(now).select_for_update(skip_locked=True).filter(network=network).order_by("next_send_at")
        leased = list(rows.values_list("id", flat=True)[:limit])
        Intent.objects.filter(id__in=leased).update(next_send_at=now + LEASE)
    return list(
        SignedAttempt.objects.filter(intent__in=leased, state=AttemptState.LIVE)
        .annotate(times=Count("broadcasts__at", distinct=True))  # a sending has a row per endpoint
        .order_by("signed_at", "id")
    )


def _send(gateway: Gateway, attempts: Sequence[SignedAttempt], *, now: datetime) -> int:
    """Send all of them, write down what was said, plan the next time."""
    failpoint("broadcast.before_send")
    answers = gateway.send([bytes(attempt.raw) for attempt in attempts])
    failpoint("broadcast.after_send")
    BroadcastAttempt.objects.bulk_create(
        BroadcastAttempt(
            attempt=attempt,
            endpoint=answer.endpoint,
            at=now,
            accepted=answer.accepted,
            answer=answer.text[:ANSWER_LENGTH],
        )
        for attempt, told in zip(attempts, answers, strict=True)
        for answer in told
    )
    failpoint("broadcast.after_record")
    plans: dict[tuple[timedelta, str], list[SignedAttempt]] = {}
    for attempt, told in zip(attempts, answers, strict=True):
        error = _error(told)
        plans.setdefault((_interval(attempt, is_taken=not error), error), []).append(attempt)
    for (interval, error), alike in plans.items():
        Intent.objects.filter(pk__in=[attempt.intent_id for attempt in alike], state=IntentState.OPEN).update(
            next_send_at=now + interval, **({"last_error": error} if error else {})
        )
    failpoint("broadcast.after_plan")
    return sum(bool(told) for told in answers)


def _interval(attempt: SignedAttempt, *, is_taken: bool) -> timedelta:
    """Longer after every sending; new bytes begin anew."""
    times: int = attempt.times  # type: ignore[attr-defined]  # annotated in _claim
    first_s = FIRST_INTERVAL_S * (TAKEN_FACTOR if is_taken else 1)
    return timedelta(seconds=min(first_s * 2 ** min(times, 8), LONGEST_INTERVAL_S))


def _error(answers: Sequence[Answer]) -> str:
    """What to tell when nobody has taken it."""
    if any(answer.accepted for answer in answers):
        return ""
    said = "; ".join(f"{answer.endpoint}: {answer.text}" for answer in answers) or "no endpoint answers"
    return f"send: {said}"[:ANSWER_LENGTH]
