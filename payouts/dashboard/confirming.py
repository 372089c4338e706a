"""Confirming with a one-time code: everything is shown once more, and the code confirms exactly that.

A page that needs it validates its form, says as a Deed what would be done, and leaves the rest to `page`. The second
request brings the same form again; what it says is worked out anew, and any difference voids the code.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone

from payouts.dashboard import rendering
from payouts.dashboard.guard import Visit
from payouts.merchants import otp
from payouts.withdrawals import whole
from payouts.withdrawals.sheet import Row

NO_CHALLENGE = UUID(int=0)  # nobody's: the core refuses it like any other that is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What would be done, as it is shown and as it is bound: `said` is all that matters of it, as JSON.

    `do` runs in the transaction that spends the code, unless the deed is `alone` because it opens its own.
    """

    what: str
    title: str
    button: str
    rows: Sequence[Row]
    said: Any
    do: Callable[[datetime], Any]
    answer: Callable[[Any], HttpResponse]
    alone: bool = False
    warning: str = ""

    def purpose(self, visit: Visit) -> str:
        """What the code is for: whose, and what."""
        return f"dashboard:{self.what}:{visit.merchant.id}"

    def payload_hash(self) -> bytes:
        """SHA-256 over what is said; 32 bytes."""
        return hashlib.sha256(json.dumps([self.what, self.said], separators=(",", ":")).encode()).digest()


def page(visit: Visit, deed: Deed, form: forms.Form) -> HttpResponse:
    """Ask for the code, or take it and do what it confirms.

    Raises: what `deed.do` does; then nothing was done.
    """
    if "otp" not in visit.request.POST:
        return _asked(visit, deed, form, refusal=None)
    try:
        done = _done(visit, deed)
    except otp.OtpRefused as refusal:
        return _asked(visit, deed, form, refusal=refusal)
    return deed.answer(done)


def is_editing(visit: Visit) -> bool:
    """Whether somebody has gone back from the last page to the form."""
    return "edit" in visit.request.POST


def _done(visit: Visit, deed: Deed) -> Any:
    now, challenge_id = timezone.now(), _challenge_id(visit)
    otp.confirm(challenge_id, person=visit.person, code=visit.request.POST["otp"], now=now)
    return _acted(visit, deed, challenge_id, now=now)


def _acted(visit: Visit, deed: Deed, challenge_id: UUID, *, now: datetime) -> Any:
    what: dict[str, Any] = {"purpose": deed.purpose(visit), "payload_hash": deed.payload_hash()}
    bound = what | {"person": visit.person, "now": now}
    if deed.alone:
        otp.spend(challenge_id, **bound)
        return deed.do(now)
    return _together(challenge_id, bound, deed.do, now)


@whole.retried
def _together(challenge_id: UUID, bound: dict[str, Any], do: Callable[[datetime], Any], now: datetime) -> Any:
    with transaction.atomic(durable=True):
        otp.spend(challenge_id, **bound)
        return do(now)


def _asked(visit: Visit, deed: Deed, form: forms.Form, *, refusal: Exception | None) -> HttpResponse:
    now = timezone.now()
    shown = otp.challenge(visit.person, purpose=deed.purpose(visit), payload_hash=deed.payload_hash(), now=now)
    context = {"title": deed.title, "deed": deed, "form": form, "challenge": shown, "refusal": refusal}
    return rendering.page(visit, "confirm.html", context, status=200 if refusal is None else 400)


def _challenge_id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.POST.get("challenge", ""))
    except ValueError:
        return NO_CHALLENGE
