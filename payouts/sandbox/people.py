"""The sandbox's merchant, its keys, and the two approvers that all sandboxes share."""

import secrets as randomness
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from payouts.merchants import keys
from payouts.merchants.models import ApiKey, Merchant
from payouts.sandbox import kept
from payouts.webhooks import endpoints
from payouts.withdrawals import approvers

APPROVERS = "approvers"


def merchant(name: str, *, now: datetime) -> tuple[Merchant, dict[str, Any], bool]:
    """The merchant of this name, its kept credentials, and whether it was made just now.

    Raises: kept.BadName.
    """
    known = kept.read(f"merchant-{name}")
    found = Merchant.objects.filter(id=str(known["merchant_id"])).first() if known else None
    if found and ApiKey.objects.filter(merchant=found, key_id=known["merchant"]["key_id"]).exists():
        return found, known, False
    made = Merchant.objects.create(name=f"{name} (sandbox {randomness.token_hex(4)})", mode=Merchant.Mode.TEST)
    issued = keys.issue(made, api="merchant")
    webhook_secret = endpoints.secret_for(made, api="merchant", now=now)
    known = {
        "merchant_id": str(made.id),
        "merchant": {"key_id": issued.key.key_id, "secret": issued.secret, "webhook_secret": webhook_secret},
    }
    kept.write(f"merchant-{name}", known)
    return made, known, True


def two_approvers() -> dict[str, dict[str, str]]:
    """One approver of each level, with password and authenticator secret, made the first time."""
    known = kept.read(APPROVERS)
    for level in (1, 2):
        username = f"level{level}"
        if f"level{level}" in known and User.objects.filter(username=known[username]["username"]).exists():
            continue
        if User.objects.filter(username=username).exists():  # of a sandbox whose file is gone: its secrets are too
            username = f"level{level}-{randomness.token_hex(3)}"
        password = randomness.token_urlsafe(18)
        enrolled = approvers.enrol(username, level=level, password=password)
        known[f"level{level}"] = {
            "username": username,
            "password": password,
            "totp_secret": enrolled.totp_secret,
        }
    kept.write(APPROVERS, known)
    return known
