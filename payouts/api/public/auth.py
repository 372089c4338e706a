"""Who is calling the `public` API: `apikey`, and `x-api-secret` where an endpoint asks for it (CONFORMANCE §1).

The vendor lets a create pass with the key alone and only recommends the secret. We keep to that, and a secret that is
sent is always checked.
"""

from typing import Any

from rest_framework import authentication, exceptions
from rest_framework.request import Request

from payouts.api import base
from payouts.api.public import wire
from payouts.merchants import pairs
from payouts.merchants.models import ApiKey


class Pair(authentication.BaseAuthentication):
    """Checks the headers; the key becomes `request.auth`, its maker `request.user`."""

    secret_required = False

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        """The key's person (or None) and the key.

        Raises: AuthenticationFailed.
        """
        apikey, api_secret = request.headers.get("apikey"), request.headers.get("x-api-secret")
        if not apikey:
            raise exceptions.AuthenticationFailed("apikey header is required")
        key = pairs.find(apikey, api=wire.API)
        if key is None:
            raise exceptions.AuthenticationFailed("Invalid API key")
        if self.secret_required and not api_secret:
            raise exceptions.AuthenticationFailed("x-api-secret header is required")
        if api_secret is not None and not pairs.has_secret(key, api_secret):
            raise exceptions.AuthenticationFailed("Invalid API secret")
        base.check_origin(request, key.merchant)
        return key.issued_to, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """Makes a refusal 401."""
        return "apikey"


class WholePair(Pair):
    """Both headers, or no entry."""

    secret_required = True
