"""Putting an event into the outbox, in the transaction of what it tells about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from payouts import prepared
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


def add(
    *,
    merchant_id: UUID,
    api: str,
    event: str,
    subject_id: UUID,
    data: Mapping[str, Any],
    now: datetime,
    endpoint_id: UUID | None = None,
) -> list[Message]:
    """One message for every endpoint that asked for this event; `data` is the subject as it is now.

    With `endpoint_id`, the subject's own callback, only that one is told.
    """
    active = _ACTIVE.rows(merchant_id, api) if endpoint_id is None else _CALLBACK.rows(endpoint_id, merchant_id, api)
    messages = [
        Message(
            endpoint=endpoint,
            event=event,
            subject_id=subject_id,
            data=dict(data),
            created_at=now,
            next_attempt_at=now,
        )
        for endpoint in active
        if event in endpoint.events
    ]
    for message in messages:
        prepared.insert(message)
    return messages


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
