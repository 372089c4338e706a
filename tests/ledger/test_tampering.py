"""What prove() sees of a forger who has the owner's role and knows the tables."""

# ruff: noqa: S608 - statements made of these tests' own words

import psycopg
import pytest

from ledger import audit, balances
from ledger.posting import Kind
from tests.ledger.books import Book, funded
from tests.ledger.forgery import OPEN, history, tamper

FORGED = "gen_random_uuid()"


@pytest.fixture
def owner(owner_inside: psycopg.Connection) -> psycopg.Connection:
    return owner_inside


@pytest.fixture
def book(owner: psycopg.Connection) -> Book:
    return history()


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
    problems = tamper(owner, f"UPDATE ledger_event SET {change} WHERE {event(3)}".format(book=book.id))

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


def test_a_number_too_high_at_the_end_of_a_history_is_seen(book: Book, owner: psycopg.Connection) -> None:
    problems = tamper(
        owner, f"UPDATE ledger_event SET target_seq = target_seq + 1 WHERE {event(6)}".format(book=book.id)
    )

    assert len(problems) == 1
    assert f"account {book.available.id}: its sequence breaks at number 5 event" in problems[0]


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
        assert any("its accounts sum to" in problem for problem in problems) == ("balance" in change)

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


def test_many_problems_are_counted_and_some_named(book: Book, owner: psycopg.Connection) -> None:
    for _ in range(30):
        book.post(Kind.FREEZE, 1)

    problems = tamper(owner, "UPDATE ledger_event SET reference = 'x' WHERE kind = 'FREEZE'")

    assert len(problems) == audit.SAMPLE + 1
    assert problems[-1] == "… and 12 more of the same check"


REHASH = "ledger_request_hash(book, id, txn, {kind}, source, target, {amount}, reference, {data})"
SAME = {"kind": "kind", "amount": "amount", "data": "data"}
WITH_THE_RIGHT_HASH = {
    "another kind": (
        "",
        "UPDATE ledger_event SET kind = 'TRANSFER', request_hash = "
        + REHASH.format(**SAME | {"kind": "'TRANSFER'"})
        + " WHERE kind = 'FREEZE'",
        "a TRANSFER does not go from available to frozen",
    ),
    "an adjustment by nobody": (
        "ALTER TABLE ledger_event DROP CONSTRAINT adjust_by_two_persons",
        "UPDATE ledger_event SET kind = 'ADJUST', request_hash = "
        + REHASH.format(**SAME | {"kind": "'ADJUST'"})
        + " WHERE kind = 'FREEZE'",
        "adjusts without two persons",
    ),
    "an amount of nothing": (
        "ALTER TABLE ledger_event DROP CONSTRAINT event_amount_in_range",
        "UPDATE ledger_event SET amount = 0, request_hash = "
        + REHASH.format(**SAME | {"amount": "0"})
        + " WHERE kind = 'FREEZE'",
        "moves nothing",
    ),
    "an overdraft in between": (
        "",
        """UPDATE ledger_event SET
               source_seq = CASE kind WHEN 'FREEZE' THEN 1 ELSE source_seq END,
               source_balance = CASE kind WHEN 'FREEZE' THEN -amount ELSE source_balance END,
               target_seq = CASE kind WHEN 'DEPOSIT' THEN 2 ELSE target_seq END,
               target_balance = CASE kind WHEN 'DEPOSIT' THEN 60 ELSE target_balance END""",
        "overdraws its source",
    ),
}


@pytest.mark.parametrize(("first", "statement", "says"), WITH_THE_RIGHT_HASH.values(), ids=WITH_THE_RIGHT_HASH.keys())
def test_a_rule_that_a_careful_forger_broke_is_named(
    owner: psycopg.Connection, first: str, statement: str, says: str
) -> None:
    book = funded(100)
    freeze = book.post(Kind.FREEZE, 40)
    if first:
        owner.execute(first)
        owner.execute(OPEN)
        owner.execute(statement)
        problems = audit.prove().problems
    else:
        problems = tamper(owner, statement)

    assert f"book {book.id} event {freeze.id}: {says}" in problems


def test_an_event_from_one_asset_to_another_is_seen(owner: psycopg.Connection) -> None:
    dollars = funded(100)
    other = Book(id=dollars.id, asset="USDC")
    other.post(Kind.DEPOSIT, 100)
    other.post(Kind.FREEZE, 40)

    problems = tamper(
        owner,
        f"""
        UPDATE ledger_event SET source = '{dollars.available.id}', source_balance = 60, request_hash =
            ledger_request_hash(book, id, txn, kind, '{dollars.available.id}', target, amount, reference, data)
        WHERE kind = 'FREEZE'
        """,
    )

    assert any("goes from one asset to another" in problem for problem in problems)


def test_whoever_watches_a_proof_hears_of_each_check_when_it_is_done(book: Book) -> None:
    heard: list[str] = []

    report = audit.prove(hear=heard.append)

    assert [line.rpartition(" (")[0] for line in heard] == report.lines[: len(audit.CHECKS)]
