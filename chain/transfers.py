"""The public face of the chain room: order, sign, send, watch, take the verdict (DESIGN §4)."""

from chain.agreeing import Expected, PayloadDiffers
from chain.batching import Allowance, Batch, NoAllowance, NoBatch, order_allowance, payout_ids
from chain.batching import order as order_batch
from chain.caps import OverCap, check_order
from chain.costs import of_payout as costs_of_payout
from chain.deposit_lanes import Noted, note_deposits
from chain.estimates import Estimate, estimate
from chain.following import Followed
from chain.following import look as follow
from chain.gateway import Obstacle
from chain.giving_up import Filler, NotToGiveUp, give_up
from chain.keys import KeyUnusable, NotTheSigner, deposit_xpub
from chain.lanes import NoLane, fitting, reach_units
from chain.liquidity import refresh_due
from chain.ordering import (
    AlreadyOrdered,
    NotToCollect,
    Payment,
    Verdict,
    awaiting_signature,
    collect,
    collect_all,
    latest_txid,
    latest_txids,
    order,
    order_all,
    verdicts,
)
from chain.rehearsing import obstacles
from chain.sending import send_due
from chain.signing import put_off, sign, sign_together
from chain.sweeping import Sweep, TopUp, sweep_due
from chain.watching import watch_due

__all__ = [
    "Allowance",
    "AlreadyOrdered",
    "Batch",
    "Estimate",
    "Expected",
    "Filler",
    "Followed",
    "KeyUnusable",
    "NoAllowance",
    "NoBatch",
    "NoLane",
    "NotTheSigner",
    "NotToCollect",
    "NotToGiveUp",
    "Noted",
    "Obstacle",
    "OverCap",
    "PayloadDiffers",
    "Payment",
    "Sweep",
    "TopUp",
    "Verdict",
    "awaiting_signature",
    "check_order",
    "collect",
    "collect_all",
    "costs_of_payout",
    "deposit_xpub",
    "estimate",
    "fitting",
    "follow",
    "give_up",
    "latest_txid",
    "latest_txids",
    "note_deposits",
    "obstacles",
    "order",
    "order_all",
    "order_allowance",
    "order_batch",
    "payout_ids",
    "put_off",
    "reach_units",
    "refresh_due",
    "send_due",
    "sign",
    "sign_together",
    "sweep_due",
    "verdicts",
    "watch_due",
]
