"""Reads: balances and statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from ledger.accounts import Purpose, Ref
from ledger.models import Account, Event


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds, how low it may go (None: as low as it likes), and its number of events."""

    balance_units: int = 0
    floor_units: int | None = 0
    seq: int = 0

    @property
    def spendable_units(self) -> int | None:
        """What may leave the account now; None when it has no floor."""
        return None if self.floor_units is None else self.balance_units - self.floor_units


class Direction(StrEnum):
    """Which side of the movement an account stands on."""

    CREDIT = "CREDIT"
    DEBIT = "DEBIT"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as one of its two accounts sees it."""

    event: UUID
    txn: UUID
    kind: str
    direction: Direction
    amount_units: int
    balance_after_units: int
    reference: str
    data: Mapping[str, Any]
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of an account's statement, and how many entries there are in all."""

    entries: list[Entry]
    total: int


def absent(ref: Ref) -> Balance:
    """The balance of an account that nobody has used yet."""
    return Balance(floor_units=None if ref.purpose in (Purpose.FEES, Purpose.EXTERNAL) else 0)


def balance(ref: Ref) -> Balance:
    """The account's balance now; zeros when it has not been opened."""
    row = Account.objects.filter(book=ref.book, id=ref.id).values_list("balance", "floor", "seq").first()
    return Balance(*row) if row else absent(ref)


def book(book_id: UUID) -> list[tuple[Ref, Balance]]:
    """Every account of a book with its balance, in a stable order."""
    accounts = Account.objects.filter(book=book_id).order_by("asset", "purpose", "network", "owner")
    return [
        (
            Ref(book=row.book, owner=row.owner, asset=row.asset, purpose=Purpose(row.purpose), network=row.network),
            Balance(row.balance, row.floor, row.seq),
        )
        for row in accounts
    ]


def statement(ref: Ref, *, offset: int = 0, limit: int = 20, newest_first: bool = True) -> Page:
    """A page of the account's events with its running balance.

    An account's sequence has no gaps, so a page is a range of it: the last page costs what the first does.

    Raises: ValueError for a negative offset or limit.
    """
    if offset < 0 or limit < 0:
        raise ValueError(f"offset and limit count entries, not {offset} and {limit}")
    total = balance(ref).seq
    first, last = (total - offset - limit + 1, total - offset) if newest_first else (offset + 1, offset + limit)
    account = ref.id
    rows = Event.objects.filter(
        Q(source=account, source_seq__range=(first, min(last, total)))
        | Q(target=account, target_seq__range=(first, min(last, total))),
        book=ref.book,
    )
    entries = sorted((_entry(row, account) for row in rows), key=lambda entry: entry.seq, reverse=newest_first)
    return Page(entries, total)


def _entry(row: Event, account: UUID) -> Entry:
    leaves = row.source == account
    return Entry(
        event=row.id,
        txn=row.txn,
        kind=row.kind,
        direction=Direction.DEBIT if leaves else Direction.CREDIT,
        amount_units=row.amount,
        balance_after_units=row.source_balance if leaves else row.target_balance,
        reference=row.reference,
        data=row.data,
        at=row.at,
        seq=row.source_seq if leaves else row.target_seq,
    )


def external_units(network: str, asset: str) -> int:
    """The sum over all books of the world outside on one network; its negative is what our wallets there must hold.

    Units: the asset's smallest ledger unit.
    """
    accounts = Account.objects.filter(purpose=Purpose.EXTERNAL, network=network, asset=asset)
    return int(accounts.aggregate(units=Sum("balance"))["units"] or 0)
