"""A forger who has the owner's role: opens the tables, writes, closes them behind him."""

from datetime import UTC, datetime

import psycopg

from ledger import audit, posting
from ledger.posting import Kind
from tests.ledger.books import Book, funded

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
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


def history() -> Book:
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
