"""A movement happens once, however often it is asked for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import transaction

from ledger import posting
from ledger.accounts import Purpose
from ledger.posting import IdempotencyConflict, Kind, Movement
from tests.ledger.books import Book, funded, new_id

pytestmark = pytest.mark.django_db


def test_a_repeat_answers_the_first_posting() -> None:
    book = funded(100)
    movements = [book.movement(Kind.FREEZE, 30), book.movement(Kind.FREEZE, 20)]
    first = posting.post(movements)
    book.post(Kind.FREEZE, 1)

    again = posting.post(movements)

    assert again == [posted._replace(repeated=True) for posted in first]
    assert not any(posted.repeated for posted in first)
    assert book.holds(book.frozen) == 51


def test_a_repeat_in_another_order_answers_in_that_order() -> None:
    book = funded(100)
    movements = [book.movement(Kind.FREEZE, 30), book.movement(Kind.FREEZE, 20)]
    first = posting.post(movements)

    assert [posted.id for posted in posting.post(movements[::-1])] == [posted.id for posted in first[::-1]]


def test_a_repeat_is_answered_when_the_money_is_gone() -> None:
    book = funded(100)
    movement = book.movement(Kind.FREEZE, 100)
    first = posting.post([movement])[0]

    assert posting.post([movement]) == [first._replace(repeated=True)]


CHANGES: dict[str, Callable[[Book, Movement], Movement]] = {
    "amount": lambda _, m: replace(m, amount_units=m.amount_units + 1),
    "txn": lambda _, m: replace(m, txn=new_id()),
    "kind and accounts": lambda b, m: replace(m, kind=Kind.CREDIT_DRAW, source=b.credit, target=b.available),
    "source": lambda b, m: replace(m, source=b.ref(Purpose.AVAILABLE, owner=new_id())),
    "target": lambda b, m: replace(m, target=b.ref(Purpose.FROZEN, owner=new_id())),
    "reference": lambda _, m: replace(m, reference="other"),
    "data": lambda _, m: replace(m, data={"other": 1}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_id_posted_with_another_content_is_a_conflict(change: Callable[[Book, Movement], Movement]) -> None:
    book = funded(100)
    movement = book.movement(Kind.FREEZE, 30)
    posting.post([movement])

    with pytest.raises(IdempotencyConflict):
        posting.post([change(book, movement)])

    assert book.holds(book.frozen) == 30


def test_a_repeat_in_part_is_a_conflict() -> None:
    book = funded(100)
    movement = book.movement(Kind.FREEZE, 30)
    posting.post([movement])

    with pytest.raises(IdempotencyConflict):
        posting.post([movement, book.movement(Kind.FREEZE, 1)])

    assert book.holds(book.frozen) == 30


def test_an_id_twice_in_one_call_is_a_conflict() -> None:
    book = funded(100)
    movement = book.movement(Kind.FREEZE, 30)

    with pytest.raises(IdempotencyConflict), transaction.atomic():
        posting.post([movement, movement])

    assert book.holds(book.frozen) == 0


def test_data_in_another_order_of_keys_is_the_same_content() -> None:
    book = funded(100)
    movement = replace(book.movement(Kind.FREEZE, 30), data={"a": 1, "b": 2})
    posting.post([movement])

    assert posting.post([replace(movement, data={"b": 2, "a": 1})])[0].repeated


def test_the_same_id_in_another_book_is_another_event() -> None:
    one, other = funded(100), funded(100)
    shared = new_id()

    for book in (one, other):
        assert not posting.post([book.movement(Kind.FREEZE, 30, id_=shared)])[0].repeated
