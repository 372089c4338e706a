"""What prove() sees of a forger who has the owner's role and knows the tables."""

from datetime import UTC, datetime

import psycopg
import pytest

from ledger import audit, balances, posting, roles
from ledger.posting import Kind
from tests.databases import Database
from tests.ledger.books import Book, funded

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FORGED = "gen_random_uuid()"
OPEN = """
    ALTER TABLE ledger_event DISABLE TRIGGER event_append_only;
    ALTER TABLE ledger_creditlimitchange DISABLE TRIGGER credit_limit_change_append_only;
    ALTER TABLE ledger_account DISABLE TRIGGER account_kept;
"""
CLOSE = """
    ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER event_append_only;
    ALTER TABLE ledger_creditlimitchange ENABLE ALWAYS TRIGGER credit_limit_change_append_only;
    ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER account_kept;
"""


@pytest.fixture
def book(committed: Database) -> Book:
    """Two books' worth of history; the one that is tampered with has every purpose in it."""
    funded(77).post(Kind.FREEZE, 7)
    book = funded(1000)
    posting.set_credit_limit(book.credit, limit_units=500, by="ada", at=NOON)
    posting.set_credit_limit(book.credit, limit_units=400, by="ada", at=NOON)
    for kind, amount in ((Kind.CREDIT_DRAW, 200), (Kind.FREEZE, 300), (Kind.FEE, 10), (Kind.DEBIT, 100)):
        book.post(kind, amount)
    book.post(Kind.REFUND, 20)
    return book


def tamper(owner: psycopg.Connection, statement: str) -> list[str]:
    """Do it, put the triggers back, and ask."""
    assert audit.prove().problems == []
    owner.execute(OPEN)
    changed = owner.execute(statement)
    assert changed.rowcount > 0
    owner.execute(CLOSE)
    return audit.prove().problems


def event(number: int) -> str:
    """The book's events in the order in which they happened, from 1."""
    return f"ctid = (SELECT ctid FROM ledger_event WHERE book = '{{book}}' ORDER BY at OFFSET {number - 1} LIMIT 1)"


CHANGED_EVENTS = {
    "amount": "amount = amount + 1",
    "amount and balances": "amount = amount + 1, source_balance = source_balance - 1, "
    "target_balance = target_balance + 1",
    "id": f"id = {FORGED}",
    "txn": f"txn = {FORGED}",
    "kind": 'kind = \'ADJUST\', data = \'{{"reason": "x", "by": "a", "approved_by": "b"}}\'',
    "reference": "reference = 'paid'",
    "data": 'data = \'{{"to": "me"}}\'',
    "request hash": "request_hash = sha256(request_hash)",
    "source": f"source = {FORGED}",
    "target": f"target = {FORGED}",
    "accounts swapped": "source = target, target = source, source_seq = target_seq, target_seq = source_seq",
    "source_seq": "source_seq = source_seq + 50",
    "target_seq": "target_seq = target_seq + 50",
    "source_balance": "source_balance = source_balance + 1",
    "target_balance": "target_balance = target_balance + 1",
    "book": f"book = {FORGED}",
}


@pytest.mark.parametrize("change", CHANGED_EVENTS.values(), ids=CHANGED_EVENTS.keys())
def test_a_changed_event_is_named(book: Book, owner: psycopg.Connection, change: str) -> None:
    problems = tamper(owner, f"UPDATE ledger_event SET {change} WHERE {event(3)}".format(book=book.id))  # noqa: S608 - our own

    assert problems
    assert all("book " in problem for problem in problems)
    assert any(str(book.id) in problem for problem in problems)


@pytest.mark.parametrize("number", [1, 3, 6], ids=["first", "middle", "last"])
def test_a_missing_event_is_seen(book: Book, owner: psycopg.Connection, number: int) -> None:
    problems = tamper(owner, f"DELETE FROM ledger_event WHERE {event(number)}".format(book=book.id))

    assert any("there are" in problem and str(book.id) in problem for problem in problems)
    assert any("its events sum to" in problem for problem in problems)


def test_a_book_without_its_events_is_seen(book: Book, owner: psycopg.Connection) -> None:
    problems = tamper(owner, f"DELETE FROM ledger_event WHERE book = '{book.id}'")

    assert any(str(book.frozen.id) in problem for problem in problems)


def test_two_events_swapped_in_an_accounts_history_are_seen(book: Book, owner: psycopg.Connection) -> None:
    book.post(Kind.FREEZE, 5)
    book.post(Kind.FREEZE, 6)

    problems = tamper(
        owner,
        f"""
        UPDATE ledger_event AS event SET amount = other.amount FROM ledger_event AS other
        WHERE event.book = '{book.id}' AND other.book = event.book AND event.kind = 'FREEZE' AND other.kind = 'FREEZE'
          AND event.amount + other.amount = 11
        """,
    )

    assert any("request hash differs" in problem for problem in problems)
    assert any("running balance breaks at number 5 event" in problem for problem in problems)


