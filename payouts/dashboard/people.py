"""The company's people: who may look, pay and administer; invited, given another role, switched off; each by a code."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from payouts.dashboard import confirming, guard, rendering
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.merchants import members
from payouts.merchants.models import Member
from payouts.withdrawals.sheet import Row

ROLES = [
    (Member.Role.VIEWER, "Viewer: sees everything, changes nothing"),
    (Member.Role.PAYER, "Payer: may also make and cancel payouts"),
    (Member.Role.ADMIN, "Administrator: may also change settings, keys and people"),
]
LAST = "Somebody must be left who may administer."


class InvitationForm(forms.Form):
    """Who is to join, and what they may."""

    username = forms.CharField(
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text="What they log in with, such as an email address.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(choices=ROLES, widget=forms.RadioSelect, initial=Member.Role.VIEWER)


class RoleForm(forms.Form):
    """What somebody may from now on."""

    role = forms.ChoiceField(choices=ROLES, widget=forms.RadioSelect)


@guard.page("view")
def listed(visit: Visit) -> HttpResponse:
    """Show them."""
    return rendering.page(visit, "people.html", {"title": "People", "people": members.of(visit.merchant)})


@guard.page("administer", methods=("GET", "POST"))
def invite(visit: Visit) -> HttpResponse:
    """Make somebody and show the link by which they choose a password, once."""
    form = InvitationForm(visit.request.POST or None)
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        wanted = form.cleaned_data
        deed = Deed(
            what="member-invite",
            title="Invite somebody",
            button="Invite",
            rows=[Row("Username", wanted["username"], "whole"), Row("Role", dict(ROLES)[wanted["role"]])],
            said=[wanted["username"], wanted["role"]],
            do=lambda _: members.invite(visit.merchant, username=wanted["username"], role=wanted["role"]),
            answer=lambda made: _invited(visit, made),
        )
        try:
            return confirming.page(visit, deed, form)
        except members.NameTaken:
            form.add_error("username", "Somebody has this username.")
        except members.TooMany:
            form.add_error(None, f"There are {members.MOST} people already.")
    return rendering.page(visit, "form.html", {"title": "Invite somebody", "form": form, "button": "Continue"})


def _invited(visit: Visit, member: Member) -> HttpResponse:
    path = reverse("dashboard:join", args=[member.person_id, members.invitation(member)])
    link = visit.request.build_absolute_uri(path)
    return rendering.page(visit, "invited.html", {"title": "Invitation", "member": member, "link": link})


@guard.page("administer", methods=("GET", "POST"))
def role(visit: Visit, member_id: int) -> HttpResponse:
    """Give somebody another role."""
    member = _found(visit, member_id)
    form = RoleForm(visit.request.POST or None, initial={"role": member.role})
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        wanted = form.cleaned_data["role"]
        rows = [_who(member), Row("From now on", dict(ROLES)[wanted])]
        said = [member.id, wanted]
        return _changed(visit, form, "member-role", rows, said, lambda _: members.set_role(member, wanted))
    title = f"Role of {member.person.get_username()}"
    return rendering.page(visit, "form.html", {"title": title, "form": form, "button": "Continue"})


@guard.page("administer", methods=("GET", "POST"))
def switch(visit: Visit, member_id: int, state: str) -> HttpResponse:
    """Switch somebody off, or on again."""
    member, on = _found(visit, member_id), state == "on"
    if state not in ("on", "off"):
        raise Http404
    rows = [_who(member), Row("From now on", "may log in again" if on else "is out, at once")]

    def do(now: datetime) -> None:
        members.switch(member, on=on, now=now)

    return _changed(visit, forms.Form(), "member-switch", rows, [member.id, on], do)


def _changed(
    visit: Visit, form: forms.Form, what: str, rows: list[Row], said: list[Any], do: Callable[[datetime], Any]
) -> HttpResponse:
    def answer(_: Any) -> HttpResponse:
        messages.success(visit.request, "Changed.")
        return HttpResponseRedirect(reverse("dashboard:people"))

    try:
        deed = Deed(what=what, title="Change", button="Change it", rows=rows, said=said, do=do, answer=answer)
        return confirming.page(visit, deed, form)
    except members.LastAdministrator:
        messages.error(visit.request, LAST)
        return HttpResponseRedirect(reverse("dashboard:people"))


def _who(member: Member) -> Row:
    return Row("Who", member.person.get_username(), "whole")


def _found(visit: Visit, member_id: int) -> Member:
    """Raises: Http404, for others' as for those that are not there."""
    found = members.of(visit.merchant).filter(id=member_id).first()
    if found is None:
        raise Http404
    return found
