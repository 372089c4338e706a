"""Deposit addresses and the extended public keys that they are derived from."""

from django.db import models
from django.db.models import Q

from payouts.merchants.models import Merchant


class ExtendedKey(models.Model):
    """The public half of one network's deposit keys (BIP-32); the private half is in the signer's keystore."""

    network = models.CharField(max_length=16, primary_key=True)
    path = models.CharField(max_length=40, help_text="Where in the tree the key stands (BIP-44).")
    xpub = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"

    def __str__(self) -> str:
        return self.network


class DepositAddress(models.Model):
    """One address for one owner in a merchant's book; its number is the last index of its path, used once, ever."""

    number = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="deposit_addresses")
    owner = models.UUIDField(help_text="Whose it is within the merchant's book: a user wallet's id, say.")
    network = models.CharField(max_length=16)
    address = models.CharField(max_length=128, null=True)  # noqa: DJ001 - NULL until the number has been derived
    account = models.BinaryField(max_length=20, null=True, help_text="The bytes behind it, as blocks show them.")
    created_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(name="one_address_per_owner", fields=["owner", "network"]),
            models.UniqueConstraint(name="address_is_one_owners", fields=["network", "address"]),
            models.UniqueConstraint(name="account_is_one_owners", fields=["network", "account"]),
            models.CheckConstraint(
                name="address_with_its_account",
                condition=Q(address=None, account=None) | Q(address__isnull=False, account__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.address or f"number {self.number}"
