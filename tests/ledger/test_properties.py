"""Any history of postings, repeats and refusals leaves what a pure model of DESIGN §2 says."""

import random
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import audit, balances, posting
from ledger.accounts import FLOORLESS, Purpose, Ref
from ledger.posting import IdempotencyConflict, InsufficientFunds, Kind, LedgerRefused, Movement
from tests.ledger.books import TWO_PERSONS, Book
from tests.ledger.test_credit_limit import NOON

pytestmark = pytest.mark.django_db

SINGLE = [kind for kind in Kind if kind is not Kind.CONVERT]  # which comes in pairs, see test_ledger_machine
OWNERS = 2


@dataclass
class Model:
    """The ledger in twenty lines."""

    units: dict[Ref, int] = field(default_factory=dict)
    floors: dict[Ref, int] = field(default_factory=dict)
    seqs: dict[Ref, int] = field(default_factory=dict)
    known: dict[UUID, Movement] = field(default_factory=dict)

    def post(self, movements: list[Movement]) -> str:
        seen = [movement for movement in movements if movement.id in self.known]
        if seen:
            same = len(seen) == len(movements) and all(self.known[m.id] == m for m in movements)
            return "repeated" if same else "conflict"
        units = dict(self.units)
        for movement in movements:
            units[movement.source] = units.get(movement.source, 0) - movement.amount_units
            units[movement.target] = units.get(movement.target, 0) + movement.amount_units
            floor = self.floors.get(movement.source, 0)
            if movement.source.purpose not in FLOORLESS and units[movement.source] < floor:
                return "insufficient"
            if movement.target.purpose is Purpose.CREDIT and units[movement.target] > 0:
                return "refused"
        self.units = units
        for movement in movements:
            self.known[movement.id] = movement
            for ref in (movement.source, movement.target):
                self.seqs[ref] = self.seqs.get(ref, 0) + 1
        return "posted"


def outcome(movements: list[Movement]) -> str:
    try:
        with transaction.atomic():
            return "repeated" if posting.post(movements)[0].repeated else "posted"
    except InsufficientFunds:
        return "insufficient"
    except IdempotencyConflict:
        return "conflict"
    except LedgerRefused:
        return "refused"


@dataclass(frozen=True)
class Draw:
    """A movement before its book is known; `number` makes its id, so that small numbers repeat."""

    number: int
    kind: Kind
    amount_units: int
    owner: int
    other: int

    def movement(self, book: Book) -> Movement:
        event = UUID(int=book.id.int ^ (self.number << 8))
        owners = [UUID(int=book.id.int ^ number) for number in (self.owner, self.other)]
        ends = [
            book.ref(end.purpose, owner=owner, network=end.network)
            for end, owner in zip(book.ends(self.kind), owners, strict=True)
        ]
        data = TWO_PERSONS if self.kind is Kind.ADJUST else {}
        return Movement(event, event, self.kind, ends[0], ends[1], self.amount_units, data=data)


draws = st.builds(
    Draw,
    number=st.integers(1, 30),
    kind=st.sampled_from(SINGLE),
    amount_units=st.integers(1, 100) | st.integers(1, 10**30),
    owner=st.integers(1, OWNERS),
    other=st.integers(1, OWNERS),
).filter(lambda draw: draw.kind is not Kind.TRANSFER or draw.owner != draw.other)
calls = st.lists(draws, min_size=1, max_size=4, unique_by=lambda draw: draw.number)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(calls | st.integers(0, 200), max_size=25), again=st.randoms(use_true_random=False))
def test_any_history_leaves_what_the_model_says(history: list[list[Draw] | int], again: random.Random) -> None:
    book, model = Book(), Model()
    earlier: list[list[Movement]] = []
    for call in history:
        if isinstance(call, int):
            limit(book, model, limit_units=call)
            continue
        movements = [draw.movement(book) for draw in call]
        if earlier and again.random() < 0.2:
            movements = again.choice(earlier)
        assert outcome(movements) == model.post(movements)
        earlier.append(movements)

    assert {ref: held.balance_units for ref, held in balances.book(book.id) if held.seq} == model.units
    assert {ref: held.seq for ref, held in balances.book(book.id) if held.seq} == model.seqs
    assert audit.prove().problems == []


def limit(book: Book, model: Model, *, limit_units: int) -> None:
    ref = replace(book.credit, owner=UUID(int=book.id.int ^ 1))
    if model.units.get(ref, 0) < -limit_units:
        with pytest.raises(posting.LimitBelowDrawn):
            posting.set_credit_limit(ref, limit_units=limit_units, by="ada", at=NOON)
    else:
        posting.set_credit_limit(ref, limit_units=limit_units, by="ada", at=NOON)
        model.floors[ref] = -limit_units
