"""The `extraction` API's views: translate in, one core call, translate out."""

from typing import Any
from uuid import UUID

from axes.helpers import get_client_ip_address
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger import balances
from ledger.accounts import Purpose
from payouts.api import base, refusals, throttling
from payouts.api.extraction import auth, wire
from payouts.merchants import logins, stores, supervisors
from payouts.merchants.store_models import QrCode, Supervisor
from payouts.withdrawals import extractions, idempotency, short

PER_PERSON = throttling.RateLimit("60/minute")
PER_IP = throttling.RateLimit("300/minute")  # many shops may share one address; a name's wrong passwords axes counts
PAGE, LARGEST_PAGE = 20, 100
BOTH = frozenset({"store", "supervisor"})
STORE, SUPERVISOR = frozenset({"store"}), frozenset({"supervisor"})
refuse = refusals.handler(wire.error_of, wire.envelope)


class ApiView(APIView):
    """What every route of this API has in common."""

    authentication_classes: Any = []
    parser_classes = [base.StrictJson]
    renderer_classes = [base.ExactJson]
    content_negotiation_class = base.AlwaysJson
    limit = PER_IP
    counted: tuple[str, ...] = ()

    def get_exception_handler(self) -> Any:
        """This API's envelope."""
        return refuse

    def count(self, *names: str, money: bool) -> None:
        """Count the call.

        Raises: Throttled, base.Unavailable.
        """
        self.counted = names
        self.limit.hit(*names, money=money)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tell the caller what their window still allows."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        allowance = self.limit.allowance(*self.counted) if self.counted else None
        for name, value in allowance.headers().items() if allowance else ():
            answer[name] = value
        return answer

    def options(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - the framework's signature
        """The methods, in the Allow header."""
        return Response(status=204)


class Door(ApiView):
    """What is open to people who have no token yet: counted by address."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count the call; it moves no money, so it goes on without Redis."""
        super().initial(request, *args, **kwargs)
        self.count("extraction-door", str(get_client_ip_address(request)), money=False)


class Login(Door):
    """`/api/v1/auth/login`."""

    def post(self, request: Request) -> Response:
        """Trade a name and a password for tokens."""
        body = base.body_of(request)
        wire.only(body, "username", "password")
        username, password = wire.text_of(body, "username"), wire.text_of(body, "password")
        return Response(wire.tokens(auth.log_in(request, username=username, password=password)))


class Refresh(Door):
    """`/api/v1/auth/refresh`."""

    def post(self, request: Request) -> Response:
        """Trade a refresh token, once, for new tokens."""
        body = base.body_of(request)
        wire.only(body, "refreshToken")
        return Response(wire.tokens(logins.refresh(wire.text_of(body, "refreshToken"), now=base.now())))


class CallerView(ApiView):
    """A route for people with a token; `may` says which roles each method is for."""

    authentication_classes = [auth.BearerToken]
    limit = PER_PERSON
    may: dict[str, frozenset[str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate (401), count the call (429), then ask for the role (403)."""
        super().initial(request, *args, **kwargs)
        if not isinstance(request.auth, auth.Caller):
            raise exceptions.NotAuthenticated("missing bearer token")
        self.caller = request.auth
        self.count("extraction", str(self.caller.person.pk), money=request.method not in SAFE_METHODS)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if self.caller.role not in self.may.get(method, BOTH):
            raise exceptions.PermissionDenied(f"not for the role {self.caller.role}")

    def scope(self, request: Request, endpoint: str) -> idempotency.Scope | None:
        """The scope of the request's Idempotency-Key: keys are each person's own."""
        return base.idempotency_scope(
            request, endpoint=f"{endpoint} by {self.caller.person.pk}", merchant=self.caller.store.merchant
        )


class Logout(CallerView):
    """`/api/v1/auth/logout`."""

    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Take this login back: neither of its tokens works any more."""
        logins.end(self.caller.login, now=base.now())
        return Response(status=204)


class Extractions(CallerView):
    """`/api/v1/extraction/to-usdt`."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask for the supervisor's flag before anything of the request is looked at; the core asks again, locked."""
        super().initial(request, *args, **kwargs)
        supervisor = self.caller.supervisor
        if request.method == "POST" and supervisor is not None and not supervisor.buy_usdt_active:
            raise supervisors.NotAllowed

    def post(self, request: Request) -> Response:
        """Create: balance first, credit for the rest, both taken at once."""
        body, now = base.body_of(request), base.now()

        ways = short.Ways(
            wish=lambda: extractions.wish(wire.wanted(body, caller=self.caller)),
            create=lambda: extractions.create(wire.wanted(body, caller=self.caller), now=now),
            refusals=wire.REFUSALS,
        )
        scope = self.scope(request, "POST /api/v1/extraction/to-usdt")
        (status_code, answer), _ = short.once(scope, ways, lambda made: (201, wire.extraction(made)), now=now)
        return Response(wire.shown(answer), status=status_code)


class Account(CallerView):
    """`/api/v1/account/{id}`."""

    def get(self, request: Request, account_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """What the account holds and what its credit line still gives."""
        owner = wire.parse_id(account_id)
        currency = self._currency(owner) if owner else None
        if owner is None or currency is None:
            raise wire.Refused(404, "account not found")
        available, credit = (
            balances.balance(stores.account(self.caller.store, owner, currency, purpose))
            for purpose in (Purpose.AVAILABLE, Purpose.CREDIT)
        )
        return Response(wire.shown(wire.account(owner, currency, available=available, credit=credit)))

    def _currency(self, owner: UUID) -> str | None:
        """The currency of an account that the caller may see: the QR code's, their own, their supervisors'."""
        qr_code = QrCode.objects.filter(store=self.caller.store, account=owner).first()
        if qr_code is not None:
            return qr_code.currency
        rows = Supervisor.objects.filter(store=self.caller.store, account=owner, deleted_at=None)
        own = rows if self.caller.supervisor is None else rows.filter(id=self.caller.supervisor.id)
        return wire.ASSET if own.exists() else None


class Supervisors(CallerView):
    """`/api/v1/supervisor`."""

    may = {"GET": STORE, "POST": STORE}

    def get(self, request: Request) -> Response:
        """The store's supervisors, newest first."""
        page = base.whole(request.query_params.get("page"), default=1)
        limit = base.whole(request.query_params.get("limit"), default=PAGE)
        if not page or not limit:
            raise wire.Refused(400, "page and limit must be positive numbers")
        limit = min(limit, LARGEST_PAGE)
        rows = supervisors.of(self.caller.store)
        found = [wire.supervisor(row) for row in rows[(page - 1) * limit : page * limit]]
        return Response({"supervisors": found, "total": rows.count(), "page": page, "limit": limit})

    def post(self, request: Request) -> Response:
        """Make a supervisor, read-only for now; the password is shown in this answer alone."""
        body, now = base.body_of(request), base.now()

        def make() -> idempotency.Answer:
            name, email = wire.new_supervisor(body)
            return 201, wire.supervisor(supervisors.create(self.caller.store, name=name, email=email, now=now))

        status_code, answer = idempotency.once(self.scope(request, "POST /api/v1/supervisor"), make, now=now)
        # The password joins after the answer was kept for a repeat: it is at rest nowhere.
        password = supervisors.first_password(UUID(answer["id"]))
        return Response({**answer, "password": password}, status=status_code)


class OneSupervisor(CallerView):
    """`/api/v1/supervisor/{id}`."""

    may = {"GET": STORE, "PATCH": STORE, "DELETE": STORE}

    def get(self, request: Request, supervisor_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Retrieve."""
        return Response(wire.supervisor(self._found(supervisor_id)))

    def patch(self, request: Request, supervisor_id: str) -> Response:
        """Give or take flags; those that are not sent stay as they are."""
        row, body = self._found(supervisor_id), base.body_of(request)
        return Response(wire.supervisor(supervisors.set_flags(row, wire.flags(body))))

    def delete(self, request: Request, supervisor_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Switch somebody off for good."""
        supervisors.delete(self._found(supervisor_id), now=base.now())
        return Response(status=204)

    def _found(self, text: str) -> Supervisor:
        """The store's own supervisor; another store's answers like one that does not exist.

        Raises: wire.Refused.
        """
        found_id = wire.parse_id(text)
        row = supervisors.of(self.caller.store).filter(id=found_id).first() if found_id else None
        if row is None:
            raise wire.Refused(404, "supervisor not found")
        return row


class Me(CallerView):
    """`/api/v1/supervisor/me`."""

    may = {"GET": SUPERVISOR}

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """The supervisor's own record."""
        row = supervisors.of(self.caller.store).filter(person=self.caller.person).first()
        if row is None:
            raise wire.Refused(404, "supervisor not found")
        return Response(wire.supervisor(row))


class NotFound(ApiView):
    """Every other path."""

    schema = None  # no call that a document could offer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the framework's signature
        """Answer before anything is checked.

        Raises: NotFound.
        """
        raise exceptions.NotFound("not found")
