"""Key pairs that are shown as they are in every call (`apikey` and `x-api-secret`): kept only as hashes (DESIGN §5)."""

import hashlib
import hmac
import re
import secrets as randomness
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User

from payouts.merchants.models import ApiKey, Merchant

PREFIXES = {Merchant.Mode.LIVE: "pk_live_", Merchant.Mode.TEST: "pk_test_"}
# The first part names the row and is no secret; the second is.
FORM = re.compile(r"(?P<key_id>pk_(?:live|test)_[0-9a-f]{24})_[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and its two texts, which are shown this once."""

    key: ApiKey
    apikey: str
    api_secret: str


def issue(merchant: Merchant, *, api: str, issued_to: User | None = None) -> Pair:
    """Make a pair for one API of the merchant."""
    key_id = PREFIXES[Merchant.Mode(merchant.mode)] + randomness.token_hex(12)
    apikey, api_secret = f"{key_id}_{randomness.token_hex(32)}", randomness.token_hex(32)
    key = ApiKey.objects.create(
        merchant=merchant,
        api=api,
        key_id=key_id,
        key_hash=_hashed(apikey),
        secret_hash=_hashed(api_secret),
        issued_to=issued_to,
    )
    return Pair(key, apikey, api_secret)


def find(apikey: str, *, api: str) -> ApiKey | None:
    """The active key that this text is, or None."""
    parts = FORM.fullmatch(apikey)
    if parts is None:
        return None
    rows = ApiKey.objects.select_related("merchant").filter(key_id=parts["key_id"], api=api, is_active=True)
    key = rows.first()
    return key if key is not None and _is(apikey, key.key_hash) else None


def has_secret(key: ApiKey, api_secret: str) -> bool:
    """Whether this is the pair's secret."""
    return _is(api_secret, key.secret_hash)


def _is(text: str, hashed: bytes | memoryview | None) -> bool:
    return hashed is not None and hmac.compare_digest(_hashed(text), bytes(hashed))


def _hashed(text: str) -> bytes:
    return hmac.new(settings.KEY_PEPPER, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
