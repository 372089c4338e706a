"""Movements and their accounts as the parallel arrays that the ledger's functions take."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ledger import binary, calls
from ledger.accounts import Ref

if TYPE_CHECKING:
    from ledger.posting import Movement  # which posts through this module


@dataclass(frozen=True, slots=True)
class Accounts:
    """Distinct accounts in the order of (book, id), in which everybody locks them."""

    refs: list[Ref]

    def books(self) -> binary.UuidArray:
        """Each one's book."""
        return binary.uuids([ref.key[:16] for ref in self.refs])

    def ids(self) -> binary.UuidArray:
        """Each one's id."""
        return binary.uuids([ref.key[16:] for ref in self.refs])

    def parts(self) -> list[binary.TextArray | binary.UuidArray]:
        """What absent ones are opened with: owners, assets, purposes, networks."""
        return [
            binary.uuids([ref.owner.bytes for ref in self.refs]),
            binary.texts([ref.asset for ref in self.refs]),
            binary.texts([str(ref.purpose) for ref in self.refs]),
            binary.texts([ref.network for ref in self.refs]),
        ]


@dataclass(frozen=True, slots=True)
class Packed:
    """What a call needs: the accounts, and the movements' columns, which name accounts by their positions from 1.

    The columns are id, txn, kind, source, target, amount, reference, data; None for references or data all empty.
    """

    accounts: Accounts
    columns: list[Any]


def accounts(refs: Iterable[Ref]) -> Accounts:
    """The distinct ones."""
    return Accounts([ref for _, ref in sorted({ref.key: ref for ref in refs}.items())])


def changes(movements: Sequence["Movement"], of: Accounts) -> list[Any]:
    """What becomes of each of the accounts: by how much it changes in the end, and in how many events it is named."""
    sources = [movement.source.key for movement in movements]
    targets = [movement.target.key for movement in movements]
    units = dict.fromkeys([ref.key for ref in of.refs], 0)
    for source, target, movement in zip(sources, targets, movements, strict=True):
        units[source] -= movement.amount_units
        units[target] += movement.amount_units
    events = Counter(sources)
    events.update(targets)
    return [binary.units(list(units.values())), binary.ints(binary.numbers([events[key] for key in units]))]


def pack(movements: Sequence["Movement"]) -> Packed:
    """The arrays of some movements, over as many books as they name.

    Everything here is done for each of thousands: by keys that are bytes already, and joined in C.

    Raises: TypeError for an amount that is no int; ValueError for data that is no JSON.
    """
    sources = [movement.source.key for movement in movements]
    targets = [movement.target.key for movement in movements]
    named = dict(zip(sources, [movement.source for movement in movements], strict=True))
    named.update(zip(targets, [movement.target for movement in movements], strict=True))
    keys = sorted(named)
    places = dict(zip(keys, binary.numbers(range(1, len(keys) + 1)), strict=True))
    references = [movement.reference for movement in movements]
    datas = [movement.data for movement in movements]
    return Packed(
        Accounts([named[key] for key in keys]),
        [
            binary.uuids([movement.id.bytes for movement in movements]),
            binary.uuids([movement.txn.bytes for movement in movements]),
            binary.texts([str(movement.kind) for movement in movements]),
            binary.ints([places[key] for key in sources]),
            binary.ints([places[key] for key in targets]),
            binary.units(calls.all_whole([movement.amount_units for movement in movements])),
            binary.texts(references) if any(references) else None,
            binary.jsons([calls.json_text(data) for data in datas]) if any(datas) else None,
        ],
    )
