"""What a merchant's people set about their users' withdrawals, on the merchant's page."""

from typing import Any

from django import forms
from unfold.admin import StackedInline
from unfold.widgets import UnfoldAdminTextInputWidget

from chain import units
from payouts.merchants import coins
from payouts.merchants.user_models import WithdrawalSettings

ASSET = "USDT"


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs want the model twice
    """The settings with their amount as people think of it: in coins."""

    max_auto = forms.CharField(
        label="Up to (USDT)",
        initial="100.00",
        help_text="Inclusive, in coins: what users request up to here needs no further yes, where it is auto-approved.",
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = WithdrawalSettings
        fields = ("auto_withdraw", "withdrawal_fee_payer")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["max_auto"] = units.text(ASSET, int(self.instance.max_auto_units), 2)

    def clean(self) -> dict[str, Any]:
        """Turn the amount into the asset's smallest unit, strictly."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "max_auto" in cleaned:
            try:
                self.instance.max_auto_units = coins.parse(ASSET, cleaned["max_auto"])
            except units.BadAmount as error:
                self.add_error("max_auto", str(error))
        return cleaned


class SettingsInline(StackedInline):  # type: ignore[misc]  # unfold is untyped
    """One per merchant; none is the documented defaults."""

    model = WithdrawalSettings
    form = SettingsForm
    fields = ("auto_withdraw", "max_auto", "withdrawal_fee_payer")
    extra = 1
    max_num = 1
    can_delete = False
