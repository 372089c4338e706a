"""How many withdrawals a merchant has: counted by triggers as they come and move, since a million takes long to count.

Withdrawals are never removed and never change their merchant, API or channel, so the counts are exact.
"""

from collections.abc import Collection

from django.db import models
from django.db.models import Sum

from payouts.merchants.models import Merchant


class WithdrawalCount(models.Model):
    """One part of a merchant's count; the sum over the slots is the count."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    api = models.CharField(max_length=16)
    channel = models.CharField(max_length=16, blank=True)
    slot = models.PositiveSmallIntegerField()
    number = models.PositiveBigIntegerField()

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(name="one_count_per_slot", fields=["merchant", "api", "channel", "slot"])
        ]


class RequestCount(models.Model):
    """One part of how many of a merchant's withdrawal requests are in one status; a part alone may be negative."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=15)
    slot = models.PositiveSmallIntegerField()
    number = models.BigIntegerField()

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(name="one_request_count_per_slot", fields=["merchant", "status", "slot"])
        ]


def of(merchant: Merchant, *, api: str, channel: str | None = None) -> int:
    """How many withdrawals the merchant has made through one API, or one door of it."""
    rows = WithdrawalCount.objects.filter(merchant=merchant, api=api)
    rows = rows if channel is None else rows.filter(channel=channel)
    return int(rows.aggregate(number=Sum("number", default=0))["number"])


def requests(merchant: Merchant, *, statuses: Collection[str]) -> int:
    """How many of the withdrawals that users asked the merchant for are in one of these statuses."""
    rows = RequestCount.objects.filter(merchant=merchant, status__in=statuses)
    return int(rows.aggregate(number=Sum("number", default=0))["number"])
