"""A merchant's address book: addresses that its people know, each after a cool-down."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from payouts.merchants.models import Merchant


class BookedAddress(models.Model):
    """An address that two people have put into a merchant's book; `added_at` is when the second of them agreed."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="address_book")
    network = models.CharField(max_length=16)
    address = models.CharField(max_length=128, help_text="Whole, in the network's normal form.")
    label = models.CharField(max_length=100, help_text="Whose address it is.")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        verbose_name_plural = "booked addresses"
        constraints = [models.UniqueConstraint(name="address_booked_once", fields=["merchant", "network", "address"])]

    def __str__(self) -> str:
        return f"{self.label}: {self.address}"


def ready(merchant: Merchant, *, cool_down_hours: int, now: datetime) -> models.QuerySet[BookedAddress]:
    """What has been in the book for as long as the cool-down takes."""
    return BookedAddress.objects.filter(merchant=merchant, added_at__lte=now - timedelta(hours=cool_down_hours))


def holds(merchant: Merchant, *, network: str, address: str, cool_down_hours: int, now: datetime) -> bool:
    """Whether this address is among those."""
    rows = ready(merchant, cool_down_hours=cool_down_hours, now=now)
    return rows.filter(network=network, address=address).exists()
