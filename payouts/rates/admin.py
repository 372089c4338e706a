"""The table of rates: what people set stands until they change it, and goes before every provider."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from payouts.rates.models import TABLE, Rate


class RateForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs want the model twice
    """A rate as people set it."""

    class Meta:
        model = Rate
        fields = ("base", "quote", "rate", "good_for_s")

    def clean(self) -> dict[str, Any]:
        """Names in capital letters, as assets and currencies are called."""
        cleaned: dict[str, Any] = super().clean() or {}
        return cleaned | {name: cleaned[name].upper() for name in ("base", "quote") if name in cleaned}


class RateAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Rates; one that a person saves is the table's own from then on. Every change is in Django's log."""

    form = RateForm
    list_display = ("base", "quote", "plain", "source", "at", "good_for_s")
    list_display_links = ("base", "quote")
    list_filter = ("source",)
    search_fields = ("=base", "=quote")
    fields = ("base", "quote", "rate", "good_for_s")

    @admin.display(description="Rate", ordering="rate")
    def plain(self, rate: Rate) -> str:
        """Without zeros at its end."""
        return f"{rate.rate:f}".rstrip("0").rstrip(".")

    def save_model(self, request: HttpRequest, obj: Rate, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """The table says so, from now on."""
        obj.source, obj.at = TABLE, datetime.now(UTC)
        super().save_model(request, obj, form, change)
