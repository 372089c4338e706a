"""Issuing and finding API keys."""

import secrets as randomness
from dataclasses import dataclass

from django.contrib.auth.models import User

from payouts import prepared
from payouts.merchants import secrets
from payouts.merchants.models import ApiKey, Merchant

PREFIXES = {"merchant": {Merchant.Mode.LIVE: "mk_live_", Merchant.Mode.TEST: "mk_test_"}}


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its secret, which is shown this once."""

    key: ApiKey
    secret: str


def issue(merchant: Merchant, *, api: str, issued_to: User | None = None) -> Issued:
    """Make a key for one API of the merchant."""
    secret = secrets.fresh()
    key_id = PREFIXES[api][Merchant.Mode(merchant.mode)] + randomness.token_hex(12)
    sealed = secrets.seal(secret, context=f"api-key:{key_id}")
    key = ApiKey.objects.create(merchant=merchant, api=api, key_id=key_id, secret_sealed=sealed, issued_to=issued_to)
    return Issued(key=key, secret=secret)


_FOUND = prepared.Query(
    lambda key_id, api: ApiKey.objects.select_related("merchant", "issued_to").filter(key_id=key_id, api=api), str, str
)


def find(key_id: str, *, api: str) -> ApiKey | None:
    """The key with this public id, active or not."""
    return _FOUND.shared(key_id, api)


def secret_of(key: ApiKey) -> str:
    """The key's secret text.

    Raises: secrets.SealBroken.
    """
    return secrets.unseal(key.secret_sealed, context=f"api-key:{key.key_id}")
