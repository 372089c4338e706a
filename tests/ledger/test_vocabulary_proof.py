"""What prove() sees when conversions and adjustments were tampered with."""

# ruff: noqa: S608 - statements made of these tests' own words

import psycopg
import pytest

from ledger import adjusting, audit, converting
from tests.ledger.books import Book, funded
from tests.ledger.test_adjusting import NOON, proposal

SAME_HASH = "request_hash = ledger_request_hash(book, id, txn, kind, source, target, amount, reference, {})"


@pytest.fixture
def book(owner_inside: psycopg.Connection) -> Book:
    book = funded(1000)
    converting.convert(book.conversion(100, bought_units=92))
    made = proposal(book, 40)
    adjusting.propose(made, by="ada", at=NOON)
    adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)
    assert audit.prove().problems == []
    for name in ("ledger_event", "ledger_adjustment", "ledger_adjustmentdecision"):
        for table in (name, *_partitions(owner_inside, name)):
            owner_inside.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return book


def _partitions(owner: psycopg.Connection, table: str) -> list[str]:
    rows = owner.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table])
    return [name for (name,) in rows.fetchall()]


RATE = "jsonb_set(data, '{rate}', '\"2\"')"
SPOILT = {
    "one leg's rate": (
        f"UPDATE ledger_event SET data = {RATE}, {SAME_HASH.format(RATE)} WHERE kind = 'CONVERT' AND amount = 92",
        "is half a conversion",
    ),
    "one leg gone": ("DELETE FROM ledger_event WHERE kind = 'CONVERT' AND amount = 92", "is half a conversion"),
    "another who confirmed": (
        "UPDATE ledger_adjustmentdecision SET by = 'joan'",
        "was confirmed otherwise than it says",
    ),
    "another who proposed": ("UPDATE ledger_adjustment SET by = 'joan'", "was confirmed otherwise than it says"),
    "another amount": ("UPDATE ledger_adjustment SET amount = 41", "was confirmed otherwise than it says"),
    "the proposal gone": ("DELETE FROM ledger_adjustment", "was confirmed otherwise than it says"),
    "declined after all": ("DELETE FROM ledger_event WHERE kind = 'ADJUST'", "was confirmed otherwise than it says"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_conversion_or_adjustment_is_named(book: Book, owner_inside: psycopg.Connection, case: str) -> None:
    statement, says = SPOILT[case]

    owner_inside.execute(statement)

    problems = audit.prove().problems
    assert any(str(book.id) in problem and problem.endswith(says) for problem in problems), problems


@pytest.mark.parametrize(
    "trigger",
    [
        "adjustment_append_only ON ledger_adjustment",
        "adjustment_decision_append_only ON ledger_adjustmentdecision",
        "convert_in_pairs ON ledger_event",
    ],
)
def test_a_guard_that_was_taken_away_is_missed(owner_inside: psycopg.Connection, trigger: str) -> None:
    assert audit.prove().problems == []

    owner_inside.execute(f"DROP TRIGGER {trigger}")

    missed = f"the trigger {trigger.replace(' ON ', ' on ')} is not there or switched off"
    assert missed in audit.prove().problems
