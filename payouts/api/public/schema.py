"""What the `public` API's OpenAPI document says (seed 1, CONFORMANCE §1); the examples are the seed's own."""

from typing import Any

from payouts.api.openapi import (
    ANY_TEXT,
    RATE_LIMIT_HEADERS,
    Call,
    Document,
    Schema,
    closed,
    listed,
    or_null,
    query,
    text,
    texts_by_status,
)
from payouts.api.public import wire

# As they stand in the document; the answer is what it shows under `data`.
SEED_REQUEST = {
    "userId": "user-12345",
    "walletAddress": "TN7oGaKhMfSfAwnVUiPNaEiGgRbRQGrain",
    "amount": 50,
    "currencyType": "USDT-TRC20",
}
SEED_DATA = {"status": "completed", "transactionHash": "abc123...", "fee": 2, "netAmount": 48}
ADDRESS_FORMS = {"USDT-TRC20": "^T[0-9A-Za-z]{33}$", "USDT-ERC20": "^0x[0-9A-Za-z]{40}$"}
SAYS = """Withdrawals of a merchant's users, approved by nobody or by the merchant, and what goes with them: users' wallets and
balances, webhooks. Payouts of the merchant's own are made in the dashboard, with a one-time code.

`apikey` names who is calling; `x-api-secret` must be there where money is decided about, and is checked wherever it is sent.
Calls are counted per key and endpoint in sliding windows of 15 minutes; `RateLimit-*` headers say what is left."""

# JavaScript's way of writing a moment.
moment = text(format="date-time", pattern=r"^[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z$")
money: Schema = {"type": "number", "minimum": 0}
uuid = text(format="uuid")
nullable = or_null(text())
number: Schema = {"type": "integer", "minimum": 0}
STATUSES = [*dict.fromkeys(wire.SHOWN.values())]
OUTCOME: dict[str, Schema] = {
    "id": uuid,
    "status": text(enum=STATUSES),
    "transactionHash": or_null(text(description="Set once the withdrawal is completed.")),
    "fee": money,
    "netAmount": money,
}
WITHDRAWAL: dict[str, Schema] = OUTCOME | {
    "userId": nullable,
    "type": text(enum=["withdrawal", "payout"]),
    "amount": money,
    "currencyType": text(),
    "network": text(),
    "walletAddress": text(),
    "reason": nullable,
    "createdAt": moment,
    "updatedAt": moment,
    "confirmedAt": or_null(moment),
}
USER_ID = text(minLength=1, maxLength=128, pattern=ANY_TEXT, examples=["user-12345"])
NULL_URL: Schema = {"anyOf": [text(format="uri", maxLength=2000), {"enum": ["", None]}]}
WALLET_REQUEST: dict[str, Schema] = {
    "userId": USER_ID,
    "email": text(format="email", maxLength=254),
    "firstName": or_null(text(maxLength=100, pattern=ANY_TEXT)),
    "lastName": or_null(text(maxLength=100, pattern=ANY_TEXT)),
    "phone": or_null(text(maxLength=32, pattern=ANY_TEXT)),
    "callbackUrl": NULL_URL,
    "isActive": {"type": "boolean", "default": True},
}
ADDRESS = closed({"currencyType": text(enum=[*wire.CURRENCIES]), "network": text(), "address": text()})
WALLET: dict[str, Schema] = {
    "id": uuid,
    "userId": text(),
    "email": text(),
    "firstName": nullable,
    "lastName": nullable,
    "phone": nullable,
    "callbackUrl": nullable,
    "isActive": {"type": "boolean"},
    "createdAt": moment,
    "wallets": listed(ADDRESS),
}
PAGINATION = closed({"page": number, "limit": number, "total": number, "totalPages": number})
AMOUNTS: dict[str, Schema] = {"currency": text(), "totalAmt": money, "pendingAmt": money}


def _told(data: Schema, **more: Any) -> Schema:
    return closed({"success": {"const": True, "type": "boolean"}, "message": text(), "data": data}, **more)


def _order(currency: str) -> Schema:
    fields = {
        "userId": USER_ID,
        "walletAddress": text(pattern=ADDRESS_FORMS[currency]),
        "amount": {
            "type": "number",
            "minimum": 0.1,
            "exclusiveMaximum": 1e30,
            "multipleOf": 0.000001,
            "description": "In USDT.",
        },
        "currencyType": {"const": currency, "type": "string"},
        "callbackUrl": NULL_URL,
    }
    return closed(fields, optional=["callbackUrl"], title=currency)


