"""The `tenant` API's shapes: errors, amounts, withdrawals, webhooks (seed 4, CONFORMANCE §4)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from chain import addresses, codes, units
from ledger import posting
from payouts.api import base, ids
from payouts.api.tenant.fields import Refused
from payouts.currencies import currencies
from payouts.merchants import oauth
from payouts.payments import addresses as deposit_addresses
from payouts.payments import payment_steps
from payouts.rates import rates
from payouts.subaccounts import subaccounts, transfers
from payouts.webhooks import endpoints
from payouts.withdrawals import idempotency, limits, rules, steps, withdrawals
from payouts.withdrawals.models import Status

API = "tenant"
PLACES = 8  # amounts as the documents write them; more only where there are more
EVENTS = [*steps.EVENTS, payment_steps.EVENT, transfers.EVENT]
public_id, parse_id = str, ids.parse_uuid

# fmt: off
STATUSES: Mapping[str, int] = {
    "invalid_request":        400,
    "invalid_currency":       400,
    "insufficient_balance":   400,
    "unauthorized":           401,
    "forbidden":              403,
    "not_found":              404,
    "method_not_allowed":     405,
    "conflict":               409,
    "length_required":        411,
    "payload_too_large":      413,
    "unsupported_media_type": 415,
    "invalid_amount":         422,
    "idempotency_key_reused": 422,
    "rate_limit_exceeded":    429,
    "rate_unavailable":       503,
    "service_unavailable":    503,
}
CODES: Mapping[int, str] = {  # of what the framework refuses
    **{status: code for code, status in [*STATUSES.items()][::-1]},
    503: "service_unavailable",
}
ERRORS: Mapping[type[Exception], tuple[str, str]] = {
    codes.UnknownCode:            ("invalid_currency",       "Unknown currency"),
    codes.NotOffered:             ("invalid_currency",       "Currency is not available"),
    rules.NoFeeRule:              ("invalid_currency",       "Currency is not available: it has no fee"),
    rates.NoRate:                 ("invalid_currency",       "There is no rate for this pair of currencies"),
    rates.StaleRate:              ("rate_unavailable",       "The rate of this pair of currencies is out of date"),
    addresses.BadAddress:         ("invalid_request",        "Invalid address"),
    deposit_addresses.NoExtendedKey: ("service_unavailable", "Deposit addresses are not set up yet"),
    subaccounts.ExternalIdTaken:  ("invalid_request",        "A wallet with this external_id exists"),
    subaccounts.TooMany:          ("invalid_request",        "Too many wallets"),
    transfers.InsufficientBalance: ("insufficient_balance",  "Insufficient balance for this transfer"),
    units.BadAmount:              ("invalid_amount",         "Invalid amount"),
    withdrawals.AmountTooSmall:   ("invalid_amount",         "Amount must exceed the fee"),
    limits.PaymentLimitExceeded:  ("invalid_amount",         "Amount exceeds the limit of one withdrawal"),
    limits.WindowLimitExceeded:   ("invalid_amount",         "Withdrawal limit exceeded"),
    limits.NotInAddressBook:      ("invalid_request",        "Address is not in the address book"),
    posting.InsufficientFunds:    ("insufficient_balance",   "Insufficient balance"),
    endpoints.BadUrl:             ("invalid_request",        "callback_url must be a public https address"),
    oauth.TooMany:                ("invalid_request",        "Too many applications"),
    idempotency.StillInFlight:    ("conflict",               "A request with this Idempotency-Key is in progress"),
    idempotency.KeyReused:        ("idempotency_key_reused", "Idempotency-Key was used with another request"),
}
SHOWN: Mapping[str, str] = {
    Status.PENDING:         "pending",
    Status.PENDING_REVIEW:  "pending",
    Status.LEVEL1_APPROVED: "pending",
    Status.APPROVED:        "approved",
    Status.PROCESSING:      "processing",
    Status.COMPLETED:       "completed",
    Status.REJECTED:        "rejected",
    Status.FAILED:          "failed",
    Status.CANCELLED:       "cancelled",
}
# fmt: on
# What the vendor's neighbouring page lists; of `submitted` and `confirmed` we never speak: they are processing.
DOCUMENTED = (*dict.fromkeys(SHOWN.values()), "submitted", "confirmed")


def error_of(error: Exception) -> tuple[int, tuple[str, str]] | None:
    """The status, code and text of a domain error; None for what is no refusal."""
    told = _told(error)
    return None if told is None else (STATUSES[told[0]], told)


def _told(error: Exception) -> tuple[str, str] | None:
    if isinstance(error, Refused):
        return error.code, error.text
    if isinstance(error, currencies.OutOfRange):
        side, bound = ("least", error.offered.min_units) if error.is_too_small else ("most", error.offered.max_units)
        code = error.offered.code
        return "invalid_amount", f"Amount must be at {side} {amount(code.asset, bound)} {code.joined}"
    return ERRORS.get(type(error))


def refusal(status_code: int, told: Any) -> dict[str, Any]:
    """`{error: code, message: text}`."""
    code, text = told if isinstance(told, tuple) else (CODES.get(status_code, "invalid_request"), told)
    return {"error": code, "message": text}


def amount(asset: str, amount_units: int | str) -> str:
    """Ledger units as the documents write amounts: 8 places."""
    return units.text(asset, int(amount_units), PLACES)


def number(asset: str, amount_units: int | str) -> orjson.Fragment:
    """Ledger units as a JSON number with at least one place: 10.0."""
    return base.number(units.text(asset, int(amount_units), 1))


def currency(code: codes.Code) -> dict[str, str]:
    """A currency as estimates and withdrawals name it."""
    return {"currency": code.joined, "blockchain": codes.BLOCKCHAINS[code.network], "token": code.asset}


def named(asset: str, network: str) -> dict[str, str]:
    """The same, by asset and network."""
    return currency(codes.of(asset, network=network))


def withdrawal(seen: Mapping[str, Any]) -> dict[str, Any]:
    """A withdrawal in a list."""
    asset = seen["asset"]
    fee_units, platform_units = int(seen["fee_units"]), int(seen["platform_units"])
    return {
        "withdrawal_id": seen["id"],
        "custom_id": seen["custom_id"] or None,
        "amount": amount(asset, seen["net_units"]),
        "fee": amount(asset, fee_units),
        "platform_fee": amount(asset, platform_units),
        "network_fee": amount(asset, fee_units - platform_units),
        **named(asset, seen["network"]),
        "address": seen["destination"],
        "status": SHOWN[seen["status"]],
        "transaction_hash": seen["txid"] if seen["status"] == Status.COMPLETED else None,
        "created_at": moment(seen["created_at"]),
        "updated_at": moment(seen["updated_at"]),
    }


def whole(seen: Mapping[str, Any]) -> dict[str, Any]:
    """A withdrawal by itself: what a create answers too."""
    asset, price = seen["asset"], seen["price"] or {}
    return withdrawal(seen) | {
        "id": seen["id"],
        "requested_amount": amount(asset, seen["requested_units"]),
        "total_deducted": amount(asset, seen["amount_units"]),
        "price_amount": price.get("amount"),
        "price_currency": price.get("currency"),
        "rate": price.get("rate"),
        "rate_source": price.get("source"),
        "rate_at": moment(price["at"]) if price else None,
        "reason": seen["reason"] or None,
    }


def moment(at: str | datetime) -> str:
    """A moment as the documents write it."""
    return base.moment(datetime.fromisoformat(at) if isinstance(at, str) else at)
