"""What the `merchant` API's OpenAPI document says (seed 2, CONFORMANCE §2); the examples are the seed's own."""

from typing import Any

from payouts.api import ids
from payouts.api.merchant import batch_wire, wire
from payouts.api.openapi import MOMENT, Call, Document, closed, listed, or_null, query, ref, text, texts_by_status
from payouts.withdrawals import steps
from payouts.withdrawals.models import Status

# As they stand in the document, shortened where it shortens them.
SEED_REQUEST = {"amount": "500.00", "destination_address": "TXyz1234567890abcdefghijklmnopqrst", "network": "TRC20"}
SEED_CREATED: dict[str, Any] = {
    "id": "wd_01HQ8ZTXV...",
    "merchant_id": "a1b2c3d4-...",
    "amount": "500.00",
    "fee": "1.00",
    "status": "PENDING",
    "destination_address": "TXyz1234567890abcdefghijklmnopqrst",
    "network": "TRC20",
    "tx_hash": None,
    "created_at": "2024-01-15T10:00:00Z",
    "updated_at": "2024-01-15T10:00:00Z",
}
SEED_LISTED: dict[str, Any] = {
    "withdrawals": [
        {
            "id": "wd_01HQ8ZTXV...",
            "amount": "500.00",
            "fee": "1.00",
            "status": "COMPLETED",
            "destination_address": "TXyz...",
            "network": "TRC20",
            "tx_hash": "abc123def456...",
            "created_at": "2024-01-15T10:00:00Z",
            "updated_at": "2024-01-15T14:30:00Z",
        }
    ],
    "total": 5,
}
ADDRESS_FORMS = {"TRC20": "^T[0-9A-Za-z]{33}$", "ERC20": "^0x[0-9A-Za-z]{40}$"}
SAYS = """Withdrawals under review. The amount is frozen at once, two people approve, and `withdrawal.completed` is sent
when the transfer is final on chain. 60 calls a minute and key.

`Authorization: Bearer {key_id}:{unix_ts}:{signature}`, where the signature is the hex HMAC-SHA256 of
`{key_id}.{unix_ts}` under the key's secret, within five minutes. The stronger form beside it,
`{key_id}:{unix_ts}:{nonce}:{signature}`, signs key_id, unix_ts, nonce, METHOD, path, raw query and the body's hex
SHA-256, joined by newlines, and works once; a key can demand it.

A batch is many withdrawals in one call: every row is checked first, and where one cannot be paid none is made and the
answer names the rows. It takes a JSON body or, for up to 100,000 rows, a file: `text/csv`, or an XLSX workbook, whose
first line names the columns address, amount, network and, if there is one, reference. What is not on chain yet can be
called back."""

