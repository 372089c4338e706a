"""Which middlewares a request goes through: people's pages through all, programs' calls through the few that they need.

A program brings its key with every call. It has no session, no messages, no second factor and no page whose scripts
were to be policed; to look for them took longer than the rest of a call.
"""

import uuid
from typing import Any

import structlog
from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django_otp.middleware import OTPMiddleware
from django_structlog.middlewares import RequestMiddleware

from payouts.merchants import origins

PROGRAMS = ("/api/v1/", "/v1/", "/v2/")  # below which programs alone call
POLICY = "default-src 'none'; frame-ancestors 'none'"  # an answer in JSON shows nothing
log = structlog.get_logger(__name__)


def is_programs(request: HttpRequest) -> bool:
    """Whether the path is one of the APIs'."""
    return request.path_info.startswith(PROGRAMS)


class PeopleOnly:
    """A middleware that programs' calls pass by."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        """On with it, or through it."""
        return self.get_response(request) if is_programs(request) else super().__call__(request)  # type: ignore[misc]  # the middleware it is mixed into


class Sessions(PeopleOnly, SessionMiddleware):
    """Logins."""


class People(PeopleOnly, AuthenticationMiddleware):
    """Who is logged in."""


class SecondFactors(PeopleOnly, OTPMiddleware):  # type: ignore[misc]  # the library is untyped
    """Whether they have shown their second factor."""


class Messages(PeopleOnly, MessageMiddleware):
    """What the next page tells."""


class Policies(CSPMiddleware):
    """What a page may load."""

    def __call__(self, request: HttpRequest) -> Any:
        """Make a page's policy; an answer in JSON has always the same."""
        if not is_programs(request):
            return super().__call__(request)
        answer: Any = self.get_response(request)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer


class Requests(RequestMiddleware):
    """Every line of a request carries its id; a program's call is told in one line, when it has its answer."""

    def prepare(self, request: HttpRequest) -> None:
        """Give the request its id."""
        if not is_programs(request):
            super().prepare(request)
            return
        structlog.contextvars.bind_contextvars(request_id=str(uuid.uuid4()), ip=origins.address(request))

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Tell what was answered."""
        if not is_programs(request) or hasattr(request, "_raised_exception"):
            super().handle_response(request, response)
            return
        level = self._log_level_for_status_code(response.status_code)
        agent, path = request.META.get("HTTP_USER_AGENT"), request.get_full_path()
        log.log(
            level, "request_finished", code=response.status_code, request=f"{request.method} {path}", user_agent=agent
        )
        structlog.contextvars.clear_contextvars()
