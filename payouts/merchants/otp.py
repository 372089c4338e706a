"""One-time codes: what a person was shown, confirmed once by a code that works once (DESIGN §5)."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import django_otp
from django.contrib.auth.models import User
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from chain.failpoints import committing
from payouts.merchants import authenticators
from payouts.merchants.models import Challenge

CODE = re.compile(r"[0-9]{6}", re.ASCII)  # django-otp itself would take full-width digits
RECOVERY = re.compile(rf"[{authenticators.RECOVERY_ALPHABET}]{{{authenticators.RECOVERY_LENGTH}}}", re.ASCII)
CHALLENGE_LIFE = timedelta(minutes=10)


class OtpRefused(Exception):
    """The code is missing, malformed, wrong, used before, or confirms something else."""


def challenge(person: User, *, purpose: str, payload_hash: bytes, now: datetime) -> Challenge:
    """Remember what this person is being shown, before asking for the code."""
    return Challenge.objects.create(
        person=person,
        purpose=purpose,
        payload_hash=payload_hash,
        created_at=now,
        expires_at=now + CHALLENGE_LIFE,
    )


def confirm(challenge_id: UUID, *, person: User, code: str, now: datetime) -> None:
    """Check the code in a transaction of its own, so that a refusal still counts for the throttle.

    Raises: OtpRefused.
    """
    _check_form(code)
    mine = Challenge.objects.filter(
        id=challenge_id,
        person=person,
        confirmed_at__isnull=True,
        expires_at__gt=now,
    )
    if not mine.exists():
        raise OtpRefused("this confirmation has expired or was used: open the page again")
    device = authenticators.of(person)
    if device is None:
        raise OtpRefused("no authenticator is enrolled for this person")
    use_up(device, person=person, code=code)
    if mine.update(confirmed_at=now) != 1:
        raise OtpRefused("this confirmation was used already")


def spend(challenge_id: UUID, *, person: User, purpose: str, payload_hash: bytes, now: datetime) -> None:
    """Use a confirmed challenge for the one thing that it confirms; call it inside that thing's transaction.

    Raises: OtpRefused when it was not confirmed, was spent, or confirms something else.
    """
    spent = Challenge.objects.filter(
        id=challenge_id,
        person=person,
        purpose=purpose,
        payload_hash=payload_hash,
        confirmed_at__isnull=False,
        spent_at__isnull=True,
        expires_at__gt=now,
    ).update(spent_at=now)
    if spent != 1:
        raise OtpRefused("the code confirmed something else than what is there now")


def check(person: User, *, code: str) -> Device:
    """Take a code for a login: it confirms nothing but who is there.

    Raises: OtpRefused.
    """
    _check_form(code)
    device = authenticators.of(person)
    if device is None:
        raise OtpRefused("no authenticator is enrolled for this person")
    return use_up(device, person=person, code=code)


def use_up(device: Device, *, person: User, code: str) -> Device:
    """Have a device check a code in a transaction of its own, so that a refusal still counts for the throttle.

    Raises: OtpRefused.
    """
    if not device.verify_is_allowed()[0]:
        raise OtpRefused("there were wrong codes: wait a little before the next try")
    with committing("confirm"):
        verified = django_otp.verify_token(person, device.persistent_id, code)
    if verified is None:
        raise OtpRefused("wrong or already used code")
    return verified


def _check_form(code: str) -> None:
    if not CODE.fullmatch(code):
        raise OtpRefused("enter the six digits that your authenticator shows")


def recover(person: User, *, code: str) -> Device:
    """Take one of somebody's recovery codes for a login, once.

    Raises: OtpRefused.
    """
    device = authenticators.recovery(person)
    typed = code.strip().lower().replace("-", "").replace(" ", "")
    if device is None or not RECOVERY.fullmatch(typed):
        raise OtpRefused("wrong or already used recovery code")
    return use_up(device, person=person, code=typed)


def enrol(device: TOTPDevice, *, person: User, code: str) -> None:
    """Let a drafted authenticator count, once its first code was right.

    Raises: OtpRefused.
    """
    _check_form(code)
    use_up(device, person=person, code=code)
    authenticators.put_in_force(device)
