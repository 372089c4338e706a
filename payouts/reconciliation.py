"""Ledger against chains: −external must be what our wallets hold, plus what has left and is not settled yet.

What lies on deposit addresses is in the wallets' sum; sweeps change nothing of it. What came in there and is in
nobody's books is taken off again: arrivals that are not final or not booked yet, and what is never booked (dust, and
the places that a chain counts finer than the ledger).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Sum

from chain import custody, gateway, networks, units
from chain.models import Incoming
from ledger import balances
from payouts.payments.payment_models import Deposit

TRIES = 5
# fmt: off
ITEMS: Mapping[str, tuple[int, str]] = {  # counts so much, and what it is
    "hot":       (+1, "on hot wallets"),
    "deposits":  (+1, "on deposit addresses"),
    "in_flight": (+1, "paid out, not settled"),
    "arriving":  (-1, "came in, not booked yet"),
    "unbooked":  (-1, "came in, never booked"),
    "gas":       (-1, "for gas, the platform's"),
    "ledger":    (-1, "in the ledger"),
}
# fmt: on


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
    deposits_units: int = 0  # of `held_units`, what lies on deposit addresses
    arriving_units: int = 0  # came in there, not booked yet
    unbooked_units: int = 0  # came in there, never to be booked; with it the difference is exact
    block_number: int = 0

    def items(self) -> dict[str, str]:
        """The amounts by name, as text; what ITEMS says of each adds up to the difference."""
        amounts_units = {
            "hot": self.held_units - self.deposits_units,
            "deposits": self.deposits_units,
            "in_flight": self.in_flight_units,
            "arriving": self.arriving_units,
            "unbooked": self.unbooked_units,
            "gas": self.gas_units,
            "ledger": self.ledger_units,
        }
        return {name: str(amounts_units[name]) for name in ITEMS}

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
        ours_units = self.held_units - self.arriving_units - self.unbooked_units
        return ours_units + self.in_flight_units - self.ledger_units


def compare(network: str, asset: str) -> Comparison:
    """Read both sides at one moment; settling moves both in one transaction, so a moving sum is read again.

    Raises: gateway.ChainError when the chain cannot be read, or nothing held still.
    """
    for _ in range(TRIES):
        before = _books(network, asset)
        held = custody.held_units(network, asset)
        if _books(network, asset) == before:
            external_units, unbooked = before
            ours_units = units.to_ledger_units(network, asset, held.exact - unbooked) - held.uncollected_units
            return Comparison(
                network,
                asset,
                -external_units,
                held.units,
                held.uncollected_units,
                networks.token(network, asset).contract == networks.NATIVE,
                deposits_units=held.deposits_units,
                arriving_units=held.arriving_units,
                unbooked_units=held.units - held.arriving_units - ours_units,
                block_number=held.block_number,
            )
    raise gateway.Retryable("payments were settled all the while")


def compare_all() -> list[Comparison]:
    """Every asset on every configured network.

    Raises: gateway.ChainError.
    """
    return [compare(network.name, asset) for network in networks.configured() for asset in network.assets]


def _books(network: str, asset: str) -> tuple[int, int]:
    """The ledger's sum, and what came in of which no balance speaks. Units: ledger units; what the chain counts in."""
    came = Incoming.objects.filter(network=network, asset=asset).exclude(collected_at=None)
    came_units = int(came.aggregate(total=Sum("amount_units"))["total"] or 0)
    booked = Deposit.objects.filter(network=network, asset=asset, status=Deposit.Status.CREDITED)
    booked_units = int(booked.aggregate(total=Sum("amount_units"))["total"] or 0)
    unbooked = came_units - units.to_token_units(network, asset, booked_units)
    return balances.external_units(network, asset), unbooked
