"""The page on which one person proposes a credit line; a second one confirms it, and the ledger writes down both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import units
from ledger import balances
from ledger.accounts import Purpose, Ref
from payouts.merchants import admin as merchant_admin
from payouts.merchants import coins, store_admin
from payouts.merchants.models import Merchant
from payouts.merchants.store_models import QrCode
from payouts.withdrawals import amending
from payouts.withdrawals.rule_models import Kind


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose credit lines a page is about: one owner's in a merchant's book, one line per asset; `back` leads to it."""

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
    reason = forms.CharField(
        label="Why", help_text="For whoever confirms it, and for the history.", widget=UnfoldAdminTextInputWidget
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


class MerchantAdmin(merchant_admin.MerchantAdmin):
    """The merchants' pages and that of their credit lines."""

    def get_urls(self) -> list[URLPattern]:
        """The credit line's page, before the others."""
        view = self.admin_site.admin_view(self._credit)
        return [path("<uuid:merchant_id>/credit/", view, name="payouts_merchant_credit"), *super().get_urls()]

    def _credit(self, request: HttpRequest, merchant_id: UUID) -> HttpResponse:
        merchant = get_object_or_404(Merchant, id=merchant_id)
        back = reverse("admin:payouts_merchant_change", args=[merchant.id])
        return _page(self, request, Whose(merchant.name, merchant.id, merchant.id, [*units.PLACES], back))


class QrCodeAdmin(store_admin.QrCodeAdmin):
    """The QR codes' pages and that of their credit lines."""

    def get_urls(self) -> list[URLPattern]:
        """The credit line's page, before the others."""
        view = self.admin_site.admin_view(self._credit)
        return [path("<uuid:qr_code_id>/credit/", view, name="payouts_qrcode_credit"), *super().get_urls()]

    def _credit(self, request: HttpRequest, qr_code_id: UUID) -> HttpResponse:
        qr_code = get_object_or_404(QrCode.objects.select_related("store"), id=qr_code_id)
        back = reverse("admin:payouts_qrcode_change", args=[qr_code.id])
        whose = Whose(f"the {qr_code}", qr_code.store.merchant_id, qr_code.account, [qr_code.currency], back)
        return _page(self, request, whose)


def _page(admin: ModelAdmin, request: HttpRequest, whose: Whose) -> HttpResponse:
    """Show the lines there are and take a proposal."""
    if not (admin.has_view_permission(request) and request.user.has_perm(amending.PROPOSE)):
        raise PermissionDenied
    form = CreditForm(request.POST or None, assets=whose.assets)
    if request.method == "POST" and form.is_valid() and _propose(request, whose, form):
        return HttpResponseRedirect(whose.back)
    context = admin.admin_site.each_context(request) | {
        "title": f"Credit line of {whose.name}",
        "opts": admin.opts,
        "back": whose.back,
        "form": form,
        "lines": [_line(whose, asset) for asset in whose.assets],
        "waiting": amending.undecided().filter(kind=Kind.CREDIT).count(),
    }
    return TemplateResponse(request, "payouts/desk/credit.html", context)


def _propose(request: HttpRequest, whose: Whose, form: CreditForm) -> bool:
    asset, limit_units = form.cleaned_data["asset"], form.cleaned_data["limit_units"]
    account = whose.account(asset)
    credit = balances.balance(account)
    if limit_units < -credit.balance_units:
        form.add_error("limit", "More than that is drawn.")
        return False
    after = {
        "merchant_id": str(whose.book),
        "owner": str(whose.owner),
        "account": str(account.id),
        "asset": asset,
        "was_units": -(credit.floor_units or 0),
        "limit_units": limit_units,
    }
    try:
        change = amending.Change(Kind.CREDIT, None, after, form.cleaned_data["reason"])
        amending.propose(change, by=_person(request), now=timezone.now())
    except amending.AmendRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    line = f"a credit line of {units.text(asset, limit_units, 2)} {asset} for {whose.name}"
    messages.success(request, f"Proposed: {line}. Nothing has changed yet: somebody else has to confirm it.")
    return True


def _line(whose: Whose, asset: str) -> str:
    credit = balances.balance(whose.account(asset))
    drawn, limit = units.text(asset, -credit.balance_units, 2), units.text(asset, -(credit.floor_units or 0), 2)
    return f"{asset}: {drawn} drawn of {limit}"


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
