"""What merchants are told: to be looked at and, a message at a time, sent again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from payouts.merchants.screens import ReadOnly, Untouched
from payouts.webhooks import outbox
from payouts.webhooks.models import Attempt, Message


class EndpointAdmin(ReadOnly):
    """Merchants' URLs."""

    list_display = ("url", "merchant", "api", "is_active", "disabled_reason", "created_at")
    list_filter = ("api", "is_active")
    search_fields = ("url", "merchant__name", "=id")
    list_select_related = ("merchant",)
    ordering = ("-id",)
    fields = ("merchant", "api", "url", "events", "is_active", "disabled_reason", "id", "created_at")
    readonly_fields = fields


class AttemptInline(Untouched, TabularInline):  # type: ignore[misc]  # unfold is untyped
    """Every try at one message."""

    model = Attempt
    fields = ("number", "at", "status_code", "error", "duration_ms", "answer")
    readonly_fields = fields
    extra = 0


SHADES = {"PENDING": "info", "DELIVERED": "success", "FAILED": "danger"}


class MessageAdmin(ReadOnly):
    """The outbox."""

    list_display = ("event", "shade", "told", "attempts_made", "created_at", "next_attempt_at")
    list_fullwidth = True
    list_filter = ("state", "event", "endpoint__api")
    search_fields = ("=id", "=subject_id")
    search_help_text = "A message's or a withdrawal's whole id"
    list_select_related = ("endpoint__merchant",)
    ordering = ("-id",)
    inlines = (AttemptInline,)
    actions = ("replay",)

    @admin.display(description="State", ordering="state")
    def shade(self, message: Message) -> str:
        """Where it is on its way."""
        return message.state

    shade.label = SHADES  # type: ignore[attr-defined]  # how unfold is told to show a coloured label

    @admin.display(description="To")
    def told(self, message: Message) -> SafeString:
        """The URL and whose it is."""
        endpoint = message.endpoint
        cell = '<div class="desk-cell">{}<span class="desk-under">{} · {} API</span></div>'
        return format_html(cell, endpoint.url, endpoint.merchant.name, endpoint.api)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whoever holds the right to change messages, though nobody changes what they say."""
        return bool(request.user.has_perm("payouts.change_message"))

    @admin.action(description="Send again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Send the chosen messages again, from the start of their schedule."""
        now = timezone.now()
        again = sum(outbox.replay(message, now=now) for message in queryset)
        messages.success(request, f"{again} to be sent again.")
        if again < len(queryset):
            messages.warning(request, f"{len(queryset) - again} stay: their URL is switched off.")
