"""Key pairs that are shown as they are in every call (`apikey` and `x-api-secret`): kept only as hashes (DESIGN §5)."""

import secrets as randomness
from dataclasses import dataclass

from django.contrib.auth.models import User

from payouts.merchants import tokens
from payouts.merchants.models import ApiKey, Merchant


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and its two texts, which are shown this once."""

    key: ApiKey
    apikey: str
    api_secret: str


def issue(merchant: Merchant, *, api: str, issued_to: User | None = None) -> Pair:
    """Make a pair for one API of the merchant."""
    api_secret = randomness.token_hex(32)
    issued = tokens.issue(
        merchant, api=api, use=tokens.PAIR, issued_to=issued_to, secret_hash=tokens.hashed(api_secret)
    )
    return Pair(issued.key, issued.token, api_secret)


def find(apikey: str, *, api: str) -> ApiKey | None:
    """The active key that this text is, or None."""
    return tokens.find(apikey, api=api, use=tokens.PAIR)


def has_secret(key: ApiKey, api_secret: str) -> bool:
    """Whether this is the pair's secret."""
    return tokens.matches(api_secret, key.secret_hash)
