"""The ledger on people's screens: to be looked at, never touched. The project's admin site registers these classes."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ledger.models import AccountLine, CreditLimitLine, EventLine


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """Everything may be seen by whoever may view it, nothing may be added, changed or deleted."""

    ids: ClassVar[tuple[str, ...]] = ()  # what a whole UUID in the search box may be
    texts: ClassVar[tuple[str, ...]] = ()  # what any other text in it may begin
    search_help_text = "A whole id"
    search_fields = ("key",)  # shows the box; get_search_results() decides what it finds
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody."""
        return False

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        """Find whole ids exactly and references by their beginning, which indexes can answer."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            conditions = [Q(**{name: UUID(term)}) for name in self.ids]
        except ValueError:
            conditions = [Q(**{f"{name}__startswith": term}) for name in self.texts]
        found = Q(pk__in=[])
        for condition in conditions:
            found |= condition
        return queryset.filter(found), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:  # noqa: ARG002 - Django's signature
        """The row by its two-part key, through the tables' own index."""
        book, _, rest = object_id.partition(".")
        try:
            return (
                self.get_queryset(request).filter(book=UUID(book), key=f"{book}.{rest}", **self.narrowed(rest)).first()
            )
        except ValueError:
            return None

    @staticmethod
    def narrowed(rest: str) -> dict[str, Any]:
        """What the key's rest says about indexed columns."""
        return {"id": UUID(rest)}


class AccountAdmin(ReadOnlyAdmin):
    """Balances."""

    list_display = ("book", "owner", "asset", "purpose", "network", "balance", "floor", "seq")
    list_filter = ("purpose", "asset", "network")
    ordering = ("book", "asset", "purpose", "network", "owner")
    ids = ("book", "id", "owner")


class EventAdmin(ReadOnlyAdmin):
    """Movements, the newest first."""

    list_display = ("at", "kind", "asset", "amount", "source_purpose", "target_purpose", "reference", "book")
    list_filter = ("kind",)
    ordering = ("-at", "-key")
    search_help_text = "A whole id, or how a reference begins"
    ids = ("book", "id", "txn", "source", "target")
    texts = ("reference",)


class CreditLimitAdmin(ReadOnlyAdmin):
    """Who allowed how much credit."""

    list_display = ("at", "by", "account", "old_floor", "new_floor", "book")
    ordering = ("-at", "-key")
    ids = ("book", "account")
    texts = ("by",)

    @staticmethod
    def narrowed(rest: str) -> dict[str, Any]:
        """The account and the number of the change."""
        account, _, number = rest.partition(".")
        return {"account": UUID(account), "number": int(number)}


SCREENS: dict[type[Any], type[ReadOnlyAdmin]] = {
    AccountLine: AccountAdmin,
    EventLine: EventAdmin,
    CreditLimitLine: CreditLimitAdmin,
}
