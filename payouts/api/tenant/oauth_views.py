"""The `tenant` API's OAuth2: tokens by client credentials (RFC 6749), and the merchant's applications."""

import hashlib
import json
from typing import Any

from oauth2_provider.oauth2_backends import get_oauthlib_core
from rest_framework import exceptions, parsers
from rest_framework.request import Request
from rest_framework.response import Response

from payouts.api import base, refusals
from payouts.api.tenant import fields, wire
from payouts.api.tenant.frame import TenantView, count
from payouts.merchants import oauth
from payouts.merchants.oauth_models import SCOPES, Application
from payouts.withdrawals import idempotency

APP_FIELDS = frozenset({"name", "scope"})
MOST_OF_A_NAME = 100


def _by_rfc(status_code: int, told: Any) -> dict[str, Any]:
    """`{error, error_description}`; what the RFC has no code for is an invalid request, or temporarily not served."""
    unavailable = status_code >= 500 or status_code == exceptions.Throttled.status_code  # noqa: PLR2004 - 5xx
    return {"error": "temporarily_unavailable" if unavailable else "invalid_request", "error_description": str(told)}


refuse = refusals.handler(lambda _error: None, _by_rfc)


class Token(TenantView):
    """`/o/token/`."""

    authentication_classes = []
    parser_classes = [parsers.FormParser]

    def get_exception_handler(self) -> Any:
        """Errors as RFC 6749 has them."""
        return refuse

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing to check before the body is read."""
        super(TenantView, self).initial(request, *args, **kwargs)

    def post(self, request: Request) -> Response:
        """Trade an application's id and secret for a token."""
        if len(base.raw_body(request)) > base.MAX_BODY_BYTES:
            raise base.TooLarge
        sent: Any = request.data
        if not sent:
            raise exceptions.ParseError("Request is missing its form-encoded body")
        if any("\x00" in value for value in sent.values()) or "resource" in sent:
            raise exceptions.ParseError("Unsupported parameter")
        who = sent.get("client_id") or request.headers.get("Authorization", "")
        count("token", request.META.get("REMOTE_ADDR", ""), hashlib.sha256(who.encode()).hexdigest(), money=False)
        _, headers, body, status_code = get_oauthlib_core().create_token_response(request._request)  # noqa: SLF001 - the library wants Django's request
        return Response(json.loads(body), status=status_code, headers=headers)


class Apps(TenantView):
    """`/o/apps/`."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """List the merchant's applications, without their secrets."""
        rows = [_shown(row) for row in oauth.of(self.merchant)]
        return Response({"applications": rows, "total": len(rows)})

    def post(self, request: Request) -> Response:
        """Make an application; its secret is shown this once.

        It may ask for what the caller's own token is good for and for nothing more.
        """
        body, now = base.body_of(request), base.now()

        def make() -> idempotency.Answer:
            fields.only(body, APP_FIELDS)
            name = fields.text(body, "name", most=MOST_OF_A_NAME)
            issued = oauth.issue(self.merchant, name=name, scopes=self._scopes(body), issued_to=self.application.user)
            return 201, _shown(issued.application)

        status_code, answer = idempotency.once(self.key(request, "/o/apps/"), make, now=now)
        # The secret joins after the answer was kept for a repeat: at rest it is nowhere but as its hash.
        return Response(answer | {"client_secret": oauth.secret_of(answer["client_id"])}, status=status_code)

    def _scopes(self, body: dict[str, Any]) -> list[str]:
        granted = self.token.scope.split()
        text = fields.optional_text(body, "scope", most=100)
        wanted = text.split() if text else ["read", "write"]
        for scope in wanted:
            if scope not in SCOPES:
                raise fields.Refused("invalid_request", f"scope must be some of: {' '.join(SCOPES)}")
            if scope not in granted:
                raise exceptions.PermissionDenied("An application cannot be given more than its maker's token has")
        return [scope for scope in SCOPES if scope in wanted]


class OneApp(TenantView):
    """`/o/apps/{id}/`."""

    def delete(self, request: Request, app_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Take an application away; its tokens end at once."""
        number = base.whole(app_id, default=0)
        found = oauth.of(self.merchant).filter(pk=number).first() if number else None
        if found is None:
            raise fields.Refused("not_found", "Application not found")
        oauth.remove(found)
        return Response(status=204)


def _shown(row: Application) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "client_id": row.client_id,
        "client_type": row.client_type,
        "authorization_grant_type": row.authorization_grant_type,
        "scope": " ".join(row.scopes),
        "created": wire.moment(row.created),
    }
