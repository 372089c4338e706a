"""Fees: rows that people edit, each change in Django's log."""

from typing import Any

from django import forms
from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import networks, units
from payouts.merchants import coins
from payouts.withdrawals import sheet
from payouts.withdrawals.models import FeeRule


class FeeForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs want the model twice
    """A fee as people think of it: in coins."""

    asset = forms.ChoiceField(choices=[(asset, asset) for asset in units.PLACES], widget=UnfoldAdminSelectWidget)
    network = forms.ChoiceField(
        choices=[(name, sheet.network(name)) for name in networks.NETWORKS], widget=UnfoldAdminSelectWidget
    )
    fee = forms.CharField(label="Flat fee", help_text="In coins, such as 1 or 0.50.", widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = FeeRule
        fields = ("merchant", "api", "asset", "network")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        if rule.pk:
            self.initial["fee"] = units.text(rule.asset, int(rule.flat_units), 2)

    def clean(self) -> dict[str, Any]:
        """Turn the fee into the asset's smallest unit, strictly."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "asset" in cleaned and "fee" in cleaned:
            try:
                self.instance.flat_units = coins.parse(cleaned["asset"], cleaned["fee"])
            except units.BadAmount as error:
                self.add_error("fee", str(error))
        return cleaned


class FeeRuleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """What withdrawals cost; a merchant's own row goes before the row for everybody."""

    form = FeeForm
    fields = ("merchant", "api", "asset", "network", "fee")
    list_display = ("api", "asset", "network", "of_merchant", "flat")
    list_display_links = ("api", "flat")
    list_filter = ("api", "network", "asset")
    list_select_related = ("merchant",)
    ordering = ("api", "asset", "network", "merchant")

    @admin.display(description="Merchant", ordering="merchant")
    def of_merchant(self, rule: FeeRule) -> str:
        """Whose row it is."""
        return str(rule.merchant or "everybody")

    @admin.display(description="Flat fee", ordering="flat_units")
    def flat(self, rule: FeeRule) -> str:
        """The fee in whole coins."""
        return sheet.money(rule.asset, int(rule.flat_units))
