"""The `invoice` API's views: translate in, one core call, translate out."""

from typing import Any

from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chain.assets import ASSETS
from ledger import balances
from ledger.accounts import Purpose, Ref
from payouts.api import base, refusals, throttling
from payouts.api.invoice import auth, wire
from payouts.merchants.models import ApiKey
from payouts.withdrawals import short, withdrawals

INTERVAL = throttling.RateLimit("1/12 second")
READS = throttling.RateLimit("60/minute")
refuse = refusals.handler(wire.error_of, wire.envelope)


class InvoiceView(APIView):
    """What every route of this API has in common."""

    authentication_classes: Any = []
    parser_classes = [base.StrictJson]
    renderer_classes = [base.ExactJson]
    content_negotiation_class = base.AlwaysJson
    limit = READS
    moves_money = False
    allowance: throttling.Allowance | None = None

    def get_exception_handler(self) -> Any:
        """This API's envelope."""
        return refuse

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then count the request, whatever becomes of it; one that comes too early counts for nothing."""
        super().initial(request, *args, **kwargs)
        if not isinstance(request.auth, ApiKey):
            raise exceptions.AuthenticationFailed
        self.key = request.auth
        if request.method == "POST":
            names = (wire.API, str(self.key.id))
            try:
                self.limit.hit(*names, money=self.moves_money)
            finally:
                self.allowance = self.limit.allowance(*names)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say what is left."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.allowance.headers().items() if self.allowance else ():
            answer[name] = value
        return answer

    def options(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - the framework's signature
        """The methods, in the Allow header."""
        return Response(status=204)


class Create(InvoiceView):
    """`/v2/invoice/api/out/create`."""

    authentication_classes = [auth.WithdrawalKey]
    limit = INTERVAL
    moves_money = True

    def post(self, request: Request) -> Response:
        """Create: the amount is frozen at once."""
        body, now = base.body_of(request), base.now()
        scope = base.idempotency_scope(request, endpoint="POST /v2/invoice/api/out/create", merchant=self.key.merchant)

        ways = short.Ways(
            wish=lambda: short.Wish(wire.order(body, key=self.key)),
            create=lambda: withdrawals.create(wire.order(body, key=self.key), now=now),
            refusals=wire.REFUSALS,
        )
        (status_code, result), _ = short.once(scope, ways, lambda made: (200, wire.created(made)), now=now)
        return Response(wire.success(result), status=status_code)


class Balances(InvoiceView):
    """`/v2/merchant/wallet/balance/all`."""

    authentication_classes = [auth.ShopKey]

    def post(self, request: Request) -> Response:
        """What the merchant has, under each of the forty codes; no document gives the body a meaning."""
        base.body_of(request)
        book = self.key.merchant_id
        refs = [Ref(book, book, asset, purpose) for asset in ASSETS for purpose in (Purpose.AVAILABLE, Purpose.FROZEN)]
        return Response(wire.balances(balances.of(refs)))


class NotFound(InvoiceView):
    """Every other path below `/v2/`."""

    schema = None  # no call that a document could offer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the framework's
        """Answer before anything is checked.

        Raises: NotFound.
        """
        raise exceptions.NotFound("not found")
