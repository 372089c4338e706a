"""The public face of the chain room: order, sign, send, watch, take the verdict (DESIGN §4)."""

from chain.keys import KeyUnusable, NotTheSigner, deposit_xpub
from chain.ordering import (
    AlreadyOrdered,
    NoLane,
    NotToCollect,
    Payment,
    Verdict,
    awaiting_signature,
    collect,
    latest_txid,
    latest_txids,
    order,
    verdicts,
)
from chain.sending import send_due
from chain.signing import PayloadDiffers, put_off, sign
from chain.wallets import spendable_units
from chain.watching import watch_due

__all__ = [
    "AlreadyOrdered",
    "KeyUnusable",
    "NoLane",
    "NotTheSigner",
    "NotToCollect",
    "PayloadDiffers",
    "Payment",
    "Verdict",
    "awaiting_signature",
    "collect",
    "deposit_xpub",
    "latest_txid",
    "latest_txids",
    "order",
    "put_off",
    "send_due",
    "sign",
    "spendable_units",
    "verdicts",
    "watch_due",
]
