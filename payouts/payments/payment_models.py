"""What merchants ask their customers to pay, what came of it, and every deposit with its place in the books."""

import uuid_utils.compat as uuid7
from django.db import models
from django.db.models import F, Q

from chain.fields import UnitsField
from payouts.merchants.models import Merchant
from payouts.merchants.user_models import UserWallet
from payouts.payments.models import DepositAddress
from payouts.webhooks.models import Endpoint


class Status(models.TextChoices):
    """Where a payment is; `payment_steps.STEPS` leads from one to the next."""

    WAITING = "WAITING"
    CONFIRMING = "CONFIRMING"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    FINISHED = "FINISHED"
    OVERPAID = "OVERPAID"
    UNDERPAID = "UNDERPAID"
    EXPIRED = "EXPIRED"
    PAID_LATE = "PAID_LATE"


OPEN = (Status.WAITING, Status.CONFIRMING, Status.PARTIALLY_PAID)


class Payment(models.Model):
    """A customer is asked for `due_units` at an address of its own; `status` moves only by `payment_steps.STEPS`.

    Units: the asset's ledger units; a price as people write it, the rate in coins for one of the price's currency.
    """

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="payments")
    api = models.CharField(max_length=16)
    owner = models.UUIDField(help_text="The ledger owner, within the merchant's book, who is paid.")
    asset = models.CharField(max_length=16)
    network = models.CharField(max_length=16)
    address = models.CharField(max_length=128)
    amount_units = UnitsField()
    fee_units = UnitsField()
    due_units = UnitsField()
    received_units = UnitsField(default=0)
    fee_taken_units = UnitsField(default=0)
    is_fee_paid_by_user = models.BooleanField()
    is_fixed_rate = models.BooleanField()
    fee_percent = models.DecimalField(max_digits=9, decimal_places=6)
    price_amount = models.DecimalField(max_digits=38, decimal_places=8, null=True)
    price_currency = models.CharField(max_length=16, blank=True)
    rate = models.DecimalField(max_digits=60, decimal_places=24, null=True)
    rate_source = models.CharField(max_length=100, blank=True)
    rate_at = models.DateTimeField(null=True)
    order_id = models.CharField(max_length=128, blank=True)
    description = models.CharField(max_length=500, blank=True)
    customer_email = models.CharField(max_length=254, blank=True)
    callback = models.ForeignKey(Endpoint, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=14, choices=Status.choices)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        indexes = [
            models.Index(name="payment_by_merchant", fields=["merchant", "-id"]),
            models.Index(name="payment_to_expire", fields=["network", "expires_at"], condition=Q(status__in=[*OPEN])),
            models.Index(name="payment_confirming", fields=["id"], condition=Q(status="CONFIRMING")),
        ]
        constraints = [
            models.UniqueConstraint(name="payment_has_its_own_address", fields=["network", "address"]),
            models.CheckConstraint(name="payment_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(
                name="payment_asks_for_something",
                condition=Q(amount_units__gt=0, fee_units__gte=0, fee_percent__gte=0, fee_percent__lt=100),
            ),
            models.CheckConstraint(
                name="payment_due_by_payer",
                condition=Q(is_fee_paid_by_user=True, due_units=F("amount_units") + F("fee_units"))
                | Q(is_fee_paid_by_user=False, due_units=F("amount_units")),
            ),
            models.CheckConstraint(
                name="payment_status_by_money",
                condition=Q(status__in=["WAITING", "CONFIRMING", "EXPIRED"], received_units=0)
                | Q(status__in=["PARTIALLY_PAID", "UNDERPAID"], received_units__gt=0, received_units__lt=F("due_units"))
                | Q(status="FINISHED", received_units=F("due_units"))
                | Q(status="OVERPAID", received_units__gt=F("due_units"))
                | Q(status="PAID_LATE", received_units__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class PaymentStep(models.Model):
    """One step that a payment took; appended, never changed."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="steps")
    verb = models.CharField(max_length=16)
    from_status = models.CharField(max_length=14, blank=True)
    to_status = models.CharField(max_length=14)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        ordering = ["id"]


class Deposit(models.Model):
    """What came in on chain, once it is final: in somebody's balance, or left alone and why.

    Its id is that of the chain's row. Units: the asset's ledger units; of an unknown token what its contract counts.
    """

    class Status(models.TextChoices):
        """What became of it."""

        CREDITED = "CREDITED"
        IGNORED = "IGNORED"

    id = models.UUIDField(primary_key=True, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="deposits")
    address = models.ForeignKey(DepositAddress, on_delete=models.PROTECT, related_name="deposits")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="deposits")
    wallet = models.ForeignKey(UserWallet, on_delete=models.PROTECT, null=True, related_name="deposits")
    network = models.CharField(max_length=16)
    asset = models.CharField(max_length=16, blank=True)
    contract = models.CharField(max_length=64, blank=True)
    txid = models.CharField(max_length=80)
    amount_units = UnitsField()
    fee_units = UnitsField(default=0)
    status = models.CharField(max_length=8, choices=Status.choices)
    reason = models.CharField(max_length=100, blank=True, help_text="Why it was left alone.")
    block_number = models.BigIntegerField()
    block_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        indexes = [
            models.Index(name="deposit_by_merchant", fields=["merchant", "-id"]),
            models.Index(name="deposit_by_txid", fields=["txid"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="deposit_ignored_for_a_reason",
                condition=Q(status="CREDITED", reason="") | Q(status="IGNORED") & ~Q(reason=""),
            ),
        ]
