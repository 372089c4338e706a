"""Merchants' users and the addresses at which they pay in: to be looked at; a user's wallet can be switched off."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from chain import units
from payouts.merchants.screens import ReadOnly
from payouts.merchants.user_models import UserWallet
from payouts.payments import wallets

ASSET = "USDT"


class UserWalletAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Users' wallets: what the merchant owes each, and where they pay in."""

    list_display = ("user_id", "merchant", "owed", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("=id", "=user_id", "merchant__name")
    search_help_text = "A user's whole id, or a merchant's name"
    list_select_related = ("merchant",)
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    fields = (
        "user_id",
        "merchant",
        "owed",
        "deposit_addresses",
        "is_active",
        "email",
        "first_name",
        "last_name",
        "phone",
        "callback_url",
        "id",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name != "is_active")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody here: the merchant's program generates them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: what it is owed stands in the ledger."""
        return False

    @admin.display(description="Owed")
    def owed(self, wallet: UserWallet) -> str:
        """What the user may take out, and what is on its way."""
        available, pending = wallets.owed(wallet, ASSET)
        text = f"{units.text(ASSET, available.balance_units, 2)} {ASSET}"
        on_its_way = units.text(ASSET, pending.balance_units, 2)
        return f"{text}, {on_its_way} on its way" if pending.balance_units else text

    @admin.display(description="Deposit addresses")
    def deposit_addresses(self, wallet: UserWallet) -> str:
        """Whole, by network."""
        return " · ".join(f"{network}: {address}" for network, address in wallets.held(wallet).items()) or "–"


class DepositAddressAdmin(ReadOnly):
    """Every address that was ever given out."""

    list_display = ("address", "network", "merchant", "number", "created_at")
    list_filter = ("network",)
    search_fields = ("=address", "=owner")
    search_help_text = "A whole address, or a wallet's id"
    list_select_related = ("merchant",)
    ordering = ("-number",)
    fields = ("address", "network", "merchant", "owner", "number", "created_at")
    readonly_fields = fields


class ExtendedKeyAdmin(ReadOnly):
    """The public halves of the deposit keys."""

    list_display = ("network", "path", "xpub", "created_at")
    fields = list_display
    readonly_fields = fields
