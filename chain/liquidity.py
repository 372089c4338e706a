"""Read what every lane holds, keep it for the orders, and say which lane needs money."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from chain import alarms, families, lanes, networks
from chain.gateway import Account, ChainError
from chain.lanes import Lane
from chain.models import HotWallet, Intent, IntentState, LaneBalance, LaneThreshold

SOONEST, LATEST = timedelta(seconds=2), timedelta(seconds=15)
# The chain's final block and our verdicts move one after the other: what is missing for a moment is not missing.
CERTAIN_AFTER = timedelta(seconds=60)
UNREAD_AFTER = timedelta(seconds=60)
LOW_PAYMENTS = 100  # default threshold of a native coin: the fees of so many payments


def refresh_due(*, now: datetime, waited_for: Collection[str] = ()) -> int:
    """Read the lanes of every network whose turn it is; how many networks were read. Never inside a transaction.

    Those on which something is open, short or `waited_for` come often, the others seldom. A network that cannot be
    read keeps what is known of it, and holds up no other.
    """
    read, latest_by_network, busy = 0, _latest(), _busy() | set(waited_for)
    for network in [row.name for row in networks.configured() if row.name in latest_by_network]:
        latest = latest_by_network[network]
        if latest and now - latest < (_interval(network) if network in busy else LATEST):
            continue
        try:
            refresh(network, now=now)
        except ChainError as unread:
            if latest is None or now - latest >= UNREAD_AFTER:
                since = f"since {latest:%Y-%m-%d %H:%M:%S}" if latest else "ever"
                alarms.raise_alarm("chain.unread", subject=network, text=f"nothing read {since}: {unread}", now=now)
        else:
            alarms.clear("chain.unread", subject=network, now=now)
            read += 1
    return read


def refresh(network: str, *, now: datetime) -> None:
    """Read all lanes of one network, then raise or clear their alarms. Never inside a transaction.

    Raises: UnknownNetwork, ChainError.
    """
    gateway = families.gateway(network)
    assets = {token.contract: asset for asset, token in networks.network(network).assets.items()}
    fee_units = gateway.fee_units()
    for wallet in HotWallet.objects.filter(network=network).order_by("id"):
        account = gateway.account(wallet.address, assets)
        _keep(wallet, account, assets, fee_units, now=now)
    _tell(network, lanes.all_of(network), now=now)


def _keep(wallet: HotWallet, account: Account, assets: dict[str, str], fee_units: int, *, now: datetime) -> None:
    LaneBalance.objects.bulk_create(
        [
            LaneBalance(
                wallet=wallet,
                contract=contract,
                asset=assets[contract],
                units=held_units,
                fee_units=fee_units if contract == networks.NATIVE else 0,
                block_number=account.block_number,
                read_at=now,
            )
            for contract, held_units in sorted(account.units.items())
        ],
        update_conflicts=True,
        unique_fields=["wallet", "contract"],
        update_fields=["asset", "units", "fee_units", "block_number", "read_at"],
    )


def _tell(network: str, found: Sequence[Lane], *, now: datetime) -> None:
    """Level by level: what stands is what is so now."""
    texts: dict[str, dict[str, str]] = {"lane.liquidity": {}, "lane.gas": {}, "lane.low": {}}
    rows = {(row.wallet_id, row.contract): row for row in LaneBalance.objects.filter(wallet__network=network)}
    thresholds = list(LaneThreshold.objects.all())
    for lane in found:
        for contract, fund in lane.funds.items():
            row = rows[lane.wallet_id, contract]
            missing_units = (lane.fee_units if contract == networks.NATIVE else 0) - fund.free_units
            _note_short(row, is_short=missing_units > 0, now=now)
            subject = f"{network}/{lane.address}" + (f"/{fund.asset}" if contract else "")
            if row.short_since and now - row.short_since >= CERTAIN_AFTER:
                kind = "lane.liquidity" if contract else "lane.gas"
                texts[kind][subject] = _short(lane, contract, missing_units)
            elif fund.free_units < (threshold_units := low_units(lane, contract, thresholds)):
                free, low = (lanes.text(network, contract, amount) for amount in (fund.free_units, threshold_units))
                texts["lane.low"][subject] = f"{free} free, the threshold is {low}"
    for kind, standing in texts.items():
        alarms.stand(kind, standing, within=f"{network}/", now=now)


def _note_short(row: LaneBalance, *, is_short: bool, now: datetime) -> None:
    since = (row.short_since or now) if is_short else None
    if since != row.short_since:
        row.short_since = since
        LaneBalance.objects.filter(pk=row.pk).update(short_since=since)


def _short(lane: Lane, contract: str, missing_units: int) -> str:
    fund = lane.funds[contract]
    amounts = (missing_units, fund.held_units, fund.owed_units)
    missing, held, owed = (lanes.text(lane.network, contract, amount) for amount in amounts)
    return f"{missing} missing: it holds {held}, {lane.open_payments} open payments need {owed}; it takes no orders"


def low_units(lane: Lane, contract: str, thresholds: Sequence[LaneThreshold]) -> int:
    """The most special row that fits; of the coin without a row so many payments' fees, of the others nothing.

    A row for every lane means the lanes that have to do with the asset.
    """
    asset = lane.funds[contract].asset
    fitting = [
        row
        for row in thresholds
        if row.asset == asset and row.network in ("", lane.network) and row.wallet_id in (None, lane.wallet_id)
    ]
    if not fitting:
        return LOW_PAYMENTS * lane.fee_units if contract == networks.NATIVE else 0
    row = max(fitting, key=lambda one: (one.wallet_id is not None, one.network))
    low_units = int(row.low_amount.scaleb(networks.token(lane.network, asset).decimals))
    ours = row.wallet_id or contract == networks.NATIVE or lane.funds[contract].held_units
    return low_units if ours or _has_paid(lane, contract) else 0


def _has_paid(lane: Lane, contract: str) -> bool:
    return Intent.objects.filter(wallet=lane.wallet_id, contract=contract).exists()


def _latest() -> dict[str, datetime | None]:
    """When all lanes of each network that has any had been read; None when one of them never was."""
    coins = Q(balances__contract=networks.NATIVE)
    rows = HotWallet.objects.values("network").annotate(
        lanes=Count("id", distinct=True), read=Count("balances", filter=coins), at=Max("balances__read_at")
    )
    return {row["network"]: row["at"] if row["lanes"] == row["read"] else None for row in rows}


def _busy() -> set[str]:
    """The networks on which a payment is open or a lane lacks something."""
    short = LaneBalance.objects.exclude(short_since=None).values_list("wallet__network", flat=True)
    payments = Intent.objects.filter(state=IntentState.OPEN).values_list("network", flat=True)
    return {*short.distinct(), *payments.order_by().distinct()}


def _interval(network: str) -> timedelta:
    return min(max(timedelta(milliseconds=networks.network(network).block_ms), SOONEST), LATEST)
