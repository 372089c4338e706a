"""Reads of withdrawals; whatever a merchant may see is reached through the merchant."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval, Status, Withdrawal

IN_REVIEW = (Status.PENDING, Status.PENDING_REVIEW, Status.LEVEL1_APPROVED)


def of(merchant: Merchant, *, api: str | None = None) -> QuerySet[Withdrawal]:
    """The merchant's withdrawals, newest first; with `api` only those made through it."""
    rows = Withdrawal.objects.filter(merchant=merchant).order_by("-id")
    return rows if api is None else rows.filter(api=api)


def requests(
    merchant: Merchant, *, api: str, statuses: Collection[str] | None, start: int, limit: int
) -> list[Withdrawal]:
    """A page of what users asked the merchant for, newest first, with the users."""
    ids = of(merchant, api=api).filter(channel="request").values_list("id", flat=True)
    if statuses is not None:  # each status reads its own end of the index: a page costs what it is long
        first, *others = (ids.filter(status=one)[: start + limit] for one in statuses)
        ids = first.union(*others, all=True).order_by("-id") if others else first
    page = list(ids[start : start + limit])
    return list(Withdrawal.objects.filter(id__in=page).select_related("user_wallet").order_by("-id"))


def with_user(withdrawal_id: UUID) -> Withdrawal:
    """One withdrawal with the user it is for.

    Raises: Withdrawal.DoesNotExist.
    """
    return Withdrawal.objects.select_related("user_wallet").get(id=withdrawal_id)


def by_ids(withdrawal_ids: Sequence[UUID]) -> list[Withdrawal]:
    """These withdrawals, in this order."""
    rows = Withdrawal.objects.in_bulk(withdrawal_ids)
    return [rows[one] for one in withdrawal_ids]


def ids_in(status: Status, *, limit: int) -> list[UUID]:
    """The oldest withdrawals in one status."""
    return list(Withdrawal.objects.filter(status=status).order_by("id").values_list("id", flat=True)[:limit])


def to_screen(*, limit: int) -> list[UUID]:
    """The oldest new withdrawals that screening sorts; what policy leaves to the merchant waits for the merchant."""
    rows = Withdrawal.objects.filter(status=Status.PENDING).exclude(approval=Approval.MERCHANT)
    return list(rows.order_by("id").values_list("id", flat=True)[:limit])


def approved_pairs(*, networks: Collection[str]) -> list[tuple[str, str]]:
    """Network and asset of the approved withdrawals on these networks, each pair once."""
    rows = Withdrawal.objects.filter(status=Status.APPROVED, network__in=networks)
    return list(rows.order_by("network", "asset").values_list("network", "asset").distinct())


def approved_on() -> set[str]:
    """The networks on which approved withdrawals wait."""
    rows = Withdrawal.objects.filter(status=Status.APPROVED)
    return set(rows.order_by().values_list("network", flat=True).distinct())


def approved(network: str, asset: str, *, now: datetime) -> QuerySet[Withdrawal]:
    """Approved withdrawals of one asset on one network that are not held back, oldest first."""
    rows = Withdrawal.objects.filter(status=Status.APPROVED, network=network, asset=asset)
    return rows.filter(Q(held_until=None) | Q(held_until__lte=now)).order_by("id")
