"""What a merchant may withdraw at all: per payment, within a rolling window, and to which addresses.

The rows come first (`of`), so that where none fits nothing is locked or counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, Sum

from payouts import prepared
from payouts.merchants import book
from payouts.merchants.models import Merchant
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
    def book_only(self) -> bool:
        """Whether other addresses than the book's are refused."""
        return any(row.book_only for row in self.rows)


_FITTING = prepared.Query(
    lambda merchant_id, api, asset: LimitRule.objects.filter(
        Q(merchant_id=merchant_id) | Q(merchant=None), api__in=("", api), asset__in=("", asset)
    ).order_by("id"),
    *(UUID, str, str),
)


def of(merchant: Merchant, *, api: str, asset: str) -> Limits:
    """All rows that fit: the merchant's own and those for every merchant."""
    return Limits(_FITTING.rows(merchant.id, api, asset))


def check_destination(limits: Limits, merchant: Merchant, *, network: str, address: str, now: datetime) -> None:
    """Refuse what is not in the book where the merchant pays to nothing else.

    Raises: NotInAddressBook.
    """
    if limits.book_only and not book.holds(
        merchant, network=network, address=address, cool_down_hours=limits.cool_down_hours, now=now
    ):
        raise NotInAddressBook("this address is not in the address book, or its cool-down is not over")


def check_amount(limits: Limits, withdrawal: Withdrawal, *, now: datetime) -> None:
    """Compare a new withdrawal with its limits, in the transaction that makes it.

    Where a window is counted the merchant's creates take turns until that transaction ends: each sees what the ones
    before it made, so that of many at once exactly those pass that fit.

    Units: what leaves the balance, in the asset's ledger units.
    Raises: PaymentLimitExceeded, WindowLimitExceeded.
    """
    for row in limits.rows:
        if row.payment_units is not None and withdrawal.amount_units > row.payment_units:
            raise PaymentLimitExceeded("the amount is above the limit of one withdrawal")
    windows = [row for row in limits.rows if row.window_hours is not None]
    if windows:
        _take_turns(withdrawal.merchant)
    for row in windows:
        _check_window(row, withdrawal, now=now)


def _take_turns(merchant: Merchant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sluice.limits {merchant.id}"])


def _check_window(row: LimitRule, withdrawal: Withdrawal, *, now: datetime) -> None:
    counted = Withdrawal.objects.filter(
        merchant_id=withdrawal.merchant_id, created_at__gt=now - timedelta(hours=row.window_hours or 0)
    ).exclude(status__in=RETURNED)
    if row.api:
        counted = counted.filter(api=row.api)
    if row.asset:
        counted = counted.filter(asset=row.asset)
    so_far = counted.aggregate(number=Count("id"), units=Sum("amount_units", default=0))
    if row.window_count is not None and so_far["number"] + 1 > row.window_count:
        raise WindowLimitExceeded(f"more than {row.window_count} withdrawals within {row.window_hours} h")
    if row.window_units is not None and so_far["units"] + withdrawal.amount_units > row.window_units:
        raise WindowLimitExceeded(f"the limit of {row.window_hours} h is reached")
