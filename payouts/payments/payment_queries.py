"""Reads of payments; whatever a merchant may see is reached through the merchant."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from payouts.merchants.models import Merchant
from payouts.payments.payment_models import Deposit, Payment


@dataclass(frozen=True, slots=True)
class Filter:
    """Which payments; what is empty limits nothing."""

    status: str = ""
    asset: str = ""
    network: str = ""
    owner: UUID | None = None
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list, and how long the whole of it is."""

    payments: list[Payment]
    total: int


def find(merchant: Merchant, payment_id: UUID) -> Payment | None:
    """The merchant's payment; None also where it is another merchant's."""
    return Payment.objects.filter(merchant=merchant, id=payment_id).first()


def page(merchant: Merchant, wanted: Filter, *, offset: int, limit: int) -> Page:
    """The merchant's payments, newest first."""
    asked = {
        "status": wanted.status,
        "asset": wanted.asset,
        "network": wanted.network,
        "owner": wanted.owner,
        "order_id": wanted.order_id,
    }
    rows = Payment.objects.filter(merchant=merchant, **{name: value for name, value in asked.items() if value})
    return Page(list(rows.order_by("-id")[offset : offset + limit]), rows.count())


def deposits(payment: Payment) -> QuerySet[Deposit]:
    """The transfers that paid it, oldest first."""
    return Deposit.objects.filter(payment=payment, status=Deposit.Status.CREDITED).order_by("block_at", "id")
