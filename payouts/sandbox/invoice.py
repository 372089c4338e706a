"""The sandbox's part for the `invoice` API: the key that withdraws, and the shop's ordinary one."""

from datetime import datetime
from typing import Any

from payouts.api.invoice import wire
from payouts.merchants import tokens
from payouts.merchants.models import Merchant


def part(merchant: Merchant, *, bare: bool, now: datetime) -> dict[str, Any]:  # noqa: ARG001 - the parts' signature
    """The merchant's credentials for this API, made now."""
    return {
        "withdrawal_token": tokens.issue(merchant, api=wire.API, use=tokens.WITHDRAWAL).token,
        "shop_token": tokens.issue(merchant, api=wire.API, use=tokens.SHOP).token,
    }