SCHEMAS: dict[str, Schema] = {
    "WithdrawalRequest": {"oneOf": [_order(currency) for currency in wire.CURRENCIES], "examples": [SEED_REQUEST]},
    "Outcome": _told(closed(OUTCOME, optional=["id"], examples=[SEED_DATA])),
    "Withdrawal": _told(closed(WITHDRAWAL)),
    "WithdrawalList": _told(closed({"withdrawals": listed(closed(WITHDRAWAL)), "pagination": PAGINATION})),
    "WalletRequest": closed(
        WALLET_REQUEST, optional=[name for name in WALLET_REQUEST if name not in ("userId", "email")]
    ),
    "Wallet": _told(closed(WALLET)),
    "UserBalance": _told(closed({"userId": text(), **AMOUNTS})),
    "Balance": _told(closed(AMOUNTS)),
    "UrlRequest": closed({"url": text(format="uri", maxLength=2000)}),
    "Url": _told(closed({"url": nullable})),
    "SavedUrl": _told(closed({"id": uuid, "url": text()})),
    "Nothing": closed({}),
    "ReplayRequest": closed({"id": text(format="uuid", description="The payout's or withdrawal's id.")}),
    "Tested": _told(closed({"id": uuid, "url": text()})),
    "MaskedSecret": _told(closed({"secretMasked": text()})),
    "Secret": _told(closed({"secret": text(description="Shown in this answer alone.")})),
    "Error": closed(
        {
            "success": {"const": False, "type": "boolean"},
            "error": closed(
                {"code": text(enum=[*wire.CODES.values()]), "message": text(), "details": {"type": "object"}}
            ),
        }
    ),
}
BOTH: list[dict[str, list[str]]] = [{"apikey": [], "apiSecret": []}]
OPEN: list[dict[str, list[str]]] = []
LIST = (
    query("status", text(enum=STATUSES), "Only these."),
    query("page", {"type": "integer", "minimum": 1, "default": 1}, "From 1."),
    query("limit", {"type": "integer", "minimum": 1, "default": 20}, "At most so many; more than 100 is 100."),
)
ID = (query("id", uuid, "The payout's or withdrawal's id.", required=True),)
USER = (query("userId", USER_ID, "Your own id of the user.", required=True),)
# fmt: off
CALLS = {
    ("POST", "/api/v1/public/user/withdrawal/create"):                    Call(answers={201: "Outcome"}, body="WithdrawalRequest", is_keyed=True, refuses=(404,)),
    ("GET",  "/api/v1/public/withdrawal-requests"):                       Call(answers={200: "WithdrawalList"}, query=LIST),
    ("POST", "/api/v1/public/withdrawal-requests"):                       Call(answers={201: "Withdrawal"}, body="WithdrawalRequest", is_keyed=True, refuses=(404,)),
    ("POST", "/api/v1/public/withdrawal-requests/{public_id}/approve"):   Call(answers={200: "Withdrawal"}, body="Nothing", security=BOTH, refuses=(403, 404)),
    ("POST", "/api/v1/public/withdrawal-requests/{public_id}/reject"):    Call(answers={200: "Withdrawal"}, body="Nothing", security=BOTH, refuses=(403, 404)),
    ("GET",  "/api/v1/public/payout/get"):                                Call(answers={200: "Withdrawal"}, query=ID, refuses=(404,)),
    ("POST", "/api/v1/public/payout/create"):                             Call(answers={403: "Error"}, security=OPEN, is_counted=False),
    ("POST", "/api/v1/payout/create"):                                    Call(answers={403: "Error"}, security=OPEN, is_counted=False),
    ("POST", "/api/v1/public/wallet/generate"):                           Call(answers={200: "Wallet", 201: "Wallet"}, body="WalletRequest", is_keyed=True),
    ("GET",  "/api/v1/public/user/balance"):                              Call(answers={200: "UserBalance"}, query=USER, refuses=(404,)),
    ("GET",  "/api/v1/public/balance"):                                   Call(answers={200: "Balance"}),
    ("GET",  "/api/v1/public/webhook/url"):                               Call(answers={200: "Url"}),
    ("POST", "/api/v1/public/webhook/url"):                               Call(answers={200: "SavedUrl"}, body="UrlRequest", is_keyed=True),
    ("POST", "/api/v1/public/webhook/test"):                              Call(answers={200: "Tested"}, body="Nothing"),
    ("POST", "/api/v1/public/webhook/replay"):                            Call(answers={200: "Tested"}, body="ReplayRequest", refuses=(404,)),
    ("GET",  "/api/v1/public/webhook/secret"):                            Call(answers={200: "MaskedSecret"}),
    ("POST", "/api/v1/public/webhook/secret/rotate"):                     Call(answers={200: "Secret"}, body="Nothing", security=BOTH),
}
# fmt: on
DOCUMENT = Document(
    title="Public API",
    says=SAYS,
    calls=CALLS,
    schemas=SCHEMAS,
    path_parameters={"public_id": {"description": "The withdrawal request's id.", "schema": uuid}},
    security_schemes={
        "apikey": {"type": "apiKey", "in": "header", "name": "apikey"},
        "apiSecret": {"type": "apiKey", "in": "header", "name": "x-api-secret"},
    },
    security=[{"apikey": [], "apiSecret": []}, {"apikey": []}],
    error="Error",
    texts=texts_by_status(
        wire.ERRORS.values(),
        s400="Insufficient merchant balance",
        s401="x-api-secret header is required",
        s404="User wallet not found",
        s429="rate limit exceeded",
    ),
    headers=RATE_LIMIT_HEADERS,
)
