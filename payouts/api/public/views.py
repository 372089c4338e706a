"""The `public` API's views on withdrawals: translate in, one core call, translate out."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError
from rest_framework.request import Request
from rest_framework.response import Response

from payouts.api import base
from payouts.api.public import auth, fields, wire
from payouts.api.public.frame import FINANCIAL, STANDARD, PublicView
from payouts.merchants.models import ApiKey
from payouts.withdrawals import counts, ends, idempotency, queries, short, snapshots, withdrawals
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Withdrawal

PAGE, LARGEST_PAGE = 20, 100
IN_FLIGHT_S = 10  # what a create may take beside its wait, before its worker is taken for dead
Seen = Mapping[str, Any]


class CreateWithdrawal(PublicView):
    """`/public/user/withdrawal/create`."""

    limit, endpoint = FINANCIAL, "user/withdrawal/create"

    def post(self, request: Request) -> Response:
        """Pay a user: approved by nobody, executed at once, answered when it has ended or the wait is over."""
        scope = base.idempotency_scope(request, endpoint=f"POST {self.endpoint}", merchant=self.key.merchant)
        kept, is_new = _made(scope, base.body_of(request), key=self.key, channel="create", now=base.now())
        if "answered" in kept:
            return self.told(kept["answered"])
        if not is_new and _in_flight(kept):
            raise idempotency.StillInFlight(kept["seen"]["id"])
        seen = _seen_in_the_end(kept["seen"])
        idempotency.keep(scope, (201, kept | {"answered": dict(seen)}))
        return self.told(seen)

    def told(self, seen: Seen) -> Response:
        """The answer to what was seen."""
        data = wire.outcome(seen)
        return Response(wire.success(f"Withdrawal {data['status']}", data), status=201)


def _made(
    scope: idempotency.Scope | None, body: dict[str, Any], *, key: ApiKey, channel: str, now: datetime
) -> tuple[dict[str, Any], bool]:
    """What is kept of the withdrawal, and whether it was made by this very call."""

    def order() -> withdrawals.Order:
        return wire.order(body, key=key, channel=channel, now=now)

    ways = short.Ways(
        wish=lambda: None if body.get("callbackUrl") else short.Wish(order()),  # a URL of its own is written down first
        create=lambda: withdrawals.create(order(), now=now),
        refusals=wire.REFUSALS,
    )
    (_, kept), is_new = short.once(scope, ways, _kept, now=now)
    return kept, is_new


def _kept(made: Withdrawal) -> idempotency.Answer:
    """What a repeat is answered from: what was seen when it was made, which is the answer where nobody waits."""
    seen = snapshots.of(made)
    return 201, {"seen": seen} if settings.WITHDRAWAL_WAIT_S > 0 else {"seen": seen, "answered": seen}


def _in_flight(kept: dict[str, Any]) -> bool:
    """Whether the first call may still be waiting; a worker that died while it did has left no answer."""
    begun = datetime.fromisoformat(kept["seen"]["created_at"])
    return base.now() < begun + timedelta(seconds=settings.WITHDRAWAL_WAIT_S + IN_FLIGHT_S)


def _seen_in_the_end(seen: Seen) -> Seen:
    """The withdrawal as it is once it has ended, or when the wait is over."""
    withdrawal_id = UUID(seen["id"])
    try:
        if settings.WITHDRAWAL_WAIT_S > 0:
            ends.listener.wait(withdrawal_id, seconds=settings.WITHDRAWAL_WAIT_S)
        return snapshots.of(queries.with_user(withdrawal_id))
    except (OperationalError, InterfaceError):  # it is made, and that much can be said without the database
        return seen


class Requests(PublicView):
    """`/public/withdrawal-requests`."""

    limits = {"GET": STANDARD, "POST": FINANCIAL}
    endpoint = "withdrawal-requests"

    def get(self, request: Request) -> Response:
        """List what users asked for, newest first."""
        status = request.query_params.get("status")
        if status is not None and status not in wire.SHOWN.values():
            raise fields.Refused(400, f"status must be one of: {', '.join(dict.fromkeys(wire.SHOWN.values()))}")
        page, limit = self.page(request)
        statuses = [one for one, shown in wire.SHOWN.items() if status in (None, shown)]
        start = (page - 1) * limit
        some = None if status is None else statuses
        rows = queries.requests(self.key.merchant, api=wire.API, statuses=some, start=start, limit=limit)
        items = [wire.withdrawal(snapshots.of(row)) for row in rows]
        total = counts.requests(self.key.merchant, statuses=statuses)
        data = wire.page("withdrawals", items, number=page, limit=limit, total=total)
        return Response(wire.success("Withdrawal requests", data))

    def page(self, request: Request) -> tuple[int, int]:
        """The page (from 1) and its size (default 20, clamped to 100).

        Raises: fields.Refused.
        """
        page = base.whole(request.query_params.get("page"), default=1)
        limit = base.whole(request.query_params.get("limit"), default=PAGE)
        if not page:
            raise fields.Refused(400, "page must be a positive number")
        if not limit:
            raise fields.Refused(400, "limit must be a positive number")
        return page, min(limit, LARGEST_PAGE)

    def post(self, request: Request) -> Response:
        """Ask for a withdrawal: the merchant decides, or has decided beforehand."""
        scope = base.idempotency_scope(request, endpoint=f"POST {self.endpoint}", merchant=self.key.merchant)
        kept, _ = _made(scope, base.body_of(request), key=self.key, channel="request", now=base.now())
        data = wire.withdrawal(kept["seen"])
        return Response(wire.success("Withdrawal request created", data), status=201)


class Decision(PublicView):
    """`/public/withdrawal-requests/{id}/approve` and `…/reject`."""

    authentication_classes = [auth.WholePair]
    limit = FINANCIAL
    verb: Callable[..., Withdrawal]
    word = ""

    def post(self, request: Request, public_id: str) -> Response:
        """Decide."""
        fields.only(base.body_of(request), frozenset())
        withdrawal_id = self.withdrawal_id(public_id, api=wire.API)
        if wire.shown_status(snapshots.of(queries.with_user(withdrawal_id))) != "pending":
            raise fields.Refused(400, f"Only pending withdrawals can be {self.word}")
        by = By(self.key.key_id, self.key.issued_to, "" if self.word == "approved" else "rejected by the merchant")
        decided = type(self).verb(withdrawal_id, by=by, now=base.now())
        return Response(wire.success(f"Withdrawal {self.word}", wire.withdrawal(snapshots.of(decided))))


class Approve(Decision):
    """`…/approve`."""

    verb, word, endpoint = withdrawals.merchant_approve, "approved", "withdrawal-requests/approve"


class Reject(Decision):
    """`…/reject`."""

    verb, word, endpoint = withdrawals.merchant_reject, "rejected", "withdrawal-requests/reject"


class GetPayout(PublicView):
    """`/public/payout/get?id=`."""

    limit, endpoint = STANDARD, "payout/get"

    def get(self, request: Request) -> Response:
        """Any payout or withdrawal of the merchant's, whichever way it was made."""
        text = request.query_params.get("id")
        if not text:
            raise fields.Refused(400, "id is required")
        seen = snapshots.of(queries.with_user(self.withdrawal_id(text)))
        return Response(wire.success("Payout details", wire.withdrawal(seen)))
