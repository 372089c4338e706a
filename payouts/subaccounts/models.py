"""Sub-accounts and the transfers that lead to and from them."""

import uuid_utils.compat as uuid7
from django.db import models
from django.db.models import Q

from payouts.merchants.models import Merchant
from payouts.webhooks.models import Endpoint


class SubAccount(models.Model):
    """A part of a merchant's money that is kept apart; `account` is its owner in the merchant's book."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="sub_accounts")
    account = models.UUIDField(unique=True, default=uuid7.uuid7, editable=False)
    name = models.CharField(max_length=100)
    external_id = models.CharField(max_length=128, blank=True, help_text="The merchant's own name for it.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(
                name="one_sub_account_per_external_id",
                fields=["merchant", "external_id"],
                condition=~Q(external_id=""),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Transfer(models.Model):
    """Money on its way between the main account and a sub-account: asked for, then moved by a worker, or refused."""

    class Direction(models.TextChoices):
        """Which way it goes."""

        TO_SUB = "to_sub", "to the sub-account"
        TO_MASTER = "to_master", "to the main account"

    class Status(models.TextChoices):
        """Where it is."""

        PENDING = "PENDING"
        COMPLETED = "COMPLETED"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="transfers")
    api = models.CharField(max_length=16)
    sub_account = models.ForeignKey(SubAccount, on_delete=models.PROTECT, related_name="transfers")
    direction = models.CharField(max_length=9, choices=Direction.choices)
    asset = models.CharField(max_length=16)
    network = models.CharField(max_length=16, help_text="Of the code that it was asked for in; the balance is one.")
    amount_units = models.DecimalField(max_digits=78, decimal_places=0)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    reason = models.CharField(max_length=100, blank=True, help_text="Why it failed.")
    actor = models.CharField(max_length=150, help_text="Which program asked for it.")
    callback = models.ForeignKey(Endpoint, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        indexes = [
            models.Index(name="transfer_to_do", fields=["id"], condition=Q(status="PENDING")),
            models.Index(name="transfer_by_sub_account", fields=["sub_account", "-id"]),
            models.Index(name="transfer_under_way", fields=["merchant"], condition=Q(status="PENDING")),
        ]
        constraints = [
            models.CheckConstraint(name="transfer_moves_something", condition=Q(amount_units__gt=0)),
            models.CheckConstraint(
                name="transfer_status_known", condition=Q(status__in=["PENDING", "COMPLETED", "FAILED"])
            ),
            models.CheckConstraint(name="transfer_direction_known", condition=Q(direction__in=["to_sub", "to_master"])),
            models.CheckConstraint(
                name="transfer_failed_for_a_reason",
                condition=Q(status="FAILED") & ~Q(reason="") | ~Q(status="FAILED") & Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
