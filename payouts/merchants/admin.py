"""Merchants, their people and keys."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin, TabularInline

from payouts.merchants import key_page
from payouts.merchants.models import Member, Merchant
from payouts.merchants.settings_admin import SettingsInline


class MemberInline(TabularInline):  # type: ignore[misc]  # unfold is untyped
    """The people who act for the merchant."""

    model = Member
    extra = 0


class MerchantAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Customers; what they have stands in the ledger, their credit line on a page of its own."""

    list_display = ("name", "mode", "created_at")
    list_filter = ("mode",)
    search_fields = ("name", "=id")
    ordering = ("name",)
    fields = ("name", "mode", "id", "created_at")
    readonly_fields = ("id", "created_at")
    inlines = (SettingsInline, MemberInline)
    change_form_template = "payouts/desk/merchant.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: a merchant is a book in the ledger."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The page for a new key, before Django's own."""
        view = self.admin_site.admin_view(self._key)
        return [path("<uuid:merchant_id>/key/", view, name="payouts_merchant_key"), *super().get_urls()]

    def _key(self, request: HttpRequest, merchant_id: UUID) -> HttpResponse:
        if not (self.has_view_permission(request) and request.user.has_perm(key_page.RIGHT)):
            raise PermissionDenied
        return key_page.page(self, request, get_object_or_404(Merchant, id=merchant_id))


class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Programs' keys: to be switched off, or made to sign whole requests; a secret is never shown again."""

    list_display = ("key_id", "merchant", "api", "is_active", "require_request_signing", "issued_to", "created_at")
    list_filter = ("api", "is_active", "require_request_signing")
    search_fields = ("=key_id", "merchant__name")
    ordering = ("-created_at",)
    list_select_related = ("merchant", "issued_to")
    fields = ("key_id", "merchant", "api", "issued_to", "created_at", "is_active", "require_request_signing")
    readonly_fields = ("key_id", "merchant", "api", "issued_to", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody here: a secret is shown once to whom it belongs."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: a key is switched off, what it did stays attributed to it."""
        return False
