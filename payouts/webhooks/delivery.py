"""Delivering what the outbox holds: claim, send, note what came back."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import requests
import requests_hardened
import structlog
from django.conf import settings
from django.db import transaction

from payouts.webhooks import endpoints, signing
from payouts.webhooks.models import Attempt, Endpoint, Message

log = structlog.get_logger(__name__)

# Source: CONFORMANCE, Everywhere: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h after the attempt before.
RETRY_AFTER_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.1
TIMEOUT_S = 15
LEASE = timedelta(seconds=120)  # longer than any attempt: a dead worker's messages are taken again after it
AT_ONCE = 8
ANSWER_KEPT = 500
GONE = 410

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

    message_id: UUID
    url: str
    body: bytes
    headers: dict[str, str]


def deliver_due(*, render: Render, now: datetime, limit: int = 64) -> int:
    """Deliver the messages that are due; `render` makes the body as the message's API documents it."""
    due = _claim(now=now, limit=limit)
    if not due:
        return 0
    envelopes = [_envelope(message, render=render, now=now) for message in due]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        outcomes = list(pool.map(_send, envelopes))
    for message, outcome in zip(due, outcomes, strict=True):
        _note(message, outcome, now=now)
    return len(due)


def _claim(*, now: datetime, limit: int) -> list[Message]:
    with transaction.atomic():
        due = list(
            Message.objects.select_related("endpoint__merchant")
            .select_for_update(of=("self",), skip_locked=True)
            .filter(state=Message.State.PENDING, next_attempt_at__lte=now, endpoint__is_active=True)
            .order_by("next_attempt_at")[:limit],
        )
        Message.objects.filter(id__in=[message.id for message in due]).update(next_attempt_at=now + LEASE)
    return due


def _envelope(message: Message, *, render: Render, now: datetime) -> Envelope:
    endpoint = message.endpoint
    body = render(message)
    secrets = endpoints.secrets_in_force(endpoint.merchant, api=endpoint.api, now=now)
    headers = signing.HEADERS[endpoint.api](body, secrets=secrets, event=message.event, now=now)
    headers |= {"Content-Type": "application/json", "User-Agent": "Sluice-Webhooks/1", "X-Webhook-Id": str(message.id)}
    return Envelope(message_id=message.id, url=endpoint.url, body=body, headers=headers)


def _session() -> requests.Session:
    """A session that goes to public addresses only, resolved once and pinned, and follows no redirect."""
    config = requests_hardened.Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=settings.WEBHOOKS_ALLOW_LOOPBACK,
        never_redirect=True,
        default_timeout=(5, TIMEOUT_S),
    )
    session: requests.Session = requests_hardened.Manager(config).get_session()
    session.trust_env = False  # a proxy from the environment would undo the pinning
    return session


def _send(envelope: Envelope) -> Outcome:
    started = time.monotonic()

    def outcome(status_code: int | None = None, error: str = "", answer: str = "") -> Outcome:
        return Outcome(status_code, error[:300], answer, int((time.monotonic() - started) * 1000))

    try:
        endpoints.check_url(envelope.url)
        with (
            _session() as session,
            session.post(envelope.url, data=envelope.body, headers=envelope.headers, stream=True) as reply,
        ):
            answer = reply.raw.read(ANSWER_KEPT, decode_content=False).decode("utf-8", "replace").replace("\x00", "")
            return outcome(status_code=reply.status_code, answer=answer[:ANSWER_KEPT])
    except (requests.RequestException, endpoints.BadUrl, OSError) as error:
        return outcome(error=f"{type(error).__name__}: {error}")


def _note(message: Message, outcome: Outcome, *, now: datetime) -> None:
    number = message.attempts_made + 1
    with transaction.atomic():
        Attempt.objects.create(
            message=message,
            number=number,
            at=now,
            status_code=outcome.status_code,
            error=outcome.error,
            duration_ms=outcome.duration_ms,
            answer=outcome.answer,
        )
        Message.objects.filter(id=message.id).update(attempts_made=number, **_next(number, outcome, now=now))
        if outcome.status_code == GONE:
            Endpoint.objects.filter(id=message.endpoint_id).update(
                is_active=False,
                disabled_reason="the receiver answered 410 Gone",
            )
    log.info("webhook.attempt", message_id=str(message.id), number=number, status_code=outcome.status_code)


def _next(number: int, outcome: Outcome, *, now: datetime) -> dict[str, object]:
    if outcome.delivered:
        return {"state": Message.State.DELIVERED, "delivered_at": now, "next_attempt_at": None}
    if outcome.status_code == GONE or number > len(RETRY_AFTER_S):
        return {"state": Message.State.FAILED, "next_attempt_at": None}
    wait_s = RETRY_AFTER_S[number - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
    return {"next_attempt_at": now + timedelta(seconds=wait_s)}
