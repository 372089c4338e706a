"""One-time codes: what a person was shown, confirmed once by a code that works once (DESIGN §5)."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import django_otp
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice

from chain.failpoints import committing
from payouts.merchants.models import Challenge

CODE = re.compile(r"[0-9]{6}", re.ASCII)  # django-otp itself would take full-width digits
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
    if not CODE.fullmatch(code):
        raise OtpRefused("enter the six digits that your authenticator shows")
    mine = Challenge.objects.filter(
        id=challenge_id,
        person=person,
        confirmed_at__isnull=True,
        expires_at__gt=now,
    )
    if not mine.exists():
        raise OtpRefused("this confirmation has expired or was used: open the page again")
    device = TOTPDevice.objects.filter(user=person, confirmed=True).order_by("id").first()
    if device is None:
        raise OtpRefused("no authenticator is enrolled for this person")
    if not device.verify_is_allowed()[0]:
        raise OtpRefused("there were wrong codes: wait a little before the next try")
    with committing("confirm"):
        verified = django_otp.verify_token(person, device.persistent_id, code)
    if verified is None:
        raise OtpRefused("wrong or already used code")
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
