"""The page on which the platform sets a credit line; the ledger writes down who did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import units
from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from payouts.merchants import coins


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose credit lines a page sets: one owner's in a merchant's book, one line per asset; `back` leads to it."""

    name: str
    book: UUID
    owner: UUID
    assets: Sequence[str]
    back: str

    def account(self, asset: str) -> Ref:
        """The credit account of one asset."""
        return Ref(book=self.book, owner=self.owner, asset=asset, purpose=Purpose.CREDIT)


class CreditForm(forms.Form):
    """How far one asset's credit account may go down."""

    asset = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    limit = forms.CharField(
        help_text="In whole coins, such as 2500 or 0.50; 0 closes the line.", widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, assets: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["asset"].choices = [(asset, asset) for asset in assets]  # type: ignore[attr-defined]  # a ChoiceField's

    def clean(self) -> dict[str, Any]:
        """Turn the limit into the asset's smallest unit, strictly."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "asset" in cleaned and "limit" in cleaned:
            try:
                cleaned["limit_units"] = coins.parse(cleaned["asset"], cleaned["limit"])
            except units.BadAmount as error:
                self.add_error("limit", str(error))
        return cleaned


def page(admin: ModelAdmin, request: HttpRequest, whose: Whose) -> HttpResponse:
    """Show the lines there are and take a new limit."""
    form = CreditForm(request.POST or None, assets=whose.assets)
    if request.method == "POST" and form.is_valid() and _set(request, whose, form):
        return HttpResponseRedirect(whose.back)
    context = admin.admin_site.each_context(request) | {
        "title": f"Credit line of {whose.name}",
        "opts": admin.opts,
        "back": whose.back,
        "form": form,
        "lines": [_line(whose, asset) for asset in whose.assets],
    }
    return TemplateResponse(request, "payouts/desk/credit.html", context)


def _set(request: HttpRequest, whose: Whose, form: CreditForm) -> bool:
    asset, limit = form.cleaned_data["asset"], form.cleaned_data["limit_units"]
    try:
        posting.set_credit_limit(
            whose.account(asset), limit_units=limit, by=request.user.get_username(), at=timezone.now()
        )
    except posting.LedgerRefused as refusal:
        form.add_error("limit", str(refusal))
        return False
    messages.success(request, f"The credit line of {whose.name} is {units.text(asset, limit, 2)} {asset} now.")
    return True


def _line(whose: Whose, asset: str) -> str:
    credit = balances.balance(whose.account(asset))
    drawn, limit = units.text(asset, -credit.balance_units, 2), units.text(asset, -(credit.floor_units or 0), 2)
    return f"{asset}: {drawn} drawn of {limit}"
