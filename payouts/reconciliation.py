"""Ledger against chains: −external must be what our wallets hold, plus what has left and is not settled yet."""

from dataclasses import dataclass

from chain import custody, gateway, networks
from ledger import balances

TRIES = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """One asset on one network; all amounts in the asset's ledger units.

    A network's own coin pays the fees too, from the same wallets, and what they cost is not in the ledger. So of the
    coin it is proven that the wallets hold at least what the ledger says; the rest is the platform's money for gas.
    """

    network: str
    asset: str
    ledger_units: int
    held_units: int
    in_flight_units: int
    is_coin: bool = False

    @property
    def gas_units(self) -> int:
        """What the wallets hold of a coin besides the ledger's: the platform's, for gas."""
        return max(0, self._rest_units) if self.is_coin else 0

    @property
    def difference_units(self) -> int:
        """What the chain has more (or, below zero, less) than the ledger and the gas money say."""
        return self._rest_units - self.gas_units

    @property
    def ok(self) -> bool:
        """Whether the two agree to the last unit."""
        return self.difference_units == 0

    @property
    def _rest_units(self) -> int:
        return self.held_units + self.in_flight_units - self.ledger_units


def compare(network: str, asset: str) -> Comparison:
    """Read both sides at one moment; settling moves both in one transaction, so a moving sum is read again.

    Raises: gateway.ChainError when the chain cannot be read, or nothing held still.
    """
    for _ in range(TRIES):
        before = balances.external_units(network, asset)
        held = custody.held_units(network, asset)
        if balances.external_units(network, asset) == before:
            is_coin = networks.token(network, asset).contract == networks.NATIVE
            return Comparison(network, asset, -before, held.units, held.uncollected_units, is_coin)
    raise gateway.Retryable("payments were settled all the while")


def compare_all() -> list[Comparison]:
    """Every asset on every configured network.

    Raises: gateway.ChainError.
    """
    return [compare(network.name, asset) for network in networks.configured() for asset in network.assets]