CHANGED_ACCOUNTS = {
    "balance": "balance = balance + 1",
    "seq": "seq = seq + 1",
    "seq back": "seq = seq - 1",
}


@pytest.mark.parametrize("change", CHANGED_ACCOUNTS.values(), ids=CHANGED_ACCOUNTS.keys())
def test_a_changed_account_is_named(book: Book, owner: psycopg.Connection, change: str) -> None:
    for ref, kept in balances.book(book.id):
        problems = tamper(owner, f"UPDATE ledger_account SET {change} WHERE id = '{ref.id}'")

        assert any(f"book {book.id} account {ref.id}: " in problem for problem in problems)

        owner.execute(
            "UPDATE ledger_account SET balance = %s, seq = %s WHERE id = %s", [kept.balance_units, kept.seq, ref.id]
        )


def test_a_balance_moved_from_one_account_to_another_is_seen(book: Book, owner: psycopg.Connection) -> None:
    problems = tamper(
        owner,
        f"""
        UPDATE ledger_account SET balance = balance + CASE purpose WHEN 'available' THEN 50 ELSE -50 END
        WHERE book = '{book.id}' AND purpose IN ('available', 'external')
        """,
    )

    assert {str(book.available.id), str(book.external.id)} == {problem.split()[3].rstrip(":") for problem in problems}


def test_a_removed_account_is_seen(book: Book, owner: psycopg.Connection) -> None:
    problems = tamper(owner, f"DELETE FROM ledger_account WHERE id = '{book.fees.id}'")

    assert any(f"{book.fees.id}: has 1 events and does not exist" in problem for problem in problems)


def test_an_account_with_money_and_no_events_is_seen(book: Book, owner: psycopg.Connection) -> None:
    forged = Book()

    problems = tamper(
        owner,
        f"""
        INSERT INTO ledger_account VALUES
            ('{forged.id}', '{forged.available.id}', '{forged.id}', 'USDT', 'available', '', 5, 0, 0),
            ('{forged.id}', '{forged.external.id}', '{forged.id}', 'USDT', 'external', 'tron', -5, NULL, 0)
        """.replace(
            "ledger_account VALUES",
            "ledger_account (book, id, owner, asset, purpose, network, balance, floor, seq) VALUES",
        ),
    )

    assert any(f"{forged.available.id}: holds 5, its events sum to 0" in problem for problem in problems)


FORGE = """
    INSERT INTO ledger_event (book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance,
                              target_balance, reference, request_hash, data, at, xid)
    SELECT book, forged, forged, kind, source, target, amount, s.seq + 1, t.seq + 1, s.balance - amount,
           t.balance + amount, reference, {hash}, data, clock_timestamp(), pg_current_xact_id()
    FROM (SELECT book, gen_random_uuid() AS forged, kind, source, target, amount, reference, request_hash, data
          FROM ledger_event WHERE book = '{book}' AND kind = 'DEPOSIT') AS copied
    JOIN LATERAL (SELECT seq, balance FROM ledger_account WHERE book = copied.book AND id = source) AS s ON true
    JOIN LATERAL (SELECT seq, balance FROM ledger_account WHERE book = copied.book AND id = target) AS t ON true
"""
RIGHT_HASH = "ledger_request_hash(book, forged, forged, kind, source, target, amount, reference, data)"


def test_a_forged_event_with_the_right_hash_and_numbers_is_seen(book: Book, owner: psycopg.Connection) -> None:
    problems = tamper(owner, FORGE.format(book=book.id, hash=RIGHT_HASH))

    assert any(f"{book.available.id}: holds 920, its events sum to 1920" in problem for problem in problems)


def test_a_forged_event_with_balances_moved_along_is_seen_by_its_hash(book: Book, owner: psycopg.Connection) -> None:
    problems = tamper(
        owner,
        f"""
        WITH forged AS ({FORGE.format(book=book.id, hash="request_hash")} RETURNING *)
        UPDATE ledger_account AS account SET seq = seq + 1, balance = CASE account.id
            WHEN forged.source THEN source_balance ELSE target_balance END
        FROM forged WHERE account.book = forged.book AND account.id IN (forged.source, forged.target)
        """,
    )

    assert len(problems) == 1
    assert "request hash differs" in problems[0]


def test_a_forged_event_from_nowhere_is_seen(book: Book, owner: psycopg.Connection) -> None:
    problems = tamper(
        owner,
        f"""
        INSERT INTO ledger_event
            (book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance, target_balance,
             reference, request_hash, data, at, xid)
        SELECT book, gen_random_uuid(), gen_random_uuid(), 'DEPOSIT', gen_random_uuid(), id, 5, 1, seq + 1, -5,
               balance + 5, '', sha256(''), '{{}}', now(), pg_current_xact_id()
        FROM ledger_account WHERE id = '{book.available.id}'
        """,
    )

    assert any("does not go between two accounts of its book" in problem for problem in problems)
    assert any("has 1 events and does not exist" in problem for problem in problems)


