"""Amounts as people type them into the admin's forms: strict like the APIs', and zero allowed."""

from decimal import Decimal

from chain import units


def parse(asset: str, text: str) -> int:
    """The amount in the asset's smallest unit.

    Units: `text` in whole coins.
    Raises: units.BadAmount.
    """
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        raise units.BadAmount("a plain number of coins is wanted, such as 2500 or 0.50")
    amount = Decimal(text)
    return units.to_units(asset, amount) if amount else 0
