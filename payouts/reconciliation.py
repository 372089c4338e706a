"""Ledger against chains: −external must be what our wallets hold, plus what has left and is not settled yet."""

from dataclasses import dataclass

from chain import custody, gateway, networks
from ledger import balances

TRIES = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """One asset on one network; all amounts in the asset's ledger units."""

    network: str
    asset: str
    ledger_units: int
    held_units: int
    in_flight_units: int

    @property
    def difference_units(self) -> int:
        """What the chain has more (or, below zero, less) than the ledger says."""
        return self.held_units + self.in_flight_units - self.ledger_units

    @property
    def ok(self) -> bool:
        """Whether the two agree to the last unit."""
        return self.difference_units == 0


def compare(network: str, asset: str) -> Comparison:
    """Read both sides at one moment; settling moves both in one transaction, so a moving sum is read again.

    Raises: gateway.ChainError when the chain cannot be read, or nothing held still.
    """
    for _ in range(TRIES):
        before = balances.external_units(network, asset)
        held = custody.held_units(network, asset)
        if balances.external_units(network, asset) == before:
            return Comparison(network, asset, -before, held.units, held.uncollected_units)
    raise gateway.Retryable("payments were settled all the while")


def compare_all() -> list[Comparison]:
    """Every token on every configured network.

    Raises: gateway.ChainError.
    """
    return [compare(network.name, asset) for network in networks.configured() for asset in network.tokens]
