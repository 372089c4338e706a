"""Threads that post at the same time share commits, and nobody notices."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from ledger import audit, binary, bulk, fresh, packing, posting, together
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


def test_a_leader_who_is_stopped_leaves_nobody_waiting(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., list[posting.Posted] | None] = fresh.post_together
    stopped: list[int] = []

    def stop_once(movements: list[Movement]) -> list[posting.Posted] | None:
        if len(movements) > 1 and not stopped:
            stopped.append(len(movements))
            raise SystemExit
        return real(movements)

    def job(movement: Movement) -> Callable[[], str]:
        def post() -> str:
            try:
                return posting_of(movement)()
            except SystemExit:
                return "stopped"

        return post

    monkeypatch.setattr(fresh, "post_together", stop_once)
    book = funded(1000)

    outcomes = at_once([job(book.movement(Kind.FREEZE, 1)) for _ in range(160)])

    assert outcomes == {"stopped": 1, "posted": 159}
    assert book.holds(book.frozen) == 159


def test_a_connection_lost_in_the_middle_of_a_call_answers_everybody(committed: Database) -> None:
    book = funded(100)
    book.post(Kind.FREEZE, 1)
    answers: list[str] = []

    def on(movement: Movement) -> None:
        try:
            answers.append(posting_of(movement)())
        except (OperationalError, InterfaceError):
            answers.append("lost")
            connection.close()
            posting.post([movement])  # nobody knows what became of it: so he asks again
        finally:
            connection.close()

    with transaction.atomic():
        posting.lock([book.available])
        threads = [threading.Thread(target=on, args=[book.movement(Kind.FREEZE, 1)]) for _ in range(6)]
        for thread in threads:
            thread.start()
        while not ended_sessions():
            pass
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(answers) == ["lost"] + ["posted"] * 5
    assert (book.holds(book.frozen), Event.objects.filter(book=book.id, kind="FREEZE").count()) == (7, 7)
    assert audit.prove().problems == []


def ended_sessions() -> list[tuple[bool]]:
    """One session that waits for a lock with somebody's posting, if there is one, and whether it was ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE '%ledger_post_%' LIMIT 1"
        )
        ended: list[tuple[bool]] = cursor.fetchall()
        return ended


def test_a_session_that_was_made_to_forget_its_statements_is_taught_them_again(committed: Database) -> None:
    book = funded(100)
    book.post(Kind.FREEZE, 1)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")

    answers = fresh.post_together([book.movement(Kind.FREEZE, 2)])

    assert answers
    assert (answers[0].source_balance_units, book.holds(book.frozen)) == (97, 3)
    connection.close()


def test_sums_that_are_not_the_movements_own_move_nothing(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    book = funded(100)
    book.post(Kind.FREEZE, 1)
    first, second = book.movement(Kind.FREEZE, 5), book.movement(Kind.FREEZE, 5)
    real = packing.changes

    lies: list[list[Any]] = [
        [binary.units([-7, 7]), None],
        [binary.units([7, -7]), None],
        [None, binary.ints(binary.numbers([1, 3]))],
    ]
    for lie in lies:
        told = partial(lambda said, *given: [one or true for one, true in zip(said, real(*given), strict=True)], lie)
        monkeypatch.setattr(packing, "changes", told)
        assert fresh.post_together([first]) is None
        assert (book.holds(book.available), book.holds(book.frozen)) == (99, 1)

    assert not posting.post([first])[0].repeated  # the longer ways need nobody's sums
    assert bulk.post_many([second]).posted == 1
    assert audit.prove().problems == []


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
