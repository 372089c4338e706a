"""Lanes and alarms in the admin: what each lane can do, a button that stops it, thresholds, what is wrong now."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import alarms, lanes, networks, pausing
from chain.alarms import Alarm
from chain.models import HotWallet, LaneThreshold, SweepRule
from chain.screens import ReadOnly

DO = {"pause": pausing.pause, "resume": pausing.resume}
RIGHT = "chain.change_hotwallet"


class ReasonForm(forms.Form):
    """Why; it stays on record with the name of whoever did it."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget)


class HotWalletAdmin(ReadOnly):
    """Lanes: where their sequence stands, what each may still spend, who paused it."""

    list_display = ("network", "address", "next_seq", "state", "spending", "note")
    list_filter = ("network", "paused")
    search_fields = ("address",)

    @admin.display(description="Takes orders")
    def state(self, wallet: HotWallet) -> SafeString | str:
        """Whether somebody paused it, and the page on which that is changed."""
        standing = pausing.reasons(wallet)
        verb = "resume" if any(pause.wallet_id for pause in standing) else "pause"
        url = reverse(f"admin:chain_hotwallet_{verb}", args=[wallet.pk])
        said = "; ".join(f"paused by {pause.by}: {pause.reason}" for pause in standing) or "yes"
        return format_html('{}<br><a class="desk-link" href="{}">{} …</a>', said, url, verb)

    @admin.display(description="May still spend")
    def spending(self, wallet: HotWallet) -> SafeString | str:
        """What it holds at the last reading, less what it owes."""
        (lane,) = lanes.all_of(wallet.network, wallets=[wallet.pk])
        held = [
            (lanes.text(wallet.network, contract, fund.free_units),)
            for contract, fund in lane.funds.items()
            if fund.held_units or fund.owed_units
        ]
        return format_html_join(SafeString("<br>"), "{}", held) or "nothing known"

    def get_urls(self) -> list[URLPattern]:
        """The two decisions, before Django's own pages."""
        view = self.admin_site.admin_view
        decide = [
            path(f"<int:pk>/{verb}/", view(partial(self.decide, verb=verb)), name=f"chain_hotwallet_{verb}")
            for verb in DO
        ]
        return [*decide, *super().get_urls()]

    def decide(self, request: HttpRequest, pk: int, *, verb: str) -> HttpResponse:
        """Ask for the reason, then do it."""
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied
        wallet = get_object_or_404(HotWallet, pk=pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            who = {"by": request.user.get_username(), "reason": form.cleaned_data["reason"], "now": timezone.now()}
            try:
                DO[verb](wallet.network, address=wallet.address, **who)
                messages.success(request, f"{verb}d: {wallet.address} on {wallet.network}")
            except pausing.NotPaused as refused:
                messages.error(request, str(refused))
            return HttpResponseRedirect(reverse("admin:chain_hotwallet_changelist"))
        shown = {
            "title": f"{verb.capitalize()} a lane",
            "opts": self.opts,
            "form": form,
            "wallet": wallet,
            "verb": verb,
        }
        return TemplateResponse(request, "chain/pause.html", self.admin_site.each_context(request) | shown)


class PauseAdmin(ReadOnly):
    """Who stopped what, when and why; ended ones too."""

    list_display = ("network", "wallet", "at", "by", "reason", "ended_at", "ended_by", "ended_reason")
    list_filter = ("network",)
    ordering = (F("ended_at").desc(nulls_first=True), "-at")


class AlarmAdmin(ReadOnly):
    """Open alarms first, each with since when, what and where; then what has been."""

    list_display = ("kind", "meaning", "subject", "text", "raised_at", "seen_at", "cleared_at")
    list_filter = (("cleared_at", admin.EmptyFieldListFilter), "kind")
    search_fields = ("subject", "text")
    ordering = (F("cleared_at").desc(nulls_first=True), "-raised_at")
    list_fullwidth = True

    @admin.display(description="Meaning")
    def meaning(self, alarm: Alarm) -> str:
        """The kind in plain words."""
        kind = alarms.KINDS.get(alarm.kind)
        return kind.meaning if kind else "no longer raised"


class LaneThresholdForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' generic does not exist when it runs
    """A threshold of an asset and a network that there are."""

    class Meta:
        model = LaneThreshold
        fields = ("asset", "network", "wallet", "low_amount")
        widgets = {
            "asset": UnfoldAdminSelectWidget(
                choices=[
                    (name, name) for name in sorted({name for row in networks.NETWORKS.values() for name in row.assets})
                ]
            ),
            "network": UnfoldAdminSelectWidget(
                choices=[("", "every network"), *((name, row.title) for name, row in networks.NETWORKS.items())]
            ),
        }

    def clean(self) -> dict[str, Any]:
        """Refuse what no lane could ever fit."""
        cleaned: dict[str, Any] = super().clean() or {}
        network, wallet = cleaned.get("network"), cleaned.get("wallet")
        if network and cleaned.get("asset") not in networks.network(network).assets:
            self.add_error("asset", "This network does not carry the asset.")
        if wallet and network and wallet.network != network:
            self.add_error("wallet", "This lane is on another network.")
        return cleaned


class SetBySuperusers(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Rows that change what is told or swept, never what is paid: for everybody to see, for superusers to set."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Superusers."""
        return bool(request.user.is_superuser)


class LaneThresholdAdmin(SetBySuperusers):
    """When a lane needs money."""

    form = LaneThresholdForm
    list_display = ("asset", "network", "wallet", "low_amount")
    list_filter = ("asset", "network")


class SweepRuleForm(LaneThresholdForm):
    """A rule about an asset and a network that there are."""

    class Meta:
        model = SweepRule
        fields = ("asset", "network", "least_amount", "after_s")
        widgets = LaneThresholdForm.Meta.widgets


class SweepRuleAdmin(SetBySuperusers):
    """From which amount on deposit addresses are swept, and how long after the last deposit."""

    form = SweepRuleForm
    list_display = ("asset", "network", "least_amount", "after_s")
    list_filter = ("asset", "network")
