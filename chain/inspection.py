"""What stands where: networks, lanes and payments in plain values, for people and for --json."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chain import alarms, families, lanes, networks, pausing
from chain.gateway import ChainError
from chain.models import BroadcastAttempt, EndpointHealth, HotWallet, Intent, IntentState, LaneBalance, SignedAttempt

SHOWN_BROADCASTS = 10  # of each attempt, the newest


def network(name: str, *, now: datetime) -> dict[str, Any]:
    """One network: its head, its endpoints, its lanes, its open payments. Asks the network.

    Raises: UnknownNetwork.
    """
    row = networks.network(name)
    opened = Intent.objects.filter(network=name, state=IntentState.OPEN).select_related("wallet")
    return {
        "network": name,
        "head": _head(name, now=now),
        "endpoints_aside": [
            {"endpoint": one.endpoint, "fault": one.fault, "since": one.since, "reason": one.reason}
            for one in EndpointHealth.objects.filter(network=name).order_by("endpoint")
        ],
        "lanes": [lane(one) for one in lanes.all_of(row.name)],
        "open": [summary(intent) for intent in opened.order_by("created_at", "id")],
    }


def lane(one: lanes.Lane) -> dict[str, Any]:
    """One lane: what it holds and owes, and who paused it."""
    wallet = HotWallet.objects.get(pk=one.wallet_id)
    read_at = LaneBalance.objects.filter(wallet=wallet).values_list("read_at", flat=True).first()
    return {
        "address": one.address,
        "paused": [
            {"by": pause.by, "at": pause.at, "reason": pause.reason, "whole_network": pause.wallet_id is None}
            for pause in pausing.reasons(wallet)
        ],
        "open_payments": one.open_payments,
        "read_at": read_at,
        "fee": lanes.text(one.network, networks.NATIVE, one.fee_units),
        "balances": [
            {
                "asset": fund.asset,
                "held": lanes.text(one.network, contract, fund.held_units),
                "owed": lanes.text(one.network, contract, fund.owed_units),
                "free": lanes.text(one.network, contract, fund.free_units),
                "takes_orders": one.can_pay(contract, 0),
            }
            for contract, fund in one.funds.items()
            if fund.held_units or fund.owed_units or contract == networks.NATIVE
        ],
    }


def summary(intent: Intent) -> dict[str, Any]:
    """One payment in a line."""
    return {
        "payout": intent.payout_id,
        "intent": intent.id,
        "purpose": intent.purpose,
        "lane": intent.wallet.address,
        "sequence": intent.seq,
        "amount": lanes.text(intent.network, intent.contract, intent.amount_units),
        "to": intent.to_address,
        "since": intent.created_at,
        "waits_for": waits_for(intent),
    }


def payment(payout_id: UUID) -> dict[str, Any] | None:
    """Everything about one payout's payment; None when none was ordered."""
    intent = Intent.objects.select_related("wallet", "batch__wallet").filter(payout_id=payout_id).first()
    if intent is None:
        return None
    return summary(intent) | {
        "network": intent.network,
        "state": intent.state,
        "attempts": [
            _attempt(attempt, intent.network) for attempt in (intent.batch or intent).attempts.order_by("number")
        ],
        "txid": intent.txid,
        "explorer": explorer(intent.network, intent.txid),
        "verdict_at": intent.verdict_at,
        "collected_at": intent.collected_at,
        "proof": intent.proof,
        "alarms": [
            {"kind": alarm.kind, "since": alarm.raised_at, "text": alarm.text}
            for alarm in alarms.standing().filter(subject=str(intent.id))
        ],
    }


def waits_for(intent: Intent) -> str:
    """What has to happen next, in plain words."""
    if intent.state != IntentState.OPEN:
        return "nothing: it is settled" if intent.collected_at else "the settling sweep"
    intent = intent.batch or intent
    if intent.given_up:
        return f"the end of a transaction that uses up its number for nothing: given up by {intent.given_up}"
    live = intent.attempts.filter(state="LIVE").order_by("number").last()
    if live is None:
        paused = pausing.reasons(intent.wallet) if intent.wallet.paused else []
        if paused:
            return f"its lane to be resumed: paused by {paused[0].by}, {paused[0].reason}"
        return intent.last_error or "the signer"
    if not live.broadcasts.exists():
        return "the first sending"
    return intent.last_error or "a final block"


def explorer(of: str, txid: str) -> str:
    """Where a person looks the transaction up; empty without one."""
    return networks.network(of).explorer_tx_url.format(txid=txid) if txid else ""


def _head(name: str, *, now: datetime) -> dict[str, Any]:
    try:
        head = families.gateway(name).head()
    except ChainError as unread:
        return {"error": f"{type(unread).__name__}: {unread}"}
    lag_s = round(now.timestamp() - head.final_ms / 1000, 1)
    return {"block": head.number, "final_block": head.final_number, "final_lag_s": lag_s}


def _attempt(attempt: SignedAttempt, of: str) -> dict[str, Any]:
    sent = BroadcastAttempt.objects.filter(attempt=attempt)
    return {
        "number": attempt.number,
        "txid": attempt.txid,
        "explorer": explorer(of, attempt.txid),
        "state": attempt.state,
        "fees": attempt.fees,
        "signed_at": attempt.signed_at,
        "expiration_ms": attempt.expiration_ms,
        "proof_of_absence": attempt.proof,
        "sendings": sent.count(),
        "broadcasts": [
            {"endpoint": one.endpoint, "at": one.at, "accepted": one.accepted, "answer": one.answer}
            for one in sent.order_by("-id")[:SHOWN_BROADCASTS]
        ],
    }