money = text(pattern=r"^[0-9]+\.[0-9]{2,6}$", examples=["500.00"])
moneyed = text(
    pattern=r"^[0-9]{0,12}[1-9][0-9]{0,12}(\.[0-9]{1,6})?$",
    description="A decimal text, greater than the fee, with at most six places.",
    examples=["500.00"],
)
total: dict[str, Any] = {"type": "integer", "minimum": 0}
ITEM: dict[str, Any] = {
    "id": text(pattern="^wd_"),
    "amount": money,
    "fee": money,
    "status": text(enum=[*map(str, Status)]),
    "destination_address": text(),
    "network": text(enum=[*wire.NETWORKS]),
    "tx_hash": or_null(text(description="Set once the withdrawal is COMPLETED.")),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
WEBHOOK: dict[str, Any] = {
    "id": text(format="uuid"),
    "url": text(format="uri", maxLength=2000, description="A public https address."),
    "events": listed(text(enum=sorted(set(steps.EVENTS))), minItems=1),
}
ATTEMPT: dict[str, Any] = {
    "number": {"type": "integer", "minimum": 1},
    "at": MOMENT,
    "status_code": or_null({"type": "integer"}),
    "error": or_null(text()),
    "duration_ms": or_null({"type": "integer"}),
}
DELIVERY: dict[str, Any] = {
    "id": text(format="uuid"),
    "event": text(),
    "status": text(),
    "created_at": MOMENT,
    "delivered_at": or_null(MOMENT),
    "next_attempt_at": or_null(MOMENT),
    "attempts": listed(closed(ATTEMPT)),
}
ENTRY: dict[str, Any] = {
    "id": text(),
    "merchant_id": text(),
    "order_id": or_null(text()),
    "entry_type": text(enum=["CREDIT", "DEBIT"]),
    "amount": money,
    "balance_after": money,
    "description": text(),
    "created_at": MOMENT,
}
REGISTERED = WEBHOOK | {"active": {"type": "boolean"}, "disabled_reason": or_null(text()), "created_at": MOMENT}
BATCH: dict[str, Any] = {
    "id": text(pattern="^run_"),
    "name": text(),
    "status": text(enum=[*batch_wire.STATES.values()]),
    "waits_for": or_null(text(description="What keeps the next withdrawals from being made.")),
    "rows": total,
    "created": total,
    "total_amount": money,
    "total_fee": money,
    "withdrawals": {"type": "object", "additionalProperties": total, "description": "How many are in which status."},
    "created_at": MOMENT,
}
ROW: dict[str, Any] = {"row": total, "reference": or_null(text())}
LINE = text(
    maxLength=64,
    pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$",
    description="Tells payments of one amount to one address apart.",
)
FAULT = closed({"row": total, "error": text()})


def _order(network: str) -> dict[str, Any]:
    fields = {"amount": moneyed, "destination_address": text(pattern=ADDRESS_FORMS[network])}
    return fields | {"network": {"const": network, "type": "string"}}


SCHEMAS: dict[str, Any] = {
    "WithdrawalRequest": {
        "oneOf": [closed(_order(one), title=one) for one in wire.NETWORKS],
        "examples": [SEED_REQUEST],
    },
    "Withdrawal": closed({"id": ITEM["id"], "merchant_id": text(), **ITEM}, examples=[SEED_CREATED]),
    "WithdrawalList": closed({"withdrawals": listed(closed(ITEM)), "total": total}, examples=[SEED_LISTED]),
    "Balance": closed({"merchant_id": text(), "available": money, "frozen": money}),
    "TransactionList": closed({"transactions": listed(closed(ENTRY)), "total": total}),
    "WebhookRequest": closed({"url": WEBHOOK["url"], "events": WEBHOOK["events"]}),
    "NewWebhook": closed(WEBHOOK | {"secret": text()}),
    "Webhook": closed(REGISTERED),
    "WebhookList": closed({"webhooks": listed(ref("Webhook")), "total": total}),
    "WebhookSecret": closed({"secret": text()}),
    "Delivery": closed(DELIVERY),
    "DeliveryList": closed({"deliveries": listed(ref("Delivery")), "total": total}),
    "TestEvent": closed({"id": text(format="uuid"), "event": text()}),
    "BatchRow": {
        "oneOf": [
            closed(_order(one) | {"reference": LINE}, optional=("reference",), title=one) for one in wire.NETWORKS
        ]
    },
    "BatchRequest": closed({"withdrawals": listed(ref("BatchRow"), minItems=1, maxItems=400, uniqueItems=True)}),
    "Batch": closed(BATCH),
    "BatchRows": closed({"rows": listed(closed(ROW | {"withdrawal": or_null(closed(ITEM))})), "total": total}),
    "FaultyBatch": closed({"error": text(), "rows": listed(FAULT)}, optional=("rows",)),
    "Error": closed({"error": text()}),
}
PAGE = (
    query("limit", {"type": "integer", "minimum": 1, "default": 20}, "At most so many; more than 100 is 100."),
    query("offset", {"type": "integer", "minimum": 0, "default": 0}, "So many are skipped."),
)
AFTER = query("after", {"type": "integer", "minimum": 0, "default": 0}, "Rows behind this one.")
# fmt: off
CALLS = {
    ("POST",   "/v1/withdrawals"):                        Call(answers={201: "Withdrawal"}, body="WithdrawalRequest", is_keyed=True),
    ("GET",    "/v1/withdrawals"):                        Call(answers={200: "WithdrawalList"}, query=PAGE),
    ("POST",   "/v1/withdrawals/batch"):                  Call(answers={202: "Batch", 422: "FaultyBatch"}, body="BatchRequest", is_keyed=True),
    ("GET",    "/v1/withdrawals/batch/{run_id}"):         Call(answers={200: "Batch"}, refuses=(404,)),
    ("GET",    "/v1/withdrawals/batch/{run_id}/rows"):    Call(answers={200: "BatchRows"}, query=(PAGE[0], AFTER), refuses=(404,)),
    ("POST",   "/v1/withdrawals/batch/{run_id}/cancel"):  Call(answers={202: "Batch"}, refuses=(404, 409)),
    ("GET",    "/v1/withdrawals/batch/{run_id}/results.csv"): Call(answers={200: None}, refuses=(404,)),
    ("GET",    "/v1/withdrawals/{public_id}"):            Call(answers={200: "Withdrawal"}, refuses=(404,)),
    ("POST",   "/v1/withdrawals/{public_id}/cancel"):     Call(answers={200: "Withdrawal"}, refuses=(404, 409)),
    ("GET",    "/v1/balance"):                            Call(answers={200: "Balance"}),
    ("GET",    "/v1/transactions"):                       Call(answers={200: "TransactionList"}, query=PAGE),
    ("POST",   "/v1/webhooks"):                           Call(answers={201: "NewWebhook"}, body="WebhookRequest", is_keyed=True),
    ("GET",    "/v1/webhooks"):                           Call(answers={200: "WebhookList"}, query=PAGE),
    ("POST",   "/v1/webhooks/secret/rotate"):             Call(answers={200: "WebhookSecret"}),
    ("GET",    "/v1/webhooks/{webhook_id}"):              Call(answers={200: "Webhook"}, refuses=(404,)),
    ("DELETE", "/v1/webhooks/{webhook_id}"):              Call(answers={204: None}, refuses=(404,)),
    ("GET",    "/v1/webhooks/{webhook_id}/deliveries"):   Call(answers={200: "DeliveryList"}, query=PAGE, refuses=(404,)),
    ("POST",   "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"): Call(answers={202: "Delivery"}, refuses=(404, 409)),
    ("POST",   "/v1/webhooks/{webhook_id}/test"):         Call(answers={202: "TestEvent"}, refuses=(404, 409)),
}
# fmt: on
DOCUMENT = Document(
    title="Merchant API",
    says=SAYS,
    calls=CALLS,
    schemas=SCHEMAS,
    path_parameters={
        "public_id": {"description": "The withdrawal's id.", "schema": text(pattern=f"^{ids.ULID_FORM.pattern}$")},
        "delivery_id": {"description": "The delivery's id.", "schema": text(format="uuid")},
        "run_id": {"description": "The batch's id.", "schema": text(pattern=f"^run_{ids.ULID_FORM.pattern}$")},
        "webhook_id": {"description": "The webhook's id.", "schema": text(format="uuid")},
    },
    security_schemes={
        "SignedHeader": {"type": "http", "scheme": "bearer", "bearerFormat": "{key_id}:{unix_ts}:{signature}"}
    },
    security=[{"SignedHeader": []}],
    error="Error",
    texts=texts_by_status(
        wire.ERRORS.values(),
        s400="invalid amount",
        s401="missing authorization header",
        s404="webhook not found",
        s429="rate limit exceeded",
    ),
)
