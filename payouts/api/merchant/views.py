"""The `merchant` API's views: translate in, one core call, translate out."""

from typing import Any
from uuid import UUID

from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger import balances
from ledger.accounts import Purpose, Ref
from payouts import doorbell
from payouts.api import base, refusals, throttling
from payouts.api.merchant import auth, wire
from payouts.merchants.models import ApiKey
from payouts.webhooks import endpoints, outbox
from payouts.webhooks import queries as webhook_queries
from payouts.webhooks.models import Endpoint
from payouts.withdrawals import counts, idempotency, queries, short, withdrawals
from payouts.withdrawals.advance import By

LIMIT = throttling.RateLimit("60/minute")
PAGE, LARGEST_PAGE = 20, 100
refuse = refusals.handler(wire.error_of, lambda _status, text: {"error": text})


class MerchantView(APIView):
    """What every route of this API has in common."""

    authentication_classes = [auth.SignedHeader]
    parser_classes = [base.StrictJson]
    content_negotiation_class = base.AlwaysJson

    def get_exception_handler(self) -> Any:
        """This API's envelope."""
        return refuse

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then count the call: 60 a minute per key."""
        super().initial(request, *args, **kwargs)
        if not isinstance(request.auth, ApiKey):
            raise exceptions.NotAuthenticated("missing authorization header")
        self.key = request.auth
        LIMIT.hit("merchant", str(self.key.id), money=request.method not in SAFE_METHODS)

    def options(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - the framework's signature
        """The methods, in the Allow header."""
        return Response(status=204)

    def page(self, request: Request) -> tuple[int, int]:
        """The limit (default 20, clamped to 100) and offset of a list.

        Raises: wire.Refused.
        """
        limit = base.whole(request.query_params.get("limit"), default=PAGE)
        offset = base.whole(request.query_params.get("offset"), default=0)
        if not limit:
            raise wire.Refused(400, "invalid limit")
        if offset is None:
            raise wire.Refused(400, "invalid offset")
        return min(limit, LARGEST_PAGE), offset

    def account(self, purpose: Purpose) -> Ref:
        """The merchant's main account of this purpose."""
        return Ref(book=self.key.merchant_id, owner=self.key.merchant_id, asset=wire.ASSET, purpose=purpose)

    def withdrawal_id(self, text: str) -> UUID:
        """The id behind a path's text, when it is the merchant's own; foreign ids answer like absent ones.

        Raises: wire.Refused.
        """
        found = wire.parse_id(text)
        if found is None or not queries.of(self.key.merchant, api=wire.API).filter(id=found).exists():
            raise wire.Refused(404, "withdrawal not found")
        return found


class Withdrawals(MerchantView):
    """`/v1/withdrawals`."""

    def get(self, request: Request) -> Response:
        """List, newest first."""
        limit, offset = self.page(request)
        rows = queries.of(self.key.merchant, api=wire.API)
        page = [wire.listed(row) for row in rows[offset : offset + limit]]
        return Response({"withdrawals": page, "total": counts.of(self.key.merchant, api=wire.API)})

    def post(self, request: Request) -> Response:
        """Create: the amount is frozen at once."""
        body, now = base.body_of(request), base.now()
        scope = base.idempotency_scope(request, endpoint="POST /v1/withdrawals", merchant=self.key.merchant)

        ways = short.Ways(
            wish=lambda: short.Wish(wire.order(body, key=self.key)),
            create=lambda: withdrawals.create(wire.order(body, key=self.key), now=now),
            refusals=wire.REFUSALS,
        )
        (status_code, answer), _ = short.once(scope, ways, lambda made: (201, wire.withdrawal(made)), now=now)
        return Response(answer, status=status_code)


