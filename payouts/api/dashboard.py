"""How payouts that people make in the dashboard are written: their ids, and webhooks like the merchant API's."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from chain import units
from payouts.api import base, ids
from payouts.webhooks.models import Message
from payouts.withdrawals.models import Status

SHOWN_PLACES = 2
public_id, parse_id = ids.DASHBOARD.text, ids.DASHBOARD.parse


def webhook_body(message: Message) -> bytes:
    """`{event, timestamp, data}`, whatever the asset; the same bytes at every attempt."""
    data = _payout(message.data) if "status" in message.data else message.data
    return orjson.dumps({"event": message.event, "timestamp": base.moment(message.created_at), "data": data})


def _payout(seen: dict[str, Any]) -> dict[str, Any]:
    asset = seen["asset"]
    amounts = {
        name: units.text(asset, int(seen[field]), SHOWN_PLACES)
        for name, field in (("amount", "net_units"), ("fee", "fee_units"), ("total", "amount_units"))
    }
    return {
        "id": public_id(UUID(seen["id"])),
        "merchant_id": seen["merchant_id"],
        "currency": asset,
        **amounts,
        "status": seen["status"],
        "destination_address": seen["destination"],
        "network": seen["network"],
        "tx_hash": seen["txid"] if seen["status"] == Status.COMPLETED else None,
        "created_at": base.moment(datetime.fromisoformat(seen["created_at"])),
        "updated_at": base.moment(datetime.fromisoformat(seen["updated_at"])),
    }
