"""What waits for whom: the approvers' queue as the database sees it."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Min, Q, QuerySet

from payouts.withdrawals import decisions, sheet, steps
from payouts.withdrawals.models import Status, Withdrawal

# What each level's verb starts from, by the state table.
AT_LEVEL: dict[int, tuple[Status, ...]] = {level: steps.STEPS[f"approve_l{level}"].source for level in (1, 2)}


@dataclass(frozen=True, slots=True)
class Heap:
    """How many withdrawals are together in some state, since when, and how the queue shows them."""

    title: str
    number: int
    oldest: str
    query: str


def levels(person: User | AnonymousUser) -> list[int]:
    """The levels that this person may approve."""
    return [level for level, right in decisions.PERMISSIONS.items() if person.has_perm(right)]


def at_level(rows: QuerySet[Withdrawal], level: int) -> QuerySet[Withdrawal]:
    """Those that wait for one level's yes."""
    return rows.filter(status__in=AT_LEVEL[level])


def for_person(rows: QuerySet[Withdrawal], person: User | AnonymousUser) -> QuerySet[Withdrawal]:
    """Those that this person may say yes to: their levels, less what they made or approved themselves."""
    statuses = [status for level in levels(person) for status in AT_LEVEL[level]]
    return rows.filter(status__in=statuses).exclude(Q(maker=person.pk) | Q(level1_by=person.pk))


def summary(person: User | AnonymousUser, *, now: datetime) -> list[Heap]:
    """The heaps of the front page, what waits for this person first."""
    rows = Withdrawal.objects.all()
    return [
        _heap("Waiting for you", for_person(rows, person), "", now),
        _heap("Waiting for level 1", at_level(rows, 1), "?waiting=1", now),
        _heap("Waiting for level 2", at_level(rows, 2), "?waiting=2", now),
        _heap("Approved, not sent", rows.filter(status=Status.APPROVED), "?waiting=all&status=APPROVED", now),
        _heap("Processing", rows.filter(status=Status.PROCESSING), "?waiting=all&status=PROCESSING", now),
    ]


def _heap(title: str, rows: QuerySet[Withdrawal], query: str, now: datetime) -> Heap:
    found = rows.aggregate(number=Count("id"), first=Min("created_at"))
    return Heap(title, found["number"], sheet.age(now - found["first"]) if found["first"] else "", query)
