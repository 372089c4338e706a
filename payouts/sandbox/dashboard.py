"""The sandbox's part for the dashboard: somebody who may administer the merchant, with an authenticator."""

import secrets as randomness
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from payouts.merchants import authenticators
from payouts.merchants.models import Member, Merchant


def part(merchant: Merchant, *, bare: bool, now: datetime) -> dict[str, Any]:  # noqa: ARG001 - the parts' signature
    """The person's credentials, made now."""
    password = randomness.token_urlsafe(18)
    person = User.objects.create_user(f"merchant-{randomness.token_hex(4)}", password=password)
    Member.objects.create(merchant=merchant, person=person, role=Member.Role.ADMIN)
    totp_secret = authenticators.secret(authenticators.enrol(person))
    return {"username": person.get_username(), "password": password, "totp_secret": totp_secret}
