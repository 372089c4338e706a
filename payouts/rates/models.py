"""The rates that are used: one row per pair, from people or from a provider."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

TABLE = "table"  # the source of what people set


class Rate(models.Model):
    """One `base` is worth `rate` of `quote`; both are assets' symbols or currencies such as USD."""

    base = models.CharField(max_length=16, help_text="An asset or a currency: USDT, ETH, EUR.")
    quote = models.CharField(max_length=16, help_text="What it is worth something in: USD.")
    rate = models.DecimalField(max_digits=40, decimal_places=20, help_text="How many quote one base is worth.")
    source = models.CharField(max_length=100, default=TABLE, help_text="Who says so; no provider changes the table's.")
    at = models.DateTimeField(help_text="Since when the source says so.")
    good_for_s = models.PositiveIntegerField(
        "good for (s)", null=True, blank=True, help_text="Older than that it is not used; empty: until it is changed."
    )

    class Meta:
        app_label = "payouts"
        ordering = ["base", "quote"]
        constraints = [
            models.UniqueConstraint(name="one_rate_per_pair", fields=["base", "quote"]),
            models.CheckConstraint(name="rate_is_positive", condition=Q(rate__gt=Decimal(0))),
            models.CheckConstraint(name="rate_of_two", condition=~Q(base=F("quote"))),
        ]

    def __str__(self) -> str:
        return f"{self.base}-{self.quote}"
