"""What Django's check says about the keys that approvals rest on."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name for it

KEY_BYTES = 32


@register()
def approvals_have_their_key(**_: Any) -> list[CheckMessage]:
    """Web and signer share a key that nobody else has, see payouts/withdrawals/evidence.py."""
    if settings.ROLE in ("web", "signer"):
        if len(settings.APPROVAL_KEY) != KEY_BYTES:
            return [Error(f"APPROVAL_KEY is {KEY_BYTES} bytes in hex, for web and signer", id="payouts.E001")]
    elif settings.APPROVAL_KEY:
        text = f"a {settings.ROLE} process has APPROVAL_KEY: whoever takes it over can approve payments"
        return [Warning(text, hint="give it to web and signer alone", id="payouts.W001")]
    return []
