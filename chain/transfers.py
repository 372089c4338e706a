"""The public face of the chain room: order, sign, send, watch, take the verdict (DESIGN §4)."""

from chain.ordering import (
    AlreadyOrdered,
    NoLane,
    NotToCollect,
    Payment,
    Verdict,
    awaiting_signature,
    collect,
    latest_txid,
    order,
    verdicts,
)

__all__ = [
    "AlreadyOrdered",
    "NoLane",
    "NotToCollect",
    "Payment",
    "Verdict",
    "awaiting_signature",
    "collect",
    "latest_txid",
    "order",
    "verdicts",
]
