"""The company's withdrawals: found by filters and search, each with its whole way, called back while it can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from chain import addresses
from chain.assets import ASSETS
from chain.networks import NETWORKS
from payouts.api import dialects
from payouts.dashboard import guard, history, rendering
from payouts.dashboard.guard import Visit
from payouts.withdrawals import queries, sheet, steps, withdrawals
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Status, Withdrawal

PAGE = 25
# fmt: off
STATUSES: Mapping[str, tuple[str, str]] = {  # in people's words, and the badge's colour
    Status.PENDING:         ("new",               "amber"),
    Status.PENDING_REVIEW:  ("in review",         "amber"),
    Status.LEVEL1_APPROVED: ("first approval",    "amber"),
    Status.APPROVED:        ("approved",          "blue"),
    Status.PROCESSING:      ("being paid",        "blue"),
    Status.COMPLETED:       ("paid",              "green"),
    Status.FAILED:          ("failed, refunded",  "red"),
    Status.CANCELLED:       ("cancelled",         "grey"),
    Status.REJECTED:        ("rejected",          "red"),
}
WAITS: Mapping[str, str] = {
    Status.PENDING:         "for our automatic checks",
    Status.PENDING_REVIEW:  "for our first approval",
    Status.LEVEL1_APPROVED: "for our second approval",
    Status.APPROVED:        "for its turn on the network",
    Status.PROCESSING:      "for the network's final confirmation",
}
# fmt: on
DOORS = tuple(dialects.DIALECTS)


def day() -> forms.DateInput:
    """A date as browsers ask for it."""
    return forms.DateInput({"type": "date"}, format="%Y-%m-%d")


class Filters(forms.Form):
    """What narrows the list; nothing does what nobody chose."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search", "placeholder": "id, address or transaction", "spellcheck": "false"}),
    )
    status = forms.ChoiceField(
        required=False, choices=[("", "any"), *((status, words) for status, (words, _) in STATUSES.items())]
    )
    asset = forms.ChoiceField(required=False, choices=[("", "any"), *((one, one) for one in ASSETS)])
    network = forms.ChoiceField(
        required=False, choices=[("", "any"), *((row.name, row.title) for row in NETWORKS.values())]
    )
    api = forms.ChoiceField(label="Made through", required=False, choices=[("", "any"), *((one, one) for one in DOORS)])
    since = forms.DateField(label="From (UTC)", required=False, widget=day())
    until = forms.DateField(label="Until (UTC)", required=False, widget=day())


@dataclass(frozen=True, slots=True)
class Line:
    """A withdrawal in the list."""

    row: Withdrawal
    public_id: str
    amount: str
    network: str
    words: str
    shade: str


@guard.page("view")
def listed(visit: Visit) -> HttpResponse:
    """Show a page of the list; htmx asks for the list alone."""
    filters = Filters(visit.request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = narrowed(queries.of(visit.merchant), chosen) if filters.is_valid() else Withdrawal.objects.none()
    before = dialects.withdrawal_id(visit.request.GET.get("before", ""))
    found = list((rows.filter(id__lt=before) if before else rows)[: PAGE + 1])
    further = visit.request.GET.copy()
    if len(found) > PAGE:
        further["before"] = str(found[PAGE - 1].id)
    context = {
        "title": "Withdrawals",
        "filters": filters,
        "lines": [line(row) for row in found[:PAGE]],
        "older": further.urlencode() if len(found) > PAGE else "",
        "is_first": before is None,
        "is_narrowed": any(chosen.values()),
    }
    if rendering.wants_part(visit):
        return rendering.part(visit, "_withdrawals.html", context)
    return rendering.page(visit, "withdrawals.html", context)


def narrowed(rows: QuerySet[Withdrawal], chosen: Mapping[str, Any]) -> QuerySet[Withdrawal]:
    """The rows that fit what was chosen; a search means a whole id, address or transaction."""
    rows = rows.filter(**{name: chosen[name] for name in ("status", "asset", "network", "api") if chosen.get(name)})
    if chosen.get("since"):
        rows = rows.filter(created_at__gte=datetime.combine(chosen["since"], time.min, UTC))
    if chosen.get("until"):
        rows = rows.filter(created_at__lte=datetime.combine(chosen["until"], time.max, UTC))
    if term := chosen.get("q", "").strip():
        number = dialects.withdrawal_id(term)
        rows = rows.filter(id=number) if number else rows.filter(Q(destination__in=_forms(term)) | Q(txid=term))
    return rows


def _forms(term: str) -> set[str]:
    """An address as it was typed and as it is kept, which differ where its case carries a checksum."""
    found = {term}
    for network in ("ethereum", "tron"):
        try:
            found.add(addresses.normalise(network, term))
        except addresses.BadAddress:
            continue
    return found


def line(row: Withdrawal) -> Line:
    """A withdrawal as the lists show it."""
    words, shade = STATUSES[row.status]
    amount = sheet.money(row.asset, int(row.net_units))
    return Line(row, public_id(row), amount, sheet.network(row.network), words, shade)


def public_id(row: Withdrawal) -> str:
    """The id as the API that made it gives it."""
    return dialects.DIALECTS[row.api].public_id(row.id)


def found(visit: Visit, public_id: str) -> Withdrawal:
    """One of the company's withdrawals, by its id in any form.

    Raises: Http404, for others' as for those that are not there.
    """
    number = dialects.withdrawal_id(public_id)
    rows = queries.of(visit.merchant).select_related("user_wallet", "maker", "merchant")
    row = rows.filter(id=number).first() if number else None
    if row is None:
        raise Http404
    return row


@guard.page("view")
def shown(visit: Visit, public_id: str) -> HttpResponse:
    """Show one; htmx asks now and then whether it has moved, and gets it only when it has."""
    row = found(visit, public_id)
    if rendering.wants_part(visit):
        if visit.request.GET.get("seen") == row.status:
            return HttpResponse(status=204)
        return rendering.part(visit, "_withdrawal.html", _facts(visit, row))
    return rendering.page(visit, "withdrawal.html", {"title": f"Withdrawal {line(row).public_id}"} | _facts(visit, row))


def _facts(visit: Visit, row: Withdrawal) -> dict[str, Any]:
    of_merchant = row.approval == Approval.MERCHANT and row.status == Status.PENDING
    return {
        "line": line(row),
        "row": row,
        "is_final": row.status in steps.FINAL,
        "waits": "for your company's yes" if of_merchant else WAITS.get(row.status, ""),
        "paid": history.paid(row),
        "around": history.around(row),
        "timeline": history.timeline(row),
        "tables": [sheet.movements(row), sheet.messages(row)],
        "may_cancel": visit.may("pay") and steps.allowed("cancel", row.status),
        "may_decide": visit.may("pay") and of_merchant,
    }


@guard.page("pay", methods=("POST",))
def cancel(visit: Visit, public_id: str) -> HttpResponse:
    """Call one back: it costs nothing but the way, and what was frozen is there again."""
    row = found(visit, public_id)
    try:
        by = By(visit.person.get_username(), visit.person, "cancelled in the dashboard")
        withdrawals.cancel(row.id, by=by, now=timezone.now())
    except steps.StepRefused as refusal:
        messages.error(visit.request, f"Too late: it is {STATUSES[refusal.status][0]} now.")
    else:
        messages.success(visit.request, "Cancelled. What was frozen is available again.")
    return HttpResponseRedirect(reverse("dashboard:withdrawal", args=[line(row).public_id]))
