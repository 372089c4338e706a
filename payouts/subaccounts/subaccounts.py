"""Making and finding sub-accounts."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from payouts.merchants.models import Merchant
from payouts.subaccounts.models import SubAccount

MOST = 10_000  # of one merchant


class ExternalIdTaken(Exception):
    """The merchant has a sub-account of that name."""


class TooMany(Exception):
    """The merchant has as many sub-accounts as anyone needs."""


def create(merchant: Merchant, *, name: str, external_id: str, now: datetime) -> SubAccount:
    """Make a sub-account with nothing in it.

    Raises: ExternalIdTaken, TooMany.
    """
    with transaction.atomic():
        Merchant.objects.select_for_update(of=("self",), no_key=True).get(
            id=merchant.id
        )  # counts and names stand still
        if external_id and of(merchant).filter(external_id=external_id).exists():
            raise ExternalIdTaken(external_id)
        if of(merchant).count() >= MOST:
            raise TooMany(merchant.name)
        return SubAccount.objects.create(
            merchant=merchant, name=name, external_id=external_id, created_at=now, updated_at=now
        )


def of(merchant: Merchant) -> QuerySet[SubAccount]:
    """The merchant's sub-accounts, oldest first."""
    return SubAccount.objects.filter(merchant=merchant).order_by("id")


def find(
    merchant: Merchant, *, number: int | None = None, account: UUID | None = None, external_id: str = ""
) -> SubAccount | None:
    """The merchant's sub-account by what is given of it; None also where it is another merchant's."""
    wanted = {"id": number, "account": account, "external_id": external_id or None}
    given = {name: value for name, value in wanted.items() if value is not None}
    return of(merchant).filter(**given).first() if given else None
