"""Approval policy, limits and address books: lists, and forms in coins that propose a change."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chain import addresses, networks, units
from payouts.merchants import coins
from payouts.merchants.book import BookedAddress
from payouts.withdrawals import rule_sheet, sheet, withdrawals
from payouts.withdrawals.amend_admin import ProposedAdmin
from payouts.withdrawals.models import PolicyRule
from payouts.withdrawals.rule_models import Kind, LimitRule

APIS = ("extraction", "public", "merchant", "invoice", "tenant", "dashboard")
DOORS = ("create", "request")  # of the public API


def choices(label: str, names: Any, nothing: str) -> forms.ChoiceField:
    """One of the names, or none of them for all."""
    return forms.ChoiceField(
        label=label,
        choices=[("", nothing), *((name, name) for name in names)],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )


def coin_field(label: str, help_text: str) -> forms.CharField:
    """An amount as people think of it: in coins."""
    return forms.CharField(label=label, required=False, help_text=help_text, widget=UnfoldAdminTextInputWidget)


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs want the model twice
    """A rule with its amounts in coins, and why it is to be."""

    coins: ClassVar[Mapping[str, str]] = {}  # the form's fields, and the columns that they fill
    reason = forms.CharField(
        label="Why", help_text="For whoever confirms it, and for the history.", widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, column in self.coins.items():
            amount = getattr(self.instance, column)
            if self.instance.pk and amount is not None and self.instance.asset:
                self.initial[field] = units.text(self.instance.asset, int(amount), 2)

    def clean(self) -> dict[str, Any]:
        """Turn the amounts into the asset's smallest unit, strictly; a coin is one of some asset."""
        cleaned: dict[str, Any] = super().clean() or {}
        asset = cleaned.get("asset", "")
        for field, column in self.coins.items():
            text = cleaned.get(field, "").strip()
            if text and not asset:
                self.add_error(field, "Choose the asset that this amount is of.")
                continue
            try:
                cleaned[column] = coins.parse(asset, text) if text else None
            except units.BadAmount as error:
                self.add_error(field, str(error))
            else:
                setattr(self.instance, column, cleaned[column])
        return cleaned


class PolicyForm(RuleForm):
    """A policy row whose range is one."""

    coins = {"from_coins": "from_units", "to_coins": "to_units"}
    api, channel = choices("API", APIS, "every API"), choices("Door", DOORS, "every door")
    asset = choices("Asset", units.PLACES, "every asset")
    from_coins = coin_field("Amount from", "In coins, inclusive; empty: no lower end.")
    to_coins = coin_field("Amount to", "In coins, inclusive; empty: no upper end.")

    class Meta:
        model = PolicyRule
        fields = ("priority", "merchant", "api", "channel", "asset", "destination", "approval")

    def clean(self) -> dict[str, Any]:
        """Refuse a range that nothing falls into: the row would look like a rule and be none."""
        cleaned = super().clean()
        low, high = cleaned.get("from_units"), cleaned.get("to_units")
        self.instance.from_units = low or 0
        if high is not None and high < (low or 0):
            self.add_error("to_coins", "The range ends before it begins.")
        return cleaned


class PolicyRuleAdmin(ProposedAdmin):
    """Who must approve what: the first row that matches decides, none means two levels."""

    kind = Kind.POLICY
    form = PolicyForm
    fields = (
        "priority", "merchant", "api", "channel", "asset", "from_coins", "to_coins", "destination", "approval", "reason"
    )  # fmt: skip
    list_display = ("priority", "of_merchant", "api_or_all", "door", "asset_or_all", "amount", "where", "approval")
    list_display_links = ("priority", "of_merchant")
    list_select_related = ("merchant",)
    ordering = ("priority", "id")

    @admin.display(description="Merchant", ordering="merchant")
    def of_merchant(self, rule: PolicyRule) -> str:
        """Whose row it is."""
        return str(rule.merchant or "every merchant")

    @admin.display(description="API", ordering="api")
    def api_or_all(self, rule: PolicyRule) -> str:
        """Which API."""
        return rule_sheet.text(rule, "API")

    @admin.display(description="Door", ordering="channel")
    def door(self, rule: PolicyRule) -> str:
        """Which of the API's doors."""
        return rule_sheet.text(rule, "Door")

    @admin.display(description="Asset", ordering="asset")
    def asset_or_all(self, rule: PolicyRule) -> str:
        """Which asset."""
        return rule_sheet.text(rule, "Asset")

    @admin.display(description="Amount")
    def amount(self, rule: PolicyRule) -> str:
        """The range in coins."""
        return rule_sheet.text(rule, "Amount")

    @admin.display(description="Destination")
    def where(self, rule: PolicyRule) -> str:
        """Known, new or any."""
        return rule_sheet.text(rule, "Destination")


