"""Stores, the accounts that they draw on, and the people who act for them through the `extraction` API."""

import uuid

import uuid_utils.compat as uuid7
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from payouts.merchants.models import Merchant


class Store(models.Model):
    """A merchant's store; its person is the API's user with the role of a store."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="stores")
    name = models.CharField(max_length=100)
    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="store")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "payouts"

    def __str__(self) -> str:
        return self.name


class QrCode(models.Model):
    """What a store draws on: an account of its own in the merchant's book, and the address used last."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    store = models.OneToOneField(Store, on_delete=models.PROTECT, related_name="qr_code")
    account = models.UUIDField(
        unique=True, default=uuid.uuid4, editable=False, help_text="The ledger owner, within the merchant's book."
    )
    currency = models.CharField(max_length=16, default="USDT", help_text="The asset that the account is kept in.")
    last_address = models.CharField(max_length=128, blank=True, help_text="Where supervisors' extractions go.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "payouts"
        verbose_name = "QR code"

    def __str__(self) -> str:
        return f"QR code of {self.store}"


class AddressChange(models.Model):
    """An address that took the place of another on a QR code: append-only (a trigger refuses anything else)."""

    qr_code = models.ForeignKey(QrCode, on_delete=models.PROTECT, related_name="address_changes")
    before = models.CharField(max_length=128, blank=True)
    after = models.CharField(max_length=128)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawal = models.UUIDField(help_text="The extraction that brought the address.")
    at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        ordering = ["-id"]


class Supervisor(models.Model):
    """Somebody who acts for the store that made them, as far as its flags go; deleted ones stay, switched off."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="supervisors")
    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="supervisor")
    name = models.CharField(max_length=100)
    email = models.EmailField()
    account = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    qr_active = models.BooleanField(default=False, help_text="May work with the store's QR code.")
    buy_usdt_active = models.BooleanField(default=False, help_text="May make extractions to the QR code's address.")
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(
                "store",
                Lower("email"),
                name="one_supervisor_per_email",
                condition=Q(deleted_at__isnull=True),
            ),
            models.CheckConstraint(
                name="deleted_supervisor_has_no_flags",
                condition=Q(deleted_at__isnull=True) | Q(qr_active=False, buy_usdt_active=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Login(models.Model):
    """One login of one person: its refresh token works once and is replaced; without this row no token works."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    refresh_id = models.UUIDField(help_text="The one refresh token that is good now.")
    password_state = models.CharField(max_length=64, help_text="An HMAC of the password's hash: a new one ends this.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "payouts"
        indexes = [models.Index(name="login_by_person", fields=["person", "expires_at"])]
