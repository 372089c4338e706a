"""What every route of the `tenant` API has in common: who calls, with which scopes, how often, a refusal's envelope."""

from typing import Any, cast

from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payouts.api import base, refusals, throttling
from payouts.api.tenant import auth, fields, wire
from payouts.merchants.models import Merchant
from payouts.merchants.oauth_models import Application
from payouts.withdrawals import idempotency

LIMITS = tuple(throttling.RateLimit(rule) for rule in ("100/minute", "1000/hour", "5000/day"))
READ_WRITE, READ, WRITE, ADMIN = ("read", "write"), ("read",), ("write",), ("admin",)
refuse = refusals.handler(wire.error_of, wire.refusal)


class TenantView(APIView):
    """One endpoint; `scopes` are what a token must have, all of them."""

    authentication_classes: Any = [auth.Bearer]
    parser_classes: Any = [base.StrictJson]
    renderer_classes = [base.ExactJson]
    content_negotiation_class = base.AlwaysJson
    scopes: tuple[str, ...] = READ_WRITE
    application: Application
    merchant: Merchant

    def get_exception_handler(self) -> Any:
        """This API's envelope."""
        return refuse

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, count the call whatever becomes of it, and look at the token's scopes."""
        super().initial(request, *args, **kwargs)
        self.token = cast("Any", request.auth)
        if self.token is None:
            raise exceptions.NotAuthenticated
        self.application = self.token.application
        self.merchant = self.application.merchant
        count(str(self.application.pk), money=request.method not in SAFE_METHODS)
        if not self.token.allow_scopes(self.scopes):
            raise exceptions.PermissionDenied(f"This needs the scopes: {' '.join(self.scopes)}")

    def options(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - the framework's signature
        """The methods, in the Allow header."""
        return Response(status=204)

    def key(self, request: Request, endpoint: str) -> idempotency.Scope | None:
        """The scope of the request's Idempotency-Key, or None without one."""
        return base.idempotency_scope(request, endpoint=f"POST {endpoint}", merchant=self.merchant)

    def page(self, request: Request, *, default: int) -> tuple[int, int]:
        """The limit (1 to 100) and offset of a list, from the query.

        Raises: fields.Refused.
        """
        return fields.page(request.query_params, default=default)


def count(*names: str, money: bool) -> None:
    """Count one call in every window.

    Raises: Throttled, Unavailable.
    """
    for limit in LIMITS:
        limit.hit(wire.API, *names, money=money)


class Unchecked(TenantView):
    """A route that asks nobody who they are."""

    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing to check."""


class Status(Unchecked):
    """`/status/`."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Say that the API is operational."""
        return Response({"status": "ok"})


class NotFound(Unchecked):
    """Every other path below this API's."""

    schema = None  # no call that a document could offer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the framework's
        """Answer before anything is looked at.

        Raises: NotFound.
        """
        raise exceptions.NotFound("Not found")
