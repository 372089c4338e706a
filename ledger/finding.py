"""What people look for among millions of events, asked so that an index answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from ledger.models import Account, Event

SMALLEST = timedelta(seconds=1)
WIDER = 16
BEGINNING = datetime(2009, 1, 3, tzinfo=UTC)  # before any stablecoin moved
SHRINKS = 12  # halvings: from a week to two minutes
MANY = 500  # events that one reference or transaction means; more are counted out
CROWD = 20  # a stretch with so many times more than is asked for is halved


def asked_for(term: str) -> Q:
    """The events that a whole id or a whole reference means: a book's, an account's, a transaction's, one.

    It asks what an id is before it says what to look for: one condition on every column at once would be answered by
    reading all of them.
    """
    try:
        number = UUID(term)
    except ValueError:
        return _among(_find(term, None))
    if Account.objects.filter(book=number).exists():
        return Q(book=number)
    account = Account.objects.filter(id=number).values_list("book", flat=True).first()
    if account is not None:
        return Q(book=account) & (Q(source=number) | Q(target=number))
    return _among(_find(str(number), number))


def newest(events: QuerySet[Any], *, need: int, now: datetime) -> QuerySet[Any]:
    """The events of a stretch of time that ends now and holds at least so many of them; all, if there are no more.

    The index on `at` knows ranges and not an order, so that writing stays cheap: a long stretch would have to be sorted
    whole. Looking whether there are `need` events in a stretch stops at so many.
    """
    with steered():
        return _stretch(events, need=need, now=now)


@contextmanager
def steered() -> Iterator[None]:
    """By index, whatever the planner thinks.

    It takes a few rows anywhere in a table for rows everywhere in it, and would read from the first page on to find the
    newest, which are on the last; it does not know how much a Bloom filter leaves out.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off"
        )
        yield


def _stretch(events: QuerySet[Any], *, need: int, now: datetime) -> QuerySet[Any]:
    if not _holds(events, since=BEGINNING, need=CROWD * need):
        return events
    span, empty = SMALLEST, timedelta(0)
    while not _holds(events, since=now - span, need=need):
        empty, span = span, min(span * WIDER, now - BEGINNING)
    for _ in range(SHRINKS):
        if not _holds(events, since=now - span, need=CROWD * need):
            break
        middle = empty + (span - empty) / 2
        if _holds(events, since=now - middle, need=need):
            span = middle
        else:
            empty = middle
    return events.filter(at__gt=now - span)


def around(event: Any) -> QuerySet[Event]:
    """The events of the same transaction, this one too, in the order in which they happened."""
    return Event.objects.filter(_among(_find(None, event.txn)), book=event.book, txn=event.txn).order_by("at", "id")


def _find(reference: str | None, number: UUID | None) -> list[tuple[UUID, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT book, id FROM ledger_find(%s, %s, %s)", [reference, number, MANY])
        return list(cursor.fetchall())


def _among(keys: list[tuple[UUID, UUID]]) -> Q:
    return Q(book__in={book for book, _ in keys}, id__in={event for _, event in keys})


def _holds(events: QuerySet[Any], *, since: datetime, need: int) -> bool:
    stretch = events.order_by().filter(at__gt=since).values_list("id")
    return len(stretch[:need]) >= need
