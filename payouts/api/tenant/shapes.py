"""The shapes of the `tenant` API's bodies for its OpenAPI document; the examples are the seed's own."""

from collections.abc import Iterable
from typing import Any

from chain import codes
from payouts.api.openapi import MOMENT, Schema, closed, listed, or_null, text
from payouts.api.tenant import searching, wire
from payouts.merchants.oauth_models import SCOPES

# As they stand in the document; addresses are abbreviated there.
SEED_CURRENCIES = {"currencies": ["USDTTRC20", "USDTARB", "BTC", "ETH"]}
SEED_CURRENCIES_FULL = {
    "currencies": [
        {
            "currency": "USDTTRC20",
            "name": "Tether USD",
            "token": "usdt",
            "blockchain": "trx",
            "is_popular": True,
            "is_stable": True,
            "min_amount": "10.00000000",
            "max_amount": "100000.00000000",
            "min_amount_usd": "10.00",
            "max_amount_usd": "100000.00",
        }
    ]
}
SEED_RATE = {
    "currency_from": "USD",
    "currency_to": "USDTTRC20",
    "amount": 100.0,
    "estimated_amount": 99.9,
    "rate": 0.999,
}
SEED_WITHDRAWAL = {
    "amount": 50.00,
    "currency": "USDTTRC20",
    "address": "TXYZabc123...",
    "callback_url": "https://your-site.com/webhook",
}
SEED_PRICED = {
    "price_amount": 50.00,
    "price_currency": "USD",
    "blockchain": "TRX",
    "token": "USDT",
    "address": "TXYZabc123...",
    "callback_url": "https://your-site.com/webhook",
}
SEED_VALIDATION = {"address": "0x1234567890abcdef...", "currency": "USDTARB"}
SEED_FEE_REQUEST = {"amount": 100.00, "currency": "USDTTRC20", "address": "TXYZabc123..."}
SEED_ESTIMATE_REQUEST = {"amount": 100.00, "currency": "USDTTRC20", "final_amount": False}
SEED_ESTIMATE = {
    "requested_amount": "100.00000000",
    "fee": "1.50000000",
    "amount": "98.50000000",
    "currency": "USDTTRC20",
    "blockchain": "TRX",
    "token": "USDT",
    "platform_fee": "1.00000000",
    "network_fee": "0.50000000",
}
SEED_ME = {
    "name": "Your Company",
    "transaction_fee": 1.0,
    "is_fee_paid_by_user": False,
    "webhook_callback_url": "https://your-site.com/webhook",
    "webhook_secret_masked": "sec_****fgh",
}
SEED_WEBHOOK = {"callback_url": "https://your-site.com/webhook"}

