"""The page on which the platform sets a merchant's credit line; the ledger writes down who did."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import units
from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from payouts.merchants import coins
from payouts.merchants.models import Merchant


class CreditForm(forms.Form):
    """How far one asset's credit account may go down."""

    asset = forms.ChoiceField(choices=[(asset, asset) for asset in units.PLACES], widget=UnfoldAdminSelectWidget)
    limit = forms.CharField(
        help_text="In whole coins, such as 2500 or 0.50; 0 closes the line.", widget=UnfoldAdminTextInputWidget
    )

    def clean(self) -> dict[str, Any]:
        """Turn the limit into the asset's smallest unit, strictly."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "asset" in cleaned and "limit" in cleaned:
            try:
                cleaned["limit_units"] = coins.parse(cleaned["asset"], cleaned["limit"])
            except units.BadAmount as error:
                self.add_error("limit", str(error))
        return cleaned


def page(admin: ModelAdmin, request: HttpRequest, merchant_id: UUID) -> HttpResponse:
    """Show the lines there are and take a new limit."""
    merchant = get_object_or_404(Merchant, id=merchant_id)
    form = CreditForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _set(request, merchant, form):
        return HttpResponseRedirect(reverse("admin:payouts_merchant_change", args=[merchant.id]))
    context = admin.admin_site.each_context(request) | {
        "title": f"Credit line of {merchant.name}",
        "opts": admin.opts,
        "merchant": merchant,
        "form": form,
        "lines": [_line(merchant, asset) for asset in units.PLACES],
    }
    return TemplateResponse(request, "payouts/desk/credit.html", context)


def _set(request: HttpRequest, merchant: Merchant, form: CreditForm) -> bool:
    asset, limit = form.cleaned_data["asset"], form.cleaned_data["limit_units"]
    try:
        posting.set_credit_limit(
            _account(merchant, asset), limit_units=limit, by=request.user.get_username(), at=timezone.now()
        )
    except posting.LedgerRefused as refusal:
        form.add_error("limit", str(refusal))
        return False
    messages.success(request, f"The credit line of {merchant.name} is {units.text(asset, limit, 2)} {asset} now.")
    return True


def _account(merchant: Merchant, asset: str) -> Ref:
    return Ref(book=merchant.id, owner=merchant.id, asset=asset, purpose=Purpose.CREDIT)


def _line(merchant: Merchant, asset: str) -> str:
    credit = balances.balance(_account(merchant, asset))
    drawn, limit = units.text(asset, -credit.balance_units, 2), units.text(asset, -(credit.floor_units or 0), 2)
    return f"{asset}: {drawn} drawn of {limit}"
