"""What came in and went out of a company's book, day by day: read off its accounts with the outside world."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from chain import units
from chain.networks import NETWORKS
from ledger import balances
from ledger.accounts import Purpose, Ref
from ledger.balances import Direction, Entry
from payouts.merchants.models import Merchant
from payouts.withdrawals import sheet

SPANS = (30, 7, 90)  # days; the first unless somebody chooses
STRETCH = 1000
MOST = 20_000  # entries that one chart reads of an account; a company with more sees fewer days


@dataclass(frozen=True, slots=True)
class Day:
    """One day's sums, as texts for people and as numbers for the chart."""

    day: str
    came: str
    went: str
    came_coins: str
    went_coins: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A stretch of days, the oldest first; `since` is told where it is shorter than was asked for."""

    days: list[Day]
    came: str
    went: str
    moved: bool
    since: str = ""

    @property
    def points(self) -> dict[str, list[str]]:
        """What the chart draws."""
        return {
            "labels": [day.day for day in self.days],
            "came": [day.came_coins for day in self.days],
            "went": [day.went_coins for day in self.days],
        }


def of(merchant: Merchant, *, asset: str, days: int, now: datetime) -> Flow:
    """The flow of one asset over the last days, today's included (UTC)."""
    first = now.date() - timedelta(days=days - 1)
    came, went = Counter[str](), Counter[str]()
    since = ""
    for network in (row.name for row in NETWORKS.values() if asset in row.assets):
        outside = Ref(merchant.id, merchant.id, asset, Purpose.EXTERNAL, network)
        entries, is_whole = _since(outside, f"{first}")
        since = since if is_whole else max(since, f"{entries[-1].at:%Y-%m-%d}")
        for entry in entries:
            sums = came if entry.direction == Direction.DEBIT else went  # what leaves the outside comes in
            sums[f"{entry.at:%Y-%m-%d}"] += entry.amount_units
    names = [f"{first + timedelta(days=number)}" for number in range(days)]
    return Flow(
        [_day(asset, name, came[name], went[name]) for name in names if name >= since],
        sheet.money(asset, sum(came.values())),
        sheet.money(asset, sum(went.values())),
        bool(came or went),
        since,
    )


def _since(ref: Ref, first: str) -> tuple[list[Entry], bool]:
    """The account's entries from this day on, the newest first, and whether these are all."""
    found: list[Entry] = []
    before: int | None = None
    while len(found) < MOST:
        page = balances.statement(ref, limit=STRETCH, before_seq=before).entries
        found += [entry for entry in page if f"{entry.at:%Y-%m-%d}" >= first]
        if not page or page[-1].seq == 1 or f"{page[-1].at:%Y-%m-%d}" < first:
            return found, True
        before = page[-1].seq
    return found, False


def _day(asset: str, name: str, came_units: int, went_units: int) -> Day:
    shown = (sheet.money(asset, came_units), sheet.money(asset, went_units))
    return Day(name, *shown, units.text(asset, came_units), units.text(asset, went_units))
