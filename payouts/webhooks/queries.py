"""Reads of webhooks, reached through their merchant."""

from django.db.models import QuerySet

from payouts.merchants.models import Merchant
from payouts.webhooks import endpoints as registry
from payouts.webhooks.models import Endpoint, Message


def endpoints(merchant: Merchant, *, api: str, removed: bool = False) -> QuerySet[Endpoint]:
    """The merchant's URLs for one API, newest first; those that it removed only when asked for."""
    rows = Endpoint.objects.filter(merchant=merchant, api=api, is_callback=False).order_by("-id")
    return rows if removed else rows.exclude(is_active=False, disabled_reason=registry.REMOVED)


def messages(endpoint: Endpoint) -> QuerySet[Message]:
    """What was or is to be told to one URL, newest first, with its attempts."""
    return Message.objects.filter(endpoint=endpoint).prefetch_related("attempts").order_by("-id")
