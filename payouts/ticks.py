"""When each sweep last finished, for /readyz."""

from datetime import datetime

from django.db import models

SWEEPS = (
    "screen",
    "lanes",
    "dispatch",
    "sign",
    "send",
    "watch",
    "settle",
    "follow",
    "deposits",
    "transfers",
    "webhooks",
    "seal",
)


class Tick(models.Model):
    """The last time that one sweep ran to its end."""

    sweep = models.CharField(primary_key=True, max_length=32)
    at = models.DateTimeField()

    class Meta:
        app_label = "payouts"


def tick(sweep: str, *, now: datetime) -> None:
    """Note that the sweep has just finished."""
    Tick.objects.update_or_create(sweep=sweep, defaults={"at": now})
