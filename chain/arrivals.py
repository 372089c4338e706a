"""What followers remember: how far each network is read, its newest blocks, and what came in at our addresses."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q

from chain.fields import UnitsField


class Follower(models.Model):
    """How far one network has been read; what is above `final_number` may be taken back."""

    network = models.CharField(max_length=32, primary_key=True)
    number = models.BigIntegerField()  # the newest block that was read
    hash = models.CharField(max_length=80)
    at = models.DateTimeField()  # that block's time
    final_number = models.BigIntegerField()  # what came in up to here is confirmed
    final_at = models.DateTimeField()
    head_number = models.BigIntegerField()  # the newest block that the nodes told of
    caught_up_at = models.DateTimeField()  # when there was last nothing more to read

    class Meta:
        """Nothing is final that was not read."""

        app_label = "chain"
        constraints = [
            models.CheckConstraint(condition=Q(final_number__lte=models.F("number")), name="follower_read_it_first"),
        ]


class FollowedBlock(models.Model):
    """A block that was read: kept while it may be taken back, and the last final one as the ground of the others."""

    network = models.CharField(max_length=32)
    number = models.BigIntegerField()
    hash = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        """One block at a height."""

        app_label = "chain"
        constraints = [models.UniqueConstraint(fields=["network", "number"], name="followed_block_once")]


class ArrivalState(models.TextChoices):
    """Whether a reorganisation may still take it back."""

    SEEN = "SEEN"
    CONFIRMED = "CONFIRMED"


class Incoming(models.Model):
    """Coins or tokens that came in at an address of ours; a confirmed row never changes and never goes.

    Units: what the network's chain counts in.
    """

    id = models.UUIDField(primary_key=True)
    network = models.CharField(max_length=32)
    txid = models.CharField(max_length=80)
    index = models.IntegerField()  # within the transaction
    block_number = models.BigIntegerField()
    block_hash = models.CharField(max_length=80)
    block_at = models.DateTimeField()
    contract = models.CharField(max_length=64, blank=True)  # "" is the network's own coin
    asset = models.CharField(max_length=16, blank=True)  # "" is a token that we do not know
    recipient = models.CharField(max_length=64)
    amount_units = UnitsField()
    state = models.CharField(max_length=9, choices=ArrivalState, default=ArrivalState.SEEN)
    collected_at = models.DateTimeField(null=True, blank=True)  # when somebody took it into the books

    class Meta:
        """A movement comes in once."""

        app_label = "chain"
        constraints = [
            models.UniqueConstraint(fields=["network", "txid", "index"], name="incoming_once"),
            models.CheckConstraint(condition=Q(state__in=ArrivalState.values), name="incoming_state_known"),
            models.CheckConstraint(condition=Q(amount_units__gt=0), name="incoming_positive"),
            models.CheckConstraint(
                condition=Q(collected_at=None) | Q(state="CONFIRMED"), name="incoming_collected_after_confirmed"
            ),
        ]
        indexes = [
            models.Index(fields=["network", "block_number"], condition=Q(state="SEEN"), name="incoming_seen"),
            models.Index(
                fields=["block_at"], condition=Q(state="CONFIRMED", collected_at=None), name="incoming_to_collect"
            ),
            models.Index(fields=["network", "recipient"], name="incoming_by_recipient"),
        ]


def incoming_id(network: str, txid: str, index: int, *, at: datetime) -> UUID:
    """The id of a movement, from what the chain says of it alone: a UUID of version 7 with its block's time."""
    digest = int.from_bytes(hashlib.sha256(f"{network}/{txid}/{index}".encode()).digest()[:16])
    bits = int(at.timestamp() * 1000) << 80 | digest & ((1 << 80) - 1)
    bits = bits & ~(0xF << 76) | (0x7 << 76)
    return UUID(int=bits & ~(0x3 << 62) | (0x2 << 62))
