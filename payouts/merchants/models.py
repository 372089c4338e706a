"""Merchants, the people who act for them, and their programs' keys."""

import uuid

import uuid_utils.compat as uuid7
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Merchant(models.Model):
    """A customer of Sluice; its id is also its book in the ledger."""

    class Mode(models.TextChoices):
        """Whether addresses get the documented rule only (test) or the full check (live)."""

        TEST = "TEST"
        LIVE = "LIVE"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    mode = models.CharField(max_length=4, choices=Mode.choices, default=Mode.LIVE)
    allowed_networks = ArrayField(
        models.CharField(max_length=49),
        default=list,
        blank=True,
        help_text="Where its people and programs may call from, such as 203.0.113.0/24; empty: from anywhere.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "payouts"
        constraints = [models.CheckConstraint(name="merchant_mode_known", condition=Q(mode__in=["TEST", "LIVE"]))]

    def __str__(self) -> str:
        return self.name

    @property
    def is_test(self) -> bool:
        """Whether the documented address rule is enough until something is about to be sent."""
        return self.mode == self.Mode.TEST


class Member(models.Model):
    """A person who acts for one merchant in the dashboard."""

    class Role(models.TextChoices):
        """What somebody may do there; each role may also do what the ones before it may."""

        VIEWER = "VIEWER", "may look"
        PAYER = "PAYER", "may pay"
        ADMIN = "ADMIN", "may administer"

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="members")
    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="membership")
    role = models.CharField(max_length=6, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        app_label = "payouts"
        constraints = [
            models.CheckConstraint(name="member_role_known", condition=Q(role__in=["VIEWER", "PAYER", "ADMIN"]))
        ]


class ApiKey(models.Model):
    """What a merchant's program proves itself with.

    HMAC needs the secret itself, so it is kept sealed (AES-GCM); what is only compared is kept hashed under a pepper.
    """

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="api_keys")
    api = models.CharField(max_length=16)
    key_id = models.CharField(max_length=64, unique=True)
    secret_sealed = models.BinaryField(default=b"")
    key_hash = models.BinaryField(max_length=32, null=True)
    secret_hash = models.BinaryField(max_length=32, null=True)
    require_request_signing = models.BooleanField(
        default=False,
        help_text="Refuse signatures that do not cover method, path, query and body.",
    )
    is_active = models.BooleanField(default=True)
    issued_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Who made the key; this person may not approve what the key asks for.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "payouts"

    def __str__(self) -> str:
        return self.key_id


class Nonce(models.Model):
    """A signed request's nonce, seen; the primary key is made here so that only the first insert finds itself again."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        constraints = [models.UniqueConstraint(name="nonce_once", fields=["key", "nonce"])]


class Challenge(models.Model):
    """What a person was shown before typing a one-time code; the code confirms exactly this."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=120)
    payload_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    spent_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "payouts"
        constraints = [
            models.CheckConstraint(
                name="challenge_spent_after_confirmed",
                condition=Q(spent_at__isnull=True) | Q(confirmed_at__isnull=False),
            ),
        ]
