"""The ledger's tables as Django sees them: to be read here, written by the functions in migrations/sql alone."""

from django.db import models
from django.db.models import F, Q

from ledger.fields import UnitsField, XidField

UNITS_LIMIT = 10**77  # below it every amount of a 256-bit token fits and NaN (which PostgreSQL sorts last) does not


class Account(models.Model):
    """A balance, a projection of its events; `seq` counts them.

    What its parts must be is the trigger `account_rules`, see migrations/sql/account_rules.sql.

    The parts are unique because the id is made of them (rule `account_id_from_parts`). A unique constraint of their
    own would break the opening of accounts: ON CONFLICT waits at one index and would be refused at the other.
    """

    pk = models.CompositePrimaryKey("book", "id")
    book = models.UUIDField()
    id = models.UUIDField()
    owner = models.UUIDField()
    asset = models.TextField()
    purpose = models.TextField()
    network = models.TextField()
    balance = UnitsField()
    floor = UnitsField(null=True)
    seq = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="account_not_overdrawn",
                condition=Q(floor__isnull=True) | Q(balance__gte=F("floor")),
            ),
            models.CheckConstraint(
                name="credit_not_overpaid",
                condition=~Q(purpose="credit") | Q(balance__lte=0),
            ),
        ]


class Event(models.Model):
    """One movement from one account to another; never changed, never removed.

    Partitioned by the id. Each partition holds (book, source, source_seq) and (book, target, target_seq) to be unique.
    """

    pk = models.CompositePrimaryKey("book", "id")
    book = models.UUIDField()
    id = models.UUIDField()
    txn = models.UUIDField()
    kind = models.TextField()
    source = models.UUIDField()
    target = models.UUIDField()
    amount = UnitsField()
    source_seq = models.BigIntegerField()
    target_seq = models.BigIntegerField()
    source_balance = UnitsField()
    target_balance = UnitsField()
    reference = models.TextField()
    request_hash = models.BinaryField()
    data = models.JSONField()
    at = models.DateTimeField()
    xid = XidField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="event_amount_in_range",
                condition=Q(amount__gt=0, amount__lt=UNITS_LIMIT),
            ),
            models.CheckConstraint(name="event_two_accounts", condition=~Q(source=F("target"))),
        ]


class CreditLimitChange(models.Model):
    """Who set an account's credit limit, when, from what, to what; never changed, never removed."""

    pk = models.CompositePrimaryKey("book", "account", "number")
    book = models.UUIDField()
    account = models.UUIDField()
    number = models.BigIntegerField()
    old_floor = UnitsField()
    new_floor = UnitsField()
    by = models.TextField()
    at = models.DateTimeField()
    xid = XidField()


class Adjustment(models.Model):
    """What one person proposed to put right, and why; never changed, never removed."""

    pk = models.CompositePrimaryKey("book", "id")
    book = models.UUIDField()
    id = models.UUIDField()
    source = models.UUIDField()
    target = models.UUIDField()
    amount = UnitsField()
    reason = models.TextField()
    reference = models.TextField()
    by = models.TextField()
    at = models.DateTimeField()
    xid = XidField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="adjustment_amount_in_range",
                condition=Q(amount__gt=0, amount__lt=UNITS_LIMIT),
            ),
            models.CheckConstraint(name="adjustment_reasoned", condition=~Q(reason="") & ~Q(by="")),
        ]


class AdjustmentDecision(models.Model):
    """What another person decided about a proposed adjustment, once; never changed, never removed."""

    pk = models.CompositePrimaryKey("book", "adjustment")
    book = models.UUIDField()
    adjustment = models.UUIDField()
    verdict = models.TextField()
    proposed_by = models.TextField()
    by = models.TextField()
    at = models.DateTimeField()
    xid = XidField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="adjustment_verdict_known",
                condition=Q(verdict__in=["CONFIRMED", "DECLINED"]),
            ),
            models.CheckConstraint(
                name="adjustment_by_two_persons",
                condition=~Q(by="") & (Q(verdict="DECLINED") | ~Q(by=F("proposed_by"))),
            ),
        ]


