"""Asking for a rate: a row, its inverse, or two of them through USD; a stale one refuses, nothing is guessed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from django.db.models import Q

from chain import units
from payouts.rates.models import Rate

THROUGH = "USD"
DIGITS = 18  # of a rate that is computed from others
EXACT = Context(prec=120)  # no amount of ours times a rate is longer
CENTS = Decimal("0.01")


class NoRate(Exception):
    """Nobody says what the one is worth in the other."""


class StaleRate(Exception):
    """Somebody said so, too long ago."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What one `base` is worth in `quote`, who said so, and since when: what is kept with everything priced by it."""

    base: str
    quote: str
    rate: Decimal
    source: str
    at: datetime

    def record(self) -> dict[str, str]:
        """The same as plain JSON."""
        return {
            "pair": f"{self.base}-{self.quote}",
            "rate": f"{self.rate:f}",
            "source": self.source,
            "at": self.at.isoformat(),
        }


def quote(base: str, quote: str, *, now: datetime) -> Quote:
    """The rate between two assets or currencies.

    Raises: NoRate, StaleRate.
    """
    if base == quote:
        return Quote(base, quote, Decimal(1), "itself", now)
    rows = _rows(base, quote)
    found = _between(rows, base, quote, now=now)
    if found is not None:
        return found
    there, back = (_between(rows, *pair, now=now) for pair in ((base, THROUGH), (THROUGH, quote)))
    if there is None or back is None:
        raise NoRate(f"no rate for {base}-{quote}")
    rate = _rounded(EXACT.multiply(there.rate, back.rate))
    sources = ", ".join(dict.fromkeys((there.source, back.source)))
    return Quote(base, quote, rate, sources, min(there.at, back.at))


def bought_units(asset: str, amount: Decimal, rate: Decimal) -> int:
    """What an amount buys of the asset at a rate, rounded down to the asset's last place.

    Units: the answer in the asset's ledger units.
    Raises: units.BadAmount when nothing is left, or too much.
    """
    bought = EXACT.multiply(amount, rate).quantize(
        Decimal(1).scaleb(-units.places(asset)), rounding=ROUND_DOWN, context=EXACT
    )
    return units.to_units(asset, bought)


def worth_usd(asset: str, amount_units: int, *, now: datetime) -> str | None:
    """What so much is worth in US dollars, to the cent; None where nobody says it, or said it too long ago."""
    try:
        rate = quote(asset, THROUGH, now=now).rate
    except (NoRate, StaleRate):
        return None
    return f"{EXACT.multiply(units.to_decimal(asset, amount_units), rate).quantize(CENTS, ROUND_HALF_UP, EXACT):f}"


def _rows(base: str, quote: str) -> dict[tuple[str, str], Rate]:
    names = [base, quote, THROUGH]
    return {(row.base, row.quote): row for row in Rate.objects.filter(Q(base__in=names) & Q(quote__in=names))}


def _between(rows: dict[tuple[str, str], Rate], base: str, quote: str, *, now: datetime) -> Quote | None:
    """By the pair's own row, or the inverse of the opposite one; None where there is neither.

    Raises: StaleRate.
    """
    if base == quote:
        return Quote(base, quote, Decimal(1), "itself", now)
    row, opposite = rows.get((base, quote)), rows.get((quote, base))
    chosen: Any = row or opposite
    if chosen is None:
        return None
    if chosen.good_for_s is not None and chosen.at + timedelta(seconds=chosen.good_for_s) < now:
        raise StaleRate(f"the rate {chosen} is of {chosen.at:%Y-%m-%dT%H:%M:%SZ}")
    rate = _plain(row.rate) if row else _rounded(EXACT.divide(Decimal(1), chosen.rate))
    return Quote(base, quote, rate, chosen.source, chosen.at)


def _rounded(rate: Decimal) -> Decimal:
    return _plain(Context(prec=DIGITS, rounding=ROUND_HALF_EVEN).plus(rate))


def _plain(rate: Decimal) -> Decimal:
    """Without zeros behind the last place that says something."""
    text = f"{rate:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
