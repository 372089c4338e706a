"""The front page: what the company has, what came and went, what waits for whom."""

from dataclasses import dataclass

from django.http import HttpResponse

from chain.assets import ASSETS
from ledger import balances
from ledger.accounts import Purpose, Ref
from payouts.dashboard import guard, rendering
from payouts.dashboard.guard import Visit
from payouts.merchants.models import Merchant
from payouts.withdrawals import sheet

SHOWN = (Purpose.AVAILABLE, Purpose.FROZEN, Purpose.CREDIT)


@dataclass(frozen=True, slots=True)
class Holding:
    """What the company has of one asset, as texts."""

    asset: str
    title: str
    available: str
    frozen: str
    credit: str


@guard.page("view")
def page(visit: Visit) -> HttpResponse:
    """Show it."""
    return rendering.page(visit, "overview.html", {"title": "Overview", "holdings": holdings(visit.merchant)})


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
