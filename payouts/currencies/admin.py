"""How much of each currency may come or go at once: rows that people edit, in coins."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import networks, units
from payouts.currencies.models import CurrencyLimit
from payouts.merchants import coins

AMOUNTS: Mapping[str, str] = {
    "payment_min": "Smallest payment",
    "payment_max": "Largest payment",
    "withdrawal_min": "Smallest withdrawal",
    "withdrawal_max": "Largest withdrawal",
}


def _coins(label: str) -> forms.CharField:
    return forms.CharField(label=label, help_text="In coins, such as 10 or 0.50.", widget=UnfoldAdminTextInputWidget)


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs want the model twice
    """A currency's limits as people think of them: in coins."""

    asset = forms.ChoiceField(choices=[(asset, asset) for asset in units.PLACES], widget=UnfoldAdminSelectWidget)
    network = forms.ChoiceField(
        choices=[(row.name, row.title) for row in networks.NETWORKS.values()], widget=UnfoldAdminSelectWidget
    )
    payment_min, payment_max, withdrawal_min, withdrawal_max = (_coins(label) for label in AMOUNTS.values())

    class Meta:
        model = CurrencyLimit
        fields = ("asset", "network", "is_popular")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in AMOUNTS if self.instance.pk else ():
            self.initial[name] = units.text(self.instance.asset, int(getattr(self.instance, f"{name}_units")), 2)

    def clean(self) -> dict[str, Any]:
        """Turn the amounts into the asset's smallest unit, strictly, and hold that they are ranges."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name in AMOUNTS if "asset" in cleaned else ():
            if name in cleaned:
                try:
                    setattr(self.instance, f"{name}_units", coins.parse(cleaned["asset"], cleaned[name]))
                except units.BadAmount as error:
                    self.add_error(name, str(error))
        return cleaned


class CurrencyLimitAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Currencies with their limits; every change is in Django's log."""

    form = LimitForm
    fields = ("asset", "network", "is_popular", *AMOUNTS)
    list_display = ("asset", "network", "payments", "withdrawals", "is_popular")
    list_display_links = ("asset", "network")
    list_filter = ("network", "asset")

    @admin.display(description="One payment")
    def payments(self, limit: CurrencyLimit) -> str:
        """From the least to the most."""
        return _range(limit, "payment")

    @admin.display(description="One withdrawal")
    def withdrawals(self, limit: CurrencyLimit) -> str:
        """From the least to the most."""
        return _range(limit, "withdrawal")


def _range(limit: CurrencyLimit, way: str) -> str:
    low, high = (units.text(limit.asset, int(getattr(limit, f"{way}_{end}_units")), 2) for end in ("min", "max"))
    return f"{low} to {high} {limit.asset}"
