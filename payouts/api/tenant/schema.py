"""What the `tenant` API's OpenAPI document says (seed 4, CONFORMANCE §4)."""

from collections.abc import Sequence
from http import HTTPStatus

from payouts.api.openapi import Call, Document, Schema, query, text, texts_by_status
from payouts.api.tenant import history, money_shapes, payment_wire, shapes, wire

SAYS = """Money in and out for tenants' programs: a token by OAuth2 client credentials, then JSON. Amounts are texts with
eight places in most answers and numbers where the document shows numbers; no digit is lost either way.

A token is good for ten hours and for the scopes that were asked for; every endpoint needs all the scopes that are named
beside it. 100 calls a minute, 1,000 an hour, 5,000 a day for each application; `Retry-After` says how long to wait."""


def scoped(*scopes: str) -> Sequence[dict[str, list[str]]]:
    """Who may: a token with all of these scopes."""
    return [{"oauth2": [*scopes]}]


READ_WRITE, READ, WRITE, ADMIN = scoped("read", "write"), scoped("read"), scoped("write"), scoped("admin")
OPEN: Sequence[dict[str, list[str]]] = ()
FORM = "application/x-www-form-urlencoded"
OAUTH_REFUSALS = dict.fromkeys((400, 401, 411, 413, 415, 429, 503), "OAuthError")
boolean: Schema = {"type": "boolean", "default": False}
plain = text(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")
CURRENCIES = (
    query("full", boolean, "Names, and what they are."),
    query("min_max", boolean, "The least and the most at once."),
    query("include_usd", boolean, "The same in US dollars; needs min_max."),
    query("withdrawal", boolean, "What can be withdrawn instead of paid in."),
)
RATE = (
    query("currency_to", shapes.CODE, "A currency's code, an asset or a currency such as USD.", required=True),
    query("currency_from", text(default="USD"), "Likewise."),
    query("amount", plain | {"default": "1.0"}, "How much to convert."),
    query("fee_percentage", text(pattern=r"^[0-9]{1,2}(\.[0-9]{1,6})?$"), "A fee in per cent; none without it."),
    query(
        "is_fee_paid_by_user", {"type": "boolean", "default": True}, "Whether the fee is deducted before converting."
    ),
    query("full", boolean, "With the fee and the rate's time."),
)
PAGE = (
    query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "At most so many."),
    query("offset", {"type": "integer", "minimum": 0, "default": 0}, "From the newest."),
)
LIST = (
    query("status", text(enum=[*wire.DOCUMENTED]), "Only these."),
    query("blockchain", shapes.BLOCKCHAIN, "Only these."),
    query("token", shapes.TOKEN, "Only these."),
    query("custom_id", text(maxLength=64), "Only this one of yours."),
    query("start_date", text(format="date"), "From this day or moment on."),
    query("end_date", text(format="date"), "Until the end of this day, or this moment."),
    *PAGE,
    query("sort", shapes.SORT, "The order; amounts of different currencies are compared in coins."),
)
PAYMENTS = (
    query("status", text(enum=[*payment_wire.STATUSES]), "Only these."),
    query("currency", shapes.CODE, "Only these."),
    query("blockchain", shapes.BLOCKCHAIN, "Only these."),
    query("token", shapes.TOKEN, "Only these."),
    *PAGE,
)
CURRENCY = (query("currency", shapes.CODE, "The code.", required=True),)
SOME = (
    query("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "At most so many; all without it."),
    query("offset", {"type": "integer", "minimum": 0}, "From the oldest."),
)
HISTORY = (
    query("currency", shapes.CODE, "Only its asset's."),
    query("type", text(enum=[*history.TYPES]), "Only these."),
    query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}, "At most so many."),
    PAGE[1],
)
# fmt: off
CALLS = {
    ("POST",   "/o/token/"):                           Call(answers={200: "Token", **OAUTH_REFUSALS}, body="TokenRequest", body_type=FORM, security=OPEN),
    ("GET",    "/o/apps/"):                            Call(answers={200: "Apps"}, security=READ_WRITE, refuses=(403,)),
    ("POST",   "/o/apps/"):                            Call(answers={201: "NewApp"}, body="AppRequest", is_keyed=True, security=READ_WRITE, refuses=(403,)),
    ("DELETE", "/o/apps/{app_id}/"):                   Call(answers={204: None}, security=READ_WRITE, refuses=(403, 404)),
    ("GET",    "/currencies/"):                        Call(answers={200: "Currencies"}, query=CURRENCIES, security=READ_WRITE, refuses=(403,)),
    ("GET",    "/rates/"):                             Call(answers={200: "Rate"}, query=RATE, security=READ, refuses=(403, 422)),
    ("POST",   "/payments/"):                          Call(answers={201: "Payment"}, body="PaymentRequest", is_keyed=True, security=READ_WRITE, refuses=(403, 404)),
    ("GET",    "/payments/"):                          Call(answers={200: "Payments"}, query=PAYMENTS, security=READ_WRITE, refuses=(403,)),
    ("POST",   "/payments/status/"):                   Call(answers={200: "PaymentStatus"}, body="TransactionId", security=READ_WRITE, refuses=(403, 404)),
    ("GET",    "/payments/min-amount/"):               Call(answers={200: "PaymentRange"}, query=CURRENCY, security=READ_WRITE, refuses=(403,)),
    ("POST",   "/withdrawal/"):                        Call(answers={201: "Withdrawal"}, body="WithdrawalRequest", is_keyed=True, security=READ_WRITE, refuses=(403,)),
    ("GET",    "/withdrawal/"):                        Call(answers={200: "Withdrawals"}, query=LIST, security=READ_WRITE, refuses=(403,)),
    ("POST",   "/withdrawal/status/"):                 Call(answers={200: "WithdrawalStatus"}, body="WithdrawalId", security=READ_WRITE, refuses=(403, 404)),
    ("POST",   "/withdrawal/validate-address/"):       Call(answers={200: "AddressAnswer"}, body="AddressRequest", security=READ_WRITE, refuses=(403,)),
    ("POST",   "/withdrawal/fee-estimate/"):           Call(answers={200: "Estimate"}, body="FeeRequest", security=READ_WRITE, refuses=(403, 422)),
    ("POST",   "/withdrawal/estimate/"):               Call(answers={200: "Estimate"}, body="EstimateRequest", security=READ_WRITE, refuses=(403, 422)),
    ("POST",   "/withdrawal/min-amount/"):             Call(answers={200: "Range"}, body="CurrencyRequest", security=READ_WRITE, refuses=(403,)),
    ("GET",    "/withdrawal/available-currencies/"):   Call(answers={200: "Available"}, security=READ_WRITE, refuses=(403,)),
    ("GET",    "/withdrawal/{withdrawal_id}/"):        Call(answers={200: "Withdrawal"}, security=READ_WRITE, refuses=(403, 404)),
    ("GET",    "/user/me/"):                           Call(answers={200: "Me"}, security=READ_WRITE, refuses=(403,)),
    ("POST",   "/user/webhooks/"):                     Call(answers={200: "Webhook", 201: "NewWebhook"}, body="WebhookRequest", is_keyed=True, security=WRITE, refuses=(403,)),
    ("POST",   "/user/webhooks/test/"):                Call(answers={202: "Tested"}, body="Nothing", security=WRITE, refuses=(403,)),
    ("POST",   "/user/webhooks/secret/rotate/"):       Call(answers={200: "Secret"}, body="Nothing", security=WRITE, refuses=(403,)),
    ("GET",    "/user/balances/"):                     Call(answers={200: "Balances"}, security=READ_WRITE, refuses=(403,)),
    ("GET",    "/user/balances/history/"):             Call(answers={200: "History"}, query=HISTORY, security=READ, refuses=(403,)),
    ("GET",    "/user/fees/"):                         Call(answers={200: "Fees"}, security=ADMIN, refuses=(403,)),
    ("GET",    "/wallets/"):                           Call(answers={200: "Wallets"}, query=SOME, security=READ_WRITE, refuses=(403,)),
    ("POST",   "/wallets/"):                           Call(answers={201: "Wallet"}, body="WalletRequest", is_keyed=True, security=READ_WRITE, refuses=(403,)),
    ("GET",    "/wallets/{number}/"):                  Call(answers={200: "Wallet"}, security=READ_WRITE, refuses=(403, 404)),
    ("POST",   "/wallets/balances/"):                  Call(answers={200: "Wallet"}, body="WalletNamed", security=READ_WRITE, refuses=(403, 404)),
    ("POST",   "/wallets/transfer-to-user/"):          Call(answers={202: "Accepted"}, body="TransferRequest", is_keyed=True, security=READ_WRITE, refuses=(403, 404)),
    ("POST",   "/wallets/withdraw-to-master/"):        Call(answers={202: "Accepted"}, body="TransferRequest", is_keyed=True, security=READ_WRITE, refuses=(403, 404)),
    ("POST",   "/wallets/transfer-history/"):          Call(answers={200: "TransferHistory"}, body="TransferHistoryRequest", security=READ_WRITE, refuses=(403, 404)),
    ("GET",    "/status/"):                            Call(answers={200: "Status"}, security=OPEN, is_counted=False),
}
# fmt: on
DOCUMENT = Document(
    title="Tenant API",
    says=SAYS,
    calls=CALLS,
    schemas=shapes.SCHEMAS | money_shapes.SCHEMAS,
    path_parameters={
        "app_id": {"description": "The application's id.", "schema": shapes.ID},
        "number": {"description": "The wallet's number, `id` in the list.", "schema": shapes.ID},
        "withdrawal_id": {"description": "The withdrawal's id.", "schema": shapes.uuid},
    },
    security_schemes={
        "oauth2": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "/o/token/", "scopes": shapes.SCOPE_TEXTS}},
        }
    },
    security=READ_WRITE,
    error="Error",
    texts=texts_by_status(
        ((wire.STATUSES[code], f"{code}: {said}") for code, said in wire.ERRORS.values()),
        s422="invalid_amount: Amount must be at least 10.00000000 USDTTRC20",
    ),
    stranger=HTTPStatus.UNAUTHORIZED,
)