LIMITS = {
    "a raised floor": "UPDATE ledger_account SET floor = floor - 1000 WHERE purpose = 'credit'",
    "a limit changed in history": "UPDATE ledger_creditlimitchange SET new_floor = new_floor - 1 WHERE number = 1",
    "the last change gone": "DELETE FROM ledger_creditlimitchange WHERE number = 2",
    "the first change gone": "DELETE FROM ledger_creditlimitchange WHERE number = 1",
}


@pytest.mark.parametrize("statement", LIMITS.values(), ids=LIMITS.keys())
def test_a_credit_limit_that_nobody_set_is_seen(book: Book, owner: psycopg.Connection, statement: str) -> None:
    problems = tamper(owner, statement)

    assert any(str(book.credit.id) in problem for problem in problems)


WITHOUT_CONSTRAINTS = {
    "an overdraft": ("account_not_overdrawn", "UPDATE ledger_account SET balance = -1 WHERE purpose = 'frozen'"),
    "no floor": ("account_floor_by_purpose", "UPDATE ledger_account SET floor = NULL WHERE purpose = 'frozen'"),
    "another owner": ("account_id_from_parts", "UPDATE ledger_account SET owner = id WHERE purpose = 'frozen'"),
    "credit in plus": ("credit_not_overpaid", "UPDATE ledger_account SET balance = 9 WHERE purpose = 'credit'"),
}


@pytest.mark.parametrize(("constraint", "statement"), WITHOUT_CONSTRAINTS.values(), ids=WITHOUT_CONSTRAINTS.keys())
def test_what_a_dropped_constraint_let_in_is_seen(
    book: Book, owner: psycopg.Connection, constraint: str, statement: str
) -> None:
    assert audit.prove().problems == []
    owner.execute(f"ALTER TABLE ledger_account DROP CONSTRAINT {constraint}")
    owner.execute(statement)
    problems = audit.prove().problems

    assert f"the constraint {constraint} is not there or not enforced" in problems
    assert any(f"account {getattr(book, 'credit' if 'credit' in statement else 'frozen').id}" in p for p in problems)


GUARDS: dict[str, tuple[str, str]] = {
    "trigger dropped": ("DROP TRIGGER event_append_only ON ledger_event", "the trigger event_append_only"),
    "trigger off": ("ALTER TABLE ledger_event DISABLE TRIGGER ALL", "the trigger event_append_only"),
    "trigger not always": ("ALTER TABLE ledger_account ENABLE TRIGGER account_kept", "the trigger account_kept"),
    "constraint dropped": (
        "ALTER TABLE ledger_event DROP CONSTRAINT event_source_seq_once",
        "the constraint event_source_seq_once",
    ),
    "rights given": ("GRANT INSERT ON ledger_event TO sluice_app", "sluice_app may write to ledger_event"),
    "rights given on a column": ("GRANT UPDATE (balance) ON ledger_account TO sluice_app", "sluice_app may write"),
    "rights given to all": ("GRANT DELETE ON ledger_account TO PUBLIC", "sluice_app may write to ledger_account"),
    "rights given to a login": ("GRANT DELETE ON ledger_event TO sluice_web", "sluice_web may write to ledger_event"),
}


@pytest.mark.parametrize(("statement", "says"), GUARDS.values(), ids=GUARDS.keys())
def test_a_guard_that_was_taken_away_is_missed(
    book: Book, owner: psycopg.Connection, statement: str, says: str
) -> None:
    assert audit.prove().problems == []
    owner.execute(statement)

    assert any(problem.startswith(says) for problem in audit.prove().problems)


def test_many_problems_are_counted_and_some_named(book: Book, owner: psycopg.Connection) -> None:
    for _ in range(30):
        book.post(Kind.FREEZE, 1)

    problems = tamper(owner, "UPDATE ledger_event SET reference = 'x' WHERE kind = 'FREEZE'")

    assert len(problems) == audit.SAMPLE + 1
    assert problems[-1] == "… and 12 more of the same check"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_account SET balance = -1 WHERE purpose = 'available'",
        "UPDATE ledger_account SET floor = NULL WHERE purpose = 'available'",
        "UPDATE ledger_account SET floor = -5 WHERE purpose = 'frozen'",
        "UPDATE ledger_account SET owner = gen_random_uuid()",
    ],
)
def test_no_role_overdraws_or_renames_an_account(
    committed: Database, owner: psycopg.Connection, statement: str
) -> None:
    funded(100).post(Kind.FREEZE, 10)

    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(statement)


def test_the_grants_can_be_given_again(committed: Database, owner: psycopg.Connection) -> None:
    owner.execute("GRANT UPDATE ON ledger_account TO sluice_app")
    assert "sluice_app may write to ledger_account" in audit.prove().problems

    owner.execute(roles.grants())

    assert audit.prove().problems == []
    assert funded(100).post(Kind.FREEZE, 1)
