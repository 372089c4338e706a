"""Deposit addresses as lanes: known from their first credited deposit on, read at a final block, looked at when due."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Sum

from chain import lanes, networks
from chain.addresses import BadAddress
from chain.failpoints import committing
from chain.gateway import Gateway
from chain.lanes import Lane
from chain.models import HotWallet, LaneBalance, WalletKind

LEASE = timedelta(seconds=20)  # how long what a dead worker had in hand waits; two that look at the same do no harm
SOONEST, LATEST = timedelta(seconds=2), timedelta(seconds=15)


@dataclass(frozen=True, slots=True, order=True)
class Noted:
    """A deposit address that was paid to, and the newest block of what was credited there."""

    network: str
    address: str
    number: int
    block_number: int


_NOTE = """
SELECT network, address, chain_deposit_lane(network, number, address, block, %s)
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bigint[]) AS noted (network, number, address, block)
"""


def note_deposits(noted: Collection[Noted], *, now: datetime) -> None:
    """Say that deposits to these addresses were credited; belongs in the transaction that credits them.

    So every address that holds money of the ledger's is a lane: custody and sweeps look at lanes alone. They are
    locked in the order of their addresses.

    Raises: BadAddress when one is a hot wallet's.
    """
    rows = sorted(noted)
    columns = [[getattr(row, name) for row in rows] for name in ("network", "number", "address", "block_number")]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [now, *columns])
        hot = [address for _, address, lane in cursor.fetchall() if lane is None]
    if hot:
        raise BadAddress(f"{hot[0]} is a hot wallet of ours")


def claim(network: str, *, now: datetime, limit: int) -> list[HotWallet]:
    """Take a lease on the lanes whose turn it is."""
    with committing("sweep_lease"):
        rows = HotWallet.deposits.select_for_update(skip_locked=True).filter(network=network, look_at__lte=now)
        due = list(rows.order_by("look_at")[:limit])
        HotWallet.deposits.filter(pk__in=[row.pk for row in due]).update(look_at=now + LEASE)
    return due


def read(gateway: Gateway, wallet: HotWallet, *, now: datetime) -> Lane:
    """What the address holds at a final block, kept. Never inside a transaction.

    Raises: ChainError.
    """
    assets = {token.contract: asset for asset, token in networks.network(wallet.network).assets.items()}
    account = gateway.account(wallet.address, assets)
    LaneBalance.objects.bulk_create(
        [
            LaneBalance(
                wallet=wallet,
                contract=contract,
                asset=assets[contract],
                units=held_units,
                block_number=account.block_number,
                read_at=now,
            )
            for contract, held_units in sorted(account.units.items())
        ],
        update_conflicts=True,
        unique_fields=["wallet", "contract"],
        update_fields=["asset", "units", "block_number", "read_at"],
    )
    return known(wallet)


def known(wallet: HotWallet) -> Lane:
    """The lane as it was read last, less what was ordered from it since."""
    (lane,) = lanes.of(HotWallet.deposits.filter(pk=wallet.pk))
    return lane


def read_up_to(wallet: HotWallet) -> int:
    """The block of the last reading; -1 before the first."""
    numbers = wallet.balances.filter(contract=networks.NATIVE).values_list("block_number", flat=True)
    return next(iter(numbers), -1)


def look_again(wallet: HotWallet, *, is_busy: bool, now: datetime) -> None:
    """Plan the next look: soon while something is to be done, otherwise at the next deposit.

    What was credited meanwhile stays due at once: it was not part of this look.
    """
    pace = timedelta(milliseconds=networks.network(wallet.network).block_ms)
    at = now + min(max(pace, SOONEST), LATEST) if is_busy else None
    HotWallet.deposits.filter(pk=wallet.pk, touched_at=wallet.touched_at).update(look_at=at)


def busy(network: str) -> list[HotWallet]:
    """The deposit addresses of a network where something came in that was not looked at, or something is under way.

    What the others hold is what was read last: it is final, nobody but us moves it, and what comes in is looked at.
    """
    return list(HotWallet.deposits.filter(network=network, look_at__isnull=False).order_by("id"))


def resting_units(network: str, contract: str) -> int:
    """What the other addresses hold. Units: what the chain counts in."""
    rows = LaneBalance.objects.filter(wallet__network=network, wallet__kind=WalletKind.DEPOSIT, contract=contract)
    return int(rows.filter(wallet__look_at=None).aggregate(total=Sum("units"))["total"] or 0)
