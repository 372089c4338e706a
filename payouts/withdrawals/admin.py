"""The approvers' queue and a withdrawal's page, with the two approval buttons."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chain import addresses, networks
from payouts.merchants.screens import ReadOnly
from payouts.withdrawals import confirming, decisions, sheet, waiting
from payouts.withdrawals.models import Status, Withdrawal

SHADES: dict[str, str] = {
    Status.PENDING: "info",
    Status.PENDING_REVIEW: "warning",
    Status.LEVEL1_APPROVED: "warning",
    Status.APPROVED: "info",
    Status.PROCESSING: "info",
    Status.COMPLETED: "success",
    Status.FAILED: "danger",
    Status.CANCELLED: "",
    Status.REJECTED: "danger",
}


TABS = (("", "Waiting for you"), ("1", "Waiting for level 1"), ("2", "Waiting for level 2"), ("all", "Everything"))


class WaitingFilter(admin.SimpleListFilter):
    """What waits for whom; without a choice, and nothing searched for, what waits for the person who looks."""

    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The choices beside the default."""
        return [*TABS[1:]]

    def choices(self, changelist: Any) -> Any:
        """The default has a name of its own."""
        first, *others = super().choices(changelist)
        return [first | {"display": TABS[0][1]}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Withdrawal]) -> QuerySet[Withdrawal]:
        """Narrow the list."""
        match self.value():
            case "1" | "2" as level:
                return waiting.at_level(queryset, int(level))
            case None if not request.GET.get("q") and waiting.levels(request.user):
                return waiting.for_person(queryset, request.user)
            case _:
                return queryset


class WithdrawalAdmin(ReadOnly):
    """Withdrawals to look at; the only thing to be done is a decision, on a page of its own."""

    list_display = ("state", "amount", "to", "age", "screening")
    list_display_links = ("state", "amount")
    list_filter = (WaitingFilter, "status", "network", "merchant")
    list_fullwidth = True
    list_before_template = "payouts/desk/tabs.html"
    tabs = TABS
    list_select_related = ("merchant",)
    search_fields = ("id",)  # shows the box; get_search_results() decides what it finds
    search_help_text = "A whole id (wd_…, INV-…), address or transaction id"
    change_form_template = "payouts/desk/withdrawal.html"

    def id_behind(self, text: str) -> UUID | None:
        """The withdrawal's id in the text, if it is one; the APIs' own forms are known a floor above."""
        try:
            return UUID(text)
        except ValueError:
            return None

    def public_id(self, withdrawal: Withdrawal) -> str:
        """The id as the merchant knows it."""
        return str(withdrawal.id)

    def waits_for(self, withdrawal: Withdrawal) -> str:  # noqa: ARG002 - a floor above knows more
        """What has to happen next; empty when nothing has."""
        return ""

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Oldest first where something waits, newest first where one looks back."""
        looks_back = request.GET.get("waiting") == "all" or request.GET.get("q")
        return ("-id",) if looks_back else ("id",)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Withdrawal],
        search_term: str,
    ) -> tuple[QuerySet[Withdrawal], bool]:
        """Whole ids, whole addresses, whole transaction ids: what one copies from a message."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = self.id_behind(term)
        if found is not None:
            return queryset.filter(id=found), False
        return queryset.filter(destination__in=_spellings(term)) | queryset.filter(txid=term), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Without the link to "all", which would lead to the same default."""
        changelist = super().get_changelist_instance(request)
        changelist.full_result_count = changelist.result_count
        return changelist

    def get_urls(self) -> list[URLPattern]:
        """The two decisions, before Django's own pages."""
        view = self.admin_site.admin_view
        decide = [
            path(
                f"<uuid:withdrawal_id>/{action}/",
                view(partial(self._decision, action=action)),
                name=f"payouts_withdrawal_{action}",
            )
            for action in ("approve", "reject")
        ]
        return [*decide, *super().get_urls()]

    def _decision(self, request: HttpRequest, withdrawal_id: UUID, *, action: str) -> HttpResponse:
        return confirming.page(self, request, withdrawal_id, action=action)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], obj: Withdrawal | None = None, **rest: Any
    ) -> HttpResponse:
        """Put the whole withdrawal on the page, and the buttons that would do something."""
        if obj is not None:
            shown: dict[str, Any] = {
                "title": f"Withdrawal, {obj.status}",
                "subtitle": None,
                "withdrawal": obj,
                "shade": SHADES[obj.status],
                "bound": sheet.bound(obj),
                "around": [*_waits(self.waits_for(obj)), *sheet.around(obj, public_id=self.public_id(obj))],
                "tables": [sheet.history(obj), sheet.movements(obj), sheet.messages(obj)],
                "buttons": _buttons(request, obj),
            }
            context |= shown
        answer: HttpResponse = super().render_change_form(request, context, obj=obj, **rest)
        return answer

    @admin.display(description="Status", ordering="status")
    def state(self, withdrawal: Withdrawal) -> str:
        """Where it is."""
        return withdrawal.status

    state.label = SHADES  # type: ignore[attr-defined]  # how unfold is told to show a coloured label

    @admin.display(description="Amount", ordering="amount_units")
    def amount(self, withdrawal: Withdrawal) -> SafeString:
        """What leaves the balance; below it what arrives and the fee."""
        total, net, fee = (
            sheet.money(withdrawal.asset, int(part))
            for part in (withdrawal.amount_units, withdrawal.net_units, withdrawal.fee_units)
        )
        return format_html(
            '<div class="desk-cell"><span class="desk-amount">{}</span>'
            '<span class="desk-under">gets {}<br>fee {}</span></div>',
            total,
            net,
            fee,
        )

    @admin.display(description="To", ordering="merchant__name")
    def to(self, withdrawal: Withdrawal) -> SafeString:
        """The whole address, a click selects all of it; below it the network and whose money it is."""
        merchant = withdrawal.merchant
        return format_html(
            '<div class="desk-cell"><span class="desk-whole">{}</span><span class="desk-under">{} · {}{}</span></div>',
            withdrawal.destination,
            sheet.network(withdrawal.network),
            merchant.name,
            " · TEST" if merchant.is_test else "",
        )

    @admin.display(description="Age", ordering="-id")
    def age(self, withdrawal: Withdrawal) -> str:
        """How long ago it was made."""
        return sheet.age(timezone.now() - withdrawal.created_at)

    @admin.display(description="Screening")
    def screening(self, withdrawal: Withdrawal) -> SafeString | str:
        """What screening found, in its own words."""
        notes = withdrawal.review_notes.splitlines()
        marks = format_html_join("", '<span class="desk-note">{}</span>', ([note] for note in notes))
        return format_html('<div class="desk-cell">{}</div>', marks) if notes else "–"


def _waits(text: str) -> list[sheet.Row]:
    return [sheet.Row("Waits for", text)] if text else []


def _spellings(term: str) -> list[str]:
    """The address as it was typed and in each network's normal form."""
    spellings = [term]
    for name in networks.NETWORKS:
        try:
            spellings.append(addresses.normalise(name, term))
        except addresses.BadAddress:
            continue
    return spellings


def _buttons(request: HttpRequest, withdrawal: Withdrawal) -> list[dict[str, str]]:
    buttons = []
    for action in ("approve", "reject"):
        verb = confirming.verb_of(withdrawal, action)
        if isinstance(request.user, User) and decisions.may(request.user, verb, withdrawal):
            title = "Reject …" if action == "reject" else f"Approve, level {verb[-1]} …"
            url = reverse(f"admin:payouts_withdrawal_{action}", args=[withdrawal.id])
            buttons.append({"title": title, "url": url, "action": action})
    return buttons
