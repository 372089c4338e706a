"""What a merchant may withdraw at all: per payment, within a rolling window, and to which addresses.

The rows come first, so that where none fits nothing is locked or counted.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Sum

from payouts.merchants import book as book_room
from payouts.merchants.models import Merchant
from payouts.withdrawals import rulebook
from payouts.withdrawals.models import Status, Withdrawal
from payouts.withdrawals.rule_models import LimitRule

RETURNED = (Status.FAILED, Status.CANCELLED, Status.REJECTED)  # their amounts count no more: they went back


class PaymentLimitExceeded(Exception):
    """The amount is above what one withdrawal may be."""


class WindowLimitExceeded(Exception):
    """With this one, more would leave within the window than may."""


class NotInAddressBook(Exception):
    """The merchant pays to addresses of its book alone, and this is none, or not yet."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The rows that a withdrawal must keep."""

    rows: Sequence[LimitRule]

    @property
    def cool_down_hours(self) -> int:
        """How long an address of the book has to wait; the longest counts."""
        return max((row.cool_down_hours for row in self.rows), default=0)

    @property
    def payment_units(self) -> int | None:
        """What one withdrawal may be at most, its fee included; None where no row says so."""
        return min((int(row.payment_units) for row in self.rows if row.payment_units is not None), default=None)

    @property
    def book_only(self) -> bool:
        """Whether other addresses than the book's are refused."""
        return any(row.book_only for row in self.rows)


def of(merchant: Merchant, *, api: str, asset: str, sheet: rulebook.Sheet | None = None) -> Limits:
    """All rows that fit: the merchant's own and those for every merchant."""
    rows = (sheet or rulebook.Sheet(merchant, api)).limits
    return Limits([row for row in rows if row.asset in ("", asset)])


def check_destination(limits: Limits, merchant: Merchant, *, network: str, address: str, now: datetime) -> None:
    """Refuse what is not in the book where the merchant pays to nothing else.

    Raises: NotInAddressBook.
    """
    if limits.book_only and not book_room.holds(
        merchant, network=network, address=address, cool_down_hours=limits.cool_down_hours, now=now
    ):
        raise NotInAddressBook("this address is not in the address book, or its cool-down is not over")


def book(limits: Limits, merchant: Merchant, *, now: datetime) -> frozenset[tuple[str, str]]:
    """Network and address of everything in the merchant's book whose cool-down is over."""
    rows = book_room.ready(merchant, cool_down_hours=limits.cool_down_hours, now=now)
    return frozenset(rows.values_list("network", "address"))


def check_destinations(
    limits: Limits, merchant: Merchant, places: AbstractSet[tuple[str, str]], *, now: datetime
) -> None:
    """The same of many, each a network and an address.

    Raises: NotInAddressBook.
    """
    if limits.book_only and not places <= book(limits, merchant, now=now):
        raise NotInAddressBook("an address is not in the address book, or its cool-down is not over")


def check_amount(limits: Limits, withdrawal: Withdrawal, *, now: datetime) -> None:
    """Compare a new withdrawal with its limits, in the transaction that makes it.

    Raises: what check_amounts() does.
    """
    check_amounts(limits, [withdrawal], now=now)


def check_amounts(limits: Limits, withdrawals: Sequence[Withdrawal], *, now: datetime) -> None:
    """Compare new withdrawals of one merchant, API and asset with their limits, in the transaction that makes them.

    Where a window is counted the merchant's creates take turns until that transaction ends: each sees what the ones
    before it made, so that of many at once exactly those pass that fit.

    Units: what leaves the balance, in the asset's ledger units.
    Raises: PaymentLimitExceeded, WindowLimitExceeded.
    """
    if not withdrawals:
        return
    most_units = limits.payment_units
    if most_units is not None and any(row.amount_units > most_units for row in withdrawals):
        raise PaymentLimitExceeded("the amount is above the limit of one withdrawal")
    windows = [row for row in limits.rows if row.window_hours is not None]
    if windows:
        _take_turns(withdrawals[0].merchant)
    for row in windows:
        _check_window(row, withdrawals, now=now)


def _take_turns(merchant: Merchant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sluice.limits {merchant.id}"])


def _check_window(row: LimitRule, withdrawals: Sequence[Withdrawal], *, now: datetime) -> None:
    counted = Withdrawal.objects.filter(
        merchant_id=withdrawals[0].merchant_id, created_at__gt=now - timedelta(hours=row.window_hours or 0)
    ).exclude(status__in=RETURNED)
    if row.api:
        counted = counted.filter(api=row.api)
    if row.asset:
        counted = counted.filter(asset=row.asset)
    so_far = counted.aggregate(number=Count("id"), units=Sum("amount_units", default=0))
    if row.window_count is not None and so_far["number"] + len(withdrawals) > row.window_count:
        raise WindowLimitExceeded(f"more than {row.window_count} withdrawals within {row.window_hours} h")
    amount_units = sum(int(one.amount_units) for one in withdrawals)
    if row.window_units is not None and so_far["units"] + amount_units > row.window_units:
        raise WindowLimitExceeded(f"the limit of {row.window_hours} h is reached")
