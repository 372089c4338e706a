"""Registering the URLs that merchants want to be called at, and the secrets that sign the calls."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import Q

from payouts.merchants import secrets
from payouts.merchants.models import Merchant
from payouts.webhooks.models import Endpoint, SigningSecret

OVERLAP = timedelta(hours=24)  # how long a rotated secret still signs
MAX_URL = 2000
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class BadUrl(Exception):
    """The URL is not one that webhooks may go to."""


def check_url(url: str) -> str:
    """The URL, when webhooks may be registered for it: https, and no credentials in it.

    Where it resolves to is checked again at every delivery, since names move.
    Raises: BadUrl.
    """
    local = settings.WEBHOOKS_ALLOW_LOOPBACK
    try:
        parts = urlsplit(url)
        is_loopback = local and parts.netloc.rsplit(":", 1)[0] in LOOPBACK_NAMES
        URLValidator(schemes=["https", "http"] if is_loopback else ["https"])(url)
        credentials = parts.username or parts.password
    except (ValidationError, ValueError) as error:
        raise BadUrl("url must be an https address") from error
    if credentials or len(url) > MAX_URL:
        raise BadUrl("url must be an https address without credentials")
    return url


def register(merchant: Merchant, *, api: str, url: str, events: list[str], now: datetime) -> Endpoint:
    """Add an endpoint; the merchant's secret for that API is made if there is none yet.

    Raises: BadUrl.
    """
    check_url(url)
    with transaction.atomic():
        secret_for(merchant, api=api, now=now)
        return Endpoint.objects.create(merchant=merchant, api=api, url=url, events=events, created_at=now)


def switch_off(endpoint: Endpoint, *, reason: str) -> None:
    """Stop delivering to this URL; its messages and their log stay."""
    Endpoint.objects.filter(id=endpoint.id).update(is_active=False, disabled_reason=reason)


def secret_for(merchant: Merchant, *, api: str, now: datetime) -> str:
    """The secret that signs this merchant's webhooks of this API, made on first use."""
    lasting = {"merchant": merchant, "api": api, "retires_at": None}
    row, _ = SigningSecret.objects.get_or_create(
        **lasting,
        defaults={"created_at": now, "sealed": secrets.seal(secrets.fresh(), context=_context(merchant, api))},
    )
    return secrets.unseal(row.sealed, context=_context(merchant, api))


def rotate_secret(merchant: Merchant, *, api: str, now: datetime) -> str:
    """Make a new secret; the old one goes on signing beside it for a day."""
    with transaction.atomic():
        SigningSecret.objects.filter(merchant=merchant, api=api, retires_at=None).update(retires_at=now + OVERLAP)
        return secret_for(merchant, api=api, now=now)


def secrets_in_force(merchant: Merchant, *, api: str, now: datetime) -> list[str]:
    """Every secret that signs now, the newest first."""
    rows = SigningSecret.objects.filter(merchant=merchant, api=api)
    rows = rows.filter(Q(retires_at=None) | Q(retires_at__gt=now)).order_by("-created_at", "-id")
    return [secrets.unseal(row.sealed, context=_context(merchant, api)) for row in rows]


def _context(merchant: Merchant, api: str) -> str:
    return f"webhook-secret:{merchant.id}:{api}"