ID: Schema = {"type": "integer", "minimum": 1}
whole: Schema = {"type": "integer", "minimum": 0}
flag: Schema = {"type": "boolean"}
money = text(pattern=r"^[0-9]+\.[0-9]{8,}$")
cents = or_null(text(pattern=r"^[0-9]+\.[0-9]{2}$") | {"description": "Null where no rate is known."})
rate_number: Schema = {"type": "number", "minimum": 0}
uuid = text(format="uuid")
nullable = or_null(text())
CODE = text(enum=[code.joined for code in codes.CODES.values()])
BLOCKCHAIN = text(enum=[*codes.BLOCKCHAINS.values()], description="Capital letters or not.")
TOKEN = text(enum=sorted({code.asset for code in codes.CODES.values()}), description="Capital letters or not.")
URL = text(format="uri", maxLength=2000)
URL_OR_NULL = or_null(URL)
AMOUNT: Schema = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e30},
        text(pattern=r"^(?=.*[1-9])[0-9]{1,30}(\.[0-9]{1,30})?$"),
    ],
    "description": "In the currency, with no more places than it has: a number, or the same as a text.",
}
NAMED = {"currency": CODE, "blockchain": text(), "token": text()}
FEES = {"fee": money, "platform_fee": money, "network_fee": money}
IN_COINS: dict[str, Schema] = {"amount": AMOUNT, "currency": CODE}
IN_A_CURRENCY: dict[str, Schema] = {
    "price_amount": AMOUNT,
    "price_currency": text(pattern="^[A-Z]{3}$"),
    "blockchain": BLOCKCHAIN,
    "token": TOKEN,
}
TO: dict[str, Schema] = {
    "address": text(minLength=1, maxLength=128),
    "callback_url": URL_OR_NULL,
    "custom_id": or_null(text(maxLength=64)),
}
LISTED: dict[str, Schema] = {
    "withdrawal_id": uuid,
    "custom_id": nullable,
    "amount": money | {"description": "What the recipient gets."},
    **FEES,
    **NAMED,
    "address": text(),
    "status": text(enum=[*dict.fromkeys(wire.SHOWN.values())]),
    "transaction_hash": or_null(text(description="Set once the withdrawal is completed.")),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
WITHDRAWAL: dict[str, Schema] = LISTED | {
    "id": uuid,
    "requested_amount": money,
    "total_deducted": money,
    "price_amount": nullable,
    "price_currency": nullable,
    "rate": nullable,
    "rate_source": nullable,
    "rate_at": or_null(MOMENT),
    "reason": nullable,
}
FULL = {"name": text(), "token": text(), "blockchain": text(), "is_popular": flag, "is_stable": flag}
RANGE = {"min_amount": money, "max_amount": money}
RANGE_USD = {"min_amount_usd": cents, "max_amount_usd": cents}
APP = {
    "id": ID,
    "name": text(),
    "client_id": text(),
    "client_type": text(),
    "authorization_grant_type": text(),
    "scope": text(),
    "created": MOMENT,
}


def _forms(*, more: dict[str, Schema], optional: Iterable[str], examples: Iterable[Any]) -> Schema:
    """Either of the two documented forms of an amount, with more fields beside it."""
    left_out = [*optional]
    forms = (("In coins", IN_COINS), ("Priced in a currency", IN_A_CURRENCY))
    return {
        "oneOf": [closed(form | more, optional=left_out, title=title) for title, form in forms],
        "examples": [*examples],
    }


SCHEMAS: dict[str, Schema] = {
    "Error": closed({"error": text(enum=[*wire.STATUSES]), "message": text()}),
    "OAuthError": closed({"error": text(), "error_description": text()}, optional=["error_description"]),
    "TokenRequest": {
        "type": "object",
        "properties": {
            "grant_type": {"const": "client_credentials", "type": "string"},
            "client_id": text(),
            "client_secret": text(),
            "scope": text(enum=["read write", "read write admin", "read", "write", "admin"]),
        },
        "required": ["grant_type"],
    },
    "Token": closed(
        {
            "access_token": text(),
            "token_type": {"const": "Bearer", "type": "string"},
            "expires_in": {"type": "integer", "examples": [36000]},
            "scope": text(),
        }
    ),
    "AppRequest": closed(
        {"name": text(minLength=1, maxLength=100), "scope": text(pattern="^(read|write)( (read|write))?$")},
        optional=["scope"],
    ),
    "NewApp": closed(APP | {"client_secret": text(description="Shown in this answer alone.")}),
    "Apps": closed({"applications": listed(closed(APP)), "total": whole}),
    "Currencies": closed(
        {
            "currencies": {
                "anyOf": [
                    listed(CODE),
                    listed(closed({"currency": CODE} | FULL | RANGE | RANGE_USD, optional=[*FULL, *RANGE, *RANGE_USD])),
                ]
            }
        },
        examples=[SEED_CURRENCIES, SEED_CURRENCIES_FULL],
    ),
    "Rate": closed(
        {
            "currency_from": text(),
            "currency_to": text(),
            "amount": rate_number,
            "estimated_amount": rate_number,
            "rate": rate_number,
            "fee_percentage": rate_number,
            "fee_amount": rate_number,
            "timestamp": MOMENT | {"description": "Since when the source of the rate says so."},
        },
        optional=["fee_percentage", "fee_amount", "timestamp"],
        examples=[SEED_RATE],
    ),
    "WithdrawalRequest": _forms(
        more=TO, optional=["callback_url", "custom_id"], examples=[SEED_WITHDRAWAL, SEED_PRICED]
    ),
    "Withdrawal": closed(WITHDRAWAL),
    "Withdrawals": closed({"withdrawals": listed(closed(LISTED)), "total": whole}),
    "WithdrawalId": closed({"withdrawal_id": uuid}),
    "WithdrawalStatus": closed(
        {
            name: LISTED[name]
            for name in ("withdrawal_id", "custom_id", "status", "transaction_hash", "created_at", "updated_at")
        }
    ),
    "AddressRequest": closed(
        {"address": text(minLength=1, maxLength=500), "currency": CODE, "blockchain": BLOCKCHAIN, "type": BLOCKCHAIN},
        optional=["currency", "blockchain", "type"],
        anyOf=[{"required": [name]} for name in ("currency", "blockchain", "type")],
        examples=[SEED_VALIDATION],
    ),
    "AddressAnswer": closed({"valid": flag, "address": text(), "blockchain": text()}),
    "FeeRequest": _forms(more={"address": TO["address"]}, optional=["address"], examples=[SEED_FEE_REQUEST]),
    "EstimateRequest": _forms(more={"final_amount": flag}, optional=["final_amount"], examples=[SEED_ESTIMATE_REQUEST]),
    "Estimate": closed({"requested_amount": money, "amount": money, **FEES, **NAMED}, examples=[SEED_ESTIMATE]),
    "CurrencyRequest": closed({"currency": CODE}, examples=[{"currency": "USDTTRC20"}]),
    "Range": closed({**NAMED, **RANGE}),
    "Available": closed({"currencies": listed(CODE), "balances": {"type": "object", "additionalProperties": money}}),
    "Me": closed(
        {
            "name": text(),
            "transaction_fee": rate_number | {"description": "In per cent."},
            "is_fee_paid_by_user": flag,
            "webhook_callback_url": nullable,
            "webhook_secret_masked": nullable,
        },
        examples=[SEED_ME],
    ),
    "WebhookRequest": closed({"callback_url": URL}, examples=[SEED_WEBHOOK]),
    "Webhook": closed({"callback_url": text(), "message": text()}),
    "NewWebhook": closed({"callback_url": text(), "secret": text(pattern="^sec_"), "message": text()}),
    "Secret": closed({"secret": text(pattern="^sec_"), "message": text()}),
    "Tested": closed({"id": uuid, "callback_url": text()}),
    "Nothing": closed({}),
    "Fees": closed({"fees": {"type": "object", "additionalProperties": closed({"amount": money})}}),
    "Status": closed({"status": {"const": "ok", "type": "string"}}, examples=[{"status": "ok"}]),
}
SCOPE_TEXTS = dict(zip(SCOPES, ("Read.", "Write.", "The platform's fees."), strict=True))
SORT = text(enum=[*searching.SORTS], default="created_desc")