class OneWithdrawal(MerchantView):
    """`/v1/withdrawals/{id}`."""

    def get(self, request: Request, public_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Retrieve."""
        row = queries.of(self.key.merchant).get(id=self.withdrawal_id(public_id))
        return Response(wire.withdrawal(row))


class Cancel(MerchantView):
    """`/v1/withdrawals/{id}/cancel`."""

    def post(self, request: Request, public_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Call it back, before PROCESSING only; the freeze is released."""
        by = By(self.key.key_id, self.key.issued_to, "cancelled by the merchant")
        return Response(wire.withdrawal(withdrawals.cancel(self.withdrawal_id(public_id), by=by, now=base.now())))


class Balance(MerchantView):
    """`/v1/balance`."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """What may be spent, and what is frozen for open withdrawals."""
        available, frozen = (balances.balance(self.account(one)) for one in (Purpose.AVAILABLE, Purpose.FROZEN))
        return Response(wire.balance(self.key.merchant_id, available=available, frozen=frozen))


class Transactions(MerchantView):
    """`/v1/transactions`."""

    def get(self, request: Request) -> Response:
        """The balance's statement, newest first."""
        limit, offset = self.page(request)
        page = balances.statement(self.account(Purpose.AVAILABLE), offset=offset, limit=limit, newest_first=True)
        entries = [wire.transaction(self.key.merchant_id, entry) for entry in page.entries]
        return Response({"transactions": entries, "total": page.total})


class Webhooks(MerchantView):
    """`/v1/webhooks`."""

    def get(self, request: Request) -> Response:
        """The registered URLs; the secret was shown when they were registered."""
        limit, offset = self.page(request)
        rows = webhook_queries.endpoints(self.key.merchant, api=wire.API)
        return Response(
            {"webhooks": [wire.registered(row) for row in rows[offset : offset + limit]], "total": rows.count()}
        )

    def post(self, request: Request) -> Response:
        """Register a URL for some events."""
        body, now = base.body_of(request), base.now()
        scope = base.idempotency_scope(request, endpoint="POST /v1/webhooks", merchant=self.key.merchant)

        def make() -> idempotency.Answer:
            url, events = wire.webhook_request(body)
            endpoint = endpoints.register(self.key.merchant, api=wire.API, url=url, events=events, now=now)
            return 201, wire.webhook(endpoint)

        status_code, answer = idempotency.once(scope, make, now=now)
        # The secret joins after the answer was kept for a repeat: secrets are at rest only sealed.
        secret = endpoints.secret_for(self.key.merchant, api=wire.API, now=now)
        return Response(answer | {"secret": secret}, status=status_code)


class WebhookSecret(MerchantView):
    """`/v1/webhooks/secret/rotate`."""

    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Make a new secret; for a day both sign."""
        secret = endpoints.rotate_secret(self.key.merchant, api=wire.API, now=base.now())
        return Response({"secret": secret})


class OneWebhook(MerchantView):
    """`/v1/webhooks/{id}`."""

    def get(self, request: Request, webhook_id: UUID) -> Response:  # noqa: ARG002 - the framework's signature
        """Retrieve, without the secret."""
        return Response(wire.registered(self._endpoint(webhook_id)))

    def delete(self, request: Request, webhook_id: UUID) -> Response:  # noqa: ARG002 - the framework's signature
        """Stop calling this URL; its log stays."""
        endpoints.remove(self._endpoint(webhook_id))
        return Response(status=204)

    def _endpoint(self, webhook_id: UUID, *, removed: bool = False) -> Endpoint:
        rows = webhook_queries.endpoints(self.key.merchant, api=wire.API, removed=removed)
        found = rows.filter(id=webhook_id).first()
        if found is None:
            raise wire.Refused(404, "webhook not found")
        return found

    def _active(self, webhook_id: UUID) -> Endpoint:
        found = self._endpoint(webhook_id)
        if not found.is_active:
            raise wire.Refused(409, f"webhook is disabled: {found.disabled_reason}")
        return found


class Deliveries(OneWebhook):
    """`/v1/webhooks/{id}/deliveries`."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, webhook_id: UUID) -> Response:
        """Every message for this URL with its attempts, newest first; also once the URL was removed."""
        limit, offset = self.page(request)
        endpoint = self._endpoint(webhook_id, removed=True)
        rows = webhook_queries.messages(endpoint)[offset : offset + limit]
        page = [wire.delivery(row, list(row.attempts.all())) for row in rows]
        return Response({"deliveries": page, "total": webhook_queries.count(endpoint)})


class Replay(OneWebhook):
    """`/v1/webhooks/{id}/deliveries/{delivery_id}/replay`."""

    http_method_names = ["post", "options"]

    def post(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:  # noqa: ARG002 - the framework's signature
        """Send a message again, from the start of its schedule, whatever became of it; its attempts stay in the log."""
        endpoint = self._active(webhook_id)
        message = webhook_queries.messages(endpoint).filter(id=delivery_id).first()
        if message is None:
            raise wire.Refused(404, "delivery not found")
        if not outbox.replay(message, now=base.now()):
            raise wire.Refused(409, "webhook is disabled")
        doorbell.ring("webhooks")
        message.refresh_from_db()
        return Response(wire.delivery(message, list(message.attempts.all())), status=202)


class TestEvent(OneWebhook):
    """`/v1/webhooks/{id}/test`."""

    http_method_names = ["post", "options"]

    def post(self, request: Request, webhook_id: UUID) -> Response:  # noqa: ARG002 - the framework's signature
        """Send a `webhook.test` event there."""
        message = outbox.test(self._active(webhook_id), now=base.now())
        doorbell.ring("webhooks")
        return Response({"id": str(message.id), "event": message.event}, status=202)


class NotFound(MerchantView):
    """Every other path below `/v1/`."""

    schema = None  # no call that a document could offer
    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the framework's
        """Answer before anything is checked.

        Raises: NotFound.
        """
        raise exceptions.NotFound("not found")
