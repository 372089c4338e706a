"""Fees and approval policy: rows that people edit, each change in Django's log."""

from typing import Any

from django import forms
from django.contrib import admin
from unfold.admin import ModelAdmin

from payouts.withdrawals import sheet
from payouts.withdrawals.models import FeeRule, PolicyRule


class FeeRuleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """What withdrawals cost; a merchant's own row goes before the row for everybody."""

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


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs want the model twice
    """A policy row whose range is one."""

    class Meta:
        model = PolicyRule
        fields = ("priority", "merchant", "api", "asset", "from_units", "to_units", "approval")

    def clean(self) -> dict[str, Any]:
        """Refuse a range that nothing falls into: the row would look like a rule and be none."""
        cleaned: dict[str, Any] = super().clean() or {}
        low, high = cleaned.get("from_units"), cleaned.get("to_units")
        if low is not None and high is not None and high < low:
            self.add_error("to_units", "The range ends before it begins.")
        return cleaned


class PolicyRuleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Who must approve what: the first row that matches decides, none means two levels."""

    form = PolicyForm
    list_display = ("priority", "of_merchant", "api", "asset", "from_units", "to_units", "approval")
    list_select_related = ("merchant",)
    ordering = ("priority", "id")

    @admin.display(description="Merchant", ordering="merchant")
    def of_merchant(self, rule: PolicyRule) -> str:
        """Whose row it is."""
        return str(rule.merchant or "everybody")
