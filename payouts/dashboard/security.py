"""One's own access: the authenticator, recovery codes, and who logged in from where."""

from dataclasses import dataclass
from datetime import datetime

import django_otp
from axes.models import AccessFailureLog, AccessLog
from django import forms
from django.contrib import auth, messages
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from payouts.dashboard import confirming, guard, rendering
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.dashboard.login import CodeForm
from payouts.merchants import authenticators, members, otp
from payouts.withdrawals.sheet import Row

SHOWN_LOGINS = 50
REPLACING = "dashboard.replacing"  # in the session of somebody whose old authenticator gave a code for it


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


@guard.page("view", methods=("GET", "POST"))
def password(visit: Visit) -> HttpResponse:
    """Choose another password; other sessions end."""
    form = PasswordChangeForm(visit.person, visit.request.POST or None)
    if form.is_bound and form.is_valid():
        form.save()
        auth.update_session_auth_hash(visit.request, visit.person)
        messages.success(visit.request, "Your password is changed. Whoever was in with the old one is out.")
        return HttpResponseRedirect(reverse("dashboard:security"))
    return rendering.page(visit, "form.html", {"title": "Change your password", "form": form, "button": "Change it"})


@guard.page("view", methods=("GET", "POST"))
def codes(visit: Visit) -> HttpResponse:
    """Make new recovery codes and show them, once."""
    deed = Deed(
        what="recovery-codes",
        title="New recovery codes",
        button="Make them",
        rows=[Row("For", visit.person.get_username(), "whole")],
        said=[],
        do=lambda _: authenticators.new_recovery_codes(visit.person),
        answer=lambda made: rendering.page(visit, "codes.html", {"title": "Recovery codes", "codes": made}),
        warning="Those you have stop working.",
    )
    return confirming.page(visit, deed, forms.Form())


@guard.page("view", methods=("GET", "POST"))
def authenticator(visit: Visit) -> HttpResponse:
    """Enrol another authenticator in the place of this one, after a code of this one or a login by a recovery code."""
    if visit.request.user.otp_device == authenticators.recovery(visit.person):  # type: ignore[union-attr]  # django-otp's
        return _enrol(visit)
    return _enrol(visit) if visit.request.session.get(REPLACING) == visit.person.pk else _begin(visit)


def _begin(visit: Visit) -> HttpResponse:
    def answer(_: None) -> HttpResponse:
        visit.request.session[REPLACING] = visit.person.pk
        return HttpResponseRedirect(reverse("dashboard:security-authenticator"))

    deed = Deed(
        what="authenticator",
        title="Replace your authenticator",
        button="Go on",
        rows=[Row("Whose", visit.person.get_username(), "whole")],
        said=[],
        do=lambda _: None,
        answer=answer,
        warning="Enter a code of the one you have. Then you scan a new one.",
    )
    return confirming.page(visit, deed, forms.Form())


def _enrol(visit: Visit) -> HttpResponse:
    device, form = authenticators.draft(visit.person), CodeForm(visit.request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            otp.enrol(device, person=visit.person, code=form.cleaned_data["code"])
        except otp.OtpRefused as refusal:
            form.add_error("code", str(refusal))
        else:
            visit.request.session.pop(REPLACING, None)
            django_otp.login(visit.request, device)
            messages.success(visit.request, "From now on the new authenticator's codes count.")
            return HttpResponseRedirect(reverse("dashboard:security"))
    shown = {"picture": authenticators.picture(device), "secret": authenticators.secret(device)}
    return rendering.page(visit, "authenticator.html", {"title": "Your new authenticator", "form": form} | shown)


def logins(usernames: list[str]) -> list[Login]:
    """The newest attempts by these names, those that worked and those that did not."""
    found = [
        Login(row.attempt_time, row.username, row.ip_address or "", row.user_agent, worked)
        for model, worked in ((AccessLog, True), (AccessFailureLog, False))
        for row in model.objects.filter(username__in=usernames).order_by("-attempt_time")[:SHOWN_LOGINS]
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:SHOWN_LOGINS]
