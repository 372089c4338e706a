"""Merchants' users and the addresses at which they pay in: to be looked at; a user's wallet can be switched off."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from chain import units
from payouts.merchants.screens import ReadOnly
from payouts.merchants.user_models import UserWallet
from payouts.payments import wallets
from payouts.payments.payment_models import Deposit, Payment

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


class PaymentAdmin(ReadOnly):
    """What merchants asked their customers to pay, and what came of it."""

    list_display = ("id", "merchant", "network", "due", "received", "status", "order_id", "expires_at", "created_at")
    list_filter = ("status", "network", "asset")
    search_fields = ("=id", "=address", "=order_id", "merchant__name")
    search_help_text = "A whole id, address or order id, or a merchant's name"
    list_select_related = ("merchant",)
    ordering = ("-id",)

    @admin.display(description="Due")
    def due(self, payment: Payment) -> str:
        """What the customer is asked for."""
        return f"{units.text(payment.asset, payment.due_units, 2)} {payment.asset}"

    @admin.display(description="Received")
    def received(self, payment: Payment) -> str:
        """What has come so far."""
        return units.text(payment.asset, payment.received_units, 2)


class DepositAdmin(ReadOnly):
    """Every deposit that is final: credited, or left alone and why (unknown tokens, dust)."""

    list_display = ("txid", "network", "amount", "status", "reason", "merchant", "block_number", "block_at")
    list_filter = ("status", "reason", "network", "asset")
    search_fields = ("=id", "=txid", "=address__address", "merchant__name")
    search_help_text = "A whole transaction or address, or a merchant's name"
    list_select_related = ("merchant",)
    ordering = ("-created_at",)

    @admin.display(description="Amount")
    def amount(self, deposit: Deposit) -> str:
        """In coins; of an unknown token what its contract counts."""
        if not deposit.asset:
            return f"{deposit.amount_units} of {deposit.contract}"
        return f"{units.text(deposit.asset, deposit.amount_units, 2)} {deposit.asset}"
