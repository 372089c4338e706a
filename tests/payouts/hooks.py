"""Webhooks in tests: registering, letting a sweep deliver, and checking what came as a receiver would."""

import hashlib
import hmac
import uuid
from datetime import datetime
from typing import Any

from payouts.api import dialects
from payouts.merchants.models import Merchant
from payouts.webhooks import delivery, endpoints, outbox
from payouts.webhooks.models import Endpoint
from payouts.withdrawals import steps
from payouts.withdrawals.models import Withdrawal
from tests import fakes, make


def hook(of: Merchant, url: str, *events: str) -> Endpoint:
    return endpoints.register(of, api="merchant", url=url, events=list(events or steps.EVENTS), now=make.now())


def deliver(now: datetime, **options: Any) -> int:
    return delivery.deliver_due(render=dialects.webhook_body, now=now, **options)


def tell(to: Merchant, event: str, *, now: datetime) -> None:
    """Some event about some subject of its own."""
    outbox.add(
        outbox.Telling(merchant_id=to.id, api="merchant", event=event, subject_id=uuid.uuid4(), data={"some": "thing"}),
        now=now,
    )


def verified(call: fakes.Call, secret: str) -> bool:
    """What the document tells a receiver to do: hex(HMAC-SHA256(secret, "{t}.{rawBody}")) is one of the v1."""
    parts = [part.split("=", 1) for part in call.headers["X-Merchant-Signature"].split(",")]
    moment = next(value for name, value in parts if name == "t")
    expected = hmac.new(secret.encode(), moment.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    return expected in [value for name, value in parts if name == "v1"]


def public_id(row: Withdrawal) -> str:
    """The id by which the API's callers know it."""
    return dialects.DIALECTS["merchant"].public_id(row.id)
