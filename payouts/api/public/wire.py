"""The `public` API's shapes: requests, answers, errors, webhooks (seed 1, CONFORMANCE §1)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from chain import addresses, units
from ledger import posting
from ledger.accounts import Purpose
from payouts.api import base, ids
from payouts.api.public import fields
from payouts.api.public.fields import Refused
from payouts.merchants.models import ApiKey
from payouts.payments import addresses as deposit_addresses
from payouts.payments import deposits
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from payouts.withdrawals import idempotency, limits, rules, steps, withdrawals
from payouts.withdrawals.models import Approval, Status

API = "public"
ASSET = "USDT"
LEAST_UNITS = 100_000  # 0.1 USDT, which itself is enough
CURRENCIES = {"USDT-TRC20": "tron", "USDT-ERC20": "ethereum"}
CURRENCY_NAMES = {network: code for code, network in CURRENCIES.items()}
CREATE_FIELDS = frozenset({"userId", "walletAddress", "amount", "currencyType", "callbackUrl"})
ENDS = ("completed", "failed", "rejected", "cancelled")
EVENTS = [steps.WAITS_FOR_MERCHANT, *(f"withdrawal.{end}" for end in ENDS), deposits.EVENT]
TEST_EVENT = "webhook.test"
public_id, parse_id = str, ids.parse_uuid

# fmt: off
SHOWN: Mapping[str, str] = {
    Status.PENDING:         "pending",
    Status.PENDING_REVIEW:  "pending",
    Status.LEVEL1_APPROVED: "pending",
    Status.APPROVED:        "processing",
    Status.PROCESSING:      "processing",
    Status.COMPLETED:       "completed",
    Status.FAILED:          "failed",
    Status.CANCELLED:       "cancelled",
    Status.REJECTED:        "rejected",
}
CODES: Mapping[int, str] = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTH",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    411: "LENGTH_REQUIRED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "IDEMPOTENCY_KEY_REUSED",
    429: "RATE_LIMIT_EXCEEDED",
    503: "SERVICE_UNAVAILABLE",
}
ERRORS: Mapping[type[Exception], tuple[int, str]] = {
    addresses.BadAddress:            (400, "Invalid wallet address format"),
    withdrawals.AmountTooSmall:      (400, "Net amount after fee must be positive"),
    rules.NoFeeRule:                 (400, "Unsupported currency type"),
    endpoints.BadUrl:                (400, "URL must be a public https address"),
    deposit_addresses.NoExtendedKey: (503, "Deposit addresses are not set up yet"),
    limits.PaymentLimitExceeded:     (400, "Amount exceeds the limit of one withdrawal"),
    limits.WindowLimitExceeded:      (400, "Withdrawal limit exceeded"),
    limits.NotInAddressBook:         (400, "Wallet address is not in the address book"),
    withdrawals.UnderReview:         (409, "This withdrawal is under review"),
    withdrawals.NotTheMerchants:     (403, "This withdrawal is not the merchant's to decide"),
    idempotency.StillInFlight:       (409, "A request with this Idempotency-Key is still in progress"),
    idempotency.KeyReused:           (422, "Idempotency-Key was used with another request"),
}
SHORT: Mapping[Purpose, str] = {Purpose.MEMO: "Insufficient user wallet balance"}
# fmt: on
REFUSALS: tuple[type[Exception], ...] = (Refused, *ERRORS)


def error_of(error: Exception) -> tuple[int, str] | None:
    """The status and text of a domain error; None for what is no refusal."""
    if isinstance(error, Refused):
        return error.status_code, error.text
    if isinstance(error, posting.InsufficientFunds):
        short = error.ref.purpose if error.ref else Purpose.AVAILABLE
        return 400, SHORT.get(short, "Insufficient merchant balance")
    if isinstance(error, steps.StepRefused):
        decided = "approved" if error.verb == "merchant_approve" else "rejected"
        return 400, f"Only pending withdrawals can be {decided}"
    return ERRORS.get(type(error))


def refusal(status_code: int, text: str) -> dict[str, Any]:
    """`{success:false, error:{code, message, details}}`."""
    code = CODES.get(status_code, "INTERNAL_ERROR" if status_code >= 500 else "BAD_REQUEST")  # noqa: PLR2004 - 5xx
    return {"success": False, "error": {"code": code, "message": text, "details": {}}}


def success(message: str, data: Any) -> dict[str, Any]:
    """`{success:true, message, data}`."""
    return {"success": True, "message": message, "data": data}


def order(body: dict[str, Any], *, key: ApiKey, channel: str, now: datetime) -> withdrawals.Order:
    """The order in the body of a create or a request.

    Raises: Refused, endpoints.BadUrl.
    """
    fields.only(body, CREATE_FIELDS)
    user_id = fields.text(body, "userId", most=128)
    destination = fields.text(body, "walletAddress", most=128)
    amount_units = _amount_units(body.get("amount"))
    network = CURRENCIES.get(fields.text(body, "currencyType", most=20))
    if network is None:
        raise Refused(400, f"currencyType must be one of: {', '.join(CURRENCIES)}")
    url = fields.optional_text(body, "callbackUrl", most=2000)
    if not addresses.looks_right(network, destination):
        raise addresses.BadAddress("not the documented form")
    return withdrawals.Order(
        merchant=key.merchant,
        api=API,
        channel=channel,
        asset=ASSET,
        network=network,
        destination=destination,
        amount_units=amount_units,
        actor=key.key_id,
        maker=key.issued_to,
        user_wallet=fields.wallet(key.merchant, user_id),
        callback=endpoints.callback(key.merchant, api=API, url=url, events=EVENTS, now=now) if url else None,
    )


def _amount_units(amount: Any) -> int:
    if not isinstance(amount, Decimal):
        raise Refused(400, "amount must be a number")
    if amount < Decimal(LEAST_UNITS).scaleb(-units.places(ASSET)):
        raise Refused(400, "Minimum withdrawal amount is greater than 0.1 USDT")
    try:
        return units.to_units(ASSET, amount)
    except units.BadAmount as error:
        raise Refused(400, f"Invalid amount: {error}") from error


def shown_status(seen: Mapping[str, Any]) -> str:
    """The documented status; what nobody is asked about is on its way from the first moment."""
    if seen["status"] == Status.PENDING and seen["approval"] == Approval.NONE:
        return "processing"
    return SHOWN[seen["status"]]


def outcome(seen: Mapping[str, Any]) -> dict[str, Any]:
    """What a create answers under `data`."""
    return {
        "id": seen["id"],
        "status": shown_status(seen),
        "transactionHash": _hash(seen),
        "fee": number(seen["fee_units"], seen["asset"]),
        "netAmount": number(seen["net_units"], seen["asset"]),
    }


def withdrawal(seen: Mapping[str, Any]) -> dict[str, Any]:
    """A payout or withdrawal, whole."""
    currency = _currency(seen)
    return outcome(seen) | {
        "userId": seen["user_id"],
        "type": "withdrawal" if seen["user_id"] else "payout",
        "amount": number(seen["requested_units"], seen["asset"]),
        "currencyType": currency or f"{seen['asset']}-{seen['network'].upper()}",
        "network": currency.partition("-")[2] if currency else seen["network"].upper(),
        "walletAddress": seen["destination"],
        "reason": seen["reason"] or None,
        "createdAt": moment(seen["created_at"]),
        "updatedAt": moment(seen["updated_at"]),
        "confirmedAt": _confirmed_at(seen),
    }


def _hash(seen: Mapping[str, Any]) -> str | None:
    return seen["txid"] if seen["status"] == Status.COMPLETED else None


def _confirmed_at(seen: Mapping[str, Any]) -> str | None:
    return moment(seen["updated_at"]) if seen["status"] == Status.COMPLETED else None


def webhook_body(message: Message) -> bytes:
    """`{success, message, data}`; the same bytes at every attempt.

    Source: CONFORMANCE §1, N webhook.
    """
    if message.event == TEST_EVENT:
        return orjson.dumps({"success": True, "message": "Test webhook", "data": {"type": "test", **message.data}})
    if message.event == deposits.EVENT:
        return orjson.dumps(success("Transaction status update", deposit(message.data)))
    seen = message.data
    shown = withdrawal(seen)
    data = {
        "type": "withdrawal",
        "transactionId": seen["id"],
        "clientId": seen["user_id"],
        "amount": shown["amount"],
        "fee": shown["fee"],
        "netAmount": shown["netAmount"],
        "currencyType": shown["currencyType"],
        "status": shown["status"],
        "createdAt": shown["createdAt"],
        "confirmedAt": shown["confirmedAt"],
        "blockchainTxHash": shown["transactionHash"],
        "walletAddress": shown["walletAddress"],
        "network": shown["network"],
        "id": seen["id"],
    }
    return orjson.dumps(success("Transaction status update", data))


def deposit(seen: Mapping[str, Any]) -> dict[str, Any]:
    """A user's deposit as its webhook tells it; what is told is final."""
    asset, fee_units = seen["asset"], int(seen["fee_units"])
    currency = _currency(seen)
    return {
        "type": "deposit",
        "transactionId": seen["id"],
        "clientId": seen["user_id"],
        "amount": number(seen["amount_units"], asset),
        "fee": number(fee_units, asset),
        "netAmount": number(int(seen["amount_units"]) - fee_units, asset),
        "actualBalance": number(seen["balance_units"], asset),
        "currencyType": currency or f"{asset}-{seen['network'].upper()}",
        "status": "completed",
        "createdAt": moment(seen["block_at"]),
        "confirmedAt": moment(seen["created_at"]),
        "blockchainTxHash": seen["txid"],
        "walletAddress": seen["address"],
        "network": currency.partition("-")[2] if currency else seen["network"].upper(),
        "id": seen["id"],
    }


def _currency(seen: Mapping[str, Any]) -> str | None:
    """The documented code; None for what the documents do not know."""
    return CURRENCY_NAMES.get(seen["network"]) if seen["asset"] == ASSET else None


def page(name: str, items: list[Any], *, number: int, limit: int, total: int) -> dict[str, Any]:
    """A list under `data`, with where one is in it."""
    pages = -(-total // limit)
    return {name: items, "pagination": {"page": number, "limit": limit, "total": total, "totalPages": pages}}


def number(amount_units: str | int, asset: str = ASSET) -> orjson.Fragment:
    """Ledger units as a JSON number, as the documents write amounts: 2, 2.5, 48."""
    return base.number(units.text(asset, int(amount_units), 0).rstrip("."))


def moment(at: str | datetime) -> str:
    """A moment as JavaScript writes it: UTC, milliseconds."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{found.microsecond // 1000:03d}Z"
