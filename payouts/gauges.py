"""The numbers that an operator watches, read from the rows alone: a scrape asks no node."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Min

from chain import alarms, incoming, lanes, networks, units
from chain.models import Follower, Intent, IntentState
from ledger import seals
from payouts.surveying import Difference
from payouts.ticks import Tick
from payouts.webhooks.models import Message
from payouts.withdrawals.models import Withdrawal


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number with its labels; amounts are in whole coins, times in seconds."""

    name: str
    meaning: str
    labels: dict[str, str]
    value: Decimal | int | float


def read(*, now: datetime) -> Iterator[Gauge]:
    """All gauges as they stand."""
    yield from _alarms()
    yield from _lanes()
    yield from _intents(now=now)
    yield from _money_in(now=now)
    yield from _withdrawals(now=now)
    yield from _outbox(now=now)
    for tick in Tick.objects.order_by("sweep"):
        age_s = (now - tick.at).total_seconds()
        yield Gauge("sluice_tick_age_seconds", "since a sweep last ended", {"sweep": tick.sweep}, age_s)
    oldest = seals.oldest_unsealed_at()
    yield Gauge("sluice_unsealed_age_seconds", "of the oldest event in no block", {}, _age_s(oldest, now=now))
    for one in Difference.objects.order_by("network", "asset"):
        labels = {"network": one.network, "asset": one.asset}
        off = units.to_decimal(one.asset, int(one.units))
        yield Gauge("sluice_reconciliation_difference", "wallets less ledger, in coins", labels, off)


def _alarms() -> Iterator[Gauge]:
    opened = dict(alarms.standing().order_by().values_list("kind").annotate(number=Count("id")))
    for kind in alarms.KINDS:
        yield Gauge("sluice_alarms_open", "open alarms", {"kind": kind}, opened.get(kind, 0))


def _lanes() -> Iterator[Gauge]:
    for row in networks.configured():
        for lane in lanes.all_of(row.name):
            of = {"network": row.name, "lane": lane.address}
            yield Gauge("sluice_lane_paused", "1 while a lane or its network is paused", of, int(lane.paused))
            coin = lane.funds.get(networks.NATIVE)
            if coin and lane.fee_units:
                left = max(coin.free_units, 0) // lane.fee_units
                yield Gauge("sluice_lane_gas_payments", "payments whose fees are there at most", of, left)
            for contract, fund in lane.funds.items():
                labels = of | {"asset": fund.asset}
                held, free = (lanes.coins(row.name, contract, amount) for amount in (fund.held_units, fund.free_units))
                yield Gauge("sluice_lane_held", "what a lane holds finally, in coins", labels, held)
                yield Gauge("sluice_lane_free", "what it may still spend, in coins", labels, free)


def _intents(*, now: datetime) -> Iterator[Gauge]:
    rows = Intent.objects.filter(collected_at=None)
    stages = {
        "unsigned": rows.filter(state=IntentState.OPEN, attempts=None),
        "sent": rows.filter(state=IntentState.OPEN).exclude(attempts=None),
        "decided": rows.exclude(state=IntentState.OPEN),
    }
    for row in networks.configured():
        for stage, found in stages.items():
            counted = found.filter(network=row.name).aggregate(
                number=Count("id", distinct=True), first=Min("created_at")
            )
            labels = {"network": row.name, "stage": stage}
            yield Gauge("sluice_payments_open", "payments not settled", labels, counted["number"])
            age_s = _age_s(counted["first"], now=now)
            yield Gauge("sluice_payments_oldest_age_seconds", "of the oldest of them", labels, age_s)


def _money_in(*, now: datetime) -> Iterator[Gauge]:
    for row in Follower.objects.order_by("network"):
        of = {"network": row.network}
        behind = max(row.head_number - row.number, 0)
        yield Gauge("sluice_follower_blocks_behind", "blocks that are not read yet", of, behind)
        age_s = _age_s(row.caught_up_at, now=now)
        yield Gauge("sluice_follower_age_seconds", "since a network was last read to its end", of, age_s)
    yield Gauge("sluice_deposits_unconfirmed", "deposits that are not final", {}, incoming.seen().count())
    yield Gauge("sluice_deposits_to_book", "final deposits that are not booked", {}, incoming.waiting().count())


def _withdrawals(*, now: datetime) -> Iterator[Gauge]:
    rows = Withdrawal.objects.filter(
        status__in=["PENDING", "PENDING_REVIEW", "LEVEL1_APPROVED", "APPROVED", "PROCESSING"]
    )
    for status, number, first in rows.values_list("status").annotate(number=Count("id"), first=Min("created_at")):
        yield Gauge("sluice_withdrawals_open", "withdrawals on their way", {"status": status}, number)
        age_s = _age_s(first, now=now)
        yield Gauge("sluice_withdrawals_oldest_age_seconds", "of the oldest of them", {"status": status}, age_s)


def _outbox(*, now: datetime) -> Iterator[Gauge]:
    pending = Message.objects.filter(state=Message.State.PENDING)
    due = pending.filter(next_attempt_at__lte=now).aggregate(first=Min("next_attempt_at"))
    yield Gauge("sluice_outbox_pending", "webhook messages not delivered", {}, pending.count())
    yield Gauge("sluice_outbox_due_age_seconds", "of the one due longest", {}, _age_s(due["first"], now=now))


def _age_s(since: datetime | None, *, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0