class LimitForm(RuleForm):
    """A limit that limits something."""

    coins = {"payment_coins": "payment_units", "window_coins": "window_units"}
    api, asset = choices("API", APIS, "all APIs together"), choices("Asset", units.PLACES, "every asset")
    payment_coins = coin_field("One withdrawal up to", "In coins, the fee included; empty: no limit.")
    window_coins = coin_field("Within the window up to", "In coins, all withdrawals together that were not returned.")

    class Meta:
        model = LimitRule
        fields = ("merchant", "api", "asset", "window_hours", "window_count", "book_only", "cool_down_hours")
        labels = {
            "window_hours": "Rolling window (hours)",
            "window_count": "Withdrawals within the window",
            "book_only": "Address book only",
            "cool_down_hours": "Cool-down (hours)",
        }
        help_texts = {
            "merchant": "Empty: each merchant for itself.",
            "window_hours": "Empty: no window.",
            "window_count": "At most so many; empty: no limit of their number.",
            "book_only": "Refuse every destination that is not in the merchant's address book.",
            "cool_down_hours": "How long an address has to be in the book before it counts.",
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a window without limit, a limit without window, and a row that says nothing."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        limited = cleaned["window_units"] is not None or cleaned["window_count"] is not None
        says = limited or cleaned["payment_units"] is not None or cleaned["book_only"] or cleaned["cool_down_hours"]
        if limited and not cleaned["window_hours"]:
            self.add_error("window_hours", "Say how long the window is.")
        elif cleaned["window_hours"] is not None and not limited:
            self.add_error("window_coins", "Say what may leave within the window, or how often.")
        elif not says:
            self.add_error("payment_coins", "The row limits nothing yet.")
        return cleaned


class LimitRuleAdmin(ProposedAdmin):
    """What may leave at all: every row that fits must be kept."""

    kind = Kind.LIMIT
    form = LimitForm
    fields = (
        "merchant", "api", "asset", "payment_coins", "window_hours", "window_coins", "window_count", "book_only",
        "cool_down_hours", "reason",
    )  # fmt: skip
    list_display = ("of_merchant", "api_or_all", "asset_or_all", "payment", "window", "destinations")
    list_select_related = ("merchant",)
    ordering = ("id",)

    @admin.display(description="Merchant", ordering="merchant")
    def of_merchant(self, rule: LimitRule) -> str:
        """Whose row it is."""
        return str(rule.merchant or "each merchant")

    @admin.display(description="API", ordering="api")
    def api_or_all(self, rule: LimitRule) -> str:
        """Which API."""
        return rule_sheet.text(rule, "API")

    @admin.display(description="Asset", ordering="asset")
    def asset_or_all(self, rule: LimitRule) -> str:
        """Which asset."""
        return rule_sheet.text(rule, "Asset")

    @admin.display(description="One withdrawal up to")
    def payment(self, rule: LimitRule) -> str:
        """In coins."""
        return rule_sheet.text(rule, "One withdrawal")

    @admin.display(description="Within a window")
    def window(self, rule: LimitRule) -> str:
        """Sum and number."""
        return rule_sheet.text(rule, "Window")

    @admin.display(description="Destinations")
    def destinations(self, rule: LimitRule) -> str:
        """Book and cool-down."""
        return rule_sheet.text(rule, "Destinations")


class AddressForm(RuleForm):
    """An address of the book, in its network's normal form."""

    network = forms.ChoiceField(
        choices=[(name, sheet.network(name)) for name in networks.NETWORKS], widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = BookedAddress
        fields = ("merchant", "network", "address", "label")

    def clean(self) -> dict[str, Any]:
        """Refuse what could not be paid."""
        cleaned = super().clean()
        if {"merchant", "network", "address"} <= cleaned.keys():
            try:
                cleaned["address"] = withdrawals.destination(
                    cleaned["merchant"], network=cleaned["network"], text=cleaned["address"].strip()
                )
            except addresses.BadAddress as error:
                self.add_error("address", str(error))
        return cleaned


class BookedAddressAdmin(ProposedAdmin):
    """Merchants' address books: an address is added or removed, never changed."""

    kind = Kind.ADDRESS
    form = AddressForm
    fields = ("merchant", "network", "address", "label", "reason")
    list_display = ("label", "merchant", "network", "address", "added_by", "added_at")
    list_filter = ("merchant", "network")
    list_select_related = ("merchant", "added_by")
    search_fields = ("=address", "label")
    ordering = ("merchant__name", "label")

    def get_fields(self, request: HttpRequest, obj: BookedAddress | None = None) -> tuple[str, ...]:
        """A row that is there has no reason to be given."""
        found: tuple[str, ...] = super().get_fields(request, obj)
        return (*found[:-1], "added_by", "added_at") if obj else found

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: another address is another row, with a cool-down of its own."""
        return False
