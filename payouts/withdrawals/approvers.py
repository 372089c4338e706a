"""The people who approve: enrolling them with a right, a password and an authenticator."""

from dataclasses import dataclass

from django.contrib.auth.models import Permission, User
from django.db import transaction

from payouts.merchants import authenticators
from payouts.withdrawals.decisions import PERMISSIONS


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A person and the authenticator's secret, which is shown this once."""

    person: User
    totp_secret: str


def enrol(username: str, *, level: int, password: str) -> Enrolled:
    """Make an approver of one level."""
    app_label, codename = PERMISSIONS[level].split(".")
    with transaction.atomic():
        person = User.objects.create_user(username, password=password, is_staff=True)
        rights = Permission.objects.filter(
            content_type__app_label=app_label, codename__in=[codename, "view_withdrawal"]
        )
        person.user_permissions.set(rights)
        return Enrolled(person, authenticators.secret(authenticators.enrol(person)))
