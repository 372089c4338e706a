"""What the one writer does: every kind, between its two purposes, in order, in one round trip."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import audit, balances, posting
from ledger.accounts import Purpose, Ref
from ledger.models import Event
from ledger.posting import Kind, LedgerRefused
from tests.ledger.books import Book, funded, new_id

pytestmark = pytest.mark.django_db


def rich() -> Book:
    """A book in which every purpose can give something away."""
    book = funded(1000)
    posting.set_credit_limit(
        book.credit, limit_units=500, by="ada", at=balances.statement(book.available).entries[0].at
    )
    book.post(Kind.FREEZE, 300)
    book.post(Kind.FEE, 50)
    book.post(Kind.CREDIT_DRAW, 100)
    book.post(Kind.MEMO_CREDIT, 500)
    book.post(Kind.MEMO_FREEZE, 200)
    return book


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_moves_its_amount_between_its_two_purposes(kind: Kind) -> None:
    book = rich()
    source, target = book.ends(kind)
    before = book.holds(source), book.holds(target)

    book.post(kind, 7)

    assert (book.holds(source), book.holds(target)) == (before[0] - 7, before[1] + 7)
    assert audit.prove().problems == []


def test_an_unknown_kind_is_refused() -> None:
    book = funded(10)
    movement = replace(book.movement(Kind.FREEZE, 1), kind="BONUS")  # type: ignore[arg-type] # the point

    with pytest.raises(LedgerRefused, match="event_kind_between_purposes"):
        posting.post([movement])


def test_an_event_keeps_what_was_asked_for() -> None:
    book = funded(100)
    movement = replace(
        book.movement(Kind.FREEZE, 40, reference="INV-1 'quoted', {braces}, \\slash, é"),
        data={"b": [1, None, True], "a": {"key": 'va"l,ue}'}},
    )

    posted = posting.post([movement])[0]

    row = Event.objects.get(book=book.id, id=movement.id)
    assert (row.txn, row.kind, row.source, row.target) == (
        movement.txn,
        "FREEZE",
        book.available.id,
        book.frozen.id,
    )
    assert (row.amount, row.reference, row.data) == (40, movement.reference, movement.data)
    assert (row.source_seq, row.target_seq, row.source_balance, row.target_balance) == (2, 1, 60, 40)
    assert (posted.source_seq, posted.target_seq) == (2, 1)
    assert (posted.source_balance_units, posted.target_balance_units, posted.at) == (60, 40, row.at)
    assert row.xid > 0


def test_movements_of_one_call_apply_in_their_order() -> None:
    book = Book()
    steps = [(Kind.DEPOSIT, 100), (Kind.FREEZE, 60), (Kind.FREEZE, 40), (Kind.REFUND, 10), (Kind.FREEZE, 5)]

    posted = posting.post([book.movement(kind, amount) for kind, amount in steps])

    assert [(p.source_seq, p.target_seq, p.source_balance_units, p.target_balance_units) for p in posted] == [
        (1, 1, -100, 100),
        (2, 1, 40, 60),
        (3, 2, 0, 100),
        (3, 4, 90, 10),
        (5, 4, 5, 95),
    ]
    assert audit.prove().problems == []


def test_the_outside_and_the_fees_have_no_floor() -> None:
    book = Book()
    book.post(Kind.DEPOSIT, 10**30)

    assert balances.balance(book.external) == balances.Balance(-(10**30), None, 1)
    assert balances.balance(book.external).spendable_units is None


def test_a_posting_is_one_round_trip() -> None:
    book = funded(100)

    with CaptureQueriesContext(connection) as queries:
        posting.post([book.movement(Kind.FREEZE, 1), book.movement(Kind.FREEZE, 2)])

    assert len(queries) == 1


def test_no_movements_are_no_call() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert posting.post([]) == []
        assert posting.lock([]) == {}

    assert len(queries) == 0


def test_a_lock_opens_and_answers_the_balances() -> None:
    book = funded(100)

    locked = posting.lock([book.frozen, book.available, book.fees, book.available])

    assert locked == {
        book.available: balances.Balance(100, 0, 1),
        book.frozen: balances.Balance(0, 0, 0),
        book.fees: balances.Balance(0, None, 0),
    }


def test_an_event_id_is_the_same_for_the_same_step() -> None:
    origin = new_id()

    event = posting.event_id(origin, "freeze")

    assert event == posting.event_id(origin, "freeze")
    assert event != posting.event_id(origin, "refund")
    assert event != posting.event_id(new_id(), "freeze")
    assert (event.version, event.variant) == (7, "specified in RFC 4122")
    assert event.bytes[:6] == origin.bytes[:6]


def test_an_account_id_is_made_of_all_its_parts() -> None:
    owner, other = UUID(int=1), UUID(int=2)
    refs = {
        Ref(book=book, owner=person, asset=asset, purpose=purpose, network=network)
        for book in (owner, other)
        for person in (owner, other)
        for asset in ("USDT", "USDC")
        for purpose in Purpose
        for network in ("", "tron", "ethereum")
    }

    assert len({ref.id for ref in refs}) == len(refs)
    assert {ref.id.version for ref in refs} == {8}
