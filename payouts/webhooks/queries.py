"""Reads of webhooks, reached through their merchant."""

from uuid import UUID

from django.db.models import QuerySet, Sum

from payouts.merchants.models import Merchant
from payouts.webhooks import endpoints as registry
from payouts.webhooks.models import Endpoint, Message, MessageCount


def endpoints(merchant: Merchant, *, api: str, removed: bool = False) -> QuerySet[Endpoint]:
    """The merchant's URLs for one API, newest first; those that it removed only when asked for."""
    rows = Endpoint.objects.filter(merchant=merchant, api=api, is_callback=False).order_by("-id")
    return rows if removed else rows.exclude(is_active=False, disabled_reason=registry.REMOVED)


def messages(endpoint: Endpoint) -> QuerySet[Message]:
    """What was or is to be told to one URL, newest first, with its attempts."""
    return Message.objects.filter(endpoint=endpoint).prefetch_related("attempts").order_by("-id")


def count(endpoint: Endpoint) -> int:
    """How many messages there are for one URL."""
    rows = MessageCount.objects.filter(endpoint=endpoint)
    return int(rows.aggregate(number=Sum("number", default=0))["number"])


def about(subject_id: UUID) -> QuerySet[Message]:
    """What was or is to be told about one subject, newest first."""
    return Message.objects.filter(subject_id=subject_id).select_related("endpoint").order_by("-id")
