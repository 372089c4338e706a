"""The lanes' own table: hot wallets, which pay, and deposit addresses, which are swept."""

from django.db import models
from django.db.models import Q


class WalletKind(models.TextChoices):
    """What an account of ours is for."""

    HOT = "hot"  # pays; its key has a file of its own
    DEPOSIT = "deposit"  # is paid to; its key hangs on the network's deposit seed


class Wallets(models.Manager["HotWallet"]):
    """The wallets of some kinds."""

    def __init__(self, *kinds: WalletKind) -> None:
        super().__init__()
        self._kinds = kinds

    def get_queryset(self) -> models.QuerySet["HotWallet"]:
        """Those alone."""
        return super().get_queryset().filter(kind__in=self._kinds)


class HotWallet(models.Model):
    """A lane: one account on one network whose key the signer holds.

    A deposit address that was paid to is a lane too, in the same table: a sequence number is given out once per lane,
    ordered payloads and signed bytes never change, what is sent is watched to its proof, a pause stops it; all of that
    holds for sweeps by the constraints and triggers that hold it for payments, and there is one copy of it. What may
    never be mixed up is: who looks for a wallet that pays (`objects`) finds no deposit address, and the database takes
    no intent from a lane of the other kind (`intent_of_its_lane`).
    """

    network = models.CharField(max_length=32)
    address = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=WalletKind, default=WalletKind.HOT)
    number = models.BigIntegerField(null=True, blank=True)  # a deposit address's last index below the network's key
    touched_block = models.BigIntegerField(null=True, blank=True)  # the newest block of a deposit that was credited
    touched_at = models.DateTimeField(null=True, blank=True)
    look_at = models.DateTimeField(null=True, blank=True)  # when to think of a sweep; empty: at the next deposit
    next_seq = models.BigIntegerField(
        default=0
    )  # EVM: the next nonce; TRON: the earliest timestamp (ms) not yet given out
    paused = models.BooleanField(default=False)  # whether a Pause stands for it or its network: pausing.py keeps it
    note = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Wallets(WalletKind.HOT)
    deposits = Wallets(WalletKind.DEPOSIT)
    every = Wallets(WalletKind.HOT, WalletKind.DEPOSIT)

    class Meta:
        """One row per account, sequences that only count upwards."""

        app_label = "chain"
        constraints = [
            models.UniqueConstraint(fields=["network", "address"], name="hot_wallet_once"),
            models.UniqueConstraint(fields=["network", "number"], name="deposit_lane_once"),
            models.CheckConstraint(condition=Q(next_seq__gte=0), name="hot_wallet_seq_not_negative"),
            models.CheckConstraint(
                condition=Q(kind="hot", number=None, touched_block=None, touched_at=None, look_at=None)
                | Q(kind="deposit", number__gte=0, touched_block__isnull=False, touched_at__isnull=False),
                name="wallet_is_of_its_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["network", "look_at"], condition=Q(look_at__isnull=False), name="deposit_look_queue")
        ]
