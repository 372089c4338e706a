"""Fees: rows that people propose and confirm, in coins."""

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import networks, units
from payouts.withdrawals import rule_sheet, sheet
from payouts.withdrawals.amend_admin import ProposedAdmin
from payouts.withdrawals.models import FeeRule
from payouts.withdrawals.rule_admin import RuleForm
from payouts.withdrawals.rule_models import Kind


class FeeForm(RuleForm):
    """A fee as people think of it: in coins."""

    coins = {"fee": "flat_units"}
    asset = forms.ChoiceField(choices=[(asset, asset) for asset in units.PLACES], widget=UnfoldAdminSelectWidget)
    network = forms.ChoiceField(
        choices=[(name, sheet.network(name)) for name in networks.NETWORKS], widget=UnfoldAdminSelectWidget
    )
    fee = forms.CharField(label="Flat fee", help_text="In coins, such as 1 or 0.50.", widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = FeeRule
        fields = ("merchant", "api", "asset", "network", "percent")
        widgets = {"percent": UnfoldAdminTextInputWidget}


class FeeRuleAdmin(ProposedAdmin):
    """What withdrawals cost; a merchant's own row goes before the row for everybody."""

    kind = Kind.FEE
    form = FeeForm
    fields = ("merchant", "api", "asset", "network", "fee", "percent", "reason")
    list_display = ("api", "asset", "network", "of_merchant", "flat", "of_the_amount")
    list_display_links = ("api", "flat")
    list_filter = ("api", "network", "asset")
    list_select_related = ("merchant",)
    ordering = ("api", "asset", "network", "merchant")

    @admin.display(description="Merchant", ordering="merchant")
    def of_merchant(self, rule: FeeRule) -> str:
        """Whose row it is."""
        return rule_sheet.text(rule, "Merchant")

    @admin.display(description="Flat fee", ordering="flat_units")
    def flat(self, rule: FeeRule) -> str:
        """The fee in whole coins."""
        return rule_sheet.text(rule, "Flat fee")

    @admin.display(description="Of the amount", ordering="percent")
    def of_the_amount(self, rule: FeeRule) -> str:
        """The platform's part in per cent."""
        return rule_sheet.text(rule, "Of the amount")
