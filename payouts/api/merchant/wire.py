"""The `merchant` API's shapes: requests, answers, errors, webhooks (seed 2, CONFORMANCE §2)."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from chain import addresses, units
from ledger import posting
from ledger.balances import Balance, Entry
from payouts.api import base, ids, refusals
from payouts.merchants.models import ApiKey
from payouts.runs import reading, runs
from payouts.webhooks import endpoints
from payouts.webhooks.models import Attempt, Endpoint, Message
from payouts.withdrawals import idempotency, limits, rules, snapshots, steps, withdrawals
from payouts.withdrawals.models import Status, Withdrawal

API = "merchant"
ASSET = "USDT"
SHOWN_PLACES = 2
NETWORKS = {"TRC20": "tron", "ERC20": "ethereum"}
NETWORK_NAMES = {name: code for code, name in NETWORKS.items()}
AMOUNT = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
CREATE_FIELDS = frozenset({"amount", "destination_address", "network"})
Refused = refusals.Refused
WEBHOOK_FIELDS = frozenset({"url", "events"})
public_id, parse_id = ids.MERCHANT.text, ids.MERCHANT.parse


# fmt: off
ERRORS: dict[type[Exception], tuple[int, str]] = {
    addresses.BadAddress:         (400, "invalid destination address"),
    withdrawals.AmountTooSmall:   (400, "amount must exceed the fee"),
    posting.InsufficientFunds:    (400, "insufficient balance"),
    limits.PaymentLimitExceeded:  (400, "amount exceeds the limit of one withdrawal"),
    limits.WindowLimitExceeded:   (400, "withdrawal limit exceeded"),
    limits.NotInAddressBook:      (400, "destination address is not in the address book"),
    rules.NoFeeRule:              (400, "unsupported network"),
    endpoints.BadUrl:             (400, "url must be a public https address"),
    endpoints.TooMany:            (400, "too many webhooks"),
    idempotency.StillInFlight:    (409, "duplicate idempotency key"),
    idempotency.KeyReused:        (422, "idempotency key was used with another request"),
    Withdrawal.DoesNotExist:      (404, "withdrawal not found"),
    runs.NotToCancel:             (409, "batch is cancelled already"),
}
# fmt: on
REFUSALS: tuple[type[Exception], ...] = (Refused, *ERRORS)


def error_of(error: Exception) -> tuple[int, str] | None:
    """The status and text of a domain error; None for what is no refusal."""
    if isinstance(error, Refused):
        return error.status_code, error.text
    if isinstance(error, steps.StepRefused):
        return 409, f"withdrawal is {error.status}"
    if isinstance(error, reading.BadFile):
        return 400, str(error)
    return ERRORS.get(type(error))


def order(body: dict[str, Any], *, key: ApiKey) -> withdrawals.Order:
    """The order in a create's body.

    Raises: Refused.
    """
    _only(body, CREATE_FIELDS)
    amount = body.get("amount")
    if not isinstance(amount, str) or not AMOUNT.fullmatch(amount):
        raise Refused(400, "invalid amount")
    try:
        amount_units = units.to_units(ASSET, Decimal(amount))
    except units.BadAmount as error:
        raise Refused(400, "invalid amount") from error
    network = body.get("network")
    if not isinstance(network, str) or network not in NETWORKS:
        raise Refused(400, "unsupported network")
    destination = body.get("destination_address")
    if not isinstance(destination, str):
        raise Refused(400, "invalid destination address")
    return withdrawals.Order(
        merchant=key.merchant,
        api=API,
        asset=ASSET,
        network=NETWORKS[network],
        destination=destination,
        amount_units=amount_units,
        actor=key.key_id,
        maker=key.issued_to,
    )


def webhook_request(body: dict[str, Any]) -> tuple[str, list[str]]:
    """The URL and the events of a new webhook.

    Raises: Refused.
    """
    _only(body, WEBHOOK_FIELDS)
    url, events = body.get("url"), body.get("events")
    if not isinstance(url, str):
        raise Refused(400, "url must be a public https address")
    if not isinstance(events, list) or not events or not all(event in steps.EVENTS for event in events):
        raise Refused(400, f"events must be a list of: {', '.join(sorted(set(steps.EVENTS)))}")
    return url, sorted(set(events))


def _only(body: dict[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise Refused(400, f"unknown field: {unknown[0]}"[:200])


def withdrawal(row: Withdrawal) -> dict[str, Any]:
    """The Withdrawal object."""
    return _withdrawal(snapshots.of(row))


def listed(row: Withdrawal) -> dict[str, Any]:
    """A list's item: the Withdrawal object without `merchant_id`."""
    shown = withdrawal(row)
    del shown["merchant_id"]
    return shown


