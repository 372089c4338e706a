"""How each API signs its webhooks."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime


def hex_hmac(secret: str, message: bytes) -> str:
    """Hex HMAC-SHA256 under the secret's ASCII text (CONFORMANCE, Everywhere)."""
    return hmac.new(secret.encode("ascii"), message, hashlib.sha256).hexdigest()


def merchant_headers(body: bytes, *, secrets: list[str], event: str, now: datetime) -> dict[str, str]:
    """`X-Merchant-Signature: t=…,v1=…` over "{t}.{body}", one v1 per secret in force.

    Source: CONFORMANCE §2.
    """
    moment = str(int(now.timestamp()))
    signatures = [f"v1={hex_hmac(secret, moment.encode() + b'.' + body)}" for secret in secrets]
    return {"X-Merchant-Signature": ",".join([f"t={moment}", *signatures]), "X-Webhook-Event": event}


def public_headers(body: bytes, *, secrets: list[str], event: str, now: datetime) -> dict[str, str]:  # noqa: ARG001 - the table's signature
    """`X-Webhook-Signature: sha256=…` over the body; while a rotated secret is still in force, its own beside it.

    Receivers compare the header as a whole, so the older signature cannot share it.

    Source: CONFORMANCE §1, N webhook.
    """
    newest, *older = (f"sha256={hex_hmac(secret, body)}" for secret in secrets)
    headers = {"X-Webhook-Signature": newest}
    if older:
        headers["X-Webhook-Signature-Previous"] = older[0]
    if event == "webhook.test":
        headers["X-Webhook-Test"] = "true"
    return headers


def tenant_headers(body: bytes, *, secrets: list[str], event: str, now: datetime) -> dict[str, str]:  # noqa: ARG001 - the table's signature
    """`X-Webhook-Signature: <hex>` over the body; while a rotated secret is still in force, its own beside it.

    Source: CONFORMANCE §4.
    """
    newest, *older = (hex_hmac(secret, body) for secret in secrets)
    return {"X-Webhook-Signature": newest} | ({"X-Webhook-Signature-Previous": older[0]} if older else {})


Signer = Callable[..., dict[str, str]]
HEADERS: Mapping[str, Signer] = {
    "merchant": merchant_headers,
    "public": public_headers,
    "dashboard": merchant_headers,
    "tenant": tenant_headers,
}
