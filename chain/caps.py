"""How much the signer signs, whatever its orders say: an allow-list of assets with their limits, from its environment.

`SIGNER_CAPS` is JSON in whole coins: {"USDT": {"payment": "50000", "hour": "250000", "unattended": "1000"}}. An asset
that it does not name is not signed. `payment` limits one payment, `hour` what is signed within an hour, `unattended`
what is signed within an hour without any person's yes, `gas` (of a network's coin) what goes to our own deposit
addresses within an hour for their sweeps' fees; the last two are nothing where they are left out. Nobody who has only
the database or the broker can raise them. What is over a cap waits, with an alarm, and goes on by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from chain import networks, units
from chain.models import Purpose, SignedAttempt
from chain.ordering import Payment

WINDOW = timedelta(hours=1)
ANCHORS = (
    3  # of one network in the pause between two: one, and what replaces it when a foreign transaction takes its nonce
)
ANY = "*"  # every other asset; outside production only
LIMITS = ("payment", "hour", "unattended", "gas")
PAYMENTS = (Purpose.PAYMENT, Purpose.BATCH)  # what leaves our own wallets


class BadCaps(ValueError):
    """SIGNER_CAPS is not what it should be."""


class OverCap(Exception):
    """The signer's limits do not allow this payment now."""


@dataclass(frozen=True, slots=True)
class Cap:
    """One asset's limits, in its ledger units."""

    payment_units: int
    hour_units: int
    unattended_units: int
    gas_units: int


def parsed(text: str) -> Mapping[str, Mapping[str, str]]:
    """The setting as a table: asset, limit, whole coins.

    Raises: BadCaps.
    """
    try:
        table = json.loads(text or "{}", parse_float=str, parse_int=str)
    except ValueError as wrong:
        raise BadCaps("SIGNER_CAPS is no JSON") from wrong
    if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
        raise BadCaps("SIGNER_CAPS is a JSON object of objects")
    for asset, row in table.items():
        if not {"payment", "hour"} <= row.keys() <= set(LIMITS):
            raise BadCaps(f"SIGNER_CAPS: {asset} has payment and hour, and may have unattended and gas")
        if asset != ANY:
            _cap(asset, row)
    return table


def of(asset: str) -> Cap:
    """The asset's limits.

    Raises: OverCap for an asset that is not on the list; BadCaps.
    """
    table = parsed(settings.SIGNER_CAPS)
    row = table.get(asset) or (table.get(ANY) if settings.IS_LOCAL else None)
    if row is None:
        raise OverCap(f"{asset} is not on the signer's list")
    return _cap(asset, row)


class Tally:
    """What was signed within the window, read once, and what has been admitted since."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self._units: dict[tuple[str, bool | None], int] = {}

    def admit(self, *payments: Payment) -> None:
        """Compare payments of one asset that are not signed yet, to be made together, with the asset's limits.

        Raises: OverCap, BadCaps.
        """
        first = payments[0]
        cap = of(first.asset)
        for payment in payments:
            if payment.amount_units > cap.payment_units:
                raise OverCap(f"{_text(payment)} is above the cap of one payment, {_coins(payment, cap.payment_units)}")
        total_units = sum(payment.amount_units for payment in payments)
        if total_units + self._signed_units(first.asset) > cap.hour_units:
            most = _coins(first, cap.hour_units)
            raise OverCap(f"{_coins(first, total_units)} would take this hour above its cap, {most}")
        attended = all(payment.attended for payment in payments)
        if not attended and total_units + self._signed_units(first.asset, attended=False) > cap.unattended_units:
            most = _coins(first, cap.unattended_units)
            raise OverCap(f"{_coins(first, total_units)} has no person's yes, and this hour's cap of such is {most}")
        for counted in (None, attended):
            if (first.asset, counted) in self._units:
                self._units[first.asset, counted] += total_units

    def _signed_units(self, asset: str, *, attended: bool | None = None) -> int:
        if (asset, attended) not in self._units:
            self._units[asset, attended] = _signed_units(asset, now=self.now, attended=attended)
        return self._units[asset, attended]


def check_order(payment: Payment) -> None:
    """Keep back, before it takes a lane's number, what the signer would never sign; the signer's own look counts.

    Raises: OverCap, BadCaps. Where the caps are not known (only the signer's process needs them) it lets all pass.
    """
    if settings.SIGNER_CAPS and payment.amount_units > (cap := of(payment.asset)).payment_units:
        raise OverCap(f"{_text(payment)} is above the cap of one payment, {_coins(payment, cap.payment_units)}")


def check_anchor(network: str, *, now: datetime) -> None:
    """Let nobody burn gas with anchors: a few in the pause between two.

    Raises: OverCap.
    """
    since = now - timedelta(seconds=settings.SEAL_ANCHOR_EVERY_S)
    signed = SignedAttempt.objects.filter(
        number=1, intent__purpose=Purpose.ANCHOR, intent__network=network, signed_at__gt=since
    )
    if signed.count() >= ANCHORS:
        raise OverCap(f"{ANCHORS} anchors on {network} were signed lately")


def check_top_up(network: str, *, amount_units: int, now: datetime) -> None:
    """Let nobody drain the hot wallets into gas: a top-up is what one transfer can cost, and an hour's sum is capped.

    Units: the network's coin's smallest.
    Raises: OverCap, BadCaps.
    """
    row = networks.network(network)
    if amount_units > row.ceiling_units:
        raise OverCap(f"a top-up of {amount_units} is above what one transfer on {network} may cost")
    signed = SignedAttempt.objects.filter(number=1, intent__purpose=Purpose.TOP_UP, intent__asset=row.coin)
    lately = signed.filter(signed_at__gt=now - WINDOW).aggregate(total=Sum("intent__amount_units"))["total"] or 0
    if units.to_ledger_units(network, row.coin, int(lately) + amount_units) > of(row.coin).gas_units:
        raise OverCap(f"this hour's cap of {row.coin} for deposit addresses' gas is used up")


def take_turns() -> None:
    """Let one signer at a time count and commit, to the end of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sluice.signer'))")


def _signed_units(asset: str, *, now: datetime, attended: bool | None = None) -> int:
    """What was signed for the first time within the window; a replacement of the same payment counts once."""
    rows = SignedAttempt.objects.filter(
        number=1,
        intent__asset=asset,
        intent__purpose__in=PAYMENTS,
        intent__given_up="",
        signed_at__gt=now - WINDOW,
    )
    if attended is not None:
        rows = rows.filter(attended=attended)
    sums = [
        *rows.values_list("intent__network").annotate(total=Sum("intent__amount_units")),
        *rows.values_list("intent__network").annotate(total=Sum("intent__payments__amount_units")),
    ]
    return sum(units.to_ledger_units(network, asset, int(total or 0)) for network, total in sums)


def _cap(asset: str, row: Mapping[str, Any]) -> Cap:
    try:
        amounts = [Decimal(str(row.get(limit, "0"))) for limit in LIMITS]
        return Cap(*(units.to_units(asset, amount) if amount else 0 for amount in amounts))
    except (InvalidOperation, units.BadAmount) as wrong:
        raise BadCaps(f"SIGNER_CAPS: {asset}: {wrong}") from wrong


def _text(payment: Payment) -> str:
    return _coins(payment, payment.amount_units)


def _coins(payment: Payment, amount_units: int) -> str:
    return f"{units.text(payment.asset, amount_units, 2)} {payment.asset}"