def _withdrawal(seen: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": public_id(UUID(seen["id"])),
        "merchant_id": seen["merchant_id"],
        "amount": money(seen["amount_units"]),
        "fee": money(seen["fee_units"]),
        "status": seen["status"],
        "destination_address": seen["destination"],
        "network": NETWORK_NAMES[seen["network"]],
        "tx_hash": seen["txid"] if seen["status"] == Status.COMPLETED else None,
        "created_at": base.moment(datetime.fromisoformat(seen["created_at"])),
        "updated_at": base.moment(datetime.fromisoformat(seen["updated_at"])),
    }


def balance(merchant_id: UUID, *, available: Balance, frozen: Balance) -> dict[str, Any]:
    """`GET /v1/balance`."""
    return {
        "merchant_id": str(merchant_id),
        "available": money(available.balance_units),
        "frozen": money(frozen.balance_units),
    }


def transaction(merchant_id: UUID, entry: Entry) -> dict[str, Any]:
    """One entry of `GET /v1/transactions`."""
    return {
        "id": str(entry.event),
        "merchant_id": str(merchant_id),
        "order_id": _order_id(entry.reference),
        "entry_type": str(entry.direction),
        "amount": money(entry.amount_units),
        "balance_after": money(entry.balance_after_units),
        "description": str(entry.kind).replace("_", " ").lower(),
        "created_at": base.moment(entry.at),
    }


def _order_id(reference: str) -> str | None:
    try:
        return public_id(UUID(reference))
    except ValueError:
        return reference or None


def webhook(endpoint: Endpoint) -> dict[str, Any]:
    """The answer to a webhook's registration, before the merchant's webhook secret joins it."""
    return {"id": str(endpoint.id), "url": endpoint.url, "events": endpoint.events}


def registered(endpoint: Endpoint) -> dict[str, Any]:
    """A registered URL in a list, without the secret."""
    return {
        "id": str(endpoint.id),
        "url": endpoint.url,
        "events": endpoint.events,
        "active": endpoint.is_active,
        "disabled_reason": endpoint.disabled_reason or None,
        "created_at": base.moment(endpoint.created_at),
    }


def delivery(message: Message, attempts: list[Attempt]) -> dict[str, Any]:
    """One row of the delivery log."""
    return {
        "id": str(message.id),
        "event": message.event,
        "status": message.state.lower(),
        "created_at": base.moment(message.created_at),
        "delivered_at": base.moment(message.delivered_at) if message.delivered_at else None,
        "next_attempt_at": base.moment(message.next_attempt_at) if message.next_attempt_at else None,
        "attempts": [
            {
                "number": attempt.number,
                "at": base.moment(attempt.at),
                "status_code": attempt.status_code,
                "error": attempt.error or None,
                "duration_ms": attempt.duration_ms,
            }
            for attempt in attempts
        ],
    }


def webhook_body(message: Message) -> bytes:
    """`{event, timestamp, data}`; the same bytes at every attempt."""
    data = _withdrawal(message.data) if "status" in message.data else message.data
    return orjson.dumps({"event": message.event, "timestamp": base.moment(message.created_at), "data": data})


def money(amount_units: str | int) -> str:
    """Ledger units as the documents write amounts: two places, more only where there are more."""
    return units.text(ASSET, int(amount_units), SHOWN_PLACES)
