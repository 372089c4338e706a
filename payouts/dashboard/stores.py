"""The company's stores, which log in to the extraction API: opened, given another password, switched off; by a code."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from payouts.dashboard import confirming, guard, rendering
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.merchants import stores
from payouts.merchants.store_models import Store
from payouts.withdrawals.sheet import Row


class StoreForm(forms.Form):
    """A new store's name."""

    name = forms.CharField(max_length=100)


@guard.page("view")
def listed(visit: Visit) -> HttpResponse:
    """Show them."""
    rows = Store.objects.filter(merchant=visit.merchant).select_related("person", "qr_code").order_by("name")
    return rendering.page(visit, "stores.html", {"title": "Stores", "stores": rows})


@guard.page("administer", methods=("GET", "POST"))
def new(visit: Visit) -> HttpResponse:
    """Open one; its password is in this one answer and never again."""
    form = StoreForm(visit.request.POST or None)
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        name = form.cleaned_data["name"]
        deed = Deed(
            what="store",
            title="Open a store",
            button="Open it",
            rows=[Row("Name", name)],
            said=[name],
            do=lambda _: stores.found(visit.merchant, name=name),
            answer=lambda made: _login(visit, *made),
        )
        return confirming.page(visit, deed, form)
    return rendering.page(visit, "form.html", {"title": "New store", "form": form, "button": "Continue"})


@guard.page("administer", methods=("GET", "POST"))
def password(visit: Visit, store_id: UUID) -> HttpResponse:
    """Give a store's login another password, shown this once."""
    store = _found(visit, store_id)

    def do(now: datetime) -> str:
        return stores.new_password(store, now=now)

    return _changed(visit, store, "another password, now", do, lambda made: _login(visit, store, made))


@guard.page("administer", methods=("GET", "POST"))
def switch(visit: Visit, store_id: UUID, state: str) -> HttpResponse:
    """Switch a store's login off, or on again."""
    store, on = _found(visit, store_id), state == "on"
    if state not in ("on", "off"):
        raise Http404

    def do(now: datetime) -> None:
        stores.switch(store, on=on, now=now)

    def answer(_: Any) -> HttpResponse:
        messages.success(visit.request, "Changed.")
        return HttpResponseRedirect(reverse("dashboard:stores"))

    return _changed(visit, store, "may log in again" if on else "is out, at once", do, answer)


def _changed(
    visit: Visit, store: Store, then: str, do: Callable[[datetime], Any], answer: Callable[[Any], HttpResponse]
) -> HttpResponse:
    rows = [Row("Store", store.name), Row("Login", store.person.get_username(), "whole"), Row("From now on", then)]
    said = [str(store.id), then]
    deed = Deed(what="store-change", title="Change", button="Change it", rows=rows, said=said, do=do, answer=answer)
    return confirming.page(visit, deed, forms.Form())


def _login(visit: Visit, store: Store, told: str) -> HttpResponse:
    texts = {"Username": store.person.get_username(), "Password": told}
    context = {"title": f"Login of {store.name}", "made": {"texts": texts}, "back": reverse("dashboard:stores")}
    return rendering.page(visit, "secret.html", context)


def _found(visit: Visit, store_id: UUID) -> Store:
    """Raises: Http404, for others' as for those that are not there."""
    found = Store.objects.filter(merchant=visit.merchant, id=store_id).select_related("person").first()
    if found is None:
        raise Http404
    return found
