"""Events lie in a table per month; who asks about one account does not wade through all of them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from ledger import audit, balances, partitions
from ledger.posting import Kind
from tests.ledger.books import Book, new_id

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)


def in_month(moment: datetime, number: int) -> UUID:
    """A version-7 id of that moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62 | number)


def table_of(event: UUID) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM ledger_event WHERE id = %s", [event])
        return str(cursor.fetchone()[0])


def months(*, ahead: int) -> list[str]:
    first = NOW.year * 12 + NOW.month - 1
    return [f"ledger_event_{month // 12}{month % 12 + 1:02}" for month in range(first, first + ahead)]


def test_this_month_and_the_next_two_are_there_from_the_start() -> None:
    assert partitions.make_ahead(NOW) == []

    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger_event'::regclass")
        assert {name for (name,) in cursor.fetchall()} >= {*months(ahead=3), "ledger_event_default"}


def test_next_months_are_made_by_the_application_with_every_guard() -> None:
    made = partitions.make_ahead(NOW + timedelta(days=95))

    assert made
    assert audit.prove().problems == []
    with connection.cursor() as cursor:
        for statement in (
            "DELETE FROM {}",
            "TRUNCATE {}",
            "DROP TABLE {}",
            "INSERT INTO {} SELECT * FROM ledger_event",
        ):
            with pytest.raises(DatabaseError) as refused, transaction.atomic():
                cursor.execute(statement.format(made[0]))
            assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("days", [-500, 500])
def test_partitions_far_from_today_are_refused(days: int) -> None:
    with pytest.raises(DatabaseError, match="too far from today"), transaction.atomic():
        partitions.make_ahead(NOW + timedelta(days=days))


def test_the_owner_does_not_empty_a_partition_by_accident(owner: psycopg.Connection) -> None:
    for table in (months(ahead=1)[0], "ledger_event_default"):
        for statement in ("DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET amount = 1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
                owner.execute(statement.format(table))


def test_an_event_lies_in_its_ids_month_and_an_id_without_time_in_the_default() -> None:
    book = Book()
    old, soon, odd = in_month(NOW - timedelta(days=3000), 1), in_month(NOW, 2), UUID(int=book.id.int ^ (1 << 127))

    for event in (old, soon, odd):
        from_id(book, event)

    assert [table_of(event) for event in (old, soon, odd)] == [
        "ledger_event_default",
        months(ahead=1)[0],
        "ledger_event_default",
    ]
    assert audit.prove().problems == []


def from_id(book: Book, event: UUID) -> None:
    from ledger import posting

    posting.post([book.movement(Kind.DEPOSIT, 10, id_=event)])


def test_a_statement_over_many_partitions_is_whole_and_in_order() -> None:
    book = Book()
    moments = [NOW, NOW - timedelta(days=3000), NOW + timedelta(days=40), NOW, NOW + timedelta(days=62), NOW]
    for number, moment in enumerate(moments):
        from_id(book, in_month(moment, number))

    for newest_first in (True, False):
        page = balances.statement(book.available, newest_first=newest_first)
        seqs = [entry.seq for entry in page.entries]
        assert seqs == sorted(range(1, 7), reverse=newest_first)
        assert (
            balances.statement(book.available, offset=2, limit=2, newest_first=newest_first).entries
            == (page.entries[2:4])
        )


def test_the_newest_entries_are_found_in_the_newest_partition_alone(owner: psycopg.Connection) -> None:
    book = Book()
    for number in range(5):
        from_id(book, in_month(NOW - timedelta(days=3000), number))
    for number in range(5):
        from_id(book, new_id() if number else in_month(NOW, 77))

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        touched = scanned(book, first=6, last=10)

    assert touched == {months(ahead=1)[0]}
    assert scanned(book, first=1, last=10) == {*months(ahead=3), "ledger_event_default"}


def scanned(book: Book, *, first: int, last: int) -> set[str]:
    """The partitions whose indexes the reading of a statement looked into, as this transaction's statistics say."""
    counts = """
        SELECT inhrelid::regclass::text, sum(pg_stat_get_xact_numscans(indexrelid)) FROM pg_inherits
        JOIN pg_index ON indrelid = inhrelid WHERE inhparent = 'ledger_event'::regclass GROUP BY 1
    """
    with connection.cursor() as cursor:
        cursor.execute(counts)
        before = dict(cursor.fetchall())
        cursor.execute(
            "SELECT count(*) FROM ledger_entries(%s, %s, %s, %s, true)", [book.id, book.available.id, first, last]
        )
        assert cursor.fetchone() == (last - first + 1,)
        cursor.execute(counts)
        return {name for name, scans in cursor.fetchall() if scans > before[name]}


def test_an_event_is_looked_up_in_its_own_partition_by_plan() -> None:
    event = in_month(NOW, 5)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT * FROM ledger_event WHERE book = %s AND id = %s", [new_id(), event])
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert months(ahead=1)[0] in plan
    assert plan.count("Scan") == 1
