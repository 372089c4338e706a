"""What moves payments without anybody's asking: a transfer in a block, one that was taken back, the time."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from chain import incoming
from chain.failpoints import committing
from chain.models import Follower
from payouts.payments import payment_steps, payments
from payouts.payments.payment_models import Payment, Status

VERBS = {Status.WAITING: "expire", Status.PARTIALLY_PAID: "fall_short"}


def look(*, now: datetime, limit: int) -> int:
    """Take the steps that are due; how many were taken."""
    return (
        _step(_seen(limit=limit), lambda _payment: "see", now=now)
        + _step(_forgotten(limit=limit), lambda _payment: "forget", now=now)
        + _step(_expired(limit=limit), lambda payment: VERBS.get(Status(payment.status), "expire"), now=now)
    )


def _step(ids: Collection[UUID], verb: Callable[[Payment], str], *, now: datetime) -> int:
    """Whoever has moved on meanwhile is left where it is."""
    if not ids:
        return 0
    taken = 0
    with committing("payment_look"):
        taking = payments.Taking(now=now)
        for payment in payments.locked(ids).values():
            wanted = verb(payment)
            if payment.status in payment_steps.STEPS[wanted].source:
                taking.take(payment, wanted)
                taken += 1
        taking.write()
    return taken


def _seen(*, limit: int) -> list[UUID]:
    found = incoming.seen().values_list("recipient", flat=True)
    return _ids(Payment.objects.filter(status=Status.WAITING, address__in=found), limit=limit)


def _forgotten(*, limit: int) -> list[UUID]:
    return _ids(Payment.objects.filter(~_on_its_way(), status=Status.CONFIRMING), limit=limit)


def _expired(*, limit: int) -> list[UUID]:
    """By the chain's clock: every block up to the time is final and read, and nothing of it is on its way.

    A network that nobody reads lets no payment expire.
    """
    ids: list[UUID] = []
    for follower in Follower.objects.all():  # first how far it is read, then what came in up to there
        rows = Payment.objects.filter(
            ~_on_its_way(), network=follower.network, expires_at__lt=follower.final_at, status__in=[*VERBS]
        )
        ids += _ids(rows, limit=limit)
    return ids


def _on_its_way() -> Exists:
    rows = incoming.unbooked().filter(network=OuterRef("network"), recipient=OuterRef("address"))
    return Exists(rows)


def _ids(rows: QuerySet[Payment], *, limit: int) -> list[UUID]:
    return list(rows.order_by("id").values_list("id", flat=True)[:limit])
