"""The same posting by Django's ORM, on the floor's tables, as the owner: what the one function saves."""

from typing import ClassVar
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from ledger.fields import UnitsField
from ledger.posting import Movement

HASH = bytes(32)


class FloorAccount(models.Model):
    """An account."""

    pk = models.CompositePrimaryKey("book", "id")
    book = models.UUIDField()
    id = models.UUIDField()
    purpose = models.TextField()
    asset = models.TextField()
    balance = UnitsField()
    floor = UnitsField(null=True)
    seq = models.BigIntegerField()

    objects: ClassVar[models.Manager["FloorAccount"]] = models.Manager()

    class Meta:
        managed = False
        app_label = "ledger"
        db_table = "floor_account"


class FloorEvent(models.Model):
    """An event."""

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
    xid = models.TextField()

    objects: ClassVar[models.Manager["FloorEvent"]] = models.Manager()

    class Meta:
        managed = False
        app_label = "ledger"
        db_table = "floor_event"


def post(movement: Movement, *, source: UUID, target: UUID) -> None:
    """Lock, look for a repeat, check, apply, write."""
    book = movement.source.book
    with transaction.atomic():
        locked = FloorAccount.objects.select_for_update().filter(book=book, id__in=[source, target]).order_by("id")
        accounts = {account.id: account for account in locked}
        if FloorEvent.objects.filter(book=book, id=movement.id).exists():
            return
        payer, payee = accounts[source], accounts[target]
        if payer.balance - movement.amount_units < payer.floor or payer.asset != payee.asset:
            raise ValueError("refused")
        payer.balance -= movement.amount_units
        payee.balance += movement.amount_units
        for account in (payer, payee):
            account.seq += 1
            account.save(update_fields=["balance", "seq"])
        FloorEvent.objects.create(
            book=book,
            id=movement.id,
            txn=movement.txn,
            kind=str(movement.kind),
            source=source,
            target=target,
            amount=movement.amount_units,
            source_seq=payer.seq,
            target_seq=payee.seq,
            source_balance=payer.balance,
            target_balance=payee.balance,
            reference=movement.reference,
            request_hash=HASH,
            data={},
            at=timezone.now(),
            xid="0",
        )
