"""Which approved withdrawals the lanes can pay now, and an alarm about those that wait for money.

The rule: whatever money there is, is offered to the oldest first; what cannot be paid is passed over and offered the
money again at every sweep, before any younger one. So a large withdrawal holds up nobody, new money is its own to
refuse, and the alarm says what is missing. One asset's or network's shortage is no other's.
"""

from datetime import datetime
from uuid import UUID

from chain import alarms, networks, transfers
from payouts.withdrawals import queries, sheet
from payouts.withdrawals.models import Withdrawal


def ids(*, limit: int, now: datetime) -> list[UUID]:
    """The oldest of each asset on each network that can be paid, as far as the lanes reach."""
    chosen: list[UUID] = []
    texts: dict[str, str] = {}
    here = [row.name for row in networks.configured()]
    for network, asset in queries.approved_pairs(networks=here):
        reach_units = transfers.reach_units(network, asset)
        within = list(queries.approved(network, asset, now=now).filter(net_units__lte=reach_units)[:limit])
        fits = transfers.fitting(network, asset, [int(row.net_units) for row in within])
        chosen += [row.id for row, fit in zip(within, fits, strict=True) if fit]
        left = [row for row, fit in zip(within, fits, strict=True) if not fit]
        text = _waiting(network, asset, left, reach_units=reach_units, now=now)
        if text:
            texts[f"{network}/{asset}"] = text
    alarms.stand("withdrawals.waiting", texts, now=now)
    return chosen


def _waiting(network: str, asset: str, left: list[Withdrawal], *, reach_units: int, now: datetime) -> str:
    """What to say about those that nobody can pay: too large for every lane, or left over."""
    beyond = queries.approved(network, asset, now=now).filter(net_units__gt=reach_units)
    number = beyond.count() + len(left)
    if not number:
        return ""
    oldest = min([*left, *beyond[:1]], key=lambda row: row.id)
    reach = (
        f"the most that a lane can pay is {sheet.money(asset, reach_units)}" if reach_units > 0 else "no lane can pay"
    )
    since, amount = f"{oldest.created_at:%Y-%m-%d %H:%M:%S}", sheet.money(asset, int(oldest.net_units))
    return f"{number} wait; the oldest since {since} for {amount} ({oldest.id}); {reach}"
