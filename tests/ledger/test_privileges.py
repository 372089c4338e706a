"""What the application's role may not do, and what the owner may not do by accident."""

# ruff: noqa: S608 - statements made of these tests' own words

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from chain import roles as chain_roles
from ledger import roles
from ledger.posting import Kind
from payouts import roles as payouts_roles
from tests.ledger.books import Book, funded

pytestmark = pytest.mark.django_db
TABLE, VIEW = ("r", "p"), ("v", "m")
NO_PRIVILEGE = "42501"
NO_TABLE, NOT_UPDATABLE, NOT_SUPPORTED = "42809", "55000", "0A000"  # a view where a table is meant


def relations(kinds: tuple[str, ...] = TABLE + VIEW) -> list[str]:
    """The ledger's tables, partitions and views, from the catalogue: what comes later is held to the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'ledger%%' AND relnamespace = 'public'::regnamespace"
            " AND relkind = ANY (%s) ORDER BY relname",
            [list(kinds)],
        )
        return [name for (name,) in cursor.fetchall()]


def sqlstate(statement: str) -> str | None:
    """What PostgreSQL answers the application's role."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(refused.value.__cause__, psycopg.Error)
    return refused.value.__cause__.sqlstate


def test_these_tests_run_as_the_application() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, pg_has_role('sluice_app', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
        )

        assert cursor.fetchone() == (False, True)


@pytest.fixture
def book() -> Book:
    book = funded(100)
    book.post(Kind.FREEZE, 10)
    return book


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {}",
        "TRUNCATE {}",
        "TRUNCATE {} CASCADE",
        "INSERT INTO {} SELECT * FROM {}",
        "COPY {} FROM STDIN",
        "COPY {} FROM PROGRAM 'true'",
        "COPY {} TO '/tmp/x'",
        "DROP TABLE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} DROP COLUMN book",
        "ALTER TABLE {} OWNER TO CURRENT_USER",
        "CREATE INDEX ON {} (book)",
        "CREATE TRIGGER t BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE r AS ON INSERT TO {} DO INSTEAD NOTHING",
        "LOCK TABLE {} IN SHARE MODE",
        "SELECT * FROM {} FOR UPDATE",
        "MERGE INTO {} USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_the_application_may_only_read(statement: str) -> None:
    assert len(relations(TABLE)) >= 5
    assert len(relations(VIEW)) >= 4

    for table in relations(TABLE):
        assert sqlstate(statement.replace("{}", table)) == NO_PRIVILEGE
    for view in relations(VIEW):
        assert sqlstate(statement.replace("{}", view)) in {NO_PRIVILEGE, NO_TABLE, NOT_UPDATABLE, NOT_SUPPORTED}


def test_the_application_changes_no_column_of_anything() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text, quote_ident(attname) FROM pg_attribute"
            " WHERE attrelid = ANY (%s::regclass[]) AND attnum > 0 AND NOT attisdropped",
            [relations()],
        )
        columns = cursor.fetchall()

    assert len(columns) > 60
    for relation, column in columns:
        answers = {NO_PRIVILEGE} if relation in relations(TABLE) else {NO_PRIVILEGE, NOT_UPDATABLE, NOT_SUPPORTED}
        assert sqlstate(f"UPDATE {relation} SET {column} = NULL") in answers


def test_the_application_cannot_give_itself_more() -> None:
    for relation in relations():
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT UPDATE ON {relation} TO CURRENT_USER")
            cursor.execute("SELECT has_table_privilege(current_user, %s, 'UPDATE')", [relation])

            assert cursor.fetchone() == (False,)


def test_the_application_calls_the_doors_and_nothing_else_that_could_write() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT DISTINCT proname FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND provolatile = 'v' AND prorettype <> 'trigger'::regtype
                AND has_function_privilege(oid, 'EXECUTE')
        """)

        assert {name for (name,) in cursor.fetchall()} == {*roles.DOORS, *chain_roles.DOORS, *payouts_roles.DOORS}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_account SET balance = balance + 1",
        "UPDATE ledger_account SET floor = NULL",
        "UPDATE ledger_account_line SET balance = 0",
        "UPDATE ledger_event SET amount = 1",
        "UPDATE ledger_event_line SET amount = 1",
        "UPDATE ledger_creditlimitchange SET by = 'nobody'",
        "SET ROLE sluice_owner",
        "SET SESSION AUTHORIZATION sluice_owner",
        "SET session_replication_role = replica",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "CREATE TABLE ledger_shadow (id int)",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE c AS 'x'",
        "CREATE OR REPLACE FUNCTION ledger_kind_allowed(text, text, text) RETURNS bool LANGUAGE sql AS 'SELECT true'",
        "DROP FUNCTION ledger_post",
        "ALTER FUNCTION ledger_post SECURITY INVOKER",
        "ALTER TABLE ledger_account DROP CONSTRAINT account_not_overdrawn",
        "DROP TRIGGER event_append_only ON ledger_event",
        "DELETE FROM django_migrations",
        "SELECT * FROM ledger_open(gen_random_uuid(), '{}', '{}', '{}', '{}', '{}')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sluice_owner'",
    ],
)
def test_the_application_may_not_reach_around_the_doors(statement: str) -> None:
    assert sqlstate(statement) in (NO_PRIVILEGE, NOT_UPDATABLE)


def test_a_table_of_the_callers_own_does_not_stand_in_for_the_ledgers(book: Book) -> None:
    with connection.cursor() as cursor:
        for table in relations(TABLE):
            cursor.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table}) ON COMMIT DROP")
        book.post(Kind.FREEZE, 10)
        cursor.execute("SELECT count(*) FROM pg_temp.ledger_event UNION ALL SELECT count(*) FROM public.ledger_event")

        assert cursor.fetchall() == [(0,), (3,)]


@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "DELETE FROM {} WHERE false"])
def test_even_the_owner_removes_nothing(owner: psycopg.Connection, statement: str) -> None:
    for table in relations(TABLE):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
            owner.execute(statement.format(table))


def test_even_the_owner_changes_nothing_that_happened(owner: psycopg.Connection) -> None:
    happened = set(relations(TABLE)) - {"ledger_account"}  # whose balances are a projection

    assert len(happened) >= 6
    for table in happened:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
            owner.execute(f"UPDATE {table} SET {_first_column(table)} = NULL")


def _first_column(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table])
        return str(cursor.fetchone()[0])
