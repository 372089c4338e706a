"""A book per merchant: keys begin with it, nothing crosses it, and no row of the write path has two merchants."""

# ruff: noqa: S608 - statements made of these tests' own words

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection, transaction

from ledger import adjusting, balances, converting, posting
from ledger.accounts import Purpose
from ledger.posting import Kind
from tests.databases import Database
from tests.ledger.books import Book, funded
from tests.ledger.test_adjusting import NOON, proposal

# Written off the write path: a block seals the events of all books of one PostgreSQL, an anchor publishes it.
OF_THE_NODE = {"ledger_block", "ledger_anchor"}


def asked(query: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def of_books(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Without the tables of the node; their names stand first."""
    return [row for row in rows if row[0] not in OF_THE_NODE]


LEDGER = r"relname LIKE 'ledger\_%' AND relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"


@pytest.mark.django_db
def test_every_ledger_table_names_its_book() -> None:
    without = asked(f"""
        SELECT relname FROM pg_class WHERE {LEDGER} AND NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'book' AND attnotnull
                AND atttypid = 'uuid'::regtype)
    """)

    assert {name for (name,) in without} <= OF_THE_NODE


@pytest.mark.django_db
def test_every_ledger_table_has_a_primary_key_and_all_that_is_unique_begins_with_the_book() -> None:
    keyless = asked(f"""
        SELECT relname FROM pg_class WHERE {LEDGER}
            AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)
    """)
    unique = asked(f"""
        SELECT relname, indexrelid::regclass::text, attname FROM pg_class
        JOIN pg_index ON indrelid = pg_class.oid AND (indisunique OR indisexclusion)
        LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE {LEDGER}
    """)

    assert keyless == []
    assert len(of_books(unique)) >= 7
    assert [row for row in of_books(unique) if row[2] != "book"] == []


@pytest.mark.django_db
def test_no_foreign_key_leaves_enters_or_joins_ledger_tables() -> None:
    crossing = asked(rf"""
        SELECT conname FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
            AND (conrelid IN (SELECT oid FROM pg_class WHERE {LEDGER})
                 OR confrelid IN (SELECT oid FROM pg_class WHERE {LEDGER}))
    """)

    assert crossing == []


@pytest.mark.django_db
def test_no_ledger_table_counts_over_all_books() -> None:
    """A sequence or an identity column would be shared by all merchants, and by all nodes."""
    counted = asked(f"""
        SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        LEFT JOIN pg_attrdef ON adrelid = pg_class.oid AND adnum = attnum
        WHERE {LEDGER} AND (attidentity <> '' OR pg_get_expr(adbin, adrelid) LIKE 'nextval%')
    """)

    assert of_books(counted) == []


def everything(book: Book) -> Iterator[Callable[[], object]]:
    """All that a merchant's day does to his book."""
    yield lambda: posting.set_credit_limit(book.credit, limit_units=100, by="ada", at=NOON)
    yield lambda: [book.post(kind, 100) for kind in (Kind.FREEZE, Kind.MEMO_FREEZE)]
    yield lambda: [book.post(kind, 10) for kind in Kind]
    yield lambda: converting.convert(book.conversion(5))
    made = proposal(book, 3)
    yield lambda: adjusting.propose(made, by="ada", at=NOON)
    yield lambda: adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)


def impatient() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")


def test_a_merchant_whose_accounts_are_held_holds_up_nobody_else(committed: Database) -> None:
    held, other = funded(1000), funded(1000)
    refs = [ref for ref, _ in balances.book(held.id)]
    locked, release = threading.Event(), threading.Event()
    done: list[str] = []

    def holder() -> None:
        try:
            with transaction.atomic():
                posting.lock(refs)
                locked.set()
                release.wait(30)
        finally:
            connection.close()

    def merchant(book: Book, name: str) -> None:
        try:
            locked.wait(30)
            for number in range(20):
                posting.post([replace(book.movement(Kind.FREEZE, 1), reference=str(number))])
            done.append(name)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(holder), pool.submit(merchant, held, "held"), pool.submit(merchant, other, "other")]
        try:
            jobs[2].result(timeout=20)
            _wait_until_somebody_waits_for_a_row()
            assert done == ["other"]
        finally:
            release.set()
        for job in jobs:
            job.result(timeout=20)

    assert done == ["other", "held"]
    assert (held.holds(held.frozen), other.holds(other.frozen)) == (20, 20)


def _wait_until_somebody_waits_for_a_row() -> None:
    """So that the one who is held is seen to be held, and not just slow."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if asked("SELECT 1 FROM pg_locks WHERE NOT granted"):
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_two_merchants_do_everything_beside_each_other_and_share_no_row(committed: Database) -> None:
    one, other = funded(1000), funded(1000)
    for book in (one, other):
        book.post(Kind.MEMO_CREDIT, 1000)

    def all_of(book: Book) -> None:
        """With two seconds' patience for any lock."""
        try:
            with transaction.atomic():
                impatient()
                for job in everything(book):
                    job()
        finally:
            connection.close()

    with transaction.atomic():  # every lock that the one takes is held until the end
        for job in everything(one):
            job()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(all_of, other).result(timeout=30)

    for book in (one, other):
        assert book.holds(book.ref(Purpose.AVAILABLE, asset="EURC")) == 2
        assert book.holds(book.memo) == 1000 - 100 + 10 - 10 + 10
