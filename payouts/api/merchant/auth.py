"""Who is calling the `merchant` API: `Authorization: Bearer {key_id}:{unix_ts}:{signature}` (CONFORMANCE §2).

The documented signature covers the key's id and the time alone, so a captured header opens every call for five
minutes. The stronger form beside it, `{key_id}:{unix_ts}:{nonce}:{signature}`, covers the call itself and works once;
a key can demand it.
"""

import hashlib
import hmac
import re
from datetime import datetime
from typing import Any

from rest_framework import authentication, exceptions
from rest_framework.request import Request

from payouts.api import base
from payouts.merchants import keys, nonces
from payouts.merchants.models import ApiKey

WINDOW_S = 300
PART = r"[\x21-\x39\x3b-\x7e]"  # visible ASCII without the colon
HEADER = re.compile(
    rf"(?i:Bearer) +(?P<key_id>{PART}{{1,200}}):(?P<ts>[0-9]{{1,12}})"
    rf"(?::(?P<nonce>[A-Za-z0-9_-]{{16,64}}))?:(?P<sig>{PART}{{1,200}})",
    re.ASCII,
)


def signature(secret: str, *, key_id: str, unix_ts: int | str) -> str:
    """The documented signature: hex HMAC-SHA256 of "{key_id}.{unix_ts}" under the secret's ASCII text."""
    return _hmac(secret, f"{key_id}.{unix_ts}")


def request_signature(
    secret: str, *, key_id: str, unix_ts: int | str, nonce: str, method: str, path: str, query: str, body: bytes
) -> str:
    """The stronger signature: over the key, the time, the nonce and the whole call, joined by newlines.

    The lines: key_id, unix_ts, nonce, METHOD, path (percent-decoded), raw query string (without `?`), hex SHA-256 of
    the body.
    """
    lines = [key_id, str(unix_ts), nonce, method.upper(), path, query, hashlib.sha256(body).hexdigest()]
    return _hmac(secret, "\n".join(lines))


def _hmac(secret: str, text: str) -> str:
    return hmac.new(secret.encode("ascii"), text.encode(), hashlib.sha256).hexdigest()


class SignedHeader(authentication.BaseAuthentication):
    """Checks the header; the key becomes `request.auth`, its maker `request.user`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        """The key's person (or None) and the key.

        Raises: AuthenticationFailed with the documented texts.
        """
        header = request.headers.get("Authorization")
        if not header:
            raise exceptions.AuthenticationFailed("missing authorization header")
        parts = HEADER.fullmatch(header)
        if parts is None:
            raise exceptions.AuthenticationFailed("invalid authorization format")
        key = keys.find(parts["key_id"], api="merchant")
        if key is None:
            raise exceptions.AuthenticationFailed("api key not found")
        if not key.is_active:
            raise exceptions.AuthenticationFailed("api key is inactive")
        now = base.now()
        if abs(now.timestamp() - int(parts["ts"])) > WINDOW_S:
            raise exceptions.AuthenticationFailed("request timestamp too old")
        if not hmac.compare_digest(_expected(request, parts, key), parts["sig"]):
            raise exceptions.AuthenticationFailed("invalid signature")
        base.check_origin(request, key.merchant)
        _first_use(parts, key, now=now)
        return key.issued_to, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """Makes a refusal 401."""
        return "Bearer"


def _expected(request: Request, parts: re.Match[str], key: ApiKey) -> str:
    secret = keys.secret_of(key)
    if parts["nonce"] is None:
        if key.require_request_signing:
            raise exceptions.AuthenticationFailed("this key requires request signing")
        return signature(secret, key_id=key.key_id, unix_ts=parts["ts"])
    return request_signature(
        secret,
        key_id=key.key_id,
        unix_ts=parts["ts"],
        nonce=parts["nonce"],
        method=request.method or "",
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        body=base.raw_body(request),
    )


def _first_use(parts: re.Match[str], key: ApiKey, *, now: datetime) -> None:
    if parts["nonce"] is not None and not nonces.first_use(key, parts["nonce"], now=now):
        raise exceptions.AuthenticationFailed("nonce was used before")
