"""Registering the URLs that merchants want to be called at, and the secrets that sign the calls."""

import ipaddress
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import Q

from payouts.merchants import secrets
from payouts.merchants.models import Merchant
from payouts.webhooks import targets
from payouts.webhooks.models import Endpoint, Message, SigningSecret

OVERLAP = timedelta(hours=24)  # how long a rotated secret still signs
MAX_URL = 2000
MOST_ENDPOINTS = 100  # active ones per merchant and API; every event is sent to each
PREFIXES = {"tenant": "sec_"}  # of secrets, where an API's document shows one
REMOVED = "removed by the merchant"
GONE = "the receiver answered 410 Gone"


class BadUrl(Exception):
    """The URL is not one that webhooks may go to."""


class TooMany(Exception):
    """The merchant has as many active endpoints as anyone needs."""


def check_url(url: str) -> str:
    """The URL, when webhooks may be registered for it: https, public as far as it can be seen, no credentials in it.

    Where a name resolves to is looked at in every delivery, since names move.
    Raises: BadUrl.
    """
    local = settings.WEBHOOKS_ALLOW_LOOPBACK
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_loopback = host == "localhost" or (_is_literal(host) and ipaddress.ip_address(host).is_loopback)
        URLValidator(schemes=["https", "http"] if local and is_loopback else ["https"])(url)
        credentials = parts.username is not None or parts.password is not None
        reachable = parts.port != 0  # and a ValueError above 65535
    except (ValidationError, ValueError) as error:
        raise BadUrl("url must be an https address") from error
    if credentials or not reachable or len(url) > MAX_URL:
        raise BadUrl("url must be an https address without credentials")
    if not (local and is_loopback) and (host == "localhost" or not _is_public(host)):
        raise BadUrl("url must be a public address")
    return url


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(host: str) -> bool:
    return not _is_literal(host) or targets.is_allowed(host, loopback=False)


def register(merchant: Merchant, *, api: str, url: str, events: list[str], now: datetime) -> Endpoint:
    """Add an endpoint; the merchant's secret for that API is made if there is none yet.

    Raises: BadUrl, TooMany.
    """
    check_url(url)
    with transaction.atomic():
        secret_for(merchant, api=api, now=now)
        active = Endpoint.objects.filter(merchant=merchant, api=api, is_active=True, is_callback=False)
        if active.count() >= MOST_ENDPOINTS:
            raise TooMany(merchant.name)
        return Endpoint.objects.create(merchant=merchant, api=api, url=url, events=events, created_at=now)


def callback(merchant: Merchant, *, api: str, url: str, events: list[str], now: datetime) -> Endpoint:
    """The endpoint of a URL that is told only about what is made with it; the same for every use of the URL.

    Raises: BadUrl.
    """
    check_url(url)
    secret_for(merchant, api=api, now=now)
    which = {"merchant": merchant, "api": api, "url": url, "is_callback": True, "is_active": True}
    endpoint, _ = Endpoint.objects.get_or_create(**which, defaults={"events": events, "created_at": now})
    if not set(events) <= set(endpoint.events):  # made with the URL of something else
        endpoint.events = sorted({*endpoint.events, *events})
        endpoint.save(update_fields=["events"])
    return endpoint


def only(merchant: Merchant, *, api: str, url: str, events: list[str], now: datetime) -> Endpoint:
    """Make this the merchant's one URL for the API; the ones before it are removed.

    Raises: BadUrl.
    """
    check_url(url)
    with transaction.atomic():
        locked = Merchant.objects.select_for_update(of=("self",), no_key=True).get(id=merchant.id)
        rows = Endpoint.objects.filter(merchant=locked, api=api, is_active=True, is_callback=False)
        for former in rows.exclude(url=url):
            remove(former)
        return rows.filter(url=url).first() or register(locked, api=api, url=url, events=events, now=now)


def remove(endpoint: Endpoint) -> None:
    """Take a URL away, as its merchant asked; what it was told stays in the log."""
    switch_off(endpoint.id, reason=REMOVED)


def switch_off(endpoint_id: UUID, *, reason: str) -> None:
    """Stop delivering to this URL and give up what still waits for it: nobody wants last month's news at once.

    A message that is given up can be sent again one at a time (`outbox.replay`), once the URL is active.
    """
    with transaction.atomic():
        Endpoint.objects.filter(id=endpoint_id).update(is_active=False, disabled_reason=reason)
        waiting = Message.objects.filter(endpoint_id=endpoint_id, state=Message.State.PENDING)
        waiting.update(state=Message.State.FAILED, next_attempt_at=None)


def secret_for(merchant: Merchant, *, api: str, now: datetime) -> str:
    """The secret that signs this merchant's webhooks of this API, made on first use."""
    lasting = {"merchant": merchant, "api": api, "retires_at": None}
    row, _ = SigningSecret.objects.get_or_create(
        **lasting,
        defaults={"created_at": now, "sealed": secrets.seal(_fresh(api), context=_context(merchant, api))},
    )
    return secrets.unseal(row.sealed, context=_context(merchant, api))


def _fresh(api: str) -> str:
    return PREFIXES.get(api, "") + secrets.fresh()


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
