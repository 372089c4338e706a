"""Where merchants want to be told, what there is to tell, and every attempt at it."""

import uuid_utils.compat as uuid7
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from payouts.merchants.models import Merchant


class SigningSecret(models.Model):
    """A merchant's webhook secret for one API; a rotated one keeps signing until it retires."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="webhook_secrets")
    api = models.CharField(max_length=16)
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    retires_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(
                name="one_lasting_webhook_secret",
                fields=["merchant", "api"],
                condition=Q(retires_at__isnull=True),
            ),
        ]


class Endpoint(models.Model):
    """A URL of a merchant's that takes one API's events."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="webhook_endpoints")
    api = models.CharField(max_length=16)
    url = models.URLField(max_length=2000)
    events = ArrayField(models.CharField(max_length=64))
    is_callback = models.BooleanField(default=False, help_text="Told only about what was made with this URL.")
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "payouts"
        constraints = [
            models.UniqueConstraint(
                name="one_active_callback_per_url",
                fields=["merchant", "api", "url"],
                condition=Q(is_callback=True, is_active=True),
            ),
        ]


class Message(models.Model):
    """One event for one endpoint: the outbox's row, written in the transaction of what it tells about."""

    class State(models.TextChoices):
        """Where the message is on its way."""

        PENDING = "PENDING"
        DELIVERED = "DELIVERED"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="messages", db_index=False)
    event = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    data = models.JSONField(help_text="What the subject was at the moment of the event.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "payouts"
        indexes = [
            models.Index(name="message_due", fields=["next_attempt_at"], condition=Q(state="PENDING")),
            models.Index(name="message_subject", fields=["subject_id"]),
            models.Index(name="message_log", fields=["endpoint", "-id"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="message_pending_has_a_next_attempt",
                condition=~Q(state="PENDING") | Q(next_attempt_at__isnull=False),
            ),
        ]


class MessageCount(models.Model):
    """One part of how many messages an endpoint has; a trigger counts them as they are inserted."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="+")
    slot = models.PositiveSmallIntegerField()
    number = models.PositiveBigIntegerField()

    class Meta:
        app_label = "payouts"
        constraints = [models.UniqueConstraint(name="one_message_count_per_slot", fields=["endpoint", "slot"])]


class Attempt(models.Model):
    """One try at delivering one message, and what came back."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    duration_ms = models.PositiveIntegerField()
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        app_label = "payouts"
        ordering = ["number", "id"]
