"""Reads: balances and statements."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from ledger.accounts import FLOORLESS, Purpose, Ref
from ledger.models import Account


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
    return Balance(floor_units=None if ref.purpose in FLOORLESS else 0)


def balance(ref: Ref) -> Balance:
    """The account's balance now; zeros when it has not been opened."""
    row = Account.objects.filter(book=ref.book, id=ref.id).values_list("balance", "floor", "seq").first()
    return Balance(*row) if row else absent(ref)


def of(refs: Collection[Ref]) -> dict[Ref, Balance]:
    """The balances of some accounts, all at one moment; zeros for those that have not been opened."""
    ids = {ref.id: ref for ref in refs}
    rows = Account.objects.filter(book__in={ref.book for ref in refs}, id__in=ids)
    found = {row.id: Balance(row.balance, row.floor, row.seq) for row in rows}
    return {ref: found.get(ref_id) or absent(ref) for ref_id, ref in ids.items()}


def of_owners(book_id: UUID, owners: Collection[UUID], purposes: Collection[Purpose]) -> dict[Ref, Balance]:
    """The accounts of some owners in a book that have been opened, of every asset, all at one moment."""
    rows = Account.objects.filter(book=book_id, owner__in=owners, purpose__in=purposes)
    return {_ref(row): Balance(row.balance, row.floor, row.seq) for row in rows}


def book(book_id: UUID) -> list[tuple[Ref, Balance]]:
    """Every account of a book with its balance, in a stable order."""
    accounts = Account.objects.filter(book=book_id).order_by("asset", "purpose", "network", "owner")
    return [(_ref(row), Balance(row.balance, row.floor, row.seq)) for row in accounts]


def named(book_id: UUID, *, account: UUID) -> Ref:
    """The parts of an account that has been opened.

    Raises: Account.DoesNotExist.
    """
    return _ref(Account.objects.get(book=book_id, id=account))


def statement(
    ref: Ref,
    *,
    offset: int = 0,
    limit: int = 20,
    newest_first: bool = True,
    after_seq: int = 0,
    before_seq: int | None = None,
) -> Page:
    """A page of the account's events with its running balance.

    An account's sequence has no gaps, so a page is a range of it: the last page costs what the first does. `after_seq`
    and `before_seq` (neither included) are places that stay where they are while the account grows; the offset counts
    from the newest or the oldest entry between them.

    Raises: ValueError for a negative offset, limit or place.
    """
    if min(offset, limit, after_seq, before_seq or 0) < 0:
        raise ValueError(f"a page and its places count entries, not {offset=} {limit=} {after_seq=} {before_seq=}")
    total = balance(ref).seq
    lowest, highest = after_seq + 1, total if before_seq is None else min(total, before_seq - 1)
    if newest_first:
        last = highest - offset
        first = max(lowest, last - limit + 1)
    else:
        first = lowest + offset
        last = min(highest, first + limit - 1)
    entries = _entries(ref, first=first, last=last, from_the_end=2 * last > total) if first <= last else []
    return Page(entries[::-1] if newest_first else entries, total)


def _ref(row: Account) -> Ref:
    return Ref(book=row.book, owner=row.owner, asset=row.asset, purpose=Purpose(row.purpose), network=row.network)


# By the function that goes from partition to partition and stops when it has them all. An account's side of an event is
# told here and not there: an event knows both.
_ENTRIES = """
SELECT id, txn, kind, source = %(account)s, amount,
       CASE source WHEN %(account)s THEN source_balance ELSE target_balance END, reference, data, at,
       CASE source WHEN %(account)s THEN source_seq ELSE target_seq END AS seq
FROM ledger_entries(%(book)s, %(account)s, %(first)s, %(last)s, %(from_the_end)s) ORDER BY seq
"""


def _entries(ref: Ref, *, first: int, last: int, from_the_end: bool) -> list[Entry]:
    """A range of an account's sequence; the partitions are looked through from the end that is nearer."""
    names = {"book": ref.book, "account": ref.id, "first": first, "last": last, "from_the_end": from_the_end}
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, names)  # type: ignore[arg-type] # the stubs do not know that a UUID goes into a query
        return [_entry(row) for row in cursor.fetchall()]


def _entry(row: tuple[Any, ...]) -> Entry:
    event, txn, kind, leaves, amount, balance_after, reference, data, at, seq = row
    return Entry(
        event=event,
        txn=txn,
        kind=kind,
        direction=Direction.DEBIT if leaves else Direction.CREDIT,
        amount_units=int(amount),
        balance_after_units=int(balance_after),
        reference=reference,
        data=json.loads(data),
        at=at,
        seq=seq,
    )


def external_units(network: str, asset: str) -> int:
    """The sum over all books of the world outside on one network; its negative is what our wallets there must hold.

    Units: the asset's smallest ledger unit.
    """
    accounts = Account.objects.filter(purpose=Purpose.EXTERNAL, network=network, asset=asset)
    return int(accounts.aggregate(units=Sum("balance"))["units"] or 0)
