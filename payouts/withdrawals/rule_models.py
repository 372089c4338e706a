"""Limits, and what is written down about every change of a rule: who proposed it, who decided, before and after."""

import uuid_utils.compat as uuid7
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from payouts.merchants.models import Merchant


class LimitRule(models.Model):
    """What a merchant may withdraw: every row that fits must be kept, each merchant counts for itself.

    Written by two people together alone, see amending.py.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, null=True, blank=True)
    api = models.CharField(max_length=16, blank=True, help_text="Empty: all APIs together.")
    asset = models.CharField(max_length=16, blank=True, help_text="Empty: every asset.")
    payment_units = models.DecimalField(max_digits=78, decimal_places=0, null=True, blank=True)
    window_hours = models.PositiveIntegerField(null=True, blank=True)
    window_units = models.DecimalField(max_digits=78, decimal_places=0, null=True, blank=True)
    window_count = models.PositiveIntegerField(null=True, blank=True)
    book_only = models.BooleanField(default=False)
    cool_down_hours = models.PositiveIntegerField(default=0)

    class Meta:
        app_label = "payouts"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="limit_says_something",
                condition=Q(payment_units__isnull=False)
                | Q(window_units__isnull=False)
                | Q(window_count__isnull=False)
                | Q(book_only=True)
                | Q(cool_down_hours__gt=0),
            ),
            models.CheckConstraint(
                name="limit_window_is_one",
                condition=Q(window_hours=None, window_units=None, window_count=None)
                | Q(window_hours__gt=0) & (Q(window_units__isnull=False) | Q(window_count__isnull=False)),
            ),
            models.CheckConstraint(
                name="limit_amount_names_its_asset",
                condition=~Q(asset="") | Q(payment_units=None, window_units=None),
            ),
            models.CheckConstraint(
                name="limit_not_negative",
                condition=(Q(payment_units=None) | Q(payment_units__gte=0))
                & (Q(window_units=None) | Q(window_units__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant or 'each merchant'}, {self.api or 'all APIs'}, {self.asset or 'every asset'}"


class Kind(models.TextChoices):
    """Which rules are changed."""

    POLICY = "policy", "Approval policy"
    LIMIT = "limit", "Limit"
    ADDRESS = "address", "Address book"
    FEE = "fee", "Fee"
    CREDIT = "credit", "Credit line"


class Verdict(models.TextChoices):
    """How it was decided."""

    CONFIRMED = "CONFIRMED", "confirmed"
    DECLINED = "DECLINED", "declined"


class RuleProposal(models.Model):
    """One person's wish to add, change or remove a row: append-only (a trigger refuses anything else)."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    row = models.BigIntegerField(null=True, help_text="The row that is changed or removed; none is a new one.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        verbose_name = "rule change"
        permissions = [
            ("propose_rules", "Can propose changes of approval policy, limits, address books, fees and credit lines"),
            ("confirm_rules", "Can confirm or decline such changes that somebody else proposed"),
        ]
        constraints = [
            models.CheckConstraint(name="rule_kind_known", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(
                name="rule_change_is_one",
                condition=Q(row=None, before=None, after__isnull=False) | Q(row__isnull=False, before__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        what = "new" if self.row is None else "removed" if self.after is None else "changed"
        return f"{self.get_kind_display()}, {what}"


class RuleDecision(models.Model):
    """What a second person said to a proposal; written, with the row itself, by one function in the database."""

    proposal = models.OneToOneField(RuleProposal, on_delete=models.PROTECT, related_name="decision", primary_key=True)
    verdict = models.CharField(max_length=9, choices=Verdict.choices)
    row = models.BigIntegerField(null=True, help_text="The row that is there now, or was until then.")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        constraints = [
            models.CheckConstraint(name="rule_verdict_known", condition=Q(verdict__in=Verdict.values)),
            models.CheckConstraint(
                name="rule_takes_two_people",
                condition=Q(verdict="DECLINED") | ~Q(by=F("proposed_by")),
            ),
        ]
