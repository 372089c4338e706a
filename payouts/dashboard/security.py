"""One's own access: the authenticator, recovery codes, and who logged in from where."""

from dataclasses import dataclass
from datetime import datetime

from axes.models import AccessFailureLog, AccessLog
from django.http import HttpResponse

from payouts.dashboard import guard, rendering
from payouts.dashboard.guard import Visit
from payouts.merchants import authenticators, members

SHOWN_LOGINS = 50


@dataclass(frozen=True, slots=True)
class Login:
    """One attempt to get in."""

    at: datetime
    username: str
    address: str
    program: str
    worked: bool


@guard.page("view")
def page(visit: Visit) -> HttpResponse:
    """Show it; an administrator sees everybody's logins."""
    names = [visit.person.get_username()]
    if visit.may("administer"):
        names = [one.person.get_username() for one in members.of(visit.merchant)]
    context = {
        "title": "Security",
        "codes_left": authenticators.recovery_codes_left(visit.person),
        "logins": logins(names),
    }
    return rendering.page(visit, "security.html", context)


def logins(usernames: list[str]) -> list[Login]:
    """The newest attempts by these names, those that worked and those that did not."""
    found = [
        Login(row.attempt_time, row.username, row.ip_address or "", row.user_agent, worked)
        for model, worked in ((AccessLog, True), (AccessFailureLog, False))
        for row in model.objects.filter(username__in=usernames).order_by("-attempt_time")[:SHOWN_LOGINS]
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:SHOWN_LOGINS]
