"""What a customer has to pay: the price in coins, and the platform's fee on top of it or out of it."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal, localcontext

from chain import units
from payouts.rates.rates import Quote

PRECISION = 120  # digits: more than any product here has
LARGEST_EXPONENT = 40


@dataclass(frozen=True, slots=True)
class Price:
    """What a merchant asks for in another currency, and the rate by which it is turned into coins."""

    amount: Decimal
    rate: Quote  # one of that currency in coins


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to pay. Units: the asset's ledger units."""

    amount_units: int
    fee_units: int
    is_fee_paid_by_user: bool

    @property
    def total_units(self) -> int:
        """What the customer sends."""
        return self.amount_units + self.fee_units if self.is_fee_paid_by_user else self.amount_units


def due(asset: str, amount: Decimal | Price, *, fee_percent: Decimal, is_fee_paid_by_user: bool) -> Due:
    """Turn a price into coins, rounded up to the asset's last place, and put the fee beside it.

    Units: the amount in whole coins.
    Raises: units.BadAmount.
    """
    amount_units = units.to_units(asset, _coins(asset, amount) if isinstance(amount, Price) else amount)
    with localcontext(prec=PRECISION):
        fee = (Decimal(amount_units) * fee_percent / 100).quantize(Decimal(1), ROUND_HALF_UP)
    return Due(amount_units, int(fee), is_fee_paid_by_user)


def _coins(asset: str, price: Price) -> Decimal:
    """Raises: units.BadAmount."""
    if not (price.amount.is_finite() and price.amount > 0 and price.rate.rate > 0):
        raise units.BadAmount("a price is finite and positive")
    if price.amount.adjusted() > LARGEST_EXPONENT or price.rate.quote != asset:
        raise units.BadAmount("too large, or another asset's rate")
    with localcontext(prec=PRECISION):
        return (price.amount * price.rate.rate).quantize(Decimal(1).scaleb(-units.places(asset)), ROUND_UP)


def fee_share_units(received_units: int, *, fee_units: int, due_units: int) -> int:
    """What the platform takes of a part of what was due, rounded down in the merchant's favour.

    Units: the asset's ledger units. Of all that was received it is worked out together, so that parts add up.
    """
    return received_units * fee_units // due_units
