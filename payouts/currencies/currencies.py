"""Reads of the catalogue: what is offered here, and the range of what may come or go at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chain import codes
from chain.assets import ASSETS, Asset
from payouts.currencies.models import CurrencyLimit


class Way(StrEnum):
    """Whether money comes in or goes out."""

    PAYMENT = "payment"
    WITHDRAWAL = "withdrawal"


class OutOfRange(Exception):
    """Less or more than may come or go at once."""

    def __init__(self, offered: "Offered", amount_units: int) -> None:
        super().__init__(
            f"{amount_units} of {offered.code.code} is not between {offered.min_units} and {offered.max_units}"
        )
        self.offered = offered
        self.is_too_small = amount_units < offered.min_units


@dataclass(frozen=True, slots=True)
class Offered:
    """One currency as it is offered; amounts in the asset's ledger units."""

    code: codes.Code
    min_units: int
    max_units: int
    is_popular: bool

    @property
    def asset(self) -> Asset:
        """What it is a form of."""
        return ASSETS[self.code.asset]

    def check(self, amount_units: int) -> None:
        """Refuse what is out of range.

        Raises: OutOfRange.
        """
        if not self.min_units <= amount_units <= self.max_units:
            raise OutOfRange(self, amount_units)


def offered(way: Way) -> list[Offered]:
    """Every currency whose network is connected and that has a row, in the documents' order."""
    rows = {(row.asset, row.network): row for row in CurrencyLimit.objects.all()}
    return [
        _offered(code, rows[key], way) for code in codes.all_offered() if (key := (code.asset, code.network)) in rows
    ]


def find(code: codes.Code, way: Way) -> Offered:
    """One of them.

    Raises: codes.NotOffered.
    """
    row = CurrencyLimit.objects.filter(asset=code.asset, network=code.network).first()
    if row is None or not code.is_offered:
        raise codes.NotOffered(f"{code.code} is not offered")
    return _offered(code, row, way)


_COLUMNS: Mapping[Way, tuple[str, str]] = {
    Way.PAYMENT: ("payment_min_units", "payment_max_units"),
    Way.WITHDRAWAL: ("withdrawal_min_units", "withdrawal_max_units"),
}


def _offered(code: codes.Code, row: CurrencyLimit, way: Way) -> Offered:
    low, high = (int(getattr(row, column)) for column in _COLUMNS[way])
    return Offered(code, low, high, row.is_popular)
