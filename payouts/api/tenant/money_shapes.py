"""The shapes of the `tenant` API's payments, sub-accounts and balances for its OpenAPI document."""

from payouts.api.openapi import MOMENT, Schema, closed, listed, or_null, text
from payouts.api.tenant import history, payment_wire, wallet_wire
from payouts.api.tenant.shapes import (
    AMOUNT,
    CODE,
    ID,
    NAMED,
    URL_OR_NULL,
    flag,
    money,
    nullable,
    rate_number,
    uuid,
    whole,
)
from payouts.subaccounts.models import Transfer

# As they stand in the document.
SEED_PAYMENT = {
    "amount": 100.00,
    "currency": "USDTTRC20",
    "price_currency": "USD",
    "callback_url": "https://your-site.com/webhook",
    "order_id": "order_123",
    "order_description": "Payment for order 123",
    "is_fixed_rate": True,
    "is_fee_paid_by_user": False,
    "customer_email": "customer@shop.example",  # masked in the document
    "wallet_id": "wallet_abc123",
    "expiry_minutes": 30,
}
SEED_RANGE = {
    "currency": "USDTTRC20",
    "min_amount": 10.0,
    "max_amount": 100000.0,
    "blockchain": "TRX",
    "token": "USDT",
}
SEED_BALANCES = {
    "account": {"USDTTRC20": {"amount": "1000.00000000", "pending_amount": "0.00000000"}},
    "sub_accounts": {
        "USDTTRC20": {
            "total_amount": "500.00000000",
            "total_pending": "0.00000000",
            "accounts": [
                {
                    "account_name": "Wallet 1",
                    "account_id": "123abc",
                    "amount": "300.00000000",
                    "pending_amount": "0.00000000",
                    "available_balance": "300.00000000",
                }
            ],
        }
    },
    "statistics": {"currencies_count": 5, "subaccounts_count": 3},
}
SEED_WALLETS = {
    "accounts": [
        {
            "id": 1,
            "name": "My Wallet",
            "external_id": "ext_123",
            "wallet_id": "w_abc123",
            "created": "2024-12-01T10:00:00Z",
            "updated": "2024-12-27T10:00:00Z",
            "balances": [
                {
                    "currency": "USDTTRC20",
                    "amount": "500.00000000",
                    "pending_amount": "0.00000000",
                    "available_balance": "500.00000000",
                }
            ],
        }
    ],
    "total": 1,
}
SEED_WALLET = {"name": "My Wallet", "external_id": "ext_123"}
SEED_TRANSFER = {
    "wallet_id": "w_abc123",
    "currency": "USDTTRC20",
    "amount": "100.00000000",
    "callback_url": "https://your-site.com/webhook",
}
SEED_ACCEPTED = {"status": "accepted", "transfer_id": "t_abc123", "message": wallet_wire.ACCEPTED}
SEED_HISTORY = {
    "wallet_id": "w_abc123",
    "status": "completed",
    "transfer_type": "to_sub",
    "currency": "USDTTRC20",
    "limit": 20,
    "offset": 0,
}

