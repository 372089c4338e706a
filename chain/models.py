"""What the chain room remembers; every promise of the protocol is a constraint here, not a habit of the code."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from chain.alarms import Alarm
from chain.arrivals import FollowedBlock, Follower, Incoming
from chain.fields import UnitsField, new_id
from chain.gateway import Candidate, Transfer
from chain.lane_tables import LaneBalance, LaneThreshold, Pause, SweepRule
from chain.wallet_tables import HotWallet, WalletKind

__all__ = [
    "Alarm",
    "AttemptState",
    "BroadcastAttempt",
    "Cost",
    "EndpointFault",
    "EndpointHealth",
    "FollowedBlock",
    "Follower",
    "HotWallet",
    "Incoming",
    "Intent",
    "IntentState",
    "LaneBalance",
    "LaneThreshold",
    "Pause",
    "SignedAttempt",
    "SweepRule",
    "UnitsField",
    "WalletKind",
    "new_id",
]


if TYPE_CHECKING:
    from uuid import UUID

    PayoutIdField = models.UUIDField[UUID | None, UUID]
else:
    PayoutIdField = models.UUIDField  # Django's fields take no type arguments when they run


class IntentState(models.TextChoices):
    """Where a payment stands; only a final fact on chain leads out of OPEN."""

    OPEN = "OPEN"
    PAID = "PAID"
    DEAD = "DEAD"


class Purpose(models.TextChoices):
    """What a transaction is for; one lane's sequence numbers serve them all."""

    PAYMENT = "payment"
    ANCHOR = "anchor"
    BATCH = "batch"  # many payments of one token by one transaction
    ALLOWANCE = "allowance"  # lets the batch contract move one token of a lane
    SWEEP = "sweep"  # what lies on a deposit address, to a hot wallet of ours
    TOP_UP = "topup"  # the coin that a deposit address needs for its sweep, from a hot wallet


