"""Many at once: the locks and constraints hold without anybody's good will."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection, transaction

from ledger import audit, balances, posting
from ledger.accounts import Purpose
from ledger.models import Event
from ledger.posting import IdempotencyConflict, InsufficientFunds, Kind, Movement
from tests.databases import Database
from tests.ledger.books import Book, funded, new_id

THREADS = 16


def at_once(jobs: Sequence[Callable[[], str]], *, threads: int = THREADS) -> Counter[str]:
    """Run the jobs in threads that start together; how often each outcome came."""
    start = threading.Barrier(threads)

    def work(mine: Sequence[Callable[[], str]]) -> list[str]:
        try:
            start.wait()
            return [job() for job in mine]
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        lists = pool.map(work, [jobs[number::threads] for number in range(threads)])
        return Counter(itertools.chain.from_iterable(lists))


def posting_of(*movements: Movement) -> Callable[[], str]:
    def job() -> str:
        try:
            posted = posting.post(movements)
        except (InsufficientFunds, IdempotencyConflict) as refused:
            return type(refused).__name__
        return "repeated" if posted[0].repeated else "posted"

    return job


def test_fifty_freezes_at_once_against_money_for_twenty_make_twenty(committed: Database) -> None:
    book = funded(20 * 7 + 6)

    outcomes = at_once([posting_of(book.movement(Kind.FREEZE, 7)) for _ in range(50)], threads=25)

    assert outcomes == {"posted": 20, "InsufficientFunds": 30}
    assert (book.holds(book.frozen), book.holds(book.available)) == (140, 6)
    assert audit.prove().problems == []


def test_opposite_transfers_never_wait_in_a_circle(committed: Database) -> None:
    book = funded(1000)
    people = [book.ref(Purpose.AVAILABLE, owner=UUID(int=number)) for number in range(4)]
    for person in people:
        posting.post([replace(book.movement(Kind.TRANSFER, 100), target=person)])
    pairs = [(one, other) for one in people for other in people if one != other]

    def transfer(index: int) -> Callable[[], str]:
        there, back = pairs[index % len(pairs)], pairs[(index * 7 + 5) % len(pairs)]
        movements = [replace(book.movement(Kind.TRANSFER, 1), source=a, target=b) for a, b in (there, back)]
        return posting_of(*movements)

    outcomes = at_once([transfer(index) for index in range(400)])

    assert sum(outcomes.values()) == outcomes["posted"] == 400
    assert sum(book.holds(person) for person in people) == 400
    assert balances.balance(book.available).balance_units == 600
    assert audit.prove().problems == []


def test_accounts_that_open_at_once_open_once(committed: Database) -> None:
    book = Book()

    def deposits(number: int) -> Callable[[], str]:
        first = number // THREADS * 2  # everybody opens the same two, then the next two, in turn from either end
        owners = [UUID(int=owner) for owner in (first, first + 1)][:: 1 if number % 2 else -1]
        return posting_of(
            *(replace(book.movement(Kind.DEPOSIT, 1), target=book.ref(Purpose.AVAILABLE, owner=it)) for it in owners)
        )

    outcomes = at_once([deposits(number) for number in range(THREADS * 25)])

    assert outcomes == {"posted": THREADS * 25}
    assert book.holds(book.external) == -THREADS * 25 * 2
    assert len(balances.book(book.id)) == 51
    assert audit.prove().problems == []


def test_the_same_movement_from_many_is_posted_once(committed: Database) -> None:
    book = funded(1000)
    movement = book.movement(Kind.FREEZE, 10)

    outcomes = at_once([posting_of(movement)] * 32)

    assert outcomes == {"posted": 1, "repeated": 31}
    assert book.holds(book.frozen) == 10


def test_one_id_for_different_accounts_at_once_is_posted_once(committed: Database) -> None:
    book = funded(1000)
    shared = new_id()
    owners = [UUID(int=number) for number in range(1, 17)]
    movements = [
        replace(
            book.movement(Kind.DEPOSIT, 10, id_=shared),
            source=book.ref(Purpose.EXTERNAL, owner=owner, network="tron"),
            target=book.ref(Purpose.AVAILABLE, owner=owner),
        )
        for owner in owners
    ]

    outcomes = at_once([posting_of(movement) for movement in movements])

    assert outcomes == {"posted": 1, "IdempotencyConflict": 15}
    assert Event.objects.filter(book=book.id, id=shared).count() == 1
    assert audit.prove().problems == []


def test_a_lock_holds_until_its_transaction_ends(committed: Database) -> None:
    book = funded(100)
    locked = threading.Event()
    order: list[str] = []

    def other() -> None:
        try:
            locked.wait()
            book.post(Kind.FREEZE, 100)
            order.append("other")
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    with transaction.atomic():
        assert posting.lock([book.available, book.frozen])[book.available].balance_units == 100
        locked.set()
        thread.join(timeout=0.3)  # long enough for it to get through, if nothing held it
        order.append("mine")
        book.post(Kind.FREEZE, 1)
        book.post(Kind.REFUND, 1)
    thread.join()

    assert order == ["mine", "other"]
    assert book.holds(book.frozen) == 100


def test_a_lock_outside_a_transaction_is_a_fault_of_the_caller(committed: Database) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        posting.lock([Book().available])


def test_the_books_prove_right_while_others_write(committed: Database) -> None:
    book = funded(10_000)
    jobs = [posting_of(book.movement(Kind.FREEZE, 1), book.movement(Kind.FREEZE, 1)) for _ in range(200)]
    seen: list[str] = []

    def prove() -> str:
        seen.extend(audit.prove().problems)
        return "proved"

    outcomes = at_once([*jobs, *([prove] * 20)], threads=8)

    assert outcomes == {"posted": 200, "proved": 20}
    assert seen == []
