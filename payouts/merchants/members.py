"""The people of a merchant: who may do what in the dashboard, and how somebody joins."""

import secrets as randomness
from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from payouts.merchants import logins
from payouts.merchants.models import Member, Merchant

# fmt: off
MAY: Mapping[str, frozenset[str]] = {  # what each role may
    Member.Role.VIEWER: frozenset({"view"}),
    Member.Role.PAYER:  frozenset({"view", "pay"}),
    Member.Role.ADMIN:  frozenset({"view", "pay", "administer"}),
}
# fmt: on
MOST = 500  # per merchant


class NameTaken(Exception):
    """Somebody has that username."""


class TooMany(Exception):
    """The merchant has as many people as any needs."""


class LastAdministrator(Exception):
    """Without this person nobody could administer the merchant."""


def may(member: Member, right: str) -> bool:
    """Whether the member's role holds a right: view, pay or administer."""
    return right in MAY[member.role]


def of(merchant: Merchant) -> QuerySet[Member]:
    """The merchant's people, those who were switched off last."""
    rows = Member.objects.filter(merchant=merchant).select_related("person")
    return rows.order_by("-person__is_active", "person__username")


def acting(person: User) -> Member | None:
    """The membership by which somebody who is neither switched off nor one of the platform's acts, or None."""
    if not person.is_active or person.is_staff or person.is_superuser:
        return None
    return Member.objects.select_related("merchant", "person").filter(person_id=person.pk).first()


def invite(merchant: Merchant, *, username: str, role: str) -> Member:
    """Make somebody who chooses a password by the link that `invitation` gives.

    Raises: NameTaken, TooMany.
    """
    try:
        with transaction.atomic():
            Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)
            if Member.objects.filter(merchant=merchant).count() >= MOST:
                raise TooMany(merchant.name)
            # A password that nobody knows, so that the account is like any other: locked out, reset, switched off.
            person = User.objects.create_user(username, password=randomness.token_urlsafe(32))
            return Member.objects.create(merchant=merchant, person=person, role=role)
    except IntegrityError as error:
        raise NameTaken(username) from error


def invitation(member: Member) -> str:
    """What opens the page on which somebody chooses a password: for three days, until one is chosen or a login."""
    return default_token_generator.make_token(member.person)


def set_role(member: Member, role: str) -> None:
    """Give somebody another role.

    Raises: LastAdministrator.
    """
    with transaction.atomic():
        row = _held(member)
        if role != Member.Role.ADMIN:
            _leave_one(row)
        row.role = role
        row.save(update_fields=["role"])


def switch(member: Member, *, on: bool, now: datetime) -> None:
    """Switch somebody off, or on again; what they did stays theirs.

    Raises: LastAdministrator.
    """
    with transaction.atomic():
        row = _held(member)
        if not on:
            _leave_one(row)
        User.objects.filter(pk=row.person_id).update(is_active=on)
        logins.end_all(row.person, now=now)


def _held(member: Member) -> Member:
    """The row as it is now; the merchant's people are changed one at a time, so that two cannot remove each other."""
    Merchant.objects.select_for_update(no_key=True).get(id=member.merchant_id)
    return Member.objects.select_related("person").get(id=member.id, merchant_id=member.merchant_id)


def _leave_one(member: Member) -> None:
    others = Member.objects.filter(merchant_id=member.merchant_id, role=Member.Role.ADMIN, person__is_active=True)
    if member.role == Member.Role.ADMIN and member.person.is_active and not others.exclude(id=member.id).exists():
        raise LastAdministrator(member.person.get_username())
