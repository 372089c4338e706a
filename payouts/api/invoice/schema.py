"""What the `invoice` API's OpenAPI document says (seed 3, CONFORMANCE §3); the examples are the seed's own."""

from http import HTTPStatus
from typing import Any

from chain import codes
from payouts.api.invoice import wire
from payouts.api.openapi import RATE_LIMIT_HEADERS, Call, Document, closed, listed, or_null, text, texts_by_status

# As they stand in the document; the address's middle is left out there.
SEED_REQUEST = {"currency_code": "ETH", "to_address": "0x396343<...>210945346fb82Aa49", "amount": 0.003}
SEED_RESULT = {"invoice_id": "INV-89UX09KA", "status": "created", "currency": "ETH", "amount": 0.0029}
SAYS = """Withdrawals in forty currency codes: those of a network that is connected here are paid, the others are answered with
the error `currency_code`. Two approvers look at each.

Of a merchant's two keys one withdraws and does nothing else, the shop's ordinary one cannot withdraw. A key may ask for a
withdrawal once in 12 seconds, whatever becomes of the request; one that comes sooner does not make the wait longer."""

money: dict[str, Any] = {"type": "number", "minimum": 0}
flag = {"type": "boolean"}
number: dict[str, Any] = {"type": "integer", "minimum": 1}
code = text(enum=[*codes.CODES])
usd = or_null(money) | {"description": "Stablecoins one to one; null where no rate is known."}
NETWORK = {"code": text(), "id": number, "icon": text(), "fullname": text()}
CURRENCY = {
    "id": number,
    "code": code,
    "short_code": text(),
    "name": text(),
    "is_email_required": flag,
    "stablecoin": flag,
    "icon_base": text(),
    "icon_network": text(),
    "icon_qr": text(),
    "order": number,
    "obj_network": closed(NETWORK),
    "enable": flag | {"description": "Whether it can be withdrawn here."},
}
BALANCE = {
    "currency": closed(CURRENCY),
    "balance_crypto": money | {"description": "With what is frozen for open withdrawals."},
    "balance_usd": usd,
    "available_balance": money,
    "available_balance_usd": usd,
}
# Some digit of it is no zero.
PLAIN = r"^([0-9]{0,8}[1-9][0-9]{0,8}(\.[0-9]{1,30})?|0\.[0-9]{0,14}[1-9][0-9]{0,14})$"
AMOUNT: dict[str, Any] = {
    "anyOf": [{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e18}, text(pattern=PLAIN)],
    "description": "In the currency, with no more places than it has: a number, or the same as a text.",
}


def _told(result: dict[str, Any]) -> dict[str, Any]:
    return closed({"status": {"const": "success", "type": "string"}, "result": result})


SCHEMAS: dict[str, Any] = {
    "WithdrawalRequest": closed(
        {"currency_code": code, "to_address": text(minLength=1), "amount": AMOUNT}, examples=[SEED_REQUEST]
    ),
    "Withdrawal": _told(
        closed(
            {
                "invoice_id": text(pattern="^INV-[0-9A-Z]+$"),
                "status": {"const": "created", "type": "string"},
                "currency": code,
                "amount": money | {"description": "What the recipient gets: requested less the fee."},
            },
            examples=[SEED_RESULT],
        )
    ),
    "Balances": _told(listed(closed(BALANCE), minItems=len(codes.CODES), maxItems=len(codes.CODES))),
    "Error": closed(
        {
            "status": {"const": "error", "type": "string"},
            "result": closed(
                dict.fromkeys(wire.ERROR_KEYS, text()), optional=wire.ERROR_KEYS, minProperties=1, maxProperties=1
            ),
        }
    ),
}
WITHDRAWAL_KEY: list[dict[str, list[str]]] = [{"WithdrawalKey": []}]
SHOP_KEY: list[dict[str, list[str]]] = [{"ShopKey": []}]
# fmt: off
CALLS = {
    ("POST", "/v2/invoice/api/out/create"):       Call(answers={200: "Withdrawal"}, body="WithdrawalRequest", is_keyed=True, security=WITHDRAWAL_KEY),
    ("POST", "/v2/merchant/wallet/balance/all"):  Call(answers={200: "Balances"}, security=SHOP_KEY, refuses=(411, 413, 415)),
}
# fmt: on


def _scheme(says: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"`Token <key>`: {says}"}


DOCUMENT = Document(
    title="Invoice API",
    says=SAYS,
    calls=CALLS,
    schemas=SCHEMAS,
    path_parameters={},
    security_schemes={
        "WithdrawalKey": _scheme("the separate key, which withdraws and does nothing else."),
        "ShopKey": _scheme("the shop's ordinary key."),
    },
    security=SHOP_KEY,
    error="Error",
    texts=texts_by_status((status, f"{key}: {said}") for status, key, said in wire.ERRORS.values()),
    headers=RATE_LIMIT_HEADERS,
    stranger=HTTPStatus.BAD_REQUEST,
)
