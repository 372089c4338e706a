"""The sandbox's money: in the ledger first, then on the local chains, until the two agree to the last unit."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import uuid_utils.compat as uuid7
from django.conf import settings

from chain import networks
from chain.devnet import seed
from chain.models import HotWallet
from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.posting import PLATFORM_BOOK, Kind, Movement
from payouts import reconciliation
from payouts.merchants.models import Merchant

ASSET = "USDT"
HOME = "tron"  # where the merchant's deposits came in; what the other networks hold is the platform's
GAS = {"ethereum": 100 * 10**18, "tron": 1_000_000 * 10**6}  # wei, sun
AGREE_S = 60.0
PAUSE_S = 0.2
# fmt: off
MINT: Mapping[str, Callable[..., object]] = {"evm": seed.mint_evm, "tron": seed.mint_tron}
# fmt: on


class DoesNotAgree(Exception):
    """Ledger and chain did not come to agree."""


def provide_wallets() -> dict[str, HotWallet]:
    """One hot wallet per network with gas, made the first time by a process of the signer's."""
    for network in networks_here():
        if not HotWallet.objects.filter(network=network).exists():
            command = [
                sys.executable,
                str(settings.BASE_DIR / "manage.py"),
                "hot_wallet",
                "--network",
                network,
                "--light",
            ]
            environment = {**os.environ, "SLUICE_ROLE": "signer"}
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
            _give_gas(network)
    return {name: HotWallet.objects.filter(network=name).earliest("id") for name in networks_here()}


def networks_here() -> list[str]:
    """The configured networks that carry the asset."""
    return [row.name for row in networks.configured() if ASSET in row.tokens]


def _give_gas(network: str) -> None:
    wallet = HotWallet.objects.filter(network=network).earliest("id")
    if networks.network(network).family == "evm":
        seed.fund_evm(url(network), address=wallet.address, wei=GAS[network])
    else:
        seed.fund_tron(url(network), address=wallet.address, sun=GAS[network])


def url(network: str) -> str:
    """The first endpoint of the network."""
    return str(getattr(settings, networks.network(network).urls_setting)[0])


def set_balances(merchant: Merchant, *, owners: Sequence[UUID], fund_units: int) -> None:
    """Bring each owner's balance in the merchant's book to this amount, and every network's liquidity up to them all.

    What is too much goes to the platform's book, since it stays in the wallets.
    """
    for owner in owners:
        _set_balance(merchant, owner=owner, fund_units=fund_units)
    for network in networks.NETWORKS:
        lacking_units = fund_units * len(owners) + balances.external_units(network, ASSET)
        if lacking_units > 0:
            _deposit_platform(network, lacking_units)


def _set_balance(merchant: Merchant, *, owner: UUID, fund_units: int) -> None:
    available = Ref(book=merchant.id, owner=owner, asset=ASSET, purpose=Purpose.AVAILABLE)
    outside = Ref(book=merchant.id, owner=merchant.id, asset=ASSET, purpose=Purpose.EXTERNAL, network=HOME)
    missing_units = fund_units - balances.balance(available).balance_units
    if missing_units > 0:
        _post(Kind.DEPOSIT, outside, available, missing_units)
    elif missing_units < 0:
        persons = {"reason": "sandbox --fund", "by": "sandbox", "approved_by": "its developer"}
        _post(Kind.ADJUST, available, outside, -missing_units, data=persons)
        _deposit_platform(HOME, -missing_units)


def set_credit(merchant: Merchant, *, owner: UUID, limit_units: int, now: datetime) -> None:
    """Set the credit line of one account in the merchant's book."""
    credit = Ref(book=merchant.id, owner=owner, asset=ASSET, purpose=Purpose.CREDIT)
    posting.set_credit_limit(credit, limit_units=limit_units, by="sandbox", at=now)


def issue() -> None:
    """Issue on each chain what the ledger has more; what the chain has more belongs to the platform.

    TRON counts what it has issued only when the block is solid, some seconds later: `agree` waits for that.

    Raises: gateway.ChainError, seed.SeedFailed.
    """
    for network in map(networks.network, networks_here()):
        found = reconciliation.compare(network.name, ASSET)
        if found.difference_units > 0:
            _deposit_platform(network.name, found.difference_units)
        elif found.difference_units < 0:
            wallet = HotWallet.objects.filter(network=network.name).earliest("id")
            contract = network.tokens[ASSET].contract
            MINT[network.family](url(network.name), contract=contract, to=wallet.address, units=-found.difference_units)


def agree() -> None:
    """Wait until ledger and chains agree to the last unit.

    Raises: DoesNotAgree, gateway.ChainError.
    """
    deadline = time.monotonic() + AGREE_S
    for network in networks_here():
        while not (found := reconciliation.compare(network, ASSET)).ok:
            if time.monotonic() > deadline:
                raise DoesNotAgree(f"{network}: off by {found.difference_units} units of {ASSET}")
            time.sleep(PAUSE_S)


def _deposit_platform(network: str, amount_units: int) -> None:
    outside = Ref(PLATFORM_BOOK, PLATFORM_BOOK, ASSET, Purpose.EXTERNAL, network)
    _post(Kind.DEPOSIT, outside, Ref(PLATFORM_BOOK, PLATFORM_BOOK, ASSET, Purpose.AVAILABLE), amount_units)


def _post(kind: Kind, source: Ref, target: Ref, amount_units: int, *, data: Mapping[str, str] | None = None) -> None:
    event = uuid7.uuid7()
    movement = Movement(event, event, kind, source, target, amount_units, reference="sandbox", data=data or {})
    posting.post([movement])
