"""OAuth2 for merchants' programs: making applications, finding tokens, and what django-oauth-toolkit asks us for."""

import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import BasePasswordHasher
from django.contrib.auth.models import User
from django.db.models import QuerySet
from oauth2_provider.models import get_access_token_model
from oauth2_provider.scopes import SettingsScopes

from payouts import prepared
from payouts.merchants import tokens
from payouts.merchants.models import Merchant
from payouts.merchants.oauth_models import Application

MOST = 100  # applications of one merchant


class TooMany(Exception):
    """The merchant has as many applications as anyone needs."""


class Peppered(BasePasswordHasher):
    """How a client secret is kept: one HMAC under the pepper, since 32 random bytes need no slow hash."""

    algorithm = "peppered"

    def encode(self, password: str, salt: str) -> str:
        """`peppered$salt$hex`."""
        return f"{self.algorithm}${salt}${tokens.hashed(f'{salt}:{password}').hex()}"

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the secret; in constant time."""
        return hmac.compare_digest(self.encode(password, encoded.split("$")[1]), encoded)

    def decode(self, encoded: str) -> dict[str, Any]:
        """The parts."""
        algorithm, salt, hashed = encoded.split("$")
        return {"algorithm": algorithm, "salt": salt, "hash": hashed}

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """What may be shown of it."""
        return {"algorithm": self.decode(encoded)["algorithm"]}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: there are no rounds."""


class Scopes(SettingsScopes):  # type: ignore[misc]  # the library is untyped
    """What an application may ask for stands in its row."""

    def get_available_scopes(
        self,
        application: Application | None = None,
        request: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> list[str]:
        """The application's scopes."""
        if application is None:
            return list(super().get_available_scopes(application, request, *args, **kwargs))
        return list(application.scopes)

    def get_default_scopes(
        self,
        application: Application | None = None,
        request: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> list[str]:
        """What a request that names none gets: the usual ones, as far as the application has them."""
        usual = super().get_default_scopes(application, request, *args, **kwargs)
        return [scope for scope in usual if application is None or scope in application.scopes]


@dataclass(frozen=True, slots=True)
class Issued:
    """An application and its secret, which is shown this once."""

    application: Application
    secret: str


def issue(merchant: Merchant, *, name: str, scopes: Sequence[str], issued_to: User | None = None) -> Issued:
    """Make an application of the merchant's, inside a transaction of the caller's or its own.

    Raises: TooMany.
    """
    if of(merchant).count() >= MOST:
        raise TooMany(merchant.name)
    client_id = randomness.token_hex(20)
    secret = secret_of(client_id)
    application = Application.objects.create(
        merchant=merchant,
        name=name,
        scopes=list(scopes),
        user=issued_to,
        client_id=client_id,
        client_secret=secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    return Issued(application, secret)


def secret_of(client_id: str) -> str:
    """The secret that an application starts with: made from its id, so that a repeated create can show it again.

    It is at rest nowhere but as its hash.
    """
    context = b"oauth client secret:" + client_id.encode("ascii")
    return hmac.digest(settings.KEY_PEPPER, context, "sha256").hex()


def of(merchant: Merchant) -> QuerySet[Application]:
    """The merchant's applications, newest first."""
    rows: QuerySet[Application] = Application.objects.filter(merchant=merchant).order_by("-id")
    return rows


def remove(application: Application) -> None:
    """Take an application away; its tokens end with it, what it did stays attributed to its client id."""
    application.delete()


_TOKEN = prepared.Query(
    lambda checksum: (
        get_access_token_model()
        .objects.select_related("application__merchant", "application__user")
        .filter(token_checksum=checksum)
    ),
    str,
)


def token(text: str) -> Any | None:
    """The token that this text is, when it is one of an application's and has not expired, or None."""
    found: Any = _TOKEN.first(hashlib.sha256(text.encode("ascii")).hexdigest())
    return found if found is not None and found.application_id is not None and not found.is_expired() else None
