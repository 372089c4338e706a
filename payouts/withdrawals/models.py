"""A withdrawal, the steps it took, and the rows that say what it costs and who must approve it."""

from decimal import Decimal

import uuid_utils.compat as uuid7
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from payouts.merchants.models import Merchant
from payouts.merchants.user_models import UserWallet
from payouts.webhooks.models import Endpoint


class Status(models.TextChoices):
    """Where a withdrawal is (seed 2's nine)."""

    PENDING = "PENDING"
    PENDING_REVIEW = "PENDING_REVIEW"
    LEVEL1_APPROVED = "LEVEL1_APPROVED"
    APPROVED = "APPROVED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


class Approval(models.TextChoices):
    """Who must say yes before money moves."""

    NONE = "NONE", "nobody"
    MERCHANT = "MERCHANT", "the merchant"
    ONE_LEVEL = "ONE_LEVEL", "one approver"
    TWO_LEVELS = "TWO_LEVELS", "two approvers"


class Destination(models.TextChoices):
    """What a merchant has to do with an address: paid to before or in its book past the cool-down, or neither."""

    ANY = "", "any"
    KNOWN = "known", "known"
    NEW = "new", "new"


def amount_field() -> models.DecimalField:  # type: ignore[type-arg]  # the stubs want the getter's types spelled out
    """An amount in an asset's ledger units, whole."""
    return models.DecimalField(max_digits=78, decimal_places=0)


class Withdrawal(models.Model):
    """Money on its way from a merchant's balance to an address; `status` moves only by `steps.STEPS`."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="withdrawals")
    api = models.CharField(max_length=16)
    channel = models.CharField(max_length=16, blank=True, help_text="Which of the API's doors it came in by.")
    owner = models.UUIDField(help_text="The ledger owner, within the merchant's book, whose balance pays.")
    user_wallet = models.ForeignKey(
        UserWallet,
        on_delete=models.PROTECT,
        null=True,
        related_name="withdrawals",
        help_text="The merchant's user who is paid out, if it is one.",
    )
    asset = models.CharField(max_length=16)
    network = models.CharField(max_length=16)
    destination = models.CharField(max_length=128)
    amount_units = amount_field()
    fee_units = amount_field()
    platform_units = models.DecimalField(
        max_digits=78,
        decimal_places=0,
        default=0,
        help_text="The platform's part of the fee; the rest is the network's.",
    )
    net_units = amount_field()
    credit_units = amount_field()
    memo_units = models.DecimalField(
        max_digits=78, decimal_places=0, default=0, help_text="What the merchant owes its user less by this."
    )
    callback = models.ForeignKey(
        Endpoint,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="A URL of its own, which is told in the place of the merchant's.",
    )
    custom_id = models.CharField(max_length=64, blank=True, help_text="What the merchant calls it.")
    price = models.JSONField(
        null=True,
        help_text="What it was priced in, where that was no coin: amount, currency, rate, its source and time.",
    )
    approval = models.CharField(max_length=10, choices=Approval.choices)
    status = models.CharField(max_length=15, choices=Status.choices)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    level1_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    level2_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    txid = models.CharField(max_length=80, null=True)  # noqa: DJ001 - NULL is "nothing on chain yet"
    review_notes = models.TextField(blank=True, help_text="What screening found.")
    reason = models.TextField(blank=True, help_text="Why it was rejected, cancelled or failed.")
    held_until = models.DateTimeField(null=True, help_text="Approved, but the chain would refuse it: not before then.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        permissions = [
            ("approve_level1", "Can give the first approval"),
            ("approve_level2", "Can give the second approval"),
        ]
        indexes = [
            models.Index(name="withdrawal_by_merchant", fields=["merchant", "-id"]),
            models.Index(name="withdrawal_by_custom_id", fields=["merchant", "custom_id"], condition=~Q(custom_id="")),
            models.Index(name="withdrawal_by_status", fields=["status", "id"]),
            models.Index(
                name="request_by_status", fields=["merchant", "status", "-id"], condition=Q(channel="request")
            ),
            models.Index(
                name="withdrawal_by_moment", fields=["merchant", "created_at"]
            ),  # what a rolling window counts
            models.Index(
                name="withdrawal_paid_to", fields=["merchant", "destination"], condition=Q(status="COMPLETED")
            ),
        ]
        constraints = [
            models.CheckConstraint(name="withdrawal_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(
                name="four_eyes",
                condition=(Q(maker=None) | Q(level1_by=None) | ~Q(maker=F("level1_by")))
                & (Q(maker=None) | Q(level2_by=None) | ~Q(maker=F("level2_by")))
                & (Q(level1_by=None) | Q(level2_by=None) | ~Q(level1_by=F("level2_by"))),
            ),
            models.CheckConstraint(
                name="two_levels_before_money_moves",
                condition=~Q(approval="TWO_LEVELS", status__in=["APPROVED", "PROCESSING", "COMPLETED", "FAILED"])
                | Q(level1_by__isnull=False, level2_by__isnull=False),
            ),
            models.CheckConstraint(
                name="one_level_before_money_moves",
                condition=~Q(approval="ONE_LEVEL", status__in=["APPROVED", "PROCESSING", "COMPLETED", "FAILED"])
                | Q(level1_by__isnull=False),
            ),
            models.CheckConstraint(
                name="withdrawal_amounts_add_up",
                condition=Q(amount_units__gt=0, net_units__gt=0, fee_units__gte=0, credit_units__gte=0)
                & Q(amount_units=F("net_units") + F("fee_units"))
                & Q(credit_units__lte=F("amount_units")),
            ),
            models.CheckConstraint(
                name="platform_part_is_of_the_fee",
                condition=Q(platform_units__gte=0, platform_units__lte=F("fee_units")),
            ),
            models.CheckConstraint(  # the fee's payer is the user, or the merchant
                name="withdrawal_memo_is_the_users_part",
                condition=Q(user_wallet=None, memo_units=0)
                | Q(user_wallet__isnull=False, memo_units=F("amount_units"))
                | Q(user_wallet__isnull=False, memo_units=F("net_units")),
            ),
            models.CheckConstraint(
                name="completed_has_a_txid",
                condition=~Q(status="COMPLETED") | Q(txid__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def requested_units(self) -> int:
        """The amount as it was asked for: with a fee on top, less than leaves the merchant's balance."""
        return int(self.memo_units or self.amount_units)


