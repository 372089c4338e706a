"""Decimal to base units and back, strictly: nothing is rounded, nothing passes through a float."""

from decimal import Decimal

from chain import networks
from chain.assets import ASSETS

PLACES = {row.symbol: row.places for row in ASSETS.values()}  # the asset's smallest ledger unit
MOST_DIGITS = 100  # zeros behind the last place included; nobody writes an amount so
LARGEST_UNITS = 10**36 - 1  # far above every supply, far below numeric(78, 0)


class BadAmount(ValueError):
    """An amount that cannot be money of this asset."""


def places(asset: str) -> int:
    """How many decimal places the asset has.

    Raises: BadAmount for an unknown asset.
    """
    try:
        return PLACES[asset]
    except KeyError as missing:
        raise BadAmount(f"unknown asset {asset!r}") from missing


def to_units(asset: str, amount: Decimal) -> int:
    """The amount in base units.

    Units: amount in whole coins, the answer in the asset's smallest unit.
    Raises: BadAmount when it is not finite, not positive, too large or has more places than the asset.
    """
    scale = places(asset)
    if not isinstance(amount, Decimal):
        raise BadAmount("an amount is a Decimal")
    if not amount.is_finite() or amount <= 0:
        raise BadAmount("an amount is finite and positive")
    if amount.adjusted() > len(str(LARGEST_UNITS)):  # before any arithmetic: 1E+999999 would fill the memory
        raise BadAmount("too large")
    _, digits, exponent = amount.as_tuple()
    if len(digits) > MOST_DIGITS:
        raise BadAmount("too many digits")
    shift = int(exponent) + scale
    coefficient = int("".join(map(str, digits)))
    units: int = coefficient * 10 ** max(shift, 0)
    units, lost = divmod(units, 10 ** min(max(-shift, 0), MOST_DIGITS))
    if lost:
        raise BadAmount(f"{asset} has {scale} decimal places")
    if units > LARGEST_UNITS:
        raise BadAmount("too large")
    return units


def to_decimal(asset: str, units: int) -> Decimal:
    """Base units as whole coins, with all the asset's places.

    Units: the answer in whole coins.
    """
    sign, digits = (1, str(-units)) if units < 0 else (0, str(units))
    return Decimal((sign, tuple(map(int, digits)), -places(asset)))


def text(asset: str, units: int, places: int | None = None) -> str:
    """Base units as a plain decimal string, at least `places` after the point and never a digit lost.

    Without `places` all of the asset's places are shown: 1500000 is "1.500000", with 2 it is "1.50", and 1234567
    stays "1.234567".
    """
    whole, _, fraction = f"{to_decimal(asset, units):f}".partition(".")
    if places is None:
        return f"{whole}.{fraction}" if fraction else whole
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole


def to_token_units(network: str, asset: str, amount_units: int) -> int:
    """Ledger units in what the network's chain counts in; exact or refused, never rounded.

    Units: the asset's ledger units; the answer in the token's (USDT on BSC: 18 places where the ledger has 6).
    Raises: UnknownNetwork; BadAmount when it is no whole number there.
    """
    shift = networks.token(network, asset).decimals - places(asset)
    token_units: int = amount_units * 10 ** max(shift, 0)
    token_units, lost = divmod(token_units, 10 ** max(-shift, 0))
    if lost:
        raise BadAmount(f"{asset} on {network} cannot be paid in so many places")
    return token_units


def to_ledger_units(network: str, asset: str, token_units: int) -> int:
    """What the chain counts in ledger units; less than one ledger unit is nobody's and left out.

    Units: the token's units; the answer in the asset's ledger units.
    Raises: UnknownNetwork.
    """
    shift = networks.token(network, asset).decimals - places(asset)
    amount_units: int = token_units * 10 ** max(-shift, 0) // 10 ** max(shift, 0)
    return amount_units
