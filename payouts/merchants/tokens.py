"""Keys that are one text, shown as it is in every call: kept only as hashes (DESIGN §5)."""

import hashlib
import hmac
import re
import secrets as randomness
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User

from payouts import prepared
from payouts.merchants.models import ApiKey, Merchant

WITHDRAWAL, SHOP, PAIR = "wk", "sk", "pk"  # what a key is for: the beginning of its text, and of its public id
MODES = {Merchant.Mode.LIVE: "live", Merchant.Mode.TEST: "test"}
# What stands before the last underscore names the row and is no secret; the rest is.
FORM = re.compile(r"(?P<key_id>(?P<use>[a-z]{2})_(?:live|test)_[0-9a-f]{24})_[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its text, which is shown this once."""

    key: ApiKey
    token: str


def issue(
    merchant: Merchant, *, api: str, use: str, issued_to: User | None = None, secret_hash: bytes | None = None
) -> Issued:
    """Make a key for one use in one API of the merchant."""
    key_id = f"{use}_{MODES[Merchant.Mode(merchant.mode)]}_{randomness.token_hex(12)}"
    token = f"{key_id}_{randomness.token_hex(32)}"
    key = ApiKey.objects.create(
        merchant=merchant,
        api=api,
        key_id=key_id,
        key_hash=hashed(token),
        secret_hash=secret_hash,
        issued_to=issued_to,
    )
    return Issued(key, token)


_ACTIVE = prepared.Query(
    lambda key_id, api: ApiKey.objects.select_related("merchant", "issued_to").filter(
        key_id=key_id, api=api, is_active=True
    ),
    str,
    str,
)


def find(token: str, *, api: str, use: str) -> ApiKey | None:
    """The active key that this text is, when it is one for this use, or None."""
    parts = FORM.fullmatch(token)
    if parts is None or parts["use"] != use:
        return None
    key = _ACTIVE.shared(parts["key_id"], api)
    return key if key is not None and matches(token, key.key_hash) else None


def matches(text: str, kept: bytes | memoryview | None) -> bool:
    """Whether this is the text whose hash was kept; in constant time."""
    return kept is not None and hmac.compare_digest(hashed(text), bytes(kept))


def hashed(text: str) -> bytes:
    """HMAC-SHA256 under the pepper; 32 bytes."""
    return hmac.new(settings.KEY_PEPPER, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
