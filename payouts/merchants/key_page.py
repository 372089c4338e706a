"""The page on which a merchant's key is made; its texts are shown in this one answer and never again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from payouts.merchants import keys, oauth, oauth_models, pairs, tokens
from payouts.merchants.models import ApiKey, Merchant
from payouts.merchants.oauth_models import Application

RIGHT = "payouts.add_apikey"


@dataclass(frozen=True, slots=True)
class Made:
    """A new key and what its owner has to keep, by the names that the APIs' documents use."""

    key: ApiKey | Application
    texts: Mapping[str, str]


def _signing(merchant: Merchant, person: User) -> Made:
    issued = keys.issue(merchant, api="merchant", issued_to=person)
    return Made(issued.key, {"Key id": issued.key.key_id, "Secret": issued.secret})


def _pair(merchant: Merchant, person: User) -> Made:
    pair = pairs.issue(merchant, api="public", issued_to=person)
    return Made(pair.key, {"apikey": pair.apikey, "x-api-secret": pair.api_secret})


def _withdrawal(merchant: Merchant, person: User) -> Made:
    issued = tokens.issue(merchant, api="invoice", use=tokens.WITHDRAWAL, issued_to=person)
    return Made(issued.key, {"Token": issued.token})


def _shop(merchant: Merchant, person: User) -> Made:
    issued = tokens.issue(merchant, api="invoice", use=tokens.SHOP, issued_to=person)
    return Made(issued.key, {"Token": issued.token})


def _application(merchant: Merchant, person: User) -> Made:
    issued = oauth.issue(
        merchant, name=f"made by {person.get_username()}", scopes=oauth_models.SCOPES, issued_to=person
    )
    return Made(issued.application, {"client_id": issued.application.client_id, "client_secret": issued.secret})


# fmt: off
KINDS: Mapping[str, tuple[str, Callable[[Merchant, User], Made]]] = {
    "merchant":           ("Merchant API: key id and secret",           _signing),
    "public":             ("Public API: apikey and x-api-secret",       _pair),
    "invoice-withdrawal": ("Invoice API: the key that withdraws",       _withdrawal),
    "invoice-shop":       ("Invoice API: the shop's, for balances",     _shop),
    "tenant":             ("Tenant API: client id and secret",          _application),
}
# fmt: on


class KeyForm(forms.Form):
    """What the key is for."""

    kind = forms.ChoiceField(
        choices=[(kind, title) for kind, (title, _) in KINDS.items()], widget=UnfoldAdminSelectWidget
    )


def page(admin: ModelAdmin, request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """Take what the key is for; make it and show it. Who made it may not approve what it asks for."""
    form = KeyForm(request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid() and isinstance(request.user, User):
        made = KINDS[form.cleaned_data["kind"]][1](merchant, request.user)
        admin.log_addition(request, made.key, f"issued for {form.cleaned_data['kind']}")
    context = admin.admin_site.each_context(request) | {
        "title": f"New API key of {merchant.name}",
        "opts": admin.opts,
        "back": reverse("admin:payouts_merchant_change", args=[merchant.id]),
        "form": form,
        "made": made,
    }
    return TemplateResponse(request, "payouts/desk/key.html", context)
