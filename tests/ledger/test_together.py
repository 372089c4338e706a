"""Threads that post at the same time share commits, and nobody notices."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import OperationalError, connection, transaction

from ledger import audit, bulk, fresh, posting, together
from ledger.accounts import Purpose
from ledger.models import Event
from ledger.posting import IdempotencyConflict, InsufficientFunds, Kind, LedgerRefused, Movement
from tests.databases import Database
from tests.ledger.books import Book, funded, new_id
from tests.ledger.test_races import at_once, posting_of


def test_callers_at_the_same_time_share_transactions_and_each_has_his_own_answer(committed: Database) -> None:
    book = funded(1000)
    answers: list[tuple[Movement, posting.Posted]] = []

    def job() -> str:
        movement = book.movement(Kind.FREEZE, 1)
        answers.append((movement, posting.post([movement])[0]))
        return "posted"

    assert at_once([job] * 320) == {"posted": 320}
    events = {event.id: event for event in Event.objects.filter(book=book.id, kind="FREEZE")}
    assert len(events) == 320
    for movement, posted in answers:
        event = events[movement.id]
        assert (posted.id, posted.source_seq, posted.target_seq) == (event.id, event.source_seq, event.target_seq)
        assert (posted.source_balance_units, posted.at) == (event.source_balance, event.at)
    assert len({event.xid for event in events.values()}) < 320  # some went together
    assert audit.prove().problems == []


def test_a_refusal_is_only_its_own_callers(committed: Database) -> None:
    book = funded(10_000)
    good = [posting_of(book.movement(Kind.FREEZE, 1)) for _ in range(160)]
    poor = [posting_of(book.movement(Kind.FREEZE, 10**9)) for _ in range(160)]
    same = book.movement(Kind.FREEZE, 5)
    twice = [posting_of(same), posting_of(replace(same, amount_units=6))] * 20

    outcomes = at_once([job for jobs in zip(good, poor, strict=True) for job in jobs] + twice)

    assert outcomes["InsufficientFunds"] == 160
    assert outcomes["posted"] == 161
    assert outcomes["repeated"] + outcomes["IdempotencyConflict"] == 39
    assert audit.prove().problems == []


def test_a_call_that_fails_as_a_whole_leaves_everybody_to_himself(
    committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []

    def fail(movements: list[Movement]) -> list[posting.Posted] | None:
        failures.append(len(movements))
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(fresh, "post_together", fail)
    book = funded(1000)

    outcomes = at_once([posting_of(book.movement(Kind.FREEZE, 1)) for _ in range(160)])

    assert outcomes == {"posted": 160}
    assert failures
    assert book.holds(book.frozen) == 160


def test_a_crash_between_commit_and_answer_repeats_as_the_first(
    committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., list[posting.Posted] | None] = fresh.post_together

    def lose(movements: list[Movement]) -> list[posting.Posted] | None:
        real(movements)
        raise OperationalError("the answer is lost")

    monkeypatch.setattr(fresh, "post_together", lose)
    book = funded(1000)
    book.post(Kind.FREEZE, 1)  # opens the account: crowds go the short way

    outcomes = at_once([posting_of(book.movement(Kind.FREEZE, 1)) for _ in range(160)])

    assert outcomes["posted"] + outcomes["repeated"] == 160
    assert outcomes["repeated"] > 0
    assert book.holds(book.frozen) == 161


def test_an_account_that_somebody_holds_does_not_hold_up_the_others(committed: Database) -> None:
    held, free = funded(100), funded(100)
    done: list[str] = []

    def on(book: Book) -> None:
        try:
            while not posted(book):
                pass  # the connection's own lock_timeout, on a slow machine
            done.append("held" if book is held else "free")
        finally:
            connection.close()

    def posted(book: Book) -> bool:
        try:
            return bool(book.post(Kind.FREEZE, 1))
        except OperationalError:
            return False

    with transaction.atomic():
        posting.lock([held.available])
        threads = [threading.Thread(target=on, args=[book]) for book in (held, held, held, free, free, free)]
        for thread in threads:
            thread.start()
        for thread in threads[3:]:
            thread.join(timeout=8)  # less than the session that holds the account may idle
        assert done == ["free"] * 3
    for thread in threads:
        thread.join()

    assert sorted(done) == ["free"] * 3 + ["held"] * 3
    assert (together._counter.leading, len(together._counter.waiting)) == (0, 0)  # noqa: SLF001 - nobody is left


def test_bulk_and_single_posts_at_once_never_wait_in_a_circle(committed: Database) -> None:
    books = [funded(10_000) for _ in range(4)]

    def batch(number: int) -> Callable[[], str]:
        order = books if number % 2 else books[::-1]
        movements = [book.movement(Kind.FREEZE, 1) for book in order for _ in range(5)]
        fresh = [
            replace(book.movement(Kind.TRANSFER, 1), target=book.ref(Purpose.AVAILABLE, owner=new_id()))
            for book in order
        ]

        def job() -> str:
            bulk.post_many([*movements, *fresh])
            return "batch"

        return job

    singles = [posting_of(books[number % 4].movement(Kind.FREEZE, 1)) for number in range(200)]
    outcomes = at_once([*(batch(number) for number in range(60)), *singles])

    assert outcomes == {"batch": 60, "posted": 200}
    assert sum(book.holds(book.frozen) for book in books) == 60 * 20 + 200
    assert audit.prove().problems == []


def test_inside_a_transaction_a_post_is_the_callers_own(committed: Database) -> None:
    book = funded(100)

    with transaction.atomic():
        book.post(Kind.FREEZE, 1)
        transaction.set_rollback(True)

    assert book.holds(book.frozen) == 0


@pytest.mark.parametrize("source_first", [True, False])
def test_what_the_short_way_declines_leaves_no_trace(committed: Database, *, source_first: bool) -> None:
    book = funded(100)
    while (book.available.id < book.frozen.id) is not source_first:
        book = funded(100)
    first = book.movement(Kind.FREEZE, 10)
    posting.post([first])

    for attempt, error in (
        (book.movement(Kind.FREEZE, 1000), InsufficientFunds),
        (replace(first, amount_units=11), IdempotencyConflict),
        (replace(book.movement(Kind.FREEZE, 1), kind=Kind.REFUND), LedgerRefused),
    ):
        with pytest.raises(error), transaction.atomic():
            posting.post([attempt])
    assert posting.post([first])[0].repeated

    assert (book.holds(book.available), book.holds(book.frozen)) == (90, 10)
    assert audit.prove().problems == []
