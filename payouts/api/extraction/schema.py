"""What the `extraction` API's OpenAPI document says (seed 0, CONFORMANCE §0); the examples are the seed's own."""

from typing import Any

from payouts.api.extraction import wire
from payouts.api.openapi import (
    MOMENT,
    RATE_LIMIT_HEADERS,
    Call,
    Document,
    closed,
    listed,
    query,
    ref,
    text,
    texts_by_status,
)

# As it stands in the document.
SEED_REQUEST = {"amount": 500, "address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}
SAYS = """USDT out of the account behind a store's QR code: its balance pays first, the QR code's credit the shortfall.

A store sends to the address that it gives, or to the one that it used last; a supervisor with `buyUsdtActive` always to the
address that is stored in the QR code. Trade a name and a password for tokens at `/api/v1/auth/login`; an access token is good
for 15 minutes, a refresh token works once. 60 calls a minute and person."""

money: dict[str, Any] = {"type": "number", "minimum": 0}
uuid = text(format="uuid")
flag = {"type": "boolean"}
page: dict[str, Any] = {"type": "integer", "minimum": 1}
TOKEN = text(minLength=1, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")
SUPERVISOR: dict[str, Any] = {
    "id": uuid,
    "name": text(),
    "email": text(),
    "username": text(),
    "accountId": uuid,
    **dict.fromkeys(wire.FLAGS, flag),
    "createdAt": MOMENT,
}
EXTRACTION: dict[str, Any] = {
    "id": uuid,
    "status": {"const": "created", "type": "string"},
    "amount": money,
    "address": text(),
    "accountId": uuid,
    "balanceUsed": money,
    "creditUsed": money,
    "createdAt": MOMENT,
}
SCHEMAS: dict[str, Any] = {
    "ExtractionRequest": closed(
        {
            "amount": {
                "type": "number",
                "exclusiveMinimum": 0,
                "exclusiveMaximum": 1e30,
                "multipleOf": 0.000001,
                "description": "In USDT.",
            },
            "address": text(
                pattern="^(T[0-9A-Za-z]{33}|0x[0-9A-Za-z]{40})$",
                description="Destination wallet, for stores; a supervisor's must be the stored one.",
            ),
        },
        optional=["address"],
        examples=[SEED_REQUEST],
    ),
    "Extraction": closed(EXTRACTION),
    "Account": closed({"id": uuid, "balance": money, "currency": text(), "availableCredit": money}),
    "Credentials": closed({"username": TOKEN, "password": TOKEN}),
    "RefreshToken": closed({"refreshToken": TOKEN}),
    "Tokens": closed({"accessToken": text(), "refreshToken": text()}),
    "SupervisorRequest": closed(
        {
            "name": text(pattern="^[ -~]*[!-~][ -~]*$", maxLength=wire.LONGEST_NAME),
            "email": text(format="email", maxLength=wire.LONGEST_EMAIL),
        }
    ),
    "Supervisor": closed(SUPERVISOR),
    "NewSupervisor": closed(SUPERVISOR | {"password": text(description="Shown in this answer alone.")}),
    "Flags": closed(dict.fromkeys(wire.FLAGS, flag), optional=wire.FLAGS, description="Flags not sent stay."),
    "SupervisorList": closed(
        {"supervisors": listed(ref("Supervisor")), "total": {"type": "integer"}, "page": page, "limit": page}
    ),
    "Error": closed({"statusCode": {"type": "integer"}, "message": text(), "error": text()}),
}
PAGE = (
    query("page", page | {"default": 1}, "From 1."),
    query("limit", page | {"default": 20}, "At most so many; more than 100 is 100."),
)
OPEN: list[dict[str, list[str]]] = []
# fmt: off
CALLS = {
    ("POST",   "/api/v1/auth/login"):                  Call(answers={200: "Tokens"}, body="Credentials", security=OPEN, refuses=(401,)),
    ("POST",   "/api/v1/auth/refresh"):                Call(answers={200: "Tokens"}, body="RefreshToken", security=OPEN, refuses=(401,)),
    ("POST",   "/api/v1/auth/logout"):                 Call(answers={204: None}),
    ("POST",   "/api/v1/extraction/to-usdt"):          Call(answers={201: "Extraction"}, body="ExtractionRequest", is_keyed=True, refuses=(403,)),
    ("GET",    "/api/v1/account/{account_id}"):        Call(answers={200: "Account"}, refuses=(404,)),
    ("GET",    "/api/v1/supervisor"):                  Call(answers={200: "SupervisorList"}, query=PAGE, refuses=(403,)),
    ("POST",   "/api/v1/supervisor"):                  Call(answers={201: "NewSupervisor"}, body="SupervisorRequest", is_keyed=True, refuses=(403,)),
    ("GET",    "/api/v1/supervisor/me"):               Call(answers={200: "Supervisor"}, refuses=(403, 404)),
    ("GET",    "/api/v1/supervisor/{supervisor_id}"):  Call(answers={200: "Supervisor"}, refuses=(403, 404)),
    ("PATCH",  "/api/v1/supervisor/{supervisor_id}"):  Call(answers={200: "Supervisor"}, body="Flags", refuses=(403, 404)),
    ("DELETE", "/api/v1/supervisor/{supervisor_id}"):  Call(answers={204: None}, refuses=(403, 404)),
}
# fmt: on
DOCUMENT = Document(
    title="Extraction API",
    says=SAYS,
    calls=CALLS,
    schemas=SCHEMAS,
    path_parameters={
        "account_id": {"description": "The account's id.", "schema": uuid},
        "supervisor_id": {"description": "The supervisor's id.", "schema": uuid},
    },
    security_schemes={"BearerToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    security=[{"BearerToken": []}],
    error="Error",
    texts=texts_by_status(
        wire.ERRORS.values(),
        s401="missing bearer token",
        s403="not for the role supervisor",
        s404="account not found",
        s429="rate limit exceeded",
    ),
    headers=RATE_LIMIT_HEADERS,
)
