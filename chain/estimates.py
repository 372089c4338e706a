"""What a payment would cost on chain now, for those who ask before they order one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chain import addresses, families, networks, units
from chain.gateway import Transfer
from chain.models import HotWallet

FRESH_FOR = timedelta(seconds=5)
KEPT = 1_000

_kept: dict[tuple[str, str, str, int], "Estimate"] = {}


@dataclass(frozen=True, slots=True)
class Estimate:
    """The expected cost of one payment. Units: the native coin's smallest; `detail` says of what, with its prices."""

    network: str
    asset: str
    coin: str
    fee_units: int
    detail: Mapping[str, int]
    at: datetime


def estimate(
    network: str, asset: str, *, to_address: str | None = None, amount_units: int | None = None, now: datetime
) -> Estimate:
    """What paying that would cost, asked of the chain at most every few seconds; by default to a new account.

    Never inside a transaction.

    Units: amount in the asset's ledger units.
    Raises: UnknownNetwork, BadAddress, BadAmount, ChainError.
    """
    to_text = addresses.normalise(network, to_address) if to_address else addresses.nobody(network)
    key = (network, asset, to_text, amount_units or 1)
    known = _kept.get(key)
    if known and timedelta(0) <= now - known.at < FRESH_FOR:
        return known
    token_units = units.to_token_units(network, asset, amount_units or 1)
    lane = HotWallet.objects.filter(network=network).order_by("paused", "id").first()
    transfer = Transfer(
        network=network,
        wallet=lane.address if lane else addresses.nobody(network, other=True),
        seq=int(now.timestamp() * 1000)
        if networks.network(network).family == "tron"
        else (lane.next_seq if lane else 0),
        contract=networks.token(network, asset).contract,
        to_address=to_text,
        amount_units=token_units,
    )
    expected = families.gateway(network).estimate(transfer)
    found = Estimate(network, asset, networks.network(network).coin, expected.fee_units, expected.detail, now)
    if len(_kept) >= KEPT:
        _kept.clear()
    _kept[key] = found
    return found
