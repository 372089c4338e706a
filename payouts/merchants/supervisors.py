"""Supervisors: people whom a store makes, gives flags to and switches off."""

import hmac
import secrets as randomness
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from payouts.merchants import logins
from payouts.merchants.store_models import Store, Supervisor

MOST = 200  # working ones per store
FLAGS = ("qr_active", "buy_usdt_active")


class EmailTaken(Exception):
    """A supervisor of this store has that email address."""


class TooMany(Exception):
    """The store has as many supervisors as any needs."""


class NotAllowed(Exception):
    """The supervisor's flag is off, or they are gone."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What a store lets a supervisor do; None leaves a flag as it is."""

    qr_active: bool | None = None
    buy_usdt_active: bool | None = None


def create(store: Store, *, name: str, email: str, now: datetime) -> Supervisor:
    """Make a supervisor, read-only until the store gives flags, with a user and an account of their own.

    Raises: EmailTaken, TooMany.
    """
    with transaction.atomic():
        Store.objects.select_for_update().get(id=store.id)  # counts and emails of one store stand still
        working = of(store)
        if working.filter(email__iexact=email).exists():
            raise EmailTaken(email)
        if working.count() >= MOST:
            raise TooMany(store.name)
        supervisor = Supervisor(store=store, name=name, email=email, created_at=now)
        username = f"supervisor-{randomness.token_hex(6)}"
        supervisor.person = User.objects.create_user(username, password=first_password(supervisor.id))
        supervisor.save(force_insert=True)
    return supervisor


def first_password(supervisor_id: UUID) -> str:
    """The password that a supervisor starts with: made from the id, so that a repeated create can show it again.

    It is at rest nowhere but as Django's hash of it.
    """
    context = b"supervisor's first password:" + supervisor_id.bytes
    return urlsafe_b64encode(hmac.digest(settings.KEY_PEPPER, context, "sha256")[:18]).decode()


def of(store: Store) -> QuerySet[Supervisor]:
    """The store's working supervisors, newest first."""
    return Supervisor.objects.filter(store=store, deleted_at=None).select_related("person").order_by("-id")


def set_flags(supervisor: Supervisor, flags: Flags) -> Supervisor:
    """Give or take what was named, and nothing else.

    Raises: Supervisor.DoesNotExist when they were deleted meanwhile.
    """
    with transaction.atomic():
        row = _held(supervisor.id)
        for flag in FLAGS:
            wanted = getattr(flags, flag)
            if wanted is not None:
                setattr(row, flag, wanted)
        row.save(update_fields=FLAGS)
    return row


def delete(supervisor: Supervisor, *, now: datetime) -> None:
    """Switch somebody off for good: the row stays for what they did, no token and no password works any more.

    Raises: Supervisor.DoesNotExist when they were deleted meanwhile.
    """
    with transaction.atomic():
        row = _held(supervisor.id)
        row.qr_active = row.buy_usdt_active = False
        row.deleted_at = now
        row.save(update_fields=[*FLAGS, "deleted_at"])
        User.objects.filter(pk=row.person_id).update(is_active=False)
        logins.end_all(row.person, now=now)


def hold_buyer(supervisor: Supervisor) -> None:
    """Make sure that the flag for extractions is on, and that it stays on until the transaction ends.

    Raises: NotAllowed.
    """
    rows = Supervisor.objects.select_for_update(of=("self",), no_key=True)
    if not rows.filter(id=supervisor.id, deleted_at=None, buy_usdt_active=True).exists():
        raise NotAllowed("buyUsdtActive is off")


def _held(supervisor_id: UUID) -> Supervisor:
    rows = Supervisor.objects.select_for_update(of=("self",)).select_related("person")
    return rows.get(id=supervisor_id, deleted_at=None)
