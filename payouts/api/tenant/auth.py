"""Who is calling the `tenant` API: a bearer token of one of the merchant's applications (seed 4, RFC 6750)."""

import re
from typing import Any

from rest_framework import authentication, exceptions
from rest_framework.request import Request

from payouts.api import base
from payouts.merchants import oauth

HEADER = re.compile(r"(?i:Bearer) +(?P<token>[A-Za-z0-9._~+/-]{1,500}=*)", re.ASCII)


class Bearer(authentication.BaseAuthentication):
    """Checks the header; the token becomes `request.auth`, its application's maker `request.user`."""

    def authenticate(self, request: Request) -> tuple[Any, Any]:
        """The application's person (or None) and the token.

        Raises: AuthenticationFailed.
        """
        header = request.headers.get("Authorization")
        if not header:
            raise exceptions.AuthenticationFailed("Authentication credentials were not provided")
        parts = HEADER.fullmatch(header)
        token = oauth.token(parts["token"]) if parts else None
        if token is None:
            raise exceptions.AuthenticationFailed("The access token is invalid or has expired")
        base.check_origin(request, token.application.merchant)
        return token.application.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """Makes a refusal 401."""
        return "Bearer"
