"""Secrets that must be read again (HMAC keys), sealed under a key from the environment."""

import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealed bytes were changed, moved to another row, or sealed under another key."""


def seal(plaintext: str, *, context: str) -> bytes:
    """Encrypt `plaintext` so that it opens only with the same context (the row it belongs to)."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(settings.SECRETS_KEY).encrypt(nonce, plaintext.encode(), context.encode())


def unseal(sealed: bytes | memoryview, *, context: str) -> str:
    """The text that `seal` was given.

    Raises: SealBroken.
    """
    raw = bytes(sealed)
    try:
        text = AESGCM(settings.SECRETS_KEY).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: so short that there is no whole nonce
        raise SealBroken(context) from error
    return text.decode()


def fresh() -> str:
    """A new secret: 32 random bytes as 64 hex digits, the form seed 2's vendor documents."""
    return secrets.token_hex(32)
