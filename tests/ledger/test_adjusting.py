"""An adjustment takes two persons and a reason, and both stay written down."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from ledger import adjusting, audit
from ledger.adjusting import DecidedOtherwise, NoSuchProposal, Proposal, SamePerson
from ledger.models import AdjustmentLine, Event
from ledger.posting import IdempotencyConflict, InsufficientFunds, Kind, LedgerRefused
from tests.ledger.books import Book, funded, new_id

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def proposal(book: Book, amount_units: int = 40) -> Proposal:
    return Proposal(new_id(), book.available, book.external, amount_units, "credited twice", "deposit 7")


def proposed(book: Book, amount_units: int = 40) -> Proposal:
    made = proposal(book, amount_units)
    adjusting.propose(made, by="ada", at=NOON)
    return made


def test_a_proposal_moves_nothing_until_another_person_confirms_it() -> None:
    book = funded(100)
    made = proposed(book)
    assert book.holds(book.available) == 100
    assert [one.id for one in adjusting.undecided(book.id)] == [made.id]

    posted = adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)

    assert (book.holds(book.available), posted.source_balance_units) == (60, 60)
    event = Event.objects.get(book=book.id, id=posted.id)
    assert (event.kind, event.txn, event.reference) == (Kind.ADJUST, made.id, "deposit 7")
    assert event.data == {"reason": "credited twice", "by": "ada", "approved_by": "grace"}
    assert adjusting.undecided(book.id) == []
    line = AdjustmentLine.objects.get(book=book.id)
    assert (line.by, line.verdict, line.decided_by, line.reason) == ("ada", "CONFIRMED", "grace", "credited twice")
    assert audit.prove().problems == []


@pytest.mark.parametrize("by", ["ada", " Ada ", "ADA", "", " "])
def test_nobody_confirms_his_own_proposal(by: str) -> None:
    book = funded(100)
    made = proposed(book)

    with pytest.raises(SamePerson):
        adjusting.confirm(book.id, proposal_id=made.id, by=by, at=NOON)

    assert book.holds(book.available) == 100
    assert adjusting.undecided(book.id)


@pytest.mark.parametrize("by", ["ada", ""])
def test_the_database_itself_wants_two_persons(owner: psycopg.Connection, by: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="adjustment_by_two_persons"):
        owner.execute(
            "INSERT INTO ledger_adjustmentdecision (book, adjustment, verdict, proposed_by, by, at, xid)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'CONFIRMED', 'ada', %s, now(), pg_current_xact_id())",
            [by],
        )


def test_what_is_declined_moves_nothing_and_stays_declined() -> None:
    book = funded(100)
    made = proposed(book)

    adjusting.decline(book.id, proposal_id=made.id, by="ada", at=NOON)
    adjusting.decline(book.id, proposal_id=made.id, by="ada", at=NOON)

    with pytest.raises(DecidedOtherwise):
        adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)
    assert book.holds(book.available) == 100


def test_a_confirmation_repeated_answers_the_first_and_one_by_a_third_person_is_too_late() -> None:
    book = funded(100)
    made = proposed(book)
    first = adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)

    again = adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)

    assert again == first._replace(repeated=True)
    with pytest.raises(DecidedOtherwise):
        adjusting.confirm(book.id, proposal_id=made.id, by="joan", at=NOON)
    assert book.holds(book.available) == 60


def test_what_cannot_be_moved_leaves_the_proposal_undecided() -> None:
    book = funded(10)
    made = proposed(book)

    with pytest.raises(InsufficientFunds):
        adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)

    assert [one.id for one in adjusting.undecided(book.id)] == [made.id]
    book.post(Kind.DEPOSIT, 100)
    assert adjusting.confirm(book.id, proposal_id=made.id, by="grace", at=NOON)


def test_another_books_proposal_does_not_exist() -> None:
    made = proposed(funded(100))

    with pytest.raises(NoSuchProposal):
        adjusting.confirm(Book().id, proposal_id=made.id, by="grace", at=NOON)


def test_the_same_proposal_again_is_the_same_and_another_under_its_id_is_not() -> None:
    book = funded(100)
    made = proposed(book)

    adjusting.propose(made, by="ada", at=NOON)

    for other, by in ((replace(made, amount_units=41), "ada"), (replace(made, reason="x"), "ada"), (made, "grace")):
        with pytest.raises(IdempotencyConflict):
            adjusting.propose(other, by=by, at=NOON)


ODD: dict[str, tuple[str, dict[str, Any]]] = {
    "no reason": ("adjust_by_two_persons", {"reason": " "}),
    "nothing": ("event_amount_in_range", {"amount_units": 0}),
    "less than nothing": ("event_amount_in_range", {"amount_units": -5}),
    "too much": ("event_amount_in_range", {"amount_units": 10**77}),
    "one account": ("event_two_accounts", {"target": Book().available}),
    "two books": ("one_book", {"target": Book().external}),
    "two assets": ("event_one_asset", {"target": Book(asset="EURC").external}),
    "a memorandum": ("event_kind_between_purposes", {"target": Book().memo}),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_proposal_is_refused(case: str) -> None:
    rule, change = ODD[case]
    book = funded(100)
    if "target" in change and case != "two books":
        change = {"target": replace(change["target"], book=book.id, owner=book.id)}

    with pytest.raises(LedgerRefused, match=rule):
        adjusting.propose(replace(proposal(book), **change), by="ada", at=NOON)

    assert adjusting.undecided(book.id) == []
