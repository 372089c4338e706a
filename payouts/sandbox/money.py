"""The sandbox's money: in the ledger first, then on the local chains, until the two agree to the last unit."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import uuid_utils.compat as uuid7
from django.conf import settings

from chain import assets, families, networks, units
from chain.devnet import seed
from chain.models import HotWallet
from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.posting import PLATFORM_BOOK, Kind, Movement
from payouts import reconciliation
from payouts.merchants.models import Merchant

ASSET = "USDT"
OTHERS_COINS = 1_000  # of every other asset, for a new merchant
HOME = "tron"  # where the merchant's deposits came in, if it carries the asset; the other networks' are the platform's
GAS = {"evm": 100 * 10**18, "tron": 1_000_000 * 10**6}  # wei, sun
AGREE_S = 60.0
PAUSE_S = 0.2
# fmt: off
START_MINT: Mapping[str, Callable[..., str]] = {"evm": seed.start_mint_evm, "tron": seed.start_mint_tron}
MINED:      Mapping[str, Callable[..., str]] = {"evm": seed.mined_evm,      "tron": seed.mined_tron}
# fmt: on


class DoesNotAgree(Exception):
    """Ledger and chain did not come to agree."""


def provide_wallets() -> dict[str, HotWallet]:
    """One hot wallet per configured network, with gas, made the first time by a process of the signer's."""
    here = networks.configured()
    lacking = [row for row in here if not HotWallet.objects.filter(network=row.name).exists()]
    if lacking:
        names = [row.name for row in lacking]
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "hot_wallet", "--light", "--network", *names]
        environment = {**os.environ, "SLUICE_ROLE": "signer"}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        for row in lacking:
            _give_coin(row, GAS[row.family])
    return {row.name: _wallet(row.name) for row in here}


def url(network: str) -> str:
    """The first endpoint of the network."""
    return networks.network(network).endpoints[0]


def set_balances(merchant: Merchant, *, owners: Sequence[UUID], fund_units: int, asset: str = ASSET) -> None:
    """Bring each owner's balance in the merchant's book to this amount, and every network's liquidity up to them all.

    What is too much goes to the platform's book, since it stays in the wallets.
    """
    for owner in owners:
        _set_balance(merchant, owner=owner, fund_units=fund_units, asset=asset)
    provide_liquidity(fund_units * len(owners), asset=asset)


def provide_liquidity(amount_units: int, *, asset: str = ASSET) -> None:
    """Let every network that carries the asset hold at least so much, the platform's where it is nobody else's."""
    for network in _carriers(asset):
        lacking_units = amount_units + balances.external_units(network, asset)
        if lacking_units > 0:
            _deposit_platform(network, asset, lacking_units)


def _set_balance(merchant: Merchant, *, owner: UUID, fund_units: int, asset: str) -> None:
    home = HOME if HOME in _carriers(asset) else _carriers(asset)[0]
    available = Ref(book=merchant.id, owner=owner, asset=asset, purpose=Purpose.AVAILABLE)
    outside = Ref(book=merchant.id, owner=merchant.id, asset=asset, purpose=Purpose.EXTERNAL, network=home)
    missing_units = fund_units - balances.balance(available).balance_units
    if missing_units > 0:
        _post(Kind.DEPOSIT, outside, available, missing_units)
    elif missing_units < 0:
        persons = {"reason": "sandbox --fund", "by": "sandbox", "approved_by": "its developer"}
        _post(Kind.ADJUST, available, outside, -missing_units, data=persons)
        _deposit_platform(home, asset, -missing_units)


def set_others(merchant: Merchant) -> None:
    """Give the merchant a balance of every other asset that a configured network carries."""
    for asset in assets.ASSETS:
        if asset != ASSET and _carriers(asset):
            fund_units = OTHERS_COINS * 10 ** units.places(asset)
            set_balances(merchant, owners=[merchant.id], fund_units=fund_units, asset=asset)


def _carriers(asset: str) -> list[str]:
    return [row.name for row in networks.configured() if asset in row.assets]


