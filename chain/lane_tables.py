"""What is remembered of lanes beside their wallets: what each holds, when it needs money, and who paused what."""

from django.db import models
from django.db.models import Q

from chain.fields import UnitsField


class LaneBalance(models.Model):
    """What a lane held of one asset at a final block: read by a sweep, so that ordering asks no node.

    It can be forgotten at any time: the next reading brings it back.
    Units: what the network's chain counts in; the contract is "" for the native coin, which fees are paid in.
    """

    wallet = models.ForeignKey("chain.HotWallet", on_delete=models.PROTECT, related_name="balances")
    asset = models.CharField(max_length=16)
    contract = models.CharField(max_length=64, blank=True, default="")
    units = UnitsField()
    fee_units = UnitsField(default=0)  # native coin only: the most that one payment may cost now
    block_number = models.BigIntegerField()  # the balance contains everything up to this final block
    read_at = models.DateTimeField()
    short_since = models.DateTimeField(null=True, blank=True)  # since when it owes more than it holds

    class Meta:
        """One row per lane and asset."""

        app_label = "chain"
        constraints = [
            models.UniqueConstraint(fields=["wallet", "contract"], name="lane_balance_once"),
        ]


class LaneThreshold(models.Model):
    """Below which balance a lane is to be funded; a lane's own row goes before its network's, that before everybody's.

    Units: whole coins, as people write them.
    """

    asset = models.CharField(max_length=16)
    network = models.CharField(max_length=32, blank=True, default="", help_text="Empty: every network.")
    wallet = models.ForeignKey(
        "chain.HotWallet",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="thresholds",
        help_text="Empty: every lane.",
    )
    low_amount = models.DecimalField(max_digits=60, decimal_places=18, help_text="In whole coins.")

    class Meta:
        """One row per case."""

        app_label = "chain"
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "network", "wallet"], nulls_distinct=False, name="lane_threshold_once"
            ),
            models.CheckConstraint(condition=Q(low_amount__gte=0), name="lane_threshold_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.asset} on {self.network or 'every network'}"


class SweepRule(models.Model):
    """From which amount on, and how long after the last deposit, a deposit address is swept.

    A network's own row goes before everybody's; an asset without a row is not swept.
    Units: whole coins, as people write them.
    """

    asset = models.CharField(max_length=16)
    network = models.CharField(max_length=32, blank=True, default="", help_text="Empty: every network.")
    least_amount = models.DecimalField(
        max_digits=60, decimal_places=18, help_text="In whole coins; less than this stays where it is."
    )
    after_s = models.PositiveIntegerField(default=30, help_text="Seconds without another deposit before it is swept.")

    class Meta:
        """One row per case."""

        app_label = "chain"
        constraints = [
            models.UniqueConstraint(fields=["asset", "network"], name="sweep_rule_once"),
            models.CheckConstraint(condition=Q(least_amount__gte=0), name="sweep_rule_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.asset} on {self.network or 'every network'}"


class Pause(models.Model):
    """Somebody stopped a lane, or a whole network where no wallet is named; kept after it has ended."""

    network = models.CharField(max_length=32)
    wallet = models.ForeignKey(
        "chain.HotWallet", on_delete=models.PROTECT, null=True, blank=True, related_name="pauses"
    )
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True, default="")
    ended_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        """One standing pause per lane and one per network; an end says who and why, as the beginning does."""

        app_label = "chain"
        constraints = [
            models.UniqueConstraint(
                fields=["network", "wallet"], condition=Q(ended_at=None), nulls_distinct=False, name="pause_once"
            ),
            models.CheckConstraint(condition=~Q(by="") & ~Q(reason=""), name="pause_says_who_and_why"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by="", ended_reason="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="") & ~Q(ended_reason="")),
                name="pause_end_says_who_and_why",
            ),
        ]
