"""Who is calling the `extraction` API: `Authorization: Bearer <access token>` of a store's or a supervisor's person."""

import re
from dataclasses import dataclass

from django.contrib.auth import authenticate
from django.contrib.auth.models import User, update_last_login
from django.contrib.auth.signals import user_login_failed
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from payouts.api import base
from payouts.merchants import logins
from payouts.merchants.store_models import Login, Store, Supervisor

HEADER = re.compile(r"(?i:Bearer) +(?P<token>[A-Za-z0-9_.-]{1,2000})", re.ASCII)
LONGEST_NAME, LONGEST_PASSWORD = 150, 1000


class BadCredentials(Exception):
    """Unknown name, wrong password, or a person who is neither a store's nor a supervisor: all the same answer."""


class LockedOut(Exception):
    """Too many wrong passwords for this name from this address lately."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose login it is and the store that they act for; `supervisor` is None for the store's own."""

    login: Login
    store: Store
    supervisor: Supervisor | None

    @property
    def person(self) -> User:
        """Who logged in."""
        return self.login.person

    @property
    def role(self) -> str:
        """`store` or `supervisor`."""
        return "store" if self.supervisor is None else "supervisor"


class BearerToken(authentication.BaseAuthentication):
    """Checks the header; the caller becomes `request.auth`, the person `request.user`.

    A token says who somebody is and nothing else: role and flags are read anew each time.
    """

    def authenticate(self, request: Request) -> tuple[User, Caller]:
        """The person and the caller.

        Raises: AuthenticationFailed.
        """
        header = request.headers.get("Authorization")
        if not header:
            raise exceptions.AuthenticationFailed("missing bearer token")
        parts = HEADER.fullmatch(header)
        if parts is None:
            raise exceptions.AuthenticationFailed("invalid bearer token")
        try:
            login = logins.behind(parts["token"], now=base.now())
        except logins.TokenRefused as error:
            raise exceptions.AuthenticationFailed("invalid or expired token") from error
        role = _role(login.person)
        if role is None:
            raise exceptions.AuthenticationFailed("invalid or expired token")
        base.check_origin(request, role[0].merchant)
        return login.person, Caller(login, *role)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """Makes a refusal 401."""
        return "Bearer"


def log_in(request: Request, *, username: str, password: str) -> logins.Tokens:
    """Trade a name and a password for tokens; wrong ones are counted by django-axes, as at the admin's door.

    Raises: BadCredentials, LockedOut.
    """
    plain = request._request  # noqa: SLF001 - axes marks Django's request
    if len(username) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
        raise BadCredentials
    person = authenticate(plain, username=username, password=password)
    if isinstance(person, User) and _role(person) is None:
        # An approver, say: that the password was right is not told, and it counts as wrong.
        user_login_failed.send(sender=__name__, credentials={"username": username}, request=plain)
        person = None
    if getattr(plain, "axes_locked_out", False):
        plain.axes_locked_out = False  # type: ignore[attr-defined]  # else axes' middleware answers with its own page
        raise LockedOut
    if not isinstance(person, User):
        raise BadCredentials
    update_last_login(None, person)  # type: ignore[arg-type]  # it asks for no sender
    return logins.start(person, now=base.now())


def _role(person: User) -> tuple[Store, Supervisor | None] | None:
    """The store that the person acts for, and as what; None for anybody else's person."""
    store, supervisor = getattr(person, "store", None), getattr(person, "supervisor", None)
    if store is not None:
        return store, None
    return None if supervisor is None or supervisor.deleted_at else (supervisor.store, supervisor)
