"""What has come in at deposit addresses and what of it is in the books: what a comparison with the chain needs."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, Sum

from chain.models import Incoming
from payouts.payments.models import DepositAddress
from payouts.payments.payment_models import Deposit


@dataclass(frozen=True, slots=True)
class Arrived:
    """All that was seen of an asset on a network up to a block, whether it is still there or was swept.

    Units: what the network's chain counts in; `booked_units` in the asset's ledger units.
    """

    units: int  # everything, final or not
    unbooked_units: int  # of that: not final yet, or not taken over yet
    ignored_units: int  # of that: dust, in nobody's balance and never going to be
    booked_units: int  # in balances, wherever the block is


@dataclass(frozen=True, slots=True)
class Address:
    """A deposit address that something came in at. Units: what the network's chain counts in, sweeps not taken off."""

    number: int
    address: str
    units: int
    final_units: int


def arrived(network: str, asset: str, *, upto: int) -> Arrived:
    """Count what came in up to that block: one statement, so that all of it is of one moment."""
    ignored = Exists(Deposit.objects.filter(id=OuterRef("id"), status=Deposit.Status.IGNORED))
    rows = Incoming.objects.filter(network=network, asset=asset, block_number__lte=upto).annotate(is_ignored=ignored)
    told = rows.aggregate(
        units=Sum("amount_units"),
        unbooked=Sum("amount_units", filter=Q(collected_at=None)),
        ignored=Sum("amount_units", filter=Q(is_ignored=True)),
    )
    credited = Deposit.objects.filter(network=network, asset=asset, status=Deposit.Status.CREDITED)
    booked = credited.aggregate(units=Sum("amount_units"))["units"]
    return Arrived(*(int(one or 0) for one in (told["units"], told["unbooked"], told["ignored"], booked)))


def addresses(network: str, asset: str, *, among: Collection[str] | None = None) -> list[Address]:
    """The addresses that the asset came in at, the largest first."""
    rows = Incoming.objects.filter(network=network, asset=asset)
    if among is not None:
        rows = rows.filter(recipient__in=among)
    summed = rows.values("recipient").annotate(
        units=Sum("amount_units"), final=Sum("amount_units", filter=Q(state="CONFIRMED"))
    )
    found = {row["recipient"]: row for row in summed.order_by(F("units").desc())}
    numbers = DepositAddress.objects.filter(network=network, address__in=found).values_list("address", "number")
    known = dict(numbers)
    return [
        Address(known[address], address, int(row["units"]), int(row["final"] or 0))
        for address, row in found.items()
        if address in known
    ]