class Intent(models.Model):
    """One transaction, ordered once: wallet and sequence number make it unrepeatable on chain."""

    id = models.UUIDField(primary_key=True, default=new_id)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.PAYMENT)
    payout_id = PayoutIdField(null=True, blank=True)  # type: ignore[misc]  # payments have one, others are not asked
    wallet = models.ForeignKey(HotWallet, on_delete=models.PROTECT, related_name="intents")
    batch = models.ForeignKey("self", on_delete=models.PROTECT, related_name="payments", null=True, blank=True)
    seq = models.BigIntegerField()  # EVM: the nonce; TRON: the transaction's timestamp in ms
    network = models.CharField(max_length=32)
    asset = models.CharField(max_length=16)
    contract = models.CharField(max_length=64)
    to_address = models.CharField(max_length=64)
    amount_units = UnitsField()  # the token's, which may be finer than the ledger's
    data = models.TextField(blank=True, default="")  # what it carries, in hexadecimal, where it pays no token
    state = models.CharField(max_length=8, choices=IntentState, default=IntentState.OPEN)
    txid = models.CharField(max_length=80, blank=True, default="")  # the transaction that decided it
    landed_block = models.BigIntegerField(null=True, blank=True)  # in which that transaction is
    proof = models.JSONField(default=dict, blank=True)
    scan = models.JSONField(
        default=dict, blank=True
    )  # how far the search for a foreign nonce got; may be dropped at any time
    bump_due = models.BooleanField(default=False)
    given_up = models.CharField(max_length=200, blank=True, default="")  # by whom and why: it never pays, giving_up.py
    next_sign_at = models.DateTimeField()
    next_send_at = models.DateTimeField()
    next_watch_at = models.DateTimeField()
    last_error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    verdict_at = models.DateTimeField(null=True, blank=True)
    collected_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The promises: one intent per payout for ever, one per sequence number, a verdict never without its proof."""

        constraints = [
            # Over all states, not only the live ones: a payout whose intent is DEAD has been refunded.
            models.UniqueConstraint(fields=["payout_id"], name="intent_once_per_payout"),
            # The payments of a batch have its sequence number, and no bytes of their own (a trigger refuses them).
            models.UniqueConstraint(fields=["wallet", "seq"], condition=Q(batch=None), name="intent_once_per_seq"),
            models.UniqueConstraint(
                fields=["network"], condition=Q(purpose="anchor", state="OPEN"), name="intent_one_open_anchor"
            ),
            models.UniqueConstraint(
                fields=["wallet"], condition=Q(purpose="sweep", state="OPEN"), name="intent_one_open_sweep"
            ),
            models.UniqueConstraint(
                fields=["network", "to_address"],
                condition=Q(purpose="topup", state="OPEN"),
                name="intent_one_open_top_up",
            ),
            # What each purpose is made of: a payment pays somebody for a payout and carries nothing else; sweeps and
            # top-ups move our own money between our own wallets (a trigger sees to that); the others move no coin and
            # carry their data.
            models.CheckConstraint(
                condition=Q(purpose="payment", payout_id__isnull=False, amount_units__gt=0, data="")
                | Q(purpose="anchor", payout_id=None, amount_units=0, asset="", contract="", batch=None) & ~Q(data="")
                | Q(purpose__in=["batch", "allowance"], payout_id=None, amount_units=0, contract="", batch=None)
                & ~Q(data="")
                & ~Q(asset="")
                | Q(purpose="sweep", payout_id=None, amount_units__gt=0, data="", batch=None) & ~Q(asset="")
                | Q(purpose="topup", payout_id=None, amount_units__gt=0, data="", batch=None, contract="")
                & ~Q(asset=""),
                name="intent_made_for_its_purpose",
            ),
            models.CheckConstraint(condition=Q(state__in=IntentState.values), name="intent_state_known"),
            models.CheckConstraint(
                condition=Q(state="OPEN", verdict_at=None, txid="")
                | (~Q(state="OPEN") & Q(verdict_at__isnull=False) & ~Q(txid="") & ~Q(proof={})),
                name="intent_verdict_has_proof",
            ),
            models.CheckConstraint(
                condition=Q(collected_at=None) | ~Q(state="OPEN"), name="intent_collected_after_verdict"
            ),
            models.CheckConstraint(condition=Q(given_up="") | ~Q(state="PAID"), name="intent_given_up_pays_nobody"),
        ]
        indexes = [
            models.Index(fields=["next_sign_at"], condition=Q(state="OPEN"), name="intent_sign_queue"),
            models.Index(fields=["next_send_at"], condition=Q(state="OPEN"), name="intent_send_queue"),
            models.Index(fields=["next_watch_at"], condition=Q(state="OPEN"), name="intent_watch_queue"),
            # What a lane owes is summed from the index alone.
            models.Index(
                fields=["wallet", "contract"],
                include=["amount_units"],
                condition=Q(state="OPEN"),
                name="intent_open_by_lane",
            ),
            models.Index(fields=["wallet", "landed_block"], name="intent_by_landing"),
            models.Index(
                fields=["verdict_at"], condition=Q(collected_at=None) & ~Q(state="OPEN"), name="intent_to_collect"
            ),
        ]

    def transfer(self) -> Transfer:
        """What its one transaction must do: what was ordered, or nothing with that number where it was given up."""
        if self.given_up:
            return Transfer(self.network, self.wallet.address, self.seq, "", self.wallet.address, amount_units=0)
        return Transfer(
            network=self.network,
            wallet=self.wallet.address,
            seq=self.seq,
            contract=self.contract,
            to_address=self.to_address,
            amount_units=self.amount_units,
            data=self.data,
            to_our_own=self.purpose in (Purpose.SWEEP, Purpose.TOP_UP),
        )

    def candidates(self) -> list[Candidate]:
        """All its attempts in the order in which they were signed."""
        return [attempt.candidate() for attempt in self.attempts.order_by("number")]


class AttemptState(models.TextChoices):
    """What is known of signed bytes; SUPERSEDED ones may still be the ones that pay."""

    LIVE = "LIVE"
    SUPERSEDED = "SUPERSEDED"  # EVM: bumped, same nonce
    EXPIRED = "EXPIRED"  # TRON: proven absent from the chain until past its expiration
    LANDED = "LANDED"  # in a final block
    VOID = "VOID"  # EVM: its nonce went to another transaction in a final block


class SignedAttempt(models.Model):
    """Signed bytes, committed before anybody sends them; they never change."""

    intent = models.ForeignKey(Intent, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    txid = models.CharField(max_length=80)
    raw = models.BinaryField()
    fees = models.JSONField()
    ref_number = models.BigIntegerField()  # the final (solid) block that was known when it was signed
    ref_hash = models.CharField(max_length=80)
    expiration_ms = models.BigIntegerField(null=True, blank=True)  # TRON: by the chain's clock
    state = models.CharField(max_length=12, choices=AttemptState, default=AttemptState.LIVE)
    proof = models.JSONField(default=dict, blank=True)
    signed_at = models.DateTimeField()
    attended = models.BooleanField(default=True)  # whether some person had said yes

    class Meta:
        """One live attempt per intent; a txid belongs to one attempt; EXPIRED never without its proof."""

        constraints = [
            models.UniqueConstraint(fields=["txid"], name="attempt_txid_once"),
            models.UniqueConstraint(fields=["intent", "number"], name="attempt_number_once"),
            models.UniqueConstraint(fields=["intent"], condition=Q(state="LIVE"), name="attempt_one_live"),
            models.CheckConstraint(condition=Q(state__in=AttemptState.values), name="attempt_state_known"),
            models.CheckConstraint(condition=~Q(state="EXPIRED") | ~Q(proof={}), name="attempt_expired_has_proof"),
            # TRON's bytes expire and are never replaced, EVM's are replaced and never expire: a mix-up could pay twice.
            models.CheckConstraint(
                condition=~Q(state="SUPERSEDED") | Q(expiration_ms=None), name="attempt_superseded_never_expires"
            ),
            models.CheckConstraint(
                condition=~Q(state="EXPIRED") | Q(expiration_ms__isnull=False), name="attempt_expired_had_expiration"
            ),
        ]

    def candidate(self) -> Candidate:
        """The attempt as a gateway needs it."""
        return Candidate(
            number=self.number,
            txid=self.txid,
            fees=self.fees,
            ref_number=self.ref_number,
            ref_hash=self.ref_hash,
            expiration_ms=self.expiration_ms,
            is_live=self.state == AttemptState.LIVE,
            signed_at=self.signed_at,
        )


class BroadcastAttempt(models.Model):
    """One sending of signed bytes to one endpoint, and what it answered; appended, never changed."""

    attempt = models.ForeignKey(SignedAttempt, on_delete=models.PROTECT, related_name="broadcasts")
    endpoint = models.CharField(max_length=200)  # host and port only: paths may carry a provider's key
    at = models.DateTimeField()
    accepted = models.BooleanField()
    answer = models.CharField(max_length=500)


class EndpointFault(models.TextChoices):
    """Why a node is put aside."""

    SILENT = "SILENT"  # no answer, or nothing that is one
    ERRS = "ERRS"  # refuses what others answer
    LAGS = "LAGS"  # its head is far behind the others'
    DISAGREES = "DISAGREES"  # tells a settled fact otherwise than another
    OTHER_CHAIN = "OTHER_CHAIN"  # speaks for another network


class EndpointHealth(models.Model):
    """A node that is put aside, for all processes; the row goes when the node is in good standing again."""

    network = models.CharField(max_length=32)
    endpoint = models.CharField(max_length=200)  # host and port only: paths may carry a provider's key
    fault = models.CharField(max_length=12, choices=EndpointFault)
    reason = models.CharField(max_length=500)
    since = models.DateTimeField()
    until = models.DateTimeField()  # from then on it is tried again

    class Meta:
        """One row per node."""

        constraints = [
            models.UniqueConstraint(fields=["network", "endpoint"], name="endpoint_health_once"),
            models.CheckConstraint(condition=Q(fault__in=EndpointFault.values), name="endpoint_fault_known"),
        ]


class Cost(models.Model):
    """What a decided transaction took from its wallet in the network's coin; appended with the verdict, booked once."""

    intent = models.ForeignKey(Intent, on_delete=models.PROTECT, related_name="costs")
    network = models.CharField(max_length=32)
    coin = models.CharField(max_length=16)
    txid = models.CharField(max_length=80)
    block_number = models.BigIntegerField()
    fee_units = UnitsField()  # the coin's smallest: wei, sun
    detail = models.JSONField()  # gas and its price, or energy and bandwidth
    at = models.DateTimeField()
    booked_at = models.DateTimeField(null=True, blank=True)  # when it came into the platform's book

    class Meta:
        """A transaction costs once."""

        constraints = [
            models.UniqueConstraint(fields=["network", "txid"], name="cost_once_per_transaction"),
            models.CheckConstraint(condition=Q(fee_units__gte=0), name="cost_not_negative"),
        ]
        indexes = [
            models.Index(fields=["network", "block_number"], name="cost_by_block"),
            models.Index(fields=["id"], condition=Q(booked_at=None), name="cost_to_book"),
        ]
