"""The kinds of keys that a merchant's programs prove themselves with: how each is made, listed and taken back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from payouts.merchants import keys, oauth, oauth_models, pairs, tokens
from payouts.merchants.models import ApiKey, Merchant
from payouts.merchants.oauth_models import Application


@dataclass(frozen=True, slots=True)
class Made:
    """A new key and what its owner has to keep, by the names that the APIs' documents use."""

    key: Any
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as a list shows it; nothing in it is secret."""

    name: str
    kind: str
    public_id: str
    made_by: str
    made_at: datetime
    is_active: bool
    is_application: bool = False


def _signing(merchant: Merchant, person: User) -> Made:
    issued = keys.issue(merchant, api="merchant", issued_to=person)
    return Made(issued.key, {"Key id": issued.key.key_id, "Secret": issued.secret})


def _pair(merchant: Merchant, person: User) -> Made:
    pair = pairs.issue(merchant, api="public", issued_to=person)
    return Made(pair.key, {"apikey": pair.apikey, "x-api-secret": pair.api_secret})


def _withdrawal(merchant: Merchant, person: User) -> Made:
    issued = tokens.issue(merchant, api="invoice", use=tokens.WITHDRAWAL, issued_to=person)
    return Made(issued.key, {"Token": issued.token})


def _shop(merchant: Merchant, person: User) -> Made:
    issued = tokens.issue(merchant, api="invoice", use=tokens.SHOP, issued_to=person)
    return Made(issued.key, {"Token": issued.token})


def _application(merchant: Merchant, person: User) -> Made:
    issued = oauth.issue(
        merchant, name=f"made by {person.get_username()}", scopes=oauth_models.SCOPES, issued_to=person
    )
    return Made(issued.application, {"client_id": issued.application.client_id, "client_secret": issued.secret})


# fmt: off
KINDS: Mapping[str, tuple[str, Callable[[Merchant, User], Made]]] = {
    "merchant":           ("Merchant API: key id and secret",           _signing),
    "public":             ("Public API: apikey and x-api-secret",       _pair),
    "invoice-withdrawal": ("Invoice API: the key that withdraws",       _withdrawal),
    "invoice-shop":       ("Invoice API: the shop's, for balances",     _shop),
    "tenant":             ("Tenant API: client id and secret", _application),
}
# fmt: on
TITLES = {kind: title for kind, (title, _) in KINDS.items()}
APPLICATION = "tenant"  # the one kind that is no ApiKey


def make(merchant: Merchant, *, kind: str, person: User) -> Made:
    """Make a key of this kind; who made it may not approve what it asks for.

    Raises: oauth.TooMany.
    """
    return KINDS[kind][1](merchant, person)


def kind_of(key: ApiKey) -> str:
    """Which kind a key is."""
    if key.api != "invoice":
        return str(key.api)
    return "invoice-withdrawal" if key.key_id.startswith(tokens.WITHDRAWAL) else "invoice-shop"


def of(merchant: Merchant) -> list[Listed]:
    """The merchant's keys of every kind, the working ones first, the newest first."""
    found = [_key(row) for row in ApiKey.objects.filter(merchant=merchant).select_related("issued_to")]
    found += [_app(row) for row in oauth.of(merchant).select_related("user")]
    return sorted(found, key=lambda one: (one.is_active, one.made_at), reverse=True)


def find(merchant: Merchant, public_id: str) -> Listed | None:
    """One of the merchant's working keys by its public id, or None."""
    return next((one for one in of(merchant) if one.public_id == public_id and one.is_active), None)


def revoke(merchant: Merchant, key: Listed) -> None:
    """Take a key back: no call with it is answered from now on."""
    if key.is_application:
        for application in oauth.of(merchant).filter(client_id=key.public_id):
            oauth.remove(application)
    else:
        ApiKey.objects.filter(merchant=merchant, key_id=key.public_id).update(is_active=False)


def _key(row: ApiKey) -> Listed:
    by = row.issued_to.get_username() if row.issued_to else "–"
    kind = kind_of(row)
    return Listed(TITLES.get(kind, kind), kind, row.key_id, by, row.created_at, row.is_active)


def _app(row: Application) -> Listed:
    by = row.user.get_username() if row.user else "–"
    title = f"{TITLES[APPLICATION]}: {row.name}" if row.name else TITLES[APPLICATION]
    return Listed(title, APPLICATION, row.client_id, by, row.created, True, is_application=True)
