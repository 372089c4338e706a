"""Ten thousand steps of several books beside a pure model, with clients that crash before they hear the answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from ledger import audit, balances, bulk, converting, posting
from ledger.accounts import FLOORLESS, Purpose, Ref
from ledger.bulk import BatchRefused
from ledger.converting import Conversion
from ledger.posting import Kind, LedgerRefused, Movement, Posted
from tests.databases import Database
from tests.ledger.books import TWO_PERSONS, Book
from tests.properties.ledger_model import Answer, Model

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
STEPS = 10_000
RUN = 100  # steps of one run
BOOKS = range(3)
TAKEN = ("posted", "repeated")
RAISED = ("convert_in_pairs",)  # what a constraint and not the function refuses
OWNERS = st.integers(1, 2)


class Crashed(Exception):
    """The client is gone before it knows."""


@dataclass(frozen=True)
class Draw:
    """A movement before its book is known; few numbers, so that ids come again."""

    number: int
    kind: Kind
    amount_units: int
    owner: int
    other: int
    spoilt: str = ""

    def movements(self, book: Book) -> list[Movement]:
        id_ = UUID(int=book.id.int ^ (self.number << 16))
        if self.kind is Kind.CONVERT:
            legs = converting.legs(self._conversion(book, id_))
            return legs[:1] if self.spoilt == "half" else legs
        ends = book.ends(self.kind)
        source, target = (
            replace(end, owner=UUID(int=book.id.int ^ owner))
            for end, owner in zip(ends, (self.owner, self.other), strict=True)
        )
        data = TWO_PERSONS if self.kind is Kind.ADJUST else {}
        movement = Movement(
            id_, id_, self.kind, source, target, self.amount_units, reference=str(self.number), data=data
        )
        return [self._spoil(movement)]

    def _conversion(self, book: Book, id_: UUID) -> Conversion:
        sold = book.ref(Purpose.AVAILABLE, owner=UUID(int=book.id.int ^ self.owner))
        bought = replace(sold, asset="EURC", owner=UUID(int=book.id.int ^ self.other))
        if self.spoilt == "back":
            sold, bought = bought, sold
        return Conversion(id_, sold, self.amount_units, bought, self.amount_units, Decimal(1))

    def _spoil(self, movement: Movement) -> Movement:
        match self.spoilt:
            case "asset":
                return replace(movement, target=replace(movement.target, asset="EURC"))
            case "self":
                return replace(movement, target=movement.source)
            case "back":
                return replace(movement, source=movement.target, target=movement.source)
            case "kind":
                return replace(movement, kind="BONUS")  # type: ignore[arg-type] # the point
            case "nothing":
                return replace(movement, amount_units=0)
        return movement


KINDS = [*Kind, Kind.DEPOSIT, Kind.MEMO_CREDIT, Kind.FREEZE, Kind.MEMO_FREEZE]  # more of what others need first
SPOILT = [""] * 20 + ["asset", "self", "back", "kind", "nothing", "half"]


def drawn(number: int) -> Draw:
    """One number for one movement: drawing six values each costs more than posting them."""
    number, ident = divmod(number, 400)
    number, kind = divmod(number, len(KINDS))
    number, owner = divmod(number, 2)
    number, other = divmod(number, 2)
    number, spoilt = divmod(number, len(SPOILT))
    amount_units = number + 1 if number < 150 else 10**30
    return Draw(ident, KINDS[kind], amount_units, owner + 1, other + 1, SPOILT[spoilt])


draws = st.integers(0, 400 * len(KINDS) * 4 * len(SPOILT) * 155 - 1).map(drawn)
calls = st.lists(draws, min_size=1, max_size=4, unique_by=lambda draw: draw.number)
books = st.sampled_from(BOOKS)


def _crash(*, unless: bool) -> None:
    if not unless:
        raise Crashed


def rows(posted: Sequence[Posted]) -> list[tuple[int, int, int, int]]:
    return [(p.source_seq, p.target_seq, p.source_balance_units, p.target_balance_units) for p in posted]


def answer(movements: Sequence[Movement]) -> Answer:
    """What the database answers, in the model's words."""
    try:
        posted = posting.post(movements)
    except LedgerRefused as refused:
        return refusal(refused)
    repeated = {one.repeated for one in posted}
    assert len(repeated) == 1
    return ("repeated" if repeated == {True} else "posted", rows(posted))


