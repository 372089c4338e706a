"""What the company has set: its users' withdrawals, and where its people and programs may call from; each by a code."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from chain import units
from payouts.dashboard import confirming, guard, rendering
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.merchants import coins, origins
from payouts.merchants import settings as kept
from payouts.merchants.user_models import WithdrawalSettings
from payouts.withdrawals import sheet
from payouts.withdrawals.sheet import Row

ASSET = "USDT"
PAYERS = {WithdrawalSettings.FeePayer.USER: "the user", WithdrawalSettings.FeePayer.MERCHANT: "your company"}


class UsersForm(forms.Form):
    """`autoWithdraw`, `maxAutoWithdrawAmount`, `withdrawalFeePayer`, in people's words."""

    auto_withdraw = forms.BooleanField(label="Approve what users request by itself", required=False)
    max_auto = forms.CharField(
        label="Up to (USDT)", max_length=60, help_text="Inclusive, in coins. What is above waits for your yes."
    )
    withdrawal_fee_payer = forms.ChoiceField(
        label="The fee is paid by", choices=[*PAYERS.items()], widget=forms.RadioSelect
    )

    def clean_max_auto(self) -> str:
        """Refuse what is no amount."""
        try:
            coins.parse(ASSET, self.cleaned_data["max_auto"])
        except units.BadAmount as error:
            raise forms.ValidationError(str(error)) from error
        return str(self.cleaned_data["max_auto"])


class NetworksForm(forms.Form):
    """Addresses and networks, one in a line."""

    networks = forms.CharField(
        label="Allowed addresses and networks",
        required=False,
        max_length=4000,
        help_text="One in a line, such as 203.0.113.7 or 203.0.113.0/24. None: from anywhere.",
        widget=forms.Textarea({"rows": 8, "spellcheck": "false"}),
    )

    def __init__(self, visit: Visit, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._here = origins.address(visit.request)

    def clean_networks(self) -> str:
        """Refuse what is no network, and what would keep the person out who says it."""
        try:
            found = origins.parse(self.cleaned_data["networks"].splitlines())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if not origins.admitted(found, self._here):
            raise forms.ValidationError(f"You are at {self._here}: with this list you would lock yourself out.")
        return "\n".join(found)


@guard.page("view")
def page(visit: Visit) -> HttpResponse:
    """Show them."""
    now = kept.of(visit.merchant)
    users = _users_rows(auto=now.auto_withdraw, max_units=int(now.max_auto_units), payer=now.withdrawal_fee_payer)
    return rendering.page(visit, "settings.html", {"title": "Settings", "users": users})


@guard.page("administer", methods=("GET", "POST"))
def users(visit: Visit) -> HttpResponse:
    """Change what holds for users' withdrawals."""
    now = kept.of(visit.merchant)
    initial = {
        "auto_withdraw": now.auto_withdraw,
        "max_auto": units.text(ASSET, int(now.max_auto_units), 2),
        "withdrawal_fee_payer": now.withdrawal_fee_payer,
    }
    form = UsersForm(visit.request.POST or None, initial=initial)
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        wanted = form.cleaned_data
        max_units = coins.parse(ASSET, wanted["max_auto"])
        auto, payer = wanted["auto_withdraw"], wanted["withdrawal_fee_payer"]
        deed = Deed(
            what="settings-users",
            title="Change the settings",
            button="Change them",
            rows=_users_rows(auto=auto, max_units=max_units, payer=payer),
            said=[auto, max_units, payer],
            do=lambda _: kept.change(
                visit.merchant, auto_withdraw=auto, max_auto_units=max_units, withdrawal_fee_payer=payer
            ),
            answer=lambda _: _back(visit, "The settings hold from now on."),
        )
        return confirming.page(visit, deed, form)
    return rendering.page(visit, "form.html", {"title": "Users' withdrawals", "form": form, "button": "Continue"})


@guard.page("administer", methods=("GET", "POST"))
def networks(visit: Visit) -> HttpResponse:
    """Say where the company may be called from."""
    form = NetworksForm(
        visit, visit.request.POST or None, initial={"networks": "\n".join(visit.merchant.allowed_networks)}
    )
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        found = form.cleaned_data["networks"].splitlines()
        deed = Deed(
            what="settings-networks",
            title="Change the allow-list",
            button="Change it",
            rows=[Row("Allowed", network, "whole") for network in found] or [Row("Allowed", "from anywhere", "alert")],
            said=found,
            do=lambda _: origins.restrict(visit.merchant, found),
            answer=lambda _: _back(visit, "The allow-list holds from now on."),
            warning="It holds for this dashboard and for every API of yours." if found else "",
        )
        return confirming.page(visit, deed, form)
    return rendering.page(visit, "form.html", {"title": "IP allow-list", "form": form, "button": "Continue"})


def _users_rows(*, auto: bool, max_units: int, payer: str) -> list[Row]:
    return [
        Row("Approved by itself", "yes" if auto else "no, each waits for your yes"),
        Row("Up to", sheet.money(ASSET, max_units), "money", "" if auto else "not in use"),
        Row("The fee is paid by", PAYERS[WithdrawalSettings.FeePayer(payer)]),
    ]


def _back(visit: Visit, text: str) -> HttpResponse:
    messages.success(visit.request, text)
    return HttpResponseRedirect(reverse("dashboard:settings"))
