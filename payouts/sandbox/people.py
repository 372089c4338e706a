"""The sandbox's merchant, its keys, and the two approvers that all sandboxes share."""

import secrets as randomness
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from payouts.merchants import keys
from payouts.merchants.models import ApiKey, Merchant
from payouts.sandbox import dashboard, invoice, kept, public, store, tenant
from payouts.webhooks import endpoints
from payouts.withdrawals import approvers

APPROVERS = "approvers"
# What each further API needs, made the first time that a sandbox is asked for by a version that has it.
PARTS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "extraction": store.part,
    "public": public.part,
    "invoice": invoice.part,
    "tenant": tenant.part,
    "dashboard": dashboard.part,
}


def merchant(name: str, *, bare: bool, now: datetime) -> tuple[Merchant, dict[str, Any], bool]:
    """The merchant of this name, its kept credentials, and whether it was made just now.

    `bare`: what is made now is made without what can be left out.
    Raises: kept.BadName.
    """
    known = kept.read(f"merchant-{name}")
    found = Merchant.objects.filter(id=str(known["merchant_id"])).first() if known else None
    if found and ApiKey.objects.filter(merchant=found, key_id=known["merchant"]["key_id"]).exists():
        return found, _complete(name, found, known, bare=bare, now=now), False
    made = Merchant.objects.create(name=f"{name} (sandbox {randomness.token_hex(4)})", mode=Merchant.Mode.TEST)
    issued = keys.issue(made, api="merchant")
    webhook_secret = endpoints.secret_for(made, api="merchant", now=now)
    known = {
        "merchant_id": str(made.id),
        "merchant": {"key_id": issued.key.key_id, "secret": issued.secret, "webhook_secret": webhook_secret},
    }
    return made, _complete(name, made, known, bare=bare, now=now), True


def _complete(name: str, of: Merchant, known: dict[str, Any], *, bare: bool, now: datetime) -> dict[str, Any]:
    whole = known | {api: make(of, bare=bare, now=now) for api, make in PARTS.items() if api not in known}
    if whole != kept.read(f"merchant-{name}"):
        kept.write(f"merchant-{name}", whole)
    return whole


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
