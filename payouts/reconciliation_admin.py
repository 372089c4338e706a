"""Ledger against chains on one page: each amount that explains the difference, what waits, what stopped the signer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from chain import networks, pausing, units, unswept
from chain.lane_admin import RIGHT, ReasonForm
from chain.models import Intent, IntentState, Pause, Purpose
from chain.screens import ReadOnly
from payouts import reconciliation
from payouts.payments.payment_models import Deposit
from payouts.surveying import Difference

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One asset on one network as the page shows it."""

    title: str
    asset: str
    amounts: Sequence[tuple[str, str, str]]  # sign, amount, what it is; nothing where it is nought
    difference: str
    is_even: bool
    row: Difference


class DifferenceAdmin(ReadOnly):
    """The comparison of every minute, item by item."""

    def get_urls(self) -> list[URLPattern]:
        """Resuming a network, before Django's own pages."""
        view = self.admin_site.admin_view(self.resume)
        return [path("<str:network>/resume/", view, name="payouts_difference_resume"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # noqa: ARG002 - Django's
        """The page: no node is asked for it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Difference.objects.order_by(F("since").asc(nulls_last=True), "network", "asset")
        shown = {
            "title": "Ledger and chains",
            "opts": self.opts,
            "lines": [_line(row) for row in rows if row.units or _is_of_use(row)],
            "idle": sum(not (row.units or _is_of_use(row)) for row in rows),
            "pauses": Pause.objects.filter(wallet=None, ended_at=None).order_by("at"),
            "may_resume": request.user.has_perm(RIGHT),
            "tables": [_under_way(), _unswept(), _ignored()],
        }
        return TemplateResponse(
            request, "payouts/desk/reconciliation.html", self.admin_site.each_context(request) | shown
        )

    def resume(self, request: HttpRequest, network: str) -> HttpResponse:
        """Ask why, then let the network's lanes go on."""
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied
        standing = Pause.objects.filter(network=network, wallet=None, ended_at=None).first()
        if standing is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        back = reverse("admin:payouts_difference_changelist")
        if request.method == "POST" and form.is_valid():
            who = {"by": request.user.get_username(), "reason": form.cleaned_data["reason"], "now": timezone.now()}
            try:
                pausing.resume(network, **who)
                messages.success(request, f"resumed: {network}")
            except pausing.NotPaused as refused:
                messages.error(request, str(refused))
            return HttpResponseRedirect(back)
        shown = {"title": f"Resume {network}", "opts": self.opts, "form": form, "pause": standing, "back": back}
        return TemplateResponse(request, "payouts/desk/resume.html", self.admin_site.each_context(request) | shown)


def _is_of_use(row: Difference) -> bool:
    """Whether either side has anything."""
    return any(int(amount) for amount in row.items.values())


def _line(row: Difference) -> Line:
    money = partial(_money, row.asset)
    amounts = [
        ("+" if sign > 0 else "−", money(int(row.items[name])), what)
        for name, (sign, what) in reconciliation.ITEMS.items()
        if int(row.items.get(name, 0)) or (name in ("hot", "ledger") and name in row.items)
    ]
    off = int(row.units)
    return Line(networks.network(row.network).title, row.asset, amounts, money(off), off == 0, row)


def _money(asset: str, amount_units: int) -> str:
    sign = "−" if amount_units < 0 else ""
    whole, _, fraction = units.text(asset, abs(amount_units), 2).partition(".")
    return f"{sign}{int(whole):,}.{fraction}"


def _under_way() -> dict[str, Any]:
    opened = Intent.objects.filter(state=IntentState.OPEN, batch=None).order_by("network", "purpose")
    counted: dict[tuple[str, str], int] = {}
    for network, purpose in opened.values_list("network", "purpose"):
        counted[network, purpose] = counted.get((network, purpose), 0) + 1
    rows = [(network, Purpose(purpose).label, number) for (network, purpose), number in counted.items()]
    nothing = "No transaction is under way."
    return {"title": "Under way", "headers": ["Network", "For", "Open"], "rows": rows, "nothing": nothing}


def _unswept() -> dict[str, Any]:
    rows = [
        (one.network, one.address, one.amount, "left there" if one.is_dust else "to be swept", one.waits_for)
        for one in unswept.listed(limit=SHOWN)
    ]
    headers = ["Network", "Deposit address", "Holds", "", "Waits for"]
    return {"title": "On deposit addresses", "headers": headers, "rows": rows, "nothing": "Nothing lies there."}


def _ignored() -> dict[str, Any]:
    found = Deposit.objects.filter(status=Deposit.Status.IGNORED).select_related("address").order_by("-id")[:SHOWN]
    rows = [(one.network, str(one.address), _ignored_amount(one), one.reason, one.txid) for one in found]
    headers = ["Network", "Deposit address", "Amount", "Why", "Transaction"]
    return {"title": "Came in and is in no balance", "headers": headers, "rows": rows, "nothing": "Nothing."}


def _ignored_amount(one: Deposit) -> str:
    if one.asset:
        return f"{_money(one.asset, int(one.amount_units))} {one.asset}"
    return f"{int(one.amount_units)} units of {one.contract}"
