"""Putting an event into the outbox, in the transaction of what it tells about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from payouts import copying, prepared
from payouts.webhooks.models import Endpoint, Message

_ACTIVE = prepared.Query(
    lambda merchant_id, api: Endpoint.objects.filter(
        merchant_id=merchant_id, api=api, is_active=True, is_callback=False
    ),
    UUID,
    str,
)
_CALLBACK = prepared.Query(
    lambda endpoint_id, merchant_id, api: Endpoint.objects.filter(
        id=endpoint_id, merchant_id=merchant_id, api=api, is_active=True
    ),
    UUID,
    UUID,
    str,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One event; `data` is the subject as it is now. With `endpoint_id`, its own callback, only that one is told."""

    merchant_id: UUID
    api: str
    event: str
    subject_id: UUID
    data: Mapping[str, Any]
    endpoint_id: UUID | None = None


def add(telling: Telling, *, now: datetime) -> list[Message]:
    """One message for every endpoint that asked for this event."""
    return add_all([telling], now=now)


def add_all(tellings: Sequence[Telling], *, now: datetime) -> list[Message]:
    """One message for every endpoint that asked for one of these events."""
    found: dict[tuple[UUID, str, UUID | None], Sequence[Endpoint]] = {}
    for telling in tellings:
        key = telling.merchant_id, telling.api, telling.endpoint_id
        if key not in found:
            found[key] = _endpoints(telling)
    messages = [
        message
        for telling in tellings
        for message in messages_of(telling, found[telling.merchant_id, telling.api, telling.endpoint_id], now=now)
    ]
    if len(tellings) > 1:
        copying.insert_all(messages)
        return messages
    for message in messages:
        prepared.insert(message)
    return messages


def messages_of(telling: Telling, endpoints: Sequence[Endpoint], *, now: datetime) -> list[Message]:
    """One message, not saved yet, for each of these endpoints that asked for the event."""
    return [
        Message(
            endpoint=endpoint,
            event=telling.event,
            subject_id=telling.subject_id,
            data=dict(telling.data),
            created_at=now,
            next_attempt_at=now,
        )
        for endpoint in endpoints
        if telling.event in endpoint.events
    ]


def active(merchant_id: UUID, api: str) -> Sequence[Endpoint]:
    """The merchant's URLs for this API's events, callbacks apart."""
    return _ACTIVE.rows(merchant_id, api)


def _endpoints(telling: Telling) -> Sequence[Endpoint]:
    if telling.endpoint_id is None:
        return active(telling.merchant_id, telling.api)
    return _CALLBACK.rows(telling.endpoint_id, telling.merchant_id, telling.api)


def replay(message: Message, *, now: datetime) -> bool:
    """Send a message again from the start of its schedule, whatever became of it; False when its URL is switched off.

    The log's attempts stay and are counted on.
    """
    again = Message.objects.filter(id=message.id, endpoint__is_active=True)
    return bool(again.update(state=Message.State.PENDING, attempts_made=0, delivered_at=None, next_attempt_at=now))


def test(endpoint: Endpoint, *, now: datetime) -> Message:
    """A `webhook.test` event, so that a receiver can be tried before money moves."""
    return Message.objects.create(
        endpoint=endpoint,
        event="webhook.test",
        subject_id=endpoint.id,
        data={"message": "This is a test event."},
        created_at=now,
        next_attempt_at=now,
    )
