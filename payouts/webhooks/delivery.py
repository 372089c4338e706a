"""Delivering what the outbox holds: claim, send, note what came back.

At least once, and in order as far as that costs nobody anything: a message waits for an earlier one about the same
subject that is on its way or about to be tried, never for one whose receiver has to be waited for longer.
"""

import concurrent.futures
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Window
from django.db.models.functions import RowNumber

from payouts.merchants import secrets
from payouts.webhooks import endpoints, signing, transport
from payouts.webhooks.models import Attempt, Message

log = structlog.get_logger(__name__)

# Source: CONFORMANCE, Everywhere: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h after the attempt before.
RETRY_AFTER_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.1
TIMEOUT_S = 15.0
LEASE = timedelta(seconds=120)  # longer than any sweep: a dead worker's messages are taken again after it
AT_ONCE = 32
PER_ENDPOINT = 4  # of them, so that one slow receiver leaves room for the others
CLAIMING_S = 20  # with the last attempts' timeout a sweep ends within the worker's soft time limit
GONE = 410
ERROR_KEPT = 300

Render = Callable[[Message], bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought."""

    status_code: int | None
    error: str
    answer: str
    duration_ms: int

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status_code is not None and 200 <= self.status_code < 300  # noqa: PLR2004 - the 2xx class


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message ready to go: nothing in it needs the database."""

    url: str
    body: bytes
    headers: dict[str, str]


def deliver_due(*, render: Render, now: datetime, until: Callable[[], bool] | None = None) -> int:
    """Deliver the messages that are due; `render` makes the body as the message's API documents it.

    Each outcome is noted as it comes and its place taken by the next message, until nothing is due or `until` says
    that it is time to stop claiming (by default after 20 s).
    """
    time_is_up = until or _after(CLAIMING_S)
    under_way: dict[Future[Outcome], Message] = {}
    done = 0
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        while True:
            if not time_is_up():
                busy = Counter(message.endpoint_id for message in under_way.values())
                for message in claim(now=now, limit=AT_ONCE - len(under_way), busy=busy):
                    under_way[_start(pool, message, render=render, now=now)] = message
            if not under_way:
                return done
            ended, _ = concurrent.futures.wait(under_way, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in ended:
                note(under_way.pop(future), future.result(), now=now)
                done += 1


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def claim(*, now: datetime, limit: int, busy: Counter[UUID]) -> list[Message]:
    """Lease up to `limit` due messages; of one endpoint's no more than its share, none where `busy` says it has that.

    Two workers never hold the same lease; a dead one's ends by itself.
    """
    full = [endpoint for endpoint, count in busy.items() if count >= PER_ENDPOINT]
    nth = Window(RowNumber(), partition_by=F("endpoint_id"), order_by=("next_attempt_at", "id"))
    with transaction.atomic():
        fair = _due(now).exclude(endpoint_id__in=full).annotate(nth=nth).filter(nth__lte=PER_ENDPOINT)
        ids = list(fair.order_by("next_attempt_at", "id").values_list("id", flat=True)[: max(limit, 0)])
        mine = list(
            _due(now)
            .filter(id__in=ids)
            .select_related("endpoint__merchant")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("next_attempt_at", "id"),
        )
        Message.objects.filter(id__in=[message.id for message in mine]).update(next_attempt_at=now + LEASE)
        for message in mine:
            message.next_attempt_at = now + LEASE
    return mine


def _due(now: datetime) -> QuerySet[Message]:
    pending = Message.objects.filter(state=Message.State.PENDING)
    earlier = pending.filter(
        endpoint_id=OuterRef("endpoint_id"),
        subject_id=OuterRef("subject_id"),
        id__lt=OuterRef("id"),
        next_attempt_at__lte=now + LEASE,
    )
    return pending.filter(~Exists(earlier), next_attempt_at__lte=now, endpoint__is_active=True)


def _start(pool: ThreadPoolExecutor, message: Message, *, render: Render, now: datetime) -> Future[Outcome]:
    try:
        return pool.submit(send, prepare(message, render=render, now=now))
    except (secrets.SealBroken, KeyError, ValueError, TypeError) as error:
        # A message that cannot be put into words keeps nobody else's from going out.
        log.exception("webhook.unsendable", message_id=str(message.id))
        unsendable: Future[Outcome] = Future()
        unsendable.set_result(Outcome(None, f"could not be prepared: {type(error).__name__}", "", 0))
        return unsendable


def prepare(message: Message, *, render: Render, now: datetime) -> Envelope:
    """The message in its API's words, signed for this moment with every secret in force.

    Raises: secrets.SealBroken, and what `render` raises for data that it does not know.
    """
    endpoint = message.endpoint
    body = render(message)
    in_force = endpoints.secrets_in_force(endpoint.merchant, api=endpoint.api, now=now)
    headers = signing.HEADERS[endpoint.api](body, secrets=in_force, event=message.event, now=now)
    headers |= {"Content-Type": "application/json", "User-Agent": "Sluice-Webhooks/1", "X-Webhook-Id": str(message.id)}
    return Envelope(url=endpoint.url, body=body, headers=headers)


def send(envelope: Envelope) -> Outcome:
    """Try once, without the database; the URL is checked again, since what is allowed may have changed."""
    started = time.monotonic()
    try:
        endpoints.check_url(envelope.url)
    except endpoints.BadUrl as error:
        reply = transport.Reply(error=str(error))
    else:
        reply = transport.post(envelope.url, body=envelope.body, headers=envelope.headers, timeout_s=TIMEOUT_S)
    error_text = reply.error.encode("utf-8", "replace").decode().replace("\x00", "")[:ERROR_KEPT]
    return Outcome(reply.status_code, error_text, reply.answer, int((time.monotonic() - started) * 1000))


def note(message: Message, outcome: Outcome, *, now: datetime) -> None:
    """Log one attempt and decide about the next, unless another worker has taken the message over since."""
    with transaction.atomic():
        row = Message.objects.select_for_update().get(id=message.id)
        Attempt.objects.create(
            message=row,
            number=row.attempts.count() + 1,
            at=now,
            status_code=outcome.status_code,
            error=outcome.error,
            duration_ms=outcome.duration_ms,
            answer=outcome.answer,
        )
        lease_is_ours = row.state == Message.State.PENDING and row.next_attempt_at == message.next_attempt_at
        if outcome.delivered or lease_is_ours:  # whoever took it over meanwhile decides about its future, but for this
            row.attempts_made += 1
            for field, value in _next(row.attempts_made, outcome, now=now).items():
                setattr(row, field, value)
            row.save(update_fields=["attempts_made", "state", "delivered_at", "next_attempt_at"])
        if outcome.status_code == GONE:
            endpoints.switch_off(row.endpoint_id, reason=endpoints.GONE)
    log.info("webhook.attempt", message_id=str(message.id), number=row.attempts_made, status_code=outcome.status_code)


def _next(number: int, outcome: Outcome, *, now: datetime) -> dict[str, object]:
    if outcome.delivered:
        return {"state": Message.State.DELIVERED, "delivered_at": now, "next_attempt_at": None}
    if outcome.status_code == GONE or number > len(RETRY_AFTER_S):
        return {"state": Message.State.FAILED, "next_attempt_at": None}
    wait_s = RETRY_AFTER_S[number - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
    return {"next_attempt_at": now + timedelta(seconds=wait_s)}
