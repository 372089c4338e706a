"""The ledger's statement of one of the company's accounts: page by page, or whole as CSV."""

from typing import Any

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chain import units
from chain.assets import ASSETS
from ledger import balances, statements
from ledger.accounts import Purpose, Ref
from payouts.api import ids
from payouts.dashboard import guard, rendering
from payouts.dashboard.guard import Visit
from payouts.withdrawals import sheet

PAGE = 50
PURPOSES = {Purpose.AVAILABLE: "Available", Purpose.FROZEN: "Frozen", Purpose.CREDIT: "Credit line"}


class AccountForm(forms.Form):
    """Which account; the company's own, one per asset and purpose."""

    asset = forms.ChoiceField(choices=[(one, one) for one in ASSETS], required=False)
    purpose = forms.ChoiceField(label="Account", choices=[*PURPOSES.items()], required=False)


def account(visit: Visit) -> Ref:
    """The account that the address names, the available USDT where it names none."""
    form = AccountForm(visit.request.GET)
    chosen: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    purpose = Purpose(chosen.get("purpose") or Purpose.AVAILABLE)
    return Ref(visit.merchant.id, visit.merchant.id, chosen.get("asset") or "USDT", purpose)


@guard.page("view")
def page(visit: Visit) -> HttpResponse:
    """Show a page of it, the newest entries first."""
    ref, text = account(visit), visit.request.GET.get("before", "")
    before = min(int(text), 10**18) if text.isascii() and text.isdigit() and len(text) < PAGE else None
    found = balances.statement(ref, limit=PAGE, before_seq=before)
    last = found.entries[-1].seq if found.entries else 0
    context = {
        "title": "Statement",
        "form": AccountForm({"asset": ref.asset, "purpose": str(ref.purpose)}),
        "ref": ref,
        "entries": [_line(ref, entry) for entry in found.entries],
        "total": found.total,
        "older": last if last > 1 else 0,
    }
    return rendering.page(visit, "statement.html", context)


@guard.page("view")
def download(visit: Visit) -> HttpResponseBase:
    """The whole of it as CSV, while it is read."""
    ref = account(visit)
    lines = statements.as_csv(ref, places=units.places(ref.asset))
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="statement-{ref.asset}-{ref.purpose}.csv"'
    return answer


def _line(ref: Ref, entry: balances.Entry) -> dict[str, Any]:
    sign = "-" if entry.direction == balances.Direction.DEBIT else "+"
    link = ids.parse_uuid(entry.reference)
    return {
        "entry": entry,
        "kind": str(entry.kind).replace("_", " ").lower(),
        "amount": f"{sign}{sheet.money(ref.asset, entry.amount_units)}",
        "after": sheet.money(ref.asset, entry.balance_after_units),
        "withdrawal": str(link) if link and entry.kind != "DEPOSIT" else "",
    }
