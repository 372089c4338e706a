"""What the admin screens of all rooms share: rows to be looked at, never touched."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class Untouched:
    """Nothing may be added, changed or deleted, by superusers neither; for pages and for tables inside them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody."""
        return False


class ReadOnly(Untouched, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """A page that may be seen by whoever may view its rows."""

    actions: Any = None
    show_full_result_count = False
    list_per_page = 50
