"""Merchants' OAuth2 applications: to be looked at and taken away; made on the merchant's page, or by its programs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from payouts.merchants.oauth_models import Application


class ApplicationAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Programs that trade an id and a secret for tokens; taking one away ends its tokens at once."""

    list_display = ("client_id", "name", "merchant", "may_ask_for", "user", "created")
    search_fields = ("=client_id", "merchant__name")
    ordering = ("-created",)
    list_select_related = ("merchant", "user")
    fields = ("client_id", "name", "merchant", "may_ask_for", "user", "created")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody here: a secret is shown once to whom it belongs."""
        return False

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[str], list[Any]]:
        """Its tokens go with it, and nobody needs a right to each of them."""
        shown, counts, _, protected = super().get_deleted_objects(objs, request)
        return shown, counts, set(), protected

    @admin.display(description="May ask for")
    def may_ask_for(self, application: Application) -> str:
        """The scopes."""
        return " ".join(application.scopes)