class StepTaken(models.Model):
    """One step of one withdrawal: append-only (a trigger refuses anything else)."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="steps")
    verb = models.CharField(max_length=20)
    from_status = models.CharField(max_length=15, blank=True)
    to_status = models.CharField(max_length=15)
    actor = models.CharField(max_length=150, help_text="Who or what took it: a person, a key, a sweep.")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    payload_hash = models.BinaryField(max_length=32, help_text="What was decided about, as it was then.")
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    evidence = models.BinaryField(max_length=32, default=b"")  # of a person's yes, see evidence.py
    at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        ordering = ["id"]
        indexes = [models.Index(name="steps_of_withdrawal", fields=["withdrawal", "id"])]
        constraints = [
            models.UniqueConstraint(
                name="approved_once_each_way",
                fields=["withdrawal", "verb"],
                condition=Q(verb__in=["approve_l1", "approve_l2", "auto_approve", "merchant_approve"]),
            ),
        ]


class FeeRule(models.Model):
    """What a withdrawal costs; a merchant's own row goes before the row for everybody."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, null=True, blank=True)
    api = models.CharField(max_length=16)
    asset = models.CharField(max_length=16)
    network = models.CharField(max_length=16)
    flat_units = amount_field()
    percent = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        default=Decimal(0),
        help_text="Of the amount, beside the flat part: the platform's.",
    )

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(
                name="one_fee_per_case",
                fields=["merchant", "api", "asset", "network"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="fee_not_negative", condition=Q(flat_units__gte=0, percent__gte=0, percent__lt=100)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.api}: {self.asset} on {self.network}"


class PolicyRule(models.Model):
    """Who must approve which withdrawals: the first row that matches decides, none means two levels.

    Written by two people together alone, see amending.py.
    """

    priority = models.PositiveIntegerField(help_text="Lower is asked first.")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, null=True, blank=True)
    api = models.CharField(max_length=16, blank=True, help_text="Empty: every API.")
    channel = models.CharField(max_length=16, blank=True, help_text="Empty: every door of the API.")
    asset = models.CharField(max_length=16, blank=True, help_text="Empty: every asset.")
    destination = models.CharField(max_length=5, choices=Destination.choices, blank=True)
    from_units = models.DecimalField(max_digits=78, decimal_places=0, default=0)
    to_units = models.DecimalField(max_digits=78, decimal_places=0, null=True, blank=True, help_text="Inclusive.")
    approval = models.CharField(max_length=10, choices=Approval.choices)

    class Meta:
        app_label = "payouts"
        ordering = ["priority", "id"]
        constraints = [
            models.CheckConstraint(name="policy_approval_known", condition=Q(approval__in=Approval.values)),
            models.CheckConstraint(name="policy_destination_known", condition=Q(destination__in=Destination.values)),
            models.CheckConstraint(
                name="policy_range_is_one",
                condition=Q(from_units__gte=0) & (Q(to_units=None) | Q(to_units__gte=F("from_units"))),
            ),
            models.CheckConstraint(  # a smallest unit is one thing of USDT and another of ETH
                name="policy_range_names_its_asset",
                condition=~Q(asset="") | Q(from_units=0, to_units=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.priority}: {self.api or 'every API'} → {Approval(self.approval).label}"


class IdempotencyKey(models.Model):
    """The first answer to a create, for every repeat of it; rows of money-moving calls are never pruned."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    endpoint = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    status_code = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        constraints = [models.UniqueConstraint(name="idempotency_once", fields=["merchant", "endpoint", "key"])]
