"""The ledger in a page of pure Python: what the database must do, without the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ledger.accounts import FLOORLESS, Purpose, Ref
from ledger.posting import Kind, Movement
from tests.ledger.test_vocabulary import GOES

Answer = tuple[
    str, object
]  # "posted" and "repeated" with rows, "insufficient" with who and by how much, "refused" with the rule
HALF: Answer = ("refused", "convert_in_pairs")
Row = tuple[int, int, int, int]  # source_seq, target_seq, source_balance, target_balance


@dataclass(frozen=True)
class Line:
    """One entry of an account's statement."""

    event: UUID
    units: int  # signed
    after: int


@dataclass
class Model:
    """Accounts, their floors and histories, and every movement that happened with what it was answered."""

    floors: dict[Ref, int] = field(default_factory=dict)  # of credit lines; the others' follow from their purpose
    history: dict[Ref, list[Line]] = field(default_factory=dict)
    known: dict[UUID, tuple[Movement, Row]] = field(default_factory=dict)

    def units(self, ref: Ref) -> int:
        lines = self.history.get(ref)
        return lines[-1].after if lines else 0

    def post(self, movements: Sequence[Movement]) -> Answer:
        seen = [self.known[movement.id] for movement in movements if movement.id in self.known]
        if seen:
            same = [movement for movement, _ in seen] == list(movements)
            return ("repeated", [row for _, row in seen]) if same else ("refused", "event_once")
        units: dict[Ref, int] = {}
        for movement in movements:
            refusal = self._refusal(movement, units)
            if refusal:
                return refusal
        if not _whole(movements):
            return HALF
        return ("posted", [self._append(movement) for movement in movements])

    def post_each(self, movements: Sequence[Movement]) -> list[Answer]:
        """One after another, each for itself; the two of a conversion together."""
        said: list[Answer] = []
        left = list(movements)
        while left:
            movement = left.pop(0)
            if movement.kind is not Kind.CONVERT or movement.id in self.known:
                said.append(self.post([movement]))
            elif left and movement.data["pair"] == str(left[0].id):
                got = self.post([movement, left.pop(0)])
                said += [got, got if got[0] == "posted" else HALF]
            else:
                said.append(HALF)
        return said

    def forget(self, movement: Movement) -> None:
        """Take back the last thing that was posted."""
        del self.known[movement.id]
        for ref in (movement.source, movement.target):
            if self.history[ref].pop() and not self.history[ref]:
                del self.history[ref]

    def set_limit(self, ref: Ref, limit_units: int) -> Answer:
        if self.units(ref) < -limit_units:
            return ("refused", "limit_not_below_drawn")
        self.floors[ref] = -limit_units
        return ("posted", [])

    def _refusal(self, movement: Movement, units: dict[Ref, int]) -> Answer | None:
        rule = _odd(movement)
        if rule:
            return ("refused", rule)
        source, target = movement.source, movement.target
        units[source] = units.get(source, self.units(source)) - movement.amount_units
        units[target] = units.get(target, self.units(target)) + movement.amount_units
        floor = self.floors.get(source, 0)
        if source.purpose not in FLOORLESS and units[source] < floor:
            return ("insufficient", (source, floor - units[source]))
        if target.purpose is Purpose.CREDIT and units[target] > 0:
            return ("refused", "credit_not_overpaid")
        return None

    def _append(self, movement: Movement) -> Row:
        row: list[int] = []
        for ref, signed in ((movement.source, -movement.amount_units), (movement.target, movement.amount_units)):
            lines = self.history.setdefault(ref, [])
            lines.append(Line(movement.id, signed, self.units(ref) + signed))
            row += [len(lines), lines[-1].after]
        answer = (row[0], row[2], row[1], row[3])
        self.known[movement.id] = (movement, answer)
        return answer


def _odd(movement: Movement) -> str | None:
    """The rule that it breaks whatever the balances are."""
    source, target = movement.source, movement.target
    if source == target:
        return "event_two_accounts"
    if source.asset != target.asset:
        return "event_one_asset"
    if (source.purpose, target.purpose) not in GOES.get(movement.kind, ()):
        return "event_kind_between_purposes"
    return "event_amount_in_range" if movement.amount_units <= 0 else None


def _whole(movements: Sequence[Movement]) -> bool:
    converting = {str(movement.id) for movement in movements if movement.kind is Kind.CONVERT}
    return all(movement.data["pair"] in converting for movement in movements if movement.kind is Kind.CONVERT)
