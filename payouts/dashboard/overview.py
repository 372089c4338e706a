"""The front page: what the company has, what came and went, what waits for whom."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from chain.assets import ASSETS
from ledger import balances
from ledger.accounts import Purpose, Ref
from payouts.dashboard import flows, guard, rendering, withdrawals
from payouts.dashboard.guard import Visit
from payouts.merchants.models import Merchant
from payouts.withdrawals import queries, sheet, steps
from payouts.withdrawals.models import Approval, Status

SHOWN = (Purpose.AVAILABLE, Purpose.FROZEN, Purpose.CREDIT)


@dataclass(frozen=True, slots=True)
class Holding:
    """What the company has of one asset, as texts."""

    asset: str
    title: str
    available: str
    frozen: str
    credit: str


@dataclass(frozen=True, slots=True)
class Heap:
    """How many open withdrawals wait for the same, and since when."""

    waits: str
    number: int
    oldest: str
    url: str


@guard.page("view")
def page(visit: Visit) -> HttpResponse:
    """Show it; the chart comes after, since it reads more."""
    held = holdings(visit.merchant)
    context = {"title": "Overview", "holdings": held, "heaps": heaps(visit.merchant), "spans": flows.SPANS}
    return rendering.page(visit, "overview.html", context | {"assets": [one.asset for one in held]})


@guard.page("view")
def chart(visit: Visit) -> HttpResponse:
    """What came and went each day of one asset; htmx puts it into the page."""
    asset, span = visit.request.GET.get("asset", ""), visit.request.GET.get("days", "")
    days = int(span) if span in map(str, flows.SPANS) else flows.SPANS[0]
    asset = asset if asset in ASSETS else "USDT"
    found = flows.of(visit.merchant, asset=asset, days=days, now=timezone.now())
    return rendering.part(visit, "_chart.html", {"flow": found, "asset": asset, "days": days})


def heaps(merchant: Merchant) -> list[Heap]:
    """Open withdrawals by what they wait for; what waits for the company itself first."""
    open_ones = [status for status in Status if status not in steps.FINAL]
    rows = queries.of(merchant).filter(status__in=open_ones).order_by().values("status", "approval")
    found: dict[tuple[str, str], tuple[int, Any]] = {}
    for row in rows.annotate(number=Count("id"), first=Min("created_at")):
        ours = row["status"] == Status.PENDING and row["approval"] == Approval.MERCHANT
        key = ("for your company's yes" if ours else withdrawals.WAITS[row["status"]], row["status"])
        number, first = found.get(key, (0, row["first"]))
        found[key] = (number + row["number"], min(first, row["first"]))
    now = timezone.now()
    order = ["for your company's yes", *withdrawals.WAITS.values()]
    return [
        Heap(waits, number, sheet.age(now - first), f"{reverse('dashboard:withdrawals')}?status={status}")
        for (waits, status), (number, first) in sorted(found.items(), key=lambda one: order.index(one[0][0]))
    ]


def holdings(merchant: Merchant) -> list[Holding]:
    """Each asset of the company's own accounts in which anything is or was to be had."""
    refs = {(asset, purpose): Ref(merchant.id, merchant.id, asset, purpose) for asset in ASSETS for purpose in SHOWN}
    found = balances.of(refs.values())
    rows = []
    for asset, row in ASSETS.items():
        available, frozen, credit = (found[refs[asset, purpose]] for purpose in SHOWN)
        if available.seq or frozen.seq or credit.seq or credit.floor_units:
            left, limit = credit.spendable_units or 0, -(credit.floor_units or 0)
            line = f"{sheet.money(asset, left)} of {sheet.money(asset, limit)} left" if limit else ""
            held, reserved = (sheet.money(asset, one.balance_units) for one in (available, frozen))
            rows.append(Holding(asset, row.title, held, reserved, line))
    return rows