def in_bulk(movements: Sequence[Movement], *, skip: bool) -> list[Answer]:
    """What the bulk door answers for each movement; for one refusal that stops all, it and its place."""
    try:
        outcome = bulk.post_many(movements, on_error="skip_bad" if skip else "all_or_nothing")
    except BatchRefused as refused:
        return [refusal(refused), ("stopped", refused.position)]
    said: list[Answer] = [("posted", None)] * len(movements)
    for position in outcome.repeated:
        said[position] = ("repeated", None)
    for bad in outcome.refused:
        said[bad.position] = refusal(bad.error)
    return said


def refusal(error: LedgerRefused) -> Answer:
    """In the model's words."""
    if error.rule == "account_not_overdrawn":
        return ("insufficient", (error.ref, error.short_units))
    return ("refused", error.rule)


class Ledger(RuleBasedStateMachine):
    """Whatever is asked in whatever order, the ledger answers what the model does."""

    counts: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open(self) -> None:
        self.books = [Book() for _ in BOOKS]
        self.model = Model()
        self.earlier: list[list[Movement]] = []
        self.unheard: list[list[Movement]] = []
        for book in BOOKS:
            funds = [(kind, owner) for kind in (Kind.DEPOSIT, Kind.MEMO_CREDIT) for owner in (1, 2)]
            draws_ = [Draw(500 + number, kind, 400, owner, owner) for number, (kind, owner) in enumerate(funds)]
            self.post(book, draws_)

    def call(self, book: int, draws_: Sequence[Draw]) -> list[Movement]:
        movements = [movement for draw in draws_ for movement in draw.movements(self.books[book])]
        self.earlier.append(movements)
        return movements

    def same(self, step: str, got: Answer, expected: Answer) -> None:
        self.counts[f"{step}: {expected[0]}"] += 1
        assert got == expected, f"{step}: the ledger says {got}, the model {expected}"

    @rule(book=books, draws_=calls)
    def post_more(self, book: int, draws_: list[Draw]) -> None:
        """The same rule by another name: money moves twice as often as the rest happens."""
        self.post(book, draws_)

    @rule(book=books, draws_=calls)
    def post(self, book: int, draws_: list[Draw]) -> None:
        movements = self.call(book, draws_)
        self.same("post", answer(movements), self.model.post(movements))

    @precondition(lambda self: self.earlier)
    @rule(back=st.integers(0, 10), cut=st.sampled_from([0, 0, 0, 1]), more=st.sampled_from([0, 0, 0, 1]))
    def post_again(self, back: int, cut: int, more: int) -> None:
        """The same call as before; or a part of it; or with another amount."""
        movements = self.earlier[-1 - back % len(self.earlier)]
        again = [replace(one, amount_units=one.amount_units + more) for one in movements[: len(movements) - cut]]
        if again:
            self.same("again", answer(again), self.model.post(again))

    @rule(book=books, draws_=calls, commits=st.booleans())
    def crash(self, book: int, draws_: list[Draw], *, commits: bool) -> None:
        """Before the commit nothing was asked; after it all is done, and who asked does not know and will ask again."""
        movements = self.call(book, draws_)
        try:
            with transaction.atomic():
                self.inside(movements)
                _crash(unless=commits)
        except Crashed:
            self.counts["crash before the commit"] += 1
        else:
            self.counts["crash after the commit"] += 1
            self.model.post(movements)
        connection.close()
        self.unheard.append(movements)

    @precondition(lambda self: self.unheard)
    @rule(which=st.integers(0, 10))
    def ask_again_after_a_crash(self, which: int) -> None:
        movements = self.unheard.pop(which % len(self.unheard))
        self.same("after a crash", answer(movements), self.model.post(movements))

    @rule(book=books, draws_=calls)
    def lock_and_post(self, book: int, draws_: list[Draw]) -> None:
        """As a withdrawal is made: hold the accounts, look, post, all in one transaction."""
        movements = self.call(book, draws_)
        refs = {ref for movement in movements for ref in (movement.source, movement.target)}
        with transaction.atomic():
            for ref, held in posting.lock(list(refs)).items():
                assert held == self.expected(ref)
            got = self.inside(movements)
        self.same("lock and post", got, self.model.post(movements))

    def inside(self, movements: list[Movement]) -> Answer:
        """Inside a transaction; half a conversion is refused by raising, which a savepoint must take up."""
        got: Answer = ("", None)
        try:
            with transaction.atomic(savepoint=any(one.kind is Kind.CONVERT for one in movements)):
                got = answer(movements)
                _crash(unless=got[1] not in RAISED)
        except Crashed:
            pass
        return got

    @rule(book=books, owner=OWNERS, limit_units=st.integers(0, 300))
    def set_a_credit_limit(self, book: int, owner: int, limit_units: int) -> None:
        ref = self.books[book].ref(Purpose.CREDIT, owner=UUID(int=self.books[book].id.int ^ owner))
        got: Answer = ("posted", [])
        try:
            posting.set_credit_limit(ref, limit_units=limit_units, by="ada", at=NOON)
        except LedgerRefused as refused:
            got = ("refused", refused.rule)
        self.same("limit", got, self.model.set_limit(ref, limit_units))

    @precondition(lambda self: self.model.history)
    @rule(which=st.integers(0, 50), after=st.integers(0, 10), limit=st.integers(1, 5), newest_first=st.booleans())
    def read_a_statement(self, which: int, after: int, limit: int, *, newest_first: bool) -> None:
        ref = list(self.model.history)[which % len(self.model.history)]
        lines = list(enumerate(self.model.history[ref], start=1))[after:]
        expected = lines[::-1][:limit] if newest_first else lines[:limit]

        page = balances.statement(ref, after_seq=after, limit=limit, newest_first=newest_first)

        self.counts["statement"] += 1
        assert page.total == len(self.model.history[ref])
        assert [(one.seq, one.event, one.balance_after_units) for one in page.entries] == [
            (seq, line.event, line.after) for seq, line in expected
        ]

    @rule(first=calls, others=calls, book=books, skip=st.booleans())
    def post_many(self, first: list[Draw], others: list[Draw], book: int, *, skip: bool) -> None:
        """In bulk, over two books: as one after another, up to the first that is refused or without it."""
        both = ((self.books[book], first), (self.books[book - 1], others))
        movements = [movement for of, draws_ in both for draw in draws_ for movement in draw.movements(of)]
        got = in_bulk(movements, skip=skip)
        expected = self.model.post_each(movements)
        bad = next((place for place, (word, _) in enumerate(expected) if word not in TAKEN), None)
        if bad is not None and not skip:
            for movement, (word, _) in reversed(list(zip(movements, expected, strict=True))):
                if word == "posted":
                    self.model.forget(movement)
            expected = [expected[bad], ("stopped", bad)]
        plain = [(word, None if word in TAKEN else what) for word, what in expected]
        self.same("bulk", ("bulk", got), ("bulk", plain))

    def expected(self, ref: Ref) -> balances.Balance:
        floor = None if ref.purpose in FLOORLESS else self.model.floors.get(ref, 0)
        return balances.Balance(self.model.units(ref), floor, len(self.model.history.get(ref, ())))

    def teardown(self) -> None:
        """Every balance of every book, and what is unheard asked once more."""
        for movements in getattr(self, "unheard", []):
            self.same("at the end", answer(movements), self.model.post(movements))
        seen: set[Ref] = set()
        for book in getattr(self, "books", []):
            sums: Counter[tuple[str, bool]] = Counter()
            for ref, held in balances.book(book.id):
                assert held == self.expected(ref)
                sums[ref.asset, ref.purpose.startswith("memo")] += held.balance_units
                seen.add(ref)
            assert not any(sums.values())
        assert seen >= set(getattr(self, "model", Model()).history)


@pytest.mark.timeout(420)  # half a minute where nobody else is at work; a failure is shrunk for longer
def test_ten_thousand_steps_leave_the_ledger_and_its_model_alike(committed: Database) -> None:
    Ledger.counts.clear()
    run: Any = settings(
        max_examples=STEPS // RUN * 5 // 4,  # not every step finds something to do
        stateful_step_count=RUN,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(Ledger, settings=run)

    assert sum(times for step, times in Ledger.counts.items() if not step.startswith("at the end")) >= STEPS
    assert all(
        Ledger.counts[step] for step in ("after a crash: repeated", "post: posted", "post: insufficient", "bulk: bulk")
    )
    assert audit.prove().problems == []
