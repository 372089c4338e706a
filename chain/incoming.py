"""What came in, for whoever books it: pulled here, and marked in the transaction that books it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from chain.arrivals import ArrivalState, Incoming


class NotToCollect(Exception):
    """It is not confirmed, or somebody has collected it."""


def to_collect(*, limit: int) -> list[UUID]:
    """What is confirmed and in nobody's books yet, oldest block first."""
    rows = waiting().order_by("block_at", "network", "txid", "index")
    return list(rows.values_list("id", flat=True)[:limit])


def locked(ids: Collection[UUID]) -> list[Incoming]:
    """Those of them that still wait, their rows locked until the transaction ends, oldest block first."""
    rows = {row.id: row for row in waiting().select_for_update().filter(id__in=ids).order_by("id")}
    return sorted(rows.values(), key=lambda row: (row.block_at, row.network, row.txid, row.index))


def collect(ids: Collection[UUID], *, now: datetime) -> None:
    """Mark these as taken over, in the transaction that does so.

    Raises: NotToCollect, also when one of them was collected by somebody else.
    """
    rows = waiting().filter(id__in=ids)
    if rows.update(collected_at=now) != len(ids):
        raise NotToCollect(f"not all of {len(ids)} arrivals wait to be collected")


def seen() -> QuerySet[Incoming]:
    """What is in a block that may still be taken back."""
    return Incoming.objects.filter(state=ArrivalState.SEEN)


def unbooked() -> QuerySet[Incoming]:
    """What was seen or is confirmed, and is in nobody's books yet."""
    return Incoming.objects.filter(collected_at=None)


def waiting() -> QuerySet[Incoming]:
    """What is confirmed and in nobody's books yet."""
    return Incoming.objects.filter(state=ArrivalState.CONFIRMED, collected_at=None)
