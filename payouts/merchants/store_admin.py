"""Stores, their QR codes, and the supervisors that stores have made."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget

from chain import units
from ledger import balances
from ledger.accounts import Purpose
from payouts.merchants import stores
from payouts.merchants.screens import ReadOnly, Untouched
from payouts.merchants.store_models import AddressChange, QrCode, Store


class StoreAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Merchants' stores; whose they are and who logs in for them is said once."""

    list_display = ("name", "merchant", "person", "created_at")
    list_filter = ("merchant",)
    list_select_related = ("merchant", "person")
    search_fields = ("name", "=id", "=person__username")
    ordering = ("name",)
    fields = ("merchant", "name", "person", "id", "created_at")
    readonly_fields = ("id", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> tuple[str, ...]:  # noqa: ARG002 - Django's signature
        """Only the name may change: what the store's people did stays theirs."""
        return (*self.readonly_fields, "merchant", "person") if obj else self.readonly_fields

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer people who can log in and have no part here yet; approvers and superusers have theirs."""
        if db_field.name == "person":
            free = User.objects.filter(is_active=True, is_staff=False, is_superuser=False)
            options["queryset"] = free.filter(store=None, supervisor=None, membership=None).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **options)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: a store's person is switched off."""
        return False


class QrCodeForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs want the model twice
    """A QR code in a currency that the ledger keeps."""

    currency = forms.ChoiceField(choices=[(asset, asset) for asset in units.PLACES], widget=UnfoldAdminSelectWidget)

    class Meta:
        model = QrCode
        fields = ("store", "currency")


class AddressChangeInline(Untouched, TabularInline):  # type: ignore[misc]  # unfold is untyped
    """Every address that the QR code has held."""

    model = AddressChange
    fields = ("at", "person", "before", "after", "withdrawal")
    readonly_fields = fields
    extra = 0
    hide_title = True


class QrCodeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """What stores draw on; a credit line is set on a page of its own, and nowhere else."""

    form = QrCodeForm
    list_display = ("store", "merchant", "currency", "balance", "available_credit", "last_address")
    list_filter = ("store__merchant", "currency")
    list_select_related = ("store__merchant",)
    search_fields = ("store__name", "=account", "=last_address")
    ordering = ("store__name",)
    fields = ("store", "currency", "account", "balance", "available_credit", "last_address", "created_at")
    readonly_fields = ("account", "balance", "available_credit", "last_address", "created_at")
    change_form_template = "payouts/desk/qr_code.html"

    def get_readonly_fields(self, request: HttpRequest, obj: QrCode | None = None) -> tuple[str, ...]:  # noqa: ARG002 - Django's signature
        """Nothing changes once it is made: the account belongs to its store, in its currency."""
        return (*self.readonly_fields, "store", "currency") if obj else self.readonly_fields

    def get_fields(self, request: HttpRequest, obj: QrCode | None = None) -> tuple[str, ...]:  # noqa: ARG002 - Django's signature
        """A new one has neither account nor money yet."""
        return self.fields if obj else ("store", "currency")

    def get_inlines(self, request: HttpRequest, obj: QrCode | None) -> tuple[type, ...]:  # noqa: ARG002 - Django's signature
        """A new one has no history yet."""
        return (AddressChangeInline,) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer the stores that have none."""
        if db_field.name == "store":
            options["queryset"] = Store.objects.filter(qr_code=None).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **options)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: behind it is an account of the ledger."""
        return False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **rest: Any) -> HttpResponse:
        """Without buttons that would save nothing."""
        if rest.get("obj") is not None:
            context |= {"show_save": False, "show_save_and_continue": False, "show_save_and_add_another": False}
        answer: HttpResponse = super().render_change_form(request, context, **rest)
        return answer

    @admin.display(description="Merchant", ordering="store__merchant__name")
    def merchant(self, qr_code: QrCode) -> str:
        """Whose store it is."""
        return str(qr_code.store.merchant)

    @admin.display(description="Balance")
    def balance(self, qr_code: QrCode) -> str:
        """What the account holds."""
        return _money(qr_code, balances.balance(_account(qr_code, Purpose.AVAILABLE)).balance_units)

    @admin.display(description="Available credit")
    def available_credit(self, qr_code: QrCode) -> str:
        """What the credit line still gives, and out of how much."""
        credit = balances.balance(_account(qr_code, Purpose.CREDIT))
        limit = _money(qr_code, -(credit.floor_units or 0))
        return f"{_money(qr_code, credit.spendable_units or 0)} of {limit}"


def _account(qr_code: QrCode, purpose: Purpose) -> Any:
    return stores.account(qr_code.store, qr_code.account, qr_code.currency, purpose)


def _money(qr_code: QrCode, amount_units: int) -> str:
    return f"{units.text(qr_code.currency, amount_units, 2)} {qr_code.currency}"


class SupervisorAdmin(ReadOnly):
    """Supervisors are their stores': to be looked at."""

    list_display = ("name", "store", "email", "person", "buy_usdt_active", "qr_active", "created_at", "deleted_at")
    list_filter = ("store__merchant", "buy_usdt_active")
    list_select_related = ("store", "person")
    search_fields = ("name", "email", "=id", "=person__username")
    ordering = ("-id",)
    fields = (*list_display, "account", "id")
    readonly_fields = fields
