"""What every route of the `public` API has in common: who calls, how often, and the envelope of a refusal."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payouts.api import base, ids, refusals, throttling
from payouts.api.public import auth, fields, wire
from payouts.merchants.models import ApiKey
from payouts.withdrawals import queries

FINANCIAL = throttling.RateLimit("30/15 minute")
STANDARD = throttling.RateLimit("100/15 minute")
GENERATE = throttling.RateLimit("20/15 minute")


refuse = refusals.handler(wire.error_of, wire.refusal)


class PublicView(APIView):
    """One endpoint; `limits` say how often each method may be called, by key, address and endpoint."""

    authentication_classes = [auth.Pair]
    parser_classes = [base.StrictJson]
    renderer_classes = [base.ExactJson]
    content_negotiation_class = base.AlwaysJson
    endpoint = ""
    limits: Mapping[str, throttling.RateLimit] = {}
    limit = STANDARD  # where `limits` has none
    allowance: throttling.Allowance | None = None

    def get_exception_handler(self) -> Any:
        """This API's envelope."""
        return refuse

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then count the call, whatever becomes of it."""
        super().initial(request, *args, **kwargs)
        if not isinstance(request.auth, ApiKey):
            raise exceptions.NotAuthenticated("apikey header is required")
        self.key = request.auth
        limit = self.limits.get(request.method or "", self.limit)
        method = "read" if request.method in SAFE_METHODS else "write"
        names = (wire.API, self.endpoint, method, str(self.key.id), request.META.get("REMOTE_ADDR", ""))
        try:
            limit.hit(*names, money=request.method not in SAFE_METHODS)
        finally:
            self.allowance = limit.allowance(*names)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say what is left."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.allowance is not None:
            for name, value in self.allowance.headers().items():
                answer[name] = value
        return answer

    def options(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - the framework's signature
        """The methods, in the Allow header."""
        return Response(status=204)

    def withdrawal_id(self, text: str, *, api: str | None = None) -> UUID:
        """The id in the text, when it is the merchant's own; foreign ids answer like absent ones.

        Raises: fields.Refused.
        """
        found = ids.parse(text)
        if found is None or not queries.of(self.key.merchant, api=api).filter(id=found).exists():
            raise fields.Refused(404, "Withdrawal not found")
        return found


class Unchecked(PublicView):
    """A route that asks nobody who they are."""

    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing to check."""


class PayoutCreate(Unchecked):
    """`/payout/create`: payouts are made in the dashboard, with a one-time code."""

    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Refuse.

        Raises: PermissionDenied.
        """
        raise exceptions.PermissionDenied("Payouts can only be created in the dashboard")


class NotFound(Unchecked):
    """Every other path."""

    schema = None  # no call that a document could offer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the framework's
        """Answer before anything is looked at.

        Raises: NotFound.
        """
        raise exceptions.NotFound("Not found")
