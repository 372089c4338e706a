"""Who is calling the `invoice` API: `Authorization: Token <key>`, with a key for just this use (seed 3)."""

import re
from typing import Any

from rest_framework import authentication, exceptions
from rest_framework.request import Request

from payouts.api import base
from payouts.api.invoice import wire
from payouts.merchants import tokens
from payouts.merchants.models import ApiKey

HEADER = re.compile(r"(?i:Token) +(?P<key>[A-Za-z0-9_]{1,200})", re.ASCII)


class Key(authentication.BaseAuthentication):
    """Checks the header; the key becomes `request.auth`, its maker `request.user`."""

    use: str

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        """The key's person (or None) and the key.

        Raises: AuthenticationFailed.
        """
        parts = HEADER.fullmatch(request.headers.get("Authorization", ""))
        key = tokens.find(parts["key"], api=wire.API, use=self.use) if parts else None
        if key is None:
            raise exceptions.AuthenticationFailed
        base.check_origin(request, key.merchant)
        return key.issued_to, key


class WithdrawalKey(Key):
    """The separate key, which withdraws and does nothing else."""

    use = tokens.WITHDRAWAL


class ShopKey(Key):
    """The shop's ordinary key, which cannot withdraw."""

    use = tokens.SHOP
