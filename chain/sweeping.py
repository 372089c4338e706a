"""Bring what lies on deposit addresses into the hot wallets: first the coin for the fee, then the sweep itself.

Both are intents and go the way of every payment: a lane's next sequence number, bytes committed before they are sent,
resent until the chain decides, a verdict by proof alone. Of each deposit address one sweep is open at a time, and one
top-up; both only ever move our own money between our own wallets, which database and signer see to separately.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Q, QuerySet

from chain import alarms, deposit_lanes, families, lanes, networks
from chain.failpoints import committing
from chain.gateway import ChainError, Gateway, Obstacle, Retryable, Transfer
from chain.lanes import Lane
from chain.models import HotWallet, Intent, IntentState, Purpose, SweepRule
from chain.ordering import bind

log = structlog.get_logger(__name__)

COIN_WORTH = 10  # coin is swept when it is worth so many times its own fee
HEADROOM = 5, 4  # fees may rise by a quarter between a look and the signature
DEAD_FOR = timedelta(hours=1)  # what failed on chain would fail again: it is left alone for so long


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is swept: the rest of it the signer checks against its own keys."""

    network: str
    asset: str


@dataclass(frozen=True, slots=True)
class TopUp:
    """Coin for a deposit address. Units: the coin's smallest."""

    network: str
    amount_units: int


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at an address came to."""

    ordered: int = 0
    is_busy: bool = True  # something is under way, or waits for its time
    obstacle: str = ""  # what a person should know


def sweep_due(*, now: datetime, limit: int) -> int:
    """Look at the deposit addresses whose turn it is, and order what is due; how many orders. Never in a transaction.

    A network that does not answer holds up nobody but itself.
    """
    return sum(_sweep_network(row.name, now=now, limit=limit) for row in networks.configured())


def require_coin(intent: Intent, *, cost_units: int) -> None:
    """See to it that a sweep's own address can pay for it: otherwise its bytes would lie about.

    Raises: Retryable.
    """
    fund = deposit_lanes.known(intent.wallet).funds.get(networks.NATIVE)
    left_units = fund.held_units - (0 if intent.contract else intent.amount_units) if fund else 0
    if left_units < cost_units:
        raise Retryable(f"it waits for coin: its fee may be {cost_units}, the address has {left_units}")


def least_units(network: str, contract: str, rules: Collection[SweepRule]) -> int | None:
    """From how much on it is swept; None where no rule says so.

    Units: what the chain counts in.
    """
    rule = _rule(network, lanes.asset(network, contract), rules)
    decimals = networks.token(network, lanes.asset(network, contract)).decimals
    return int(rule.least_amount.scaleb(decimals)) if rule else None


def _rule(network: str, asset: str, rules: Collection[SweepRule]) -> SweepRule | None:
    fitting = [row for row in rules if row.asset == asset and row.network in ("", network)]
    return max(fitting, key=lambda row: row.network, default=None)


def _sweep_network(network: str, *, now: datetime, limit: int) -> int:
    due = deposit_lanes.claim(network, now=now, limit=limit)
    if not due:
        return 0
    gateway, rules, ordered = families.gateway(network), list(SweepRule.objects.all()), 0
    for wallet in due:
        try:
            found = _look(gateway, wallet, rules, now=now)
        except ChainError as unread:
            log.warning("sweep.unread", network=network, address=wallet.address, reason=str(unread))
            continue  # its lease brings it back
        except lanes.NoLane as short:
            found = Found(obstacle=f"no hot wallet can give the coin for its fee: {short}")
        texts = {f"{network}/{wallet.address}": found.obstacle} if found.obstacle else {}
        alarms.stand("sweep.waits", texts, within=f"{network}/{wallet.address}", now=now)
        deposit_lanes.look_again(wallet, is_busy=found.is_busy, now=now)
        ordered += found.ordered
    return ordered


def _look(gateway: Gateway, wallet: HotWallet, rules: Collection[SweepRule], *, now: datetime) -> Found:
    """Read the address, then go on with what is under way or begin the next.

    Raises: ChainError, NoLane.
    """
    lane = deposit_lanes.read(gateway, wallet, now=now)
    under_way = Intent.objects.filter(wallet=wallet, state=IntentState.OPEN).select_related("wallet").first()
    if under_way:
        is_signed = under_way.attempts.exists()
        return Found() if is_signed else _topped_up(gateway, wallet, lane, under_way.transfer(), now=now)
    obstacles = []
    for contract, fund in lane.funds.items():
        least = least_units(wallet.network, contract, rules)
        if contract == networks.NATIVE or least is None or fund.free_units < max(least, 1):
            continue
        if not _is_ripe(wallet, fund.asset, rules, now=now):
            return Found()
        found = _token(gateway, wallet, lane, contract, now=now)
        if not found.obstacle:
            return found
        obstacles.append(f"{fund.asset}: {found.obstacle}")
    if obstacles:
        return Found(obstacle="; ".join(obstacles))
    read_up_to = deposit_lanes.read_up_to(wallet)
    is_busy = read_up_to < (wallet.touched_block or 0) or _arriving(wallet, read_up_to).exists()
    return _coin(gateway, wallet, lane, rules, is_busy=is_busy, now=now)


def _token(gateway: Gateway, wallet: HotWallet, lane: Lane, contract: str, *, now: datetime) -> Found:
    """Sweep a token when its address has the coin, otherwise see to that first. Raises: ChainError, NoLane."""
    if _died_lately(wallet, contract, now=now):
        return Found(obstacle="its sweep failed on chain")
    transfer = _transfer(wallet, contract, lane.funds[contract].free_units, now=now)
    (said,) = gateway.rehearse([transfer])
    if isinstance(said, ChainError):
        raise said
    if isinstance(said, Obstacle):
        return Found(obstacle=f"the chain would refuse it: {said.reason}")
    cost_units = gateway.most_units(transfer)
    if lane.funds[networks.NATIVE].free_units < cost_units:
        return _topped_up(gateway, wallet, lane, transfer, now=now)
    return Found(ordered=_order(wallet, transfer, cost_units=cost_units, now=now))


def _coin(
    gateway: Gateway, wallet: HotWallet, lane: Lane, rules: Collection[SweepRule], *, is_busy: bool, now: datetime
) -> Found:
    """Sweep the coin itself, less the fee, when it is worth that. Raises: ChainError, NoLane."""
    free_units = lane.funds[networks.NATIVE].free_units
    least = least_units(wallet.network, networks.NATIVE, rules)
    if least is None or free_units <= 0 or free_units < least:
        return Found(is_busy=is_busy)
    transfer = _transfer(wallet, networks.NATIVE, free_units, now=now)
    cost_units = gateway.most_units(transfer) * HEADROOM[0] // HEADROOM[1]
    if free_units < COIN_WORTH * cost_units or _died_lately(wallet, networks.NATIVE, now=now):
        return Found(is_busy=is_busy)
    if not _is_ripe(wallet, lane.funds[networks.NATIVE].asset, rules, now=now):
        return Found()
    what = _transfer(wallet, networks.NATIVE, free_units - cost_units, now=now)
    return Found(ordered=_order(wallet, what, cost_units=cost_units, now=now))


def _topped_up(gateway: Gateway, wallet: HotWallet, lane: Lane, transfer: Transfer, *, now: datetime) -> Found:
    """Order the coin that the address lacks for that transfer, unless some is on its way.

    Raises: ChainError, NoLane.
    """
    to_it = _arriving(wallet, deposit_lanes.read_up_to(wallet))
    if to_it.exists():
        return Found()
    cost_units = gateway.most_units(transfer) * HEADROOM[0] // HEADROOM[1]
    moved_units = 0 if transfer.contract else transfer.amount_units
    lacking_units = cost_units + moved_units - lane.funds[networks.NATIVE].held_units
    if lacking_units <= 0:
        return Found()
    amount_units = min(lacking_units, networks.network(wallet.network).ceiling_units)
    with committing("top_up_order"):
        payer = lanes.take(wallet.network, contract=networks.NATIVE, amount_units=amount_units)
        if to_it.exists():
            return Found()
        bind(
            payer,
            now=now,
            purpose=Purpose.TOP_UP,
            asset=networks.network(wallet.network).coin,
            contract=networks.NATIVE,
            to_address=wallet.address,
            amount_units=amount_units,
        )
    return Found(ordered=1)


def _arriving(wallet: HotWallet, read_up_to: int) -> QuerySet[Intent]:
    """The top-ups that are not in what was read of the address."""
    unseen = Q(state=IntentState.OPEN) | Q(landed_block__gt=read_up_to)
    return Intent.objects.filter(unseen, purpose=Purpose.TOP_UP, network=wallet.network, to_address=wallet.address)


def _order(wallet: HotWallet, transfer: Transfer, *, cost_units: int, now: datetime) -> int:
    """Bind a sweep to its address's next sequence number, unless somebody was quicker; how many were ordered."""
    with committing("sweep_order"):
        row = HotWallet.deposits.select_for_update(no_key=True).get(pk=wallet.pk)
        fund = deposit_lanes.known(row).funds[transfer.contract]
        if row.paused or row.intents.filter(state=IntentState.OPEN).exists() or fund.free_units < transfer.amount_units:
            return 0
        row.balances.filter(contract=networks.NATIVE).update(fee_units=cost_units)
        bind(
            row,
            now=now,
            purpose=Purpose.SWEEP,
            asset=fund.asset,
            contract=transfer.contract,
            to_address=transfer.to_address,
            amount_units=transfer.amount_units,
        )
        return 1


