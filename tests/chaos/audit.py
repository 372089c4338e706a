"""Compares what was ordered and what the books say of it with what the chain shows; nothing is asked here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.nodes import Moved
from tests.chaos.orders import Order

COMPLETED = "COMPLETED"
SHOWN = 3
REFUNDED = ("FAILED", "REJECTED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment in the payer's books. Units: what must have left, in the token's units."""

    status: str
    net_units: int


@dataclass(slots=True)
class Findings:
    """One network's; texts are what a person looks at."""

    ordered: int = 0
    completed: int = 0
    refunded: int = 0
    double: int = 0  # transfers beyond the one that an order allows, or the none after a refund
    lost: int = 0  # orders that are in no book, and completed ones without their transfer
    stuck: int = 0
    stray: int = 0  # transfers that nobody ordered
    texts: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everybody was paid once or refunded."""
        return not (self.double or self.lost or self.stuck or self.stray)


def compare(
    orders: Sequence[Order], books: Mapping[str, Sequence[Entry]], moved: Sequence[Moved], *, contract: str
) -> Findings:
    """Each order of one network against the books' entries for its recipient and the transfers to it."""
    found = Findings(ordered=len(orders))
    paid: dict[str, list[Moved]] = defaultdict(list)
    for one in moved:
        paid[one.to].append(one)
    for order in orders:
        _look(found, order, books.get(order.to, ()), paid.pop(order.to, []), contract=contract)
    for strays in paid.values():
        found.stray += len(strays)
        found.texts += [f"nobody ordered {one}" for one in strays]
    return found


def _look(found: Findings, order: Order, entries: Sequence[Entry], paid: list[Moved], *, contract: str) -> None:
    statuses = [entry.status for entry in entries]
    found.completed += statuses.count(COMPLETED)
    found.refunded += sum(statuses.count(status) for status in REFUNDED)
    ended = {COMPLETED, *REFUNDED}
    is_open = [status for status in statuses if status not in ended]
    allowed = max(statuses.count(COMPLETED), min(len(is_open), 1))
    if is_open:
        found.stuck += len(is_open)
        found.texts.append(f"{order.network}: {order.to} stays {', '.join(is_open)}")
    if len(paid) > allowed or statuses.count(COMPLETED) > 1:
        found.double += max(len(paid) - min(allowed, 1), 1)
        found.texts.append(_told(order, statuses, paid))
    wanted = [entry.net_units for entry in entries if entry.status == COMPLETED]
    got = [one.units for one in paid if one.contract == contract]
    if not entries or any(units not in got for units in wanted):
        found.lost += 1
        found.texts.append(_told(order, statuses, paid))


def _told(order: Order, statuses: Sequence[str], paid: Sequence[Moved]) -> str:
    shown = ", ".join(f"{one.units} units of {one.contract or 'the coin'} in {one.txid}" for one in paid[:SHOWN])
    what = f"{', '.join(statuses) or 'in no book'}; {len(paid)} transfers: {shown or 'none'}"
    return f"{order.network}: {order.to} is {what}" + (", …" if len(paid) > SHOWN else "")
