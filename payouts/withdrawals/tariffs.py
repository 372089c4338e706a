"""What a withdrawal costs: the platform's percentage and a flat part for the network; the one way to reckon both ways.

What has no whole smallest unit is rounded up, to the platform.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee in its two parts, in the asset's ledger units."""

    platform_units: int
    network_units: int

    @property
    def units(self) -> int:
        """The whole."""
        return self.platform_units + self.network_units


@dataclass(frozen=True, slots=True)
class Tariff:
    """A row of fees: so much per cent of the amount, and so much for each withdrawal."""

    percent: Decimal
    flat_units: int

    def fee(self, amount_units: int) -> Fee:
        """The fee of an amount that is asked for."""
        return Fee(_up(self._part * amount_units), self.flat_units)

    def requested_units(self, net_units: int) -> int:
        """The least amount to ask for so that just this much is left after its fee."""
        return _up((net_units + self.flat_units) / (1 - self._part))

    @property
    def _part(self) -> Fraction:
        return Fraction(self.percent) / 100


def _up(exact: Fraction) -> int:
    return -(-exact.numerator // exact.denominator)