WALLET_ID = text(minLength=1, maxLength=100)
EXTERNAL_ID = or_null(text(maxLength=128))
HELD = {"amount": money, "pending_amount": money, "available_balance": money}
TRANSFER_TYPE = text(enum=Transfer.Direction.values)
PAYMENT: dict[str, Schema] = {
    "transaction_id": uuid,
    "status": text(enum=[*payment_wire.STATUSES]),
    "address": text(),
    **NAMED,
    "amount": money | {"description": "What the customer has to send."},
    "received_amount": money,
    "fee": money,
    "is_fee_paid_by_user": flag,
    "is_fixed_rate": flag,
    "price_amount": nullable,
    "price_currency": nullable,
    "rate": nullable,
    "rate_source": nullable,
    "rate_at": or_null(MOMENT),
    "order_id": nullable,
    "order_description": nullable,
    "customer_email": nullable,
    "wallet_id": nullable,
    "expires_at": MOMENT,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
PAYMENT_REQUEST: dict[str, Schema] = {
    "amount": AMOUNT,
    "currency": CODE,
    "price_currency": or_null(text(pattern="^[A-Z]{3}$")),
    "callback_url": URL_OR_NULL,
    "order_id": or_null(text(maxLength=128)),
    "order_description": or_null(text(maxLength=500)),
    "is_fixed_rate": flag,
    "is_fee_paid_by_user": flag,
    "customer_email": or_null(text(format="email", maxLength=254)),
    "wallet_id": or_null(WALLET_ID),
    "expiry_minutes": {"type": "integer", "minimum": 1, "maximum": payment_wire.LONGEST_EXPIRY_MINUTES, "default": 30},
}
WALLET: dict[str, Schema] = {
    "id": ID,
    "name": text(),
    "external_id": nullable,
    "wallet_id": text(),
    "created": MOMENT,
    "updated": MOMENT,
    "balances": listed(closed({"currency": CODE, **HELD})),
}
TRANSFER: dict[str, Schema] = {
    "transfer_id": text(),
    "wallet_id": text(),
    "external_id": nullable,
    "transfer_type": TRANSFER_TYPE,
    **NAMED,
    "amount": money,
    "status": text(enum=[*wallet_wire.SHOWN.values()]),
    "reason": nullable,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
MOVED: dict[str, Schema] = {
    "id": uuid,
    "type": text(enum=[*history.TYPES]),
    "direction": text(enum=["in", "out"]),
    **NAMED,
    "amount": money,
    "balance_after": money,
    "reference": nullable,
    "created_at": MOMENT,
}
PLACE = {"limit": whole, "offset": whole}


def by_code(shape: Schema) -> Schema:
    """One of these under each code."""
    return {"type": "object", "additionalProperties": shape}


SCHEMAS: dict[str, Schema] = {
    "PaymentRequest": closed(
        PAYMENT_REQUEST,
        optional=[name for name in PAYMENT_REQUEST if name not in ("amount", "currency")],
        examples=[SEED_PAYMENT],
    ),
    "Payment": closed(PAYMENT),
    "PaymentStatus": closed(PAYMENT | {"transaction_hashes": listed(text())}),
    "Payments": closed({"payments": listed(closed(PAYMENT)), "total": whole, **PLACE}),
    "TransactionId": closed({"transaction_id": uuid}),
    "PaymentRange": closed(
        {"currency": CODE, "min_amount": rate_number, "max_amount": rate_number, "blockchain": text(), "token": text()},
        examples=[SEED_RANGE],
    ),
    "Balances": closed(
        {
            "account": by_code(closed({"amount": money, "pending_amount": money})),
            "sub_accounts": by_code(
                closed(
                    {
                        "total_amount": money,
                        "total_pending": money,
                        "accounts": listed(closed({"account_name": text(), "account_id": text(), **HELD})),
                    }
                )
            ),
            "statistics": closed({"currencies_count": whole, "subaccounts_count": whole}),
        },
        examples=[SEED_BALANCES],
    ),
    "History": closed({"transactions": listed(closed(MOVED)), "total": whole, **PLACE}),
    "WalletRequest": closed(
        {"name": text(minLength=1, maxLength=100), "external_id": EXTERNAL_ID},
        optional=["external_id"],
        examples=[SEED_WALLET],
    ),
    "Wallet": closed(WALLET),
    "Wallets": closed({"accounts": listed(closed(WALLET)), "total": whole}, examples=[SEED_WALLETS]),
    "WalletNamed": closed(
        {"wallet_id": WALLET_ID, "external_id": text(minLength=1, maxLength=128)},
        optional=["wallet_id", "external_id"],
        minProperties=1,
        examples=[{"wallet_id": "w_abc123"}],
    ),
    "TransferRequest": closed(
        {"wallet_id": WALLET_ID, "currency": CODE, "amount": AMOUNT, "callback_url": URL_OR_NULL},
        optional=["callback_url"],
        examples=[SEED_TRANSFER],
    ),
    "Accepted": closed(
        {"status": {"const": "accepted", "type": "string"}, "transfer_id": text(pattern="^t_"), "message": text()},
        examples=[SEED_ACCEPTED],
    ),
    "TransferHistoryRequest": closed(
        {
            "wallet_id": WALLET_ID,
            "status": text(enum=[*wallet_wire.STATUSES]),
            "transfer_type": TRANSFER_TYPE,
            "currency": CODE,
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
            "offset": {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0},
        },
        optional=["status", "transfer_type", "currency", "limit", "offset"],
        examples=[SEED_HISTORY],
    ),
    "TransferHistory": closed(
        {
            "account": closed({"name": text(), "wallet_id": text(), "external_id": nullable}),
            "transfers": listed(closed(TRANSFER)),
            "pagination": closed({"total": whole, **PLACE}),
        }
    ),
}
