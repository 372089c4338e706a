"""How many withdrawals a merchant has: counted by a trigger as they are inserted, since a million takes long to count.

Withdrawals are never removed and never change their merchant, API or channel, so the count is exact.
"""

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


def of(merchant: Merchant, *, api: str, channel: str | None = None) -> int:
    """How many withdrawals the merchant has made through one API, or one door of it."""
    rows = WithdrawalCount.objects.filter(merchant=merchant, api=api)
    rows = rows if channel is None else rows.filter(channel=channel)
    return int(rows.aggregate(number=Sum("number", default=0))["number"])
