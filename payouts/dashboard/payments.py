"""What came in: payments that the company asked for, and every deposit on its addresses, with its transaction."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse

from chain import networks
from chain.assets import ASSETS
from payouts.api import ids
from payouts.dashboard import guard, rendering
from payouts.dashboard.guard import Visit
from payouts.payments import payment_queries
from payouts.payments.payment_models import Deposit, Payment, Status
from payouts.withdrawals import sheet
from payouts.withdrawals.sheet import Row

PAGE = 25
# fmt: off
SHADES = {
    Status.WAITING: "amber", Status.CONFIRMING: "blue", Status.PARTIALLY_PAID: "amber", Status.FINISHED: "green",
    Status.OVERPAID: "green", Status.UNDERPAID: "red", Status.EXPIRED: "grey", Status.PAID_LATE: "green",
}
STEPS = {
    "create": "Asked for", "see": "Seen on the network, not final yet", "forget": "Taken back by the network",
    "part": "Paid in part", "finish": "Paid", "overpay": "Paid too much", "expire": "Expired, nothing came",
    "fall_short": "Expired, too little came", "late": "Paid late",
}
# fmt: on


class Filters(forms.Form):
    """What narrows the list."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search", "placeholder": "id, address or order", "spellcheck": "false"}),
    )
    status = forms.ChoiceField(
        required=False, choices=[("", "any"), *((one, one.replace("_", " ").lower()) for one in Status.values)]
    )
    asset = forms.ChoiceField(required=False, choices=[("", "any"), *((one, one) for one in ASSETS)])


@guard.page("view")
def listed(visit: Visit) -> HttpResponse:
    """Show a page of payments, and the newest deposits."""
    filters = Filters(visit.request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = narrowed(Payment.objects.filter(merchant=visit.merchant).order_by("-id"), chosen)
    before = ids.parse_uuid(visit.request.GET.get("before", ""))
    found = list((rows.filter(id__lt=before) if before else rows)[: PAGE + 1])
    further = visit.request.GET.copy()
    if len(found) > PAGE:
        further["before"] = str(found[PAGE - 1].id)
    deposits = Deposit.objects.filter(merchant=visit.merchant).select_related("address").order_by("-id")[:PAGE]
    context = {
        "title": "Payments",
        "filters": filters,
        "lines": [_line(row) for row in found[:PAGE]],
        "older": further.urlencode() if len(found) > PAGE else "",
        "is_narrowed": any(chosen.values()) or before is not None,
        "deposits": [_deposit(one) for one in deposits],
    }
    if rendering.wants_part(visit):
        return rendering.part(visit, "_payments.html", context)
    return rendering.page(visit, "payments.html", context)


def narrowed(rows: QuerySet[Payment], chosen: dict[str, Any]) -> QuerySet[Payment]:
    """The rows that fit what was chosen; a search means a whole id, address or order."""
    rows = rows.filter(**{name: chosen[name] for name in ("status", "asset") if chosen.get(name)})
    if term := chosen.get("q", "").strip():
        number = ids.parse_uuid(term)
        rows = rows.filter(id=number) if number else rows.filter(Q(address=term) | Q(order_id=term))
    return rows


@guard.page("view")
def shown(visit: Visit, payment_id: UUID) -> HttpResponse:
    """Show one, with every transfer that paid it."""
    row = payment_queries.find(visit.merchant, payment_id)
    if row is None:
        raise Http404
    context = {
        "title": "Payment",
        "line": _line(row),
        "facts": _facts(row),
        "steps": [(sheet.moment(step.at), STEPS.get(step.verb, step.verb)) for step in row.steps.all()],
        "deposits": [_deposit(one) for one in payment_queries.deposits(row)],
    }
    return rendering.page(visit, "payment.html", context)


def _facts(row: Payment) -> list[Row]:
    asset = row.asset
    found = [
        Row("Id", str(row.id), "whole"),
        Row("Order", row.order_id, "whole") if row.order_id else None,
        Row("Asked for", sheet.money(asset, int(row.due_units)), "money"),
        Row("Received", sheet.money(asset, int(row.received_units)), "money"),
        Row("Fee taken", sheet.money(asset, int(row.fee_taken_units)), "money"),
        Row("To address", row.address, "whole"),
        Row("Network", sheet.network(row.network)),
        Row("Asked at", sheet.moment(row.created_at)),
        Row("Good until", sheet.moment(row.expires_at)),
        Row("About", row.description) if row.description else None,
    ]
    return [one for one in found if one is not None]


def _line(row: Payment) -> dict[str, Any]:
    status = Status(row.status)
    return {
        "row": row,
        "due": sheet.money(row.asset, int(row.due_units)),
        "received": sheet.money(row.asset, int(row.received_units)),
        "network": sheet.network(row.network),
        "words": status.replace("_", " ").lower(),
        "shade": SHADES[status],
    }


def _deposit(one: Deposit) -> dict[str, Any]:
    known = one.network in networks.NETWORKS
    url = networks.network(one.network).explorer_tx_url.format(txid=one.txid) if known else ""
    amount = sheet.money(one.asset, int(one.amount_units)) if one.asset else f"unknown token {one.contract}"
    return {"row": one, "amount": amount, "url": url, "network": sheet.network(one.network)}