def _transfer(wallet: HotWallet, contract: str, amount_units: int, *, now: datetime) -> Transfer:
    """The sweep as it would be ordered now, to the hot wallet that has the least of that asset. Raises: NoLane."""
    open_ones = [lane for lane in lanes.all_of(wallet.network) if not lane.paused]
    if not open_ones:
        raise lanes.NoLane(f"no hot wallet on {wallet.network} is open")

    def held(lane: Lane) -> tuple[int, int]:
        fund = lane.funds.get(contract)
        return (fund.held_units if fund else 0), lane.wallet_id

    is_tron = networks.network(wallet.network).family == "tron"
    return Transfer(
        network=wallet.network,
        wallet=wallet.address,
        seq=int(now.timestamp() * 1000) if is_tron else wallet.next_seq,
        contract=contract,
        to_address=min(open_ones, key=held).address,
        amount_units=amount_units,
        to_our_own=True,
    )


def _is_ripe(wallet: HotWallet, asset: str, rules: Collection[SweepRule], *, now: datetime) -> bool:
    """Whether no deposit has come for long enough: several that come one after the other are swept together."""
    rule = _rule(wallet.network, asset, rules)
    return bool(rule and wallet.touched_at and now - wallet.touched_at >= timedelta(seconds=rule.after_s))


def _died_lately(wallet: HotWallet, contract: str, *, now: datetime) -> bool:
    dead = wallet.intents.filter(contract=contract, state=IntentState.DEAD, verdict_at__gt=now - DEAD_FOR)
    return dead.exists()
