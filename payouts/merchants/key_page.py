"""The page on which a merchant's key is made; its texts are shown in this one answer and never again."""

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from payouts.merchants import issuing
from payouts.merchants.models import Merchant

RIGHT = "payouts.add_apikey"


class KeyForm(forms.Form):
    """What the key is for."""

    kind = forms.ChoiceField(choices=[*issuing.TITLES.items()], widget=UnfoldAdminSelectWidget)


def page(admin: ModelAdmin, request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """Take what the key is for; make it and show it. Who made it may not approve what it asks for."""
    form = KeyForm(request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid() and isinstance(request.user, User):
        made = issuing.make(merchant, kind=form.cleaned_data["kind"], person=request.user)
        admin.log_addition(request, made.key, f"issued for {form.cleaned_data['kind']}")
    context = admin.admin_site.each_context(request) | {
        "title": f"New API key of {merchant.name}",
        "opts": admin.opts,
        "back": reverse("admin:payouts_merchant_change", args=[merchant.id]),
        "form": form,
        "made": made,
    }
    return TemplateResponse(request, "payouts/desk/key.html", context)
