"""Customers who pay in on the local chains, and a follower that knows a test's addresses."""

from collections.abc import Collection
from typing import Any

from django.utils import timezone

from chain import addresses, following, networks
from chain.models import Incoming
from tests.chain import labs

COINS = {"tron": "TRX", "ethereum": "ETH"}


def pay(lab: Any, to: str, units: int, *, asset: str = "USDT") -> str:
    """A payment that waits for a block; its txid."""
    token = networks.token(lab.network, asset)
    if lab.network == "tron":
        if token.contract == networks.NATIVE:
            return str(lab.ask("dev/credit", address=to, sun=units)["txid"])
        return str(lab.ask("dev/mint", address=to, units=units, contract=token.contract)["txid"])
    if token.contract == networks.NATIVE:
        call = {"from": labs.OWNER, "to": to, "value": hex(units), "gas": hex(21_000), "gasPrice": hex(100 * 10**9)}
        return str(lab.rpc("eth_sendTransaction", call))
    lab.as_owner("issue", units)
    return str(lab.as_owner("transfer", to, units))


def take_back(lab: Any, blocks: int) -> None:
    """A reorganisation whose blocks hold none of what was in them."""
    if lab.network == "tron":
        lab.ask("dev/reorg", depth=blocks, repool=False)
    else:
        lab.orphan(blocks)


class Customers:
    """Addresses on one network, and the follower that looks for them."""

    def __init__(self, lab: Any, *, number: int = 1) -> None:
        self.lab = lab
        self.addresses = [labs.recipient(lab.network) for _ in range(number)]
        self.follow()

    def ours(self, network: str, accounts: Collection[bytes]) -> set[bytes]:
        return {addresses.account_bytes(network, one) for one in self.addresses} & set(accounts)

    def follow(self) -> following.Followed:
        return following.follow(self.lab.network, ours=self.ours, now=timezone.now())

    def pay(self, units: int = 5_000_000, *, asset: str = "USDT", to: int = 0) -> str:
        return pay(self.lab, self.addresses[to], units, asset=asset)

    def take_back(self, blocks: int) -> None:
        take_back(self.lab, blocks)


def rows(state: str = "") -> list[tuple[str, int, str]]:
    """What came in, of that state or of either, in the chain's order."""
    found = Incoming.objects.order_by("block_number", "txid", "index")
    return [(one.txid, one.amount_units, one.state) for one in (found.filter(state=state) if state else found)]
