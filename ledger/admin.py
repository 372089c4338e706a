"""The ledger on people's screens: to be looked at, never touched. The project's admin site registers these classes."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from ledger import balances, finding, lists, statements
from ledger.accounts import Purpose
from ledger.models import AccountLine, AdjustmentLine, Anchor, Block, CreditLimitLine, EventLine
from ledger.posting import Kind

ENTRIES = 20  # of a statement on an account's page
NEIGHBOURS = 100  # of an event's transaction on its page: a bulk posting may have thousands


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """Everything may be seen by whoever may view it, nothing may be added, changed or deleted."""

    ids: ClassVar[tuple[str, ...]] = ()  # what a whole UUID in the search box may be
    texts: ClassVar[tuple[str, ...]] = ()  # what any other text in it may be
    search_help_text = "A whole id"
    search_fields = ("key",)  # shows the box; get_search_results() decides what it finds
    show_full_result_count = False
    list_per_page = 50
    paginator = lists.Capped
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
        """Find what an index can answer."""
        term = search_term.strip()
        return (queryset.filter(self.asked_for(term)) if term else queryset), False

    def asked_for(self, term: str) -> Q:
        """What the text in the search box means."""
        try:
            conditions = [Q(**{name: UUID(term)}) for name in self.ids]
        except ValueError:
            conditions = [Q(**{name: term}) for name in self.texts]
        found = Q(pk__in=[])
        for condition in conditions:
            found |= condition
        return found

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

    def url_of(self, view: str, book: UUID, rest: UUID) -> str:
        """Where a row of the ledger is shown."""
        return lists.url(self.admin_site.name, view, f"{book}.{rest}")


class AccountAdmin(ReadOnlyAdmin):
    """Balances, and behind each the statement that made it."""

    list_display = ("book", "owner", "asset", "purpose", "network", "balance", "floor", "seq")
    list_filter = (lists.among("purpose", Purpose),)
    ordering = ("book", "key")
    ids = ("book", "id")
    search_help_text = "A whole id of a book or an account"
    change_form_after_template = "ledger/account.html"

    def get_urls(self) -> list[URLPattern]:
        """The download, before Django's own pages."""
        download = path(
            "<path:object_id>/statement.csv",
            self.admin_site.admin_view(self.download),
            name="ledger_accountline_statement",
        )
        return [download, *super().get_urls()]

    def download(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """The whole statement as CSV, sent while it is read."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        line = self.get_object(request, object_id)
        if line is None:
            raise Http404
        ref = balances.named(line.book, account=line.id)
        return StreamingHttpResponse(
            statements.as_csv(ref),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="statement-{line.id}.csv"',
                "Cache-Control": "no-store",
            },
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], obj: AccountLine | None = None, **rest: Any
    ) -> HttpResponse:
        """Put a page of the statement below the account."""
        if obj is not None:
            context["statement"] = self._statement(obj, before=request.GET.get("before", ""))
        answer: HttpResponse = super().render_change_form(request, context, obj=obj, **rest)
        return answer

    def _statement(self, line: AccountLine, *, before: str) -> dict[str, Any]:
        ref = balances.named(line.book, account=line.id)
        place = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None  # noqa: PLR2004 - 64 bits
        page = balances.statement(ref, limit=ENTRIES, before_seq=place)
        lowest, highest = (page.entries[-1].seq, page.entries[0].seq) if page.entries else (0, 0)
        return {
            "headers": ("Entry", "When", "Kind", "Amount", "Balance", "Reference"),
            "entries": [
                {
                    "seq": entry.seq,
                    "at": entry.at,
                    "kind": entry.kind,
                    "amount": entry.amount_units * (1 if entry.direction is balances.Direction.CREDIT else -1),
                    "balance": entry.balance_after_units,
                    "reference": entry.reference,
                    "url": self.url_of("eventline_change", line.book, entry.event),
                }
                for entry in page.entries
            ],
            "total": page.total,
            "older": f"?before={lowest}" if lowest > 1 else "",
            "newer": f"?before={highest + ENTRIES + 1}" if highest < page.total else "",
            "csv": self.url_of("accountline_statement", line.book, line.id),
        }


class EventAdmin(ReadOnlyAdmin):
    """Movements, the newest first."""

    list_display = ("at", "kind", "asset", "amount", "source_purpose", "target_purpose", "reference", "book")
    list_filter = (lists.among("kind", Kind), lists.Before)
    ordering = ("-at", "-key")
    sortable_by = ()
    list_after_template = "ledger/older.html"
    search_help_text = "A whole id or a whole reference"
    change_form_after_template = "ledger/event.html"

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[lists.NewestFirst]:  # noqa: ARG002 - Django's signature
        """A list that goes on from a moment and not from a page number."""
        return lists.NewestFirst

    def asked_for(self, term: str) -> Q:
        """What a whole id or a whole reference means."""
        return finding.asked_for(term)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], obj: EventLine | None = None, **rest: Any
    ) -> HttpResponse:
        """Put the event's two accounts and its neighbours below it."""
        if obj is not None:
            context["accounts"] = {
                "source": f"{self.url_of('accountline_change', obj.book, obj.source)}?before={obj.source_seq + 1}",
                "target": f"{self.url_of('accountline_change', obj.book, obj.target)}?before={obj.target_seq + 1}",
            }
            context["neighbours"] = [
                {
                    "at": event.at,
                    "kind": event.kind,
                    "amount": event.amount,
                    "id": event.id,
                    "url": "" if event.id == obj.id else self.url_of("eventline_change", event.book, event.id),
                }
                for event in finding.around(obj)[:NEIGHBOURS]
            ]
        answer: HttpResponse = super().render_change_form(request, context, obj=obj, **rest)
        return answer


class AdjustmentAdmin(ReadOnlyAdmin):
    """What was proposed to be put right, by whom, why, and who decided."""

    list_display = ("at", "amount", "reason", "by", "verdict", "decided_by", "reference", "book")
    ordering = ("-at", "-key")
    search_help_text = "A whole id, or who proposed it"
    ids = ("book", "id")
    texts = ("by",)


class CreditLimitAdmin(ReadOnlyAdmin):
    """Who allowed how much credit."""

    list_display = ("at", "by", "account", "old_floor", "new_floor", "book")
    ordering = ("-at", "-key")
    search_help_text = "A whole id, or who allowed it"
    ids = ("book", "account")
    texts = ("by",)

    @staticmethod
    def narrowed(rest: str) -> dict[str, Any]:
        """The account and the number of the change."""
        account, _, number = rest.partition(".")
        return {"account": UUID(account), "number": int(number)}


class BlockAdmin(ReadOnlyAdmin):
    """Seals over stretches of events, and where they were made public."""

    list_display = ("number", "sealed_at", "events", "events_total", "hash_hex")
    fields = (
        "number",
        "sealed_at",
        "events",
        "events_total",
        "xid_from",
        "xid_to",
        "hash_hex",
        "previous_hex",
        "root_hex",
        "anchors",
    )
    readonly_fields = ("hash_hex", "previous_hex", "root_hex", "anchors")
    ordering = ("-number",)
    search_fields = ("number",)
    search_help_text = "A number, or a hash in whole"

    def asked_for(self, term: str) -> Q:
        """A block's number or its hash."""
        if term.isascii() and term.isdigit() and len(term) < 19:  # noqa: PLR2004 - 64 bits
            return Q(number=int(term))
        try:
            return Q(hash=bytes.fromhex(term))
        except ValueError:
            return Q(pk__in=[])

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:  # noqa: ARG002 - Django's signature
        """The block by its number."""
        return self.get_queryset(request).filter(self.asked_for(object_id)).first()

    @admin.display(description="Hash")
    def hash_hex(self, block: Block) -> str:
        """What the next block names as its predecessor, and what is anchored."""
        return bytes(block.hash).hex()

    @admin.display(description="Hash of the block before")
    def previous_hex(self, block: Block) -> str:
        """The link of the chain."""
        return bytes(block.previous).hex()

    @admin.display(description="Merkle root")
    def root_hex(self, block: Block) -> str:
        """Over the events' hashes."""
        return bytes(block.root).hex()

    @admin.display(description="Anchored")
    def anchors(self, block: Block) -> str:
        """On which chains, by which transactions."""
        anchors = Anchor.objects.filter(block=block.number).order_by("at")
        return "; ".join(f"{anchor.network} {anchor.txid}" for anchor in anchors) or "nowhere"


SCREENS: dict[type[Any], type[ReadOnlyAdmin]] = {
    AccountLine: AccountAdmin,
    EventLine: EventAdmin,
    AdjustmentLine: AdjustmentAdmin,
    CreditLimitLine: CreditLimitAdmin,
    Block: BlockAdmin,
}
