"""The bodies of the `tenant` API's webhooks: one envelope for withdrawals, payments and transfers (CONFORMANCE §4)."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from payouts.api import base
from payouts.api.tenant import payment_wire, wallet_wire, wire
from payouts.payments import payment_steps
from payouts.subaccounts import transfers
from payouts.webhooks.models import Message

TEST_EVENT = "webhook.test"
Shape = Callable[[Mapping[str, Any]], dict[str, Any]]
WITHDRAWAL = ("withdrawal_id", "withdrawal_status_update", wire.whole)
# By what happened: the name of the subject's id, the documented event, and the subject's shape.
OTHERS: Mapping[str, tuple[str, str, Shape]] = {
    payment_steps.EVENT: ("transaction_id", "payment_status_update", payment_wire.payment),
    transfers.EVENT: ("transfer_id", "transfer_status_update", wallet_wire.transfer),
}


def webhook_body(message: Message) -> bytes:
    """`{withdrawal_id|transaction_id|transfer_id, event, status, timestamp, data}`; the same bytes at every attempt."""
    at = base.moment(message.created_at)
    if message.event == TEST_EVENT:
        return orjson.dumps({"event": TEST_EVENT, "status": "test", "timestamp": at, "data": message.data})
    name, event, shape = OTHERS.get(message.event, WITHDRAWAL)
    data = shape(message.data)
    body = {name: data[name], "event": event, "status": data["status"], "timestamp": at, "data": data}
    return orjson.dumps(body)