def _wallet(network: str) -> HotWallet:
    return HotWallet.objects.filter(network=network).earliest("id")


def _give_coin(row: networks.Network, amount: int) -> None:
    """Give the network's wallet so much coin on top of what it has.

    Units: wei, sun.
    """
    address = _wallet(row.name).address
    if row.family == "evm":
        (held_wei,) = families.gateway(row.name).held(networks.NATIVE, [address]).each
        seed.fund_evm(url(row.name), address=address, wei=held_wei + amount)
    else:
        seed.fund_tron(url(row.name), address=address, sun=amount)


def pay(network: str, *, to: str, amount_units: int, asset: str = ASSET) -> str:
    """What a customer does: tokens from outside to an address; the transaction's id, once it is in a block."""
    row = networks.network(network)
    token_units = units.to_token_units(network, asset, amount_units)
    txid = START_MINT[row.family](url(network), contract=row.assets[asset].contract, to=to, units=token_units)
    return MINED[row.family](url(network), txid)


def set_credit(merchant: Merchant, *, owner: UUID, limit_units: int, now: datetime) -> None:
    """Set the credit line of one account in the merchant's book."""
    credit = Ref(book=merchant.id, owner=owner, asset=ASSET, purpose=Purpose.CREDIT)
    posting.set_credit_limit(credit, limit_units=limit_units, by="sandbox", at=now)


def issue(*only: str) -> None:
    """Issue on each chain what the ledger has more; what the chain has more belongs to the platform.

    TRON counts what it has issued only when the block is solid, some seconds later: `agree` waits for that.

    Raises: gateway.ChainError, seed.SeedFailed.
    """
    started: list[tuple[networks.Network, str]] = []
    for row, asset in _pairs(only):
        found = reconciliation.compare(row.name, asset)
        if found.is_coin:
            short_units = units.to_ledger_units(row.name, asset, GAS[row.family]) - found.gas_units
            if short_units * 2 > found.gas_units or found.difference_units < 0:
                lacking_units = short_units - found.difference_units
                _give_coin(row, units.to_token_units(row.name, asset, lacking_units))
        elif found.difference_units > 0:
            _deposit_platform(row.name, asset, found.difference_units)
        elif found.difference_units < 0:
            token_units = units.to_token_units(row.name, asset, -found.difference_units)
            contract, to = row.assets[asset].contract, _wallet(row.name).address
            started.append((row, START_MINT[row.family](url(row.name), contract=contract, to=to, units=token_units)))
    for row, txid in started:
        MINED[row.family](url(row.name), txid)


def agree(*only: str) -> None:
    """Wait until ledger and chains agree to the last unit.

    Raises: DoesNotAgree, gateway.ChainError.
    """
    deadline = time.monotonic() + AGREE_S
    for row, asset in _pairs(only):
        while not (found := reconciliation.compare(row.name, asset)).ok:
            if time.monotonic() > deadline:
                raise DoesNotAgree(f"{row.name}: off by {found.difference_units} units of {asset}")
            time.sleep(PAUSE_S)


def _pairs(only: Collection[str]) -> list[tuple[networks.Network, str]]:
    """Network and asset, of all assets or only of these."""
    return [(row, asset) for row in networks.configured() for asset in row.assets if asset in only or not only]


def _deposit_platform(network: str, asset: str, amount_units: int) -> None:
    outside = Ref(PLATFORM_BOOK, PLATFORM_BOOK, asset, Purpose.EXTERNAL, network)
    _post(Kind.DEPOSIT, outside, Ref(PLATFORM_BOOK, PLATFORM_BOOK, asset, Purpose.AVAILABLE), amount_units)


def _post(kind: Kind, source: Ref, target: Ref, amount_units: int, *, data: Mapping[str, str] | None = None) -> None:
    event = uuid7.uuid7()
    movement = Movement(event, event, kind, source, target, amount_units, reference="sandbox", data=data or {})
    posting.post([movement])
