"""The company's API keys of every kind: made and shown once, rotated, taken back; each by a code."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from payouts.dashboard import confirming, guard, rendering
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.merchants import issuing
from payouts.merchants.issuing import Listed, Made
from payouts.withdrawals.sheet import Row


class KeyForm(forms.Form):
    """What a new key is for."""

    kind = forms.ChoiceField(label="What it is for", choices=[*issuing.TITLES.items()], widget=forms.RadioSelect)


@guard.page("view")
def listed(visit: Visit) -> HttpResponse:
    """Show them; nothing on the page is secret."""
    return rendering.page(visit, "keys.html", {"title": "API keys", "keys": issuing.of(visit.merchant)})


@guard.page("administer", methods=("GET", "POST"))
def new(visit: Visit) -> HttpResponse:
    """Make one; its texts are in this one answer and never again."""
    form = KeyForm(visit.request.POST or None)
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        kind = form.cleaned_data["kind"]
        rows = [Row("For", issuing.TITLES[kind]), Row("Made by", visit.person.get_username())]
        return confirming.page(visit, _making(visit, kind, rows, title="Make a new key"), form)
    return rendering.page(visit, "form.html", {"title": "New API key", "form": form, "button": "Continue"})


@guard.page("administer", methods=("GET", "POST"))
def rotate(visit: Visit, public_id: str) -> HttpResponse:
    """Make another of the same kind; the old one goes on until it is taken back."""
    key = _found(visit, public_id)
    rows = [Row("In the place of", key.public_id, "whole"), Row("For", key.name)]
    deed = _making(visit, key.kind, rows, title="Rotate the key", old=key)
    return confirming.page(visit, deed, forms.Form())


@guard.page("administer", methods=("GET", "POST"))
def revoke(visit: Visit, public_id: str) -> HttpResponse:
    """Take one back."""
    key = _found(visit, public_id)

    def answer(_: Any) -> HttpResponse:
        messages.success(visit.request, f"{key.public_id} works no more.")
        return HttpResponseRedirect(reverse("dashboard:keys"))

    deed = Deed(
        what="key-revoke",
        title="Revoke the key",
        button="Revoke it",
        rows=[Row("Key", key.public_id, "whole"), Row("For", key.name), Row("Made by", key.made_by)],
        said=[key.public_id],
        do=lambda _: issuing.revoke(visit.merchant, key),
        answer=answer,
        warning="Programs that use it are refused from the next call on.",
    )
    return confirming.page(visit, deed, forms.Form())


def _making(visit: Visit, kind: str, rows: list[Row], *, title: str, old: Listed | None = None) -> Deed:
    def do(_: datetime) -> Made:
        return issuing.make(visit.merchant, kind=kind, person=visit.person)

    def answer(made: Made) -> HttpResponse:
        return rendering.page(visit, "key.html", {"title": "Your new key", "made": made, "old": old})

    said = [kind, old.public_id if old else ""]
    return Deed(what="key", title=title, button="Make it", rows=rows, said=said, do=do, answer=answer)


def _found(visit: Visit, public_id: str) -> Listed:
    """Raises: Http404, for others' as for those that are not there."""
    key = issuing.find(visit.merchant, public_id)
    if key is None:
        raise Http404
    return key
