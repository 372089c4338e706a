"""What prove() sees when a guard was taken away, and what came through the gap."""

import psycopg
import pytest

from ledger import audit, roles
from ledger.posting import Kind
from tests.ledger.books import Book, funded
from tests.ledger.forgery import history, tamper


@pytest.fixture
def owner(owner_inside: psycopg.Connection) -> psycopg.Connection:
    return owner_inside


@pytest.fixture
def book(owner: psycopg.Connection) -> Book:
    return history()


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
    "an overdraft": (
        "account_not_overdrawn",
        "UPDATE ledger_account SET balance = -1 WHERE purpose = 'frozen'",
        "holds -1, below its floor 0",
    ),
    "no floor": (
        None,
        "UPDATE ledger_account SET floor = NULL WHERE purpose = 'frozen'",
        "its floor is none, which nobody set",
    ),
    "another owner": (
        None,
        "UPDATE ledger_account SET owner = id WHERE purpose = 'frozen'",
        "its id is not made of its parts",
    ),
    "credit in plus": (
        "credit_not_overpaid",
        "UPDATE ledger_account SET balance = 9 WHERE purpose = 'credit'",
        "holds 9, a credit line may not",
    ),
}


@pytest.mark.parametrize(
    ("constraint", "statement", "says"), WITHOUT_CONSTRAINTS.values(), ids=WITHOUT_CONSTRAINTS.keys()
)
def test_what_a_dropped_constraint_let_in_is_seen(
    book: Book, owner: psycopg.Connection, constraint: str | None, statement: str, says: str
) -> None:
    assert audit.prove().problems == []
    if constraint:
        owner.execute(f"ALTER TABLE ledger_account DROP CONSTRAINT {constraint}")
        missed = f"the constraint {constraint} is not there or not enforced"
    else:
        owner.execute("ALTER TABLE ledger_account DISABLE TRIGGER account_rules")
        missed = "the trigger account_rules on ledger_account is not there or switched off"
    owner.execute(statement)

    problems = audit.prove().problems

    account = (book.credit if "credit" in statement else book.frozen).id
    assert missed in problems
    assert f"book {book.id} account {account}: {says}" in problems


GUARDS: dict[str, tuple[str, str]] = {
    "trigger dropped": ("DROP TRIGGER event_append_only ON ledger_event", "the trigger event_append_only"),
    "trigger off": ("ALTER TABLE ledger_event DISABLE TRIGGER ALL", "the trigger event_append_only"),
    "trigger not always": ("ALTER TABLE ledger_account ENABLE TRIGGER account_kept", "the trigger account_kept"),
    "constraint dropped": (
        "ALTER TABLE ledger_event DROP CONSTRAINT event_amount_in_range",
        "the constraint event_amount_in_range",
    ),
    "constraint of a partition dropped": (
        "ALTER TABLE ledger_event_default DROP CONSTRAINT ledger_event_default_source_seq_once",
        "the constraint ledger_event_default_source_seq_once",
    ),
    "trigger of a partition dropped": (
        "DROP TRIGGER event_append_only ON ledger_event_default",
        "the trigger event_append_only on ledger_event_default",
    ),
    "rights on a partition": (
        "GRANT INSERT ON ledger_event_default TO sluice_app",
        "sluice_app may write to ledger_event_default",
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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_account SET balance = -1 WHERE purpose = 'available'",
        "UPDATE ledger_account SET floor = NULL WHERE purpose = 'available'",
        "UPDATE ledger_account SET floor = -5 WHERE purpose = 'frozen'",
        "UPDATE ledger_account SET owner = gen_random_uuid()",
    ],
)
def test_no_role_overdraws_or_renames_an_account(owner: psycopg.Connection, statement: str) -> None:
    funded(100).post(Kind.FREEZE, 10)

    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(statement)


def test_the_grants_can_be_given_again(owner: psycopg.Connection) -> None:
    owner.execute("GRANT UPDATE ON ledger_account TO sluice_app")
    assert "sluice_app may write to ledger_account" in audit.prove().problems

    owner.execute(roles.grants())

    assert audit.prove().problems == []
    assert funded(100).post(Kind.FREEZE, 1)
