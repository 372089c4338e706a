"""Logging in to an API: short-lived access tokens, refresh tokens that work once, and a row that takes both back."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import jwt
import uuid_utils.compat as uuid7
from django.contrib.auth.models import User
from django.utils.crypto import constant_time_compare, salted_hmac

from payouts import prepared
from payouts.merchants.store_models import Login

ACCESS_LIFE = timedelta(minutes=15)
LIFE = timedelta(days=7)  # refreshing does not prolong it: a person types the password once a week
ALGORITHM = "HS256"
ISSUER = "sluice"
CLAIMS = ["iss", "aud", "sub", "jti", "exp"]


class TokenRefused(Exception):
    """The token is none of ours, has run out, was taken back or was used up."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login hands out; both are shown this once."""

    access: str
    refresh: str


def start(person: User, *, now: datetime) -> Tokens:
    """Open a login for somebody whose password was right; forget those of theirs that have run out."""
    Login.objects.filter(person=person, expires_at__lt=now).delete()
    login = Login.objects.create(
        person=person,
        refresh_id=uuid.uuid4(),
        password_state=person.get_session_auth_hash(),
        created_at=now,
        expires_at=now + LIFE,
    )
    return _tokens(login, now=now)


def refresh(token: str, *, now: datetime) -> Tokens:
    """Trade a refresh token for new tokens. One that was traded before ends its login: somebody else has a copy.

    Raises: TokenRefused.
    """
    claims = _claims(token, use="refresh", now=now)
    login = _standing(_OPEN.first(claims["sub"]), now=now)
    login.refresh_id = uuid.uuid4()
    unused = Login.objects.filter(id=login.id, refresh_id=claims["jti"], revoked_at=None)
    if unused.update(refresh_id=login.refresh_id) != 1:
        end(login, now=now)
        raise TokenRefused("the refresh token was used before")
    return _tokens(login, now=now)


def behind(token: str, *, now: datetime) -> Login:
    """The login that an access token speaks for, with its person, store and supervisor.

    Raises: TokenRefused.
    """
    claims = _claims(token, use="access", now=now)
    return _standing(_OPEN.shared(claims["sub"]), now=now)


def end(login: Login, *, now: datetime) -> None:
    """Take a login back; its tokens work no more."""
    Login.objects.filter(id=login.id, revoked_at=None).update(revoked_at=now)


def end_all(person: User, *, now: datetime) -> None:
    """Take back every login of one person."""
    Login.objects.filter(person=person, revoked_at=None).update(revoked_at=now)


_OPEN = prepared.Query(
    lambda login_id: Login.objects.filter(id=login_id, revoked_at=None, person__is_active=True).select_related(
        "person__store__merchant", "person__supervisor__store__merchant"
    ),
    UUID,
)


def _standing(login: Login | None, *, now: datetime) -> Login:
    if (
        login is None
        or login.expires_at <= now
        or not constant_time_compare(login.password_state, login.person.get_session_auth_hash())
    ):
        raise TokenRefused("the login has ended")
    return login


def _tokens(login: Login, *, now: datetime) -> Tokens:
    return Tokens(
        access=_signed(
            login, use="access", token_id=uuid7.uuid7(), expires_at=min(now + ACCESS_LIFE, login.expires_at)
        ),
        refresh=_signed(login, use="refresh", token_id=login.refresh_id, expires_at=login.expires_at),
    )


def _signed(login: Login, *, use: str, token_id: UUID, expires_at: datetime) -> str:
    claims = {"iss": ISSUER, "aud": use, "sub": str(login.id), "jti": str(token_id), "exp": int(expires_at.timestamp())}
    return jwt.encode(claims, _key(), algorithm=ALGORITHM)


def _claims(token: str, *, use: str, now: datetime) -> dict[str, Any]:
    """The token's claims, when we made it for this use and its time is not up.

    Raises: TokenRefused.
    """
    options: Any = {"require": CLAIMS, "verify_exp": False}  # its clock cannot be passed in: looked at below
    try:
        claims: dict[str, Any] = jwt.decode(
            token, _key(), algorithms=[ALGORITHM], audience=use, issuer=ISSUER, options=options
        )
    except jwt.InvalidTokenError as error:
        raise TokenRefused("not a valid token") from error
    if claims["exp"] <= now.timestamp():
        raise TokenRefused("the token has expired")
    return claims


@cache
def _key() -> bytes:
    """A key of its own under SECRET_KEY: what signs sessions signs no tokens."""
    return salted_hmac("payouts.merchants.logins", b"token", algorithm="sha256").digest()
