"""A payout run and its rows: the rows are written once, with what is wrong with each, and never change."""

import uuid_utils.compat as uuid7
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from payouts.merchants.models import Merchant


class State(models.TextChoices):
    """Where a run is."""

    CHECKED = "CHECKED", "checked"
    CONFIRMED = "CONFIRMED", "being made"
    MADE = "MADE", "made"
    CANCELLING = "CANCELLING", "being called back"
    CANCELLED = "CANCELLED", "called back"


class Run(models.Model):
    """Payments that a merchant's person or program asked for together."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="runs")
    api = models.CharField(max_length=16)
    asset = models.CharField(max_length=16)
    name = models.CharField(max_length=200, help_text="The file's name, or what the program calls it.")
    actor = models.CharField(max_length=150)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKED)
    note = models.CharField(max_length=200, blank=True, help_text="What it waits for.")
    rows_total = models.PositiveIntegerField(default=0)
    rows_faulty = models.PositiveIntegerField(default=0)
    rows_made = models.PositiveIntegerField(default=0)
    made_through = models.PositiveIntegerField(default=0, help_text="The number of the last row that is made.")
    total_units = models.DecimalField(max_digits=78, decimal_places=0, default=0)
    fee_units = models.DecimalField(max_digits=78, decimal_places=0, default=0, help_text="Of these, all fees.")
    without_faulty = models.BooleanField(default=False, help_text="Its person chose to leave faulty rows out.")
    payload_hash = models.BinaryField(max_length=32, default=b"", help_text="What was confirmed.")
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="When the last row was made or called back.")

    class Meta:
        app_label = "payouts"
        indexes = [
            models.Index(name="run_by_merchant", fields=["merchant", "-id"]),
            models.Index(
                name="run_at_work", fields=["confirmed_at"], condition=Q(state__in=["CONFIRMED", "CANCELLING"])
            ),
        ]
        constraints = [
            models.CheckConstraint(name="run_state_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="run_makes_what_it_has",
                condition=Q(rows_faulty__lte=F("rows_total"), rows_made__lte=F("rows_total") - F("rows_faulty")),
            ),
            models.CheckConstraint(
                name="run_confirmed_before_made",
                condition=Q(state__in=["CHECKED", "CANCELLED"]) | Q(confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rows_good(self) -> int:
        """How many payments it is."""
        return self.rows_total - self.rows_faulty

    @property
    def rows_left(self) -> int:
        """How many of them are not made yet."""
        return self.rows_good - self.rows_made


class RunRow(models.Model):
    """One row as it was given and as it was understood; its id is its withdrawal's, so that it is made once.

    The application's role may insert and read rows, nothing else: what a code confirmed stays what it was.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField(help_text="The line in the file; the header is line 1.")
    address_text = models.CharField(max_length=128)
    amount_text = models.CharField(max_length=64)
    network_text = models.CharField(max_length=32)
    reference = models.CharField(max_length=64, blank=True)
    network = models.CharField(max_length=16, blank=True)
    destination = models.CharField(max_length=128, blank=True)
    amount_units = models.DecimalField(max_digits=78, decimal_places=0, default=0)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(name="run_row_once", fields=["run", "number"]),
            models.CheckConstraint(
                name="run_row_good_or_faulty",
                condition=~Q(fault="") | Q(amount_units__gt=0) & ~Q(network="") & ~Q(destination=""),
            ),
        ]
        indexes = [models.Index(name="run_row_faulty", fields=["run", "number"], condition=~Q(fault=""))]

    def __str__(self) -> str:
        return f"row {self.number}"