class AccountLine(models.Model):
    """An account as people's screens list it: one key, because Django's admin takes no composite one."""

    key = models.TextField(primary_key=True)
    book = models.UUIDField()
    id = models.UUIDField("account")
    owner = models.UUIDField()
    asset = models.TextField()
    purpose = models.TextField()
    network = models.TextField()
    balance = UnitsField()
    floor = UnitsField(null=True)
    seq = models.BigIntegerField("events")

    class Meta:
        managed = False
        db_table = "ledger_account_line"
        verbose_name = "account"


class EventLine(models.Model):
    """An event as people's screens list it, with what its two accounts are for."""

    key = models.TextField(primary_key=True)
    book = models.UUIDField()
    id = models.UUIDField("event")
    txn = models.UUIDField()
    kind = models.TextField()
    asset = models.TextField()
    amount = UnitsField()
    source = models.UUIDField()
    source_purpose = models.TextField("from")
    source_seq = models.BigIntegerField()
    source_balance = UnitsField()
    target = models.UUIDField()
    target_purpose = models.TextField("to")
    target_seq = models.BigIntegerField()
    target_balance = UnitsField()
    reference = models.TextField()
    data = models.JSONField()
    at = models.DateTimeField()
    xid = XidField()

    class Meta:
        managed = False
        db_table = "ledger_event_line"
        verbose_name = "event"


class CreditLimitLine(models.Model):
    """A change of a credit limit as people's screens list it."""

    key = models.TextField(primary_key=True)
    book = models.UUIDField()
    account = models.UUIDField()
    number = models.BigIntegerField()
    old_floor = UnitsField()
    new_floor = UnitsField()
    by = models.TextField()
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "ledger_credit_limit_line"
        verbose_name = "credit limit change"


class AdjustmentLine(models.Model):
    """A proposed adjustment as people's screens list it, with its decision."""

    key = models.TextField(primary_key=True)
    book = models.UUIDField()
    id = models.UUIDField("adjustment")
    source = models.UUIDField()
    target = models.UUIDField()
    amount = UnitsField()
    reason = models.TextField()
    reference = models.TextField()
    by = models.TextField("proposed by")
    at = models.DateTimeField()
    verdict = models.TextField(null=True)  # noqa: DJ001 - a view's column: nobody has decided yet
    decided_by = models.TextField(null=True)  # noqa: DJ001 - the same
    decided_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_adjustment_line"
        verbose_name = "adjustment"


class Block(models.Model):
    """A seal over the events of a stretch of transactions and over the block before; never changed, never removed.

    It holds every event whose transaction is numbered from `xid_from` to before `xid_to`; when it was sealed,
    transactions from `xid_next` on had not begun.
    """

    number = models.BigIntegerField(primary_key=True)
    previous = models.BinaryField()
    xid_from = XidField()
    xid_to = XidField()
    xid_next = XidField()
    events = models.BigIntegerField()
    events_total = models.BigIntegerField()
    root = models.BinaryField()
    sealed_at = models.DateTimeField()
    hash = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="block_follows_once", fields=["previous"]),
            models.UniqueConstraint(name="block_ends_once", fields=["xid_to"]),
            models.CheckConstraint(
                name="block_is_a_stretch",
                condition=Q(number__gt=0, events__gt=0, events_total__gte=F("events"), xid_to__gt=F("xid_from"))
                & Q(xid_next__gte=F("xid_to")),
            ),
        ]


class Anchor(models.Model):
    """Where a block's hash was made public; never changed, never removed."""

    pk = models.CompositePrimaryKey("block", "network", "txid")
    block = models.BigIntegerField()
    network = models.TextField()
    txid = models.TextField()
    at = models.DateTimeField()
