"""The people who approve: enrolling them with a right, a password and an authenticator."""

from base64 import b32encode
from dataclasses import dataclass

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

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
        return Enrolled(
            person, totp_secret(TOTPDevice.objects.create(user=person, name="authenticator", confirmed=True))
        )


def totp_secret(device: TOTPDevice) -> str:
    """The device's secret as authenticator programs take it: base32."""
    return b32encode(device.bin_key).decode()
