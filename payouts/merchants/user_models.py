"""Users of merchants, whose money the merchant keeps, and what the merchant's people set about paying them."""

from decimal import Decimal

import uuid_utils.compat as uuid7
from django.db import models
from django.db.models import Q

from payouts.merchants.models import Merchant

DEFAULT_MAX_AUTO_UNITS = 100 * 10**6  # USDT; seed 1, "Auto-Approve Settings"


class UserWallet(models.Model):
    """What a merchant owes one of its users is a memorandum in the merchant's book, owned by this row's id."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="user_wallets")
    user_id = models.CharField(max_length=128, help_text="The merchant's own name for this user.")
    email = models.CharField(max_length=254, blank=True)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    callback_url = models.URLField(max_length=2000, blank=True, help_text="Where this user's deposits are told.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        constraints = [models.UniqueConstraint(name="one_wallet_per_user", fields=["merchant", "user_id"])]

    def __str__(self) -> str:
        return self.user_id


class WithdrawalSettings(models.Model):
    """What a merchant's people set in Dashboard > Settings about the withdrawals of their users."""

    class FeePayer(models.TextChoices):
        """Whose balance the fee is taken from."""

        USER = "user"
        MERCHANT = "merchant"

    merchant = models.OneToOneField(Merchant, on_delete=models.PROTECT, related_name="withdrawal_settings")
    auto_withdraw = models.BooleanField(
        default=False, help_text="Say yes beforehand to what users request, up to the amount below."
    )
    max_auto_units = models.DecimalField(
        max_digits=78,
        decimal_places=0,
        default=Decimal(DEFAULT_MAX_AUTO_UNITS),
        help_text="Inclusive, in USDT's smallest unit: 1 USDT is 1000000.",
    )
    withdrawal_fee_payer = models.CharField(max_length=8, choices=FeePayer.choices, default=FeePayer.USER)

    class Meta:
        app_label = "payouts"
        verbose_name_plural = "withdrawal settings"
        constraints = [
            models.CheckConstraint(name="max_auto_not_negative", condition=Q(max_auto_units__gte=0)),
            models.CheckConstraint(name="fee_payer_known", condition=Q(withdrawal_fee_payer__in=["user", "merchant"])),
        ]
