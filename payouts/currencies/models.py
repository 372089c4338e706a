"""How much of an asset may come in or go out on one network."""

from django.db import models
from django.db.models import F, Q


def amount_field() -> models.DecimalField:  # type: ignore[type-arg]  # the stubs want the getter's types spelled out
    """An amount in the asset's ledger units, whole."""
    return models.DecimalField(max_digits=78, decimal_places=0)


class CurrencyLimit(models.Model):
    """The smallest and the largest payment and withdrawal of one currency; both ends are allowed."""

    asset = models.CharField(max_length=16)
    network = models.CharField(max_length=16)
    payment_min_units = amount_field()
    payment_max_units = amount_field()
    withdrawal_min_units = amount_field()
    withdrawal_max_units = amount_field()
    is_popular = models.BooleanField(default=False)

    class Meta:
        app_label = "payouts"
        ordering = ["asset", "network"]
        constraints = [
            models.UniqueConstraint(name="one_limit_per_currency", fields=["asset", "network"]),
            models.CheckConstraint(
                name="currency_limits_are_ranges",
                condition=Q(
                    payment_min_units__gt=0,
                    payment_max_units__gte=F("payment_min_units"),
                    withdrawal_min_units__gt=0,
                    withdrawal_max_units__gte=F("withdrawal_min_units"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset} on {self.network}"
