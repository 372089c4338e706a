"""Thousands of movements in one commit: what is refused, what is repeated, what stays."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger import audit, bulk, converting, posting
from ledger.accounts import Purpose
from ledger.bulk import BatchRefused, Outcome
from ledger.models import Account, Event
from ledger.posting import IdempotencyConflict, InsufficientFunds, Kind, LedgerRefused, Movement
from tests.ledger.books import Book, funded, new_id

pytestmark = pytest.mark.django_db


def test_a_batch_over_several_books_is_one_call_and_proves_right() -> None:
    books = [funded(100) for _ in range(3)]
    movements = [book.movement(Kind.FREEZE, 7, reference=f"é{number}") for number in range(5) for book in books]

    bulk.post_many([replace(movement, id=new_id()) for movement in movements[:3]])  # opens the accounts

    with CaptureQueriesContext(connection) as queries:
        assert bulk.post_many(movements) == Outcome(15, [], [])

    assert len(queries) == 1
    assert [book.holds(book.frozen) for book in books] == [42, 42, 42]
    kept = Event.objects.get(book=books[1].id, id=movements[1].id)
    assert (kept.reference, kept.data, kept.source_seq, kept.source_balance) == ("é0", {}, 3, 86)
    assert audit.prove().problems == []


def test_what_post_keeps_of_a_movement_a_batch_keeps_too() -> None:
    book = funded(100)
    movement = replace(book.movement(Kind.FREEZE, 40, reference="'q' {b} \\s é"), data={"b": [1, None], "a": 'v"l'})

    bulk.post_many([movement])

    assert posting.post([movement])[0].repeated


@pytest.mark.parametrize("opened", [False, True])
def test_an_overdraft_in_between_stops_the_whole_batch_and_says_where(*, opened: bool) -> None:
    book = funded(100)
    if opened:  # the short way is for open accounts
        bulk.post_many([book.movement(Kind.FREEZE, 50), book.movement(Kind.REFUND, 50)])
    events = Event.objects.filter(book=book.id).count()
    movements = [book.movement(Kind.FREEZE, 60), book.movement(Kind.FREEZE, 60), book.movement(Kind.DEPOSIT, 100)]

    with pytest.raises(BatchRefused) as refused:
        bulk.post_many(movements)

    assert (refused.value.position, refused.value.movement) == (1, movements[1])
    assert (refused.value.rule, refused.value.ref, refused.value.short_units) == (
        "account_not_overdrawn",
        book.available,
        20,
    )
    assert isinstance(refused.value.__cause__, InsufficientFunds)
    assert (book.holds(book.available), Event.objects.filter(book=book.id).count()) == (100, events)


def test_a_bad_movement_is_left_out_and_the_others_go_on_without_it() -> None:
    book = funded(100)
    movements = [book.movement(Kind.FREEZE, amount) for amount in (60, 60, 30, 0, 10, 1)]

    outcome = bulk.post_many(movements, on_error="skip_bad")

    assert outcome.posted == 3
    assert [(bad.position, bad.error.rule) for bad in outcome.refused] == [
        (1, "account_not_overdrawn"),
        (3, "event_amount_in_range"),
        (5, "account_not_overdrawn"),
    ]
    assert (outcome.refused[0].error.short_units, outcome.refused[2].error.short_units) == (20, 1)
    assert (book.holds(book.available), book.holds(book.frozen)) == (0, 100)
    assert audit.prove().problems == []


def test_a_batch_can_be_repeated_and_extended() -> None:
    book = funded(100)
    movements = [book.movement(Kind.FREEZE, 10) for _ in range(10)]
    bulk.post_many(movements[:7])

    assert bulk.post_many(movements) == Outcome(3, [0, 1, 2, 3, 4, 5, 6], [])
    assert bulk.post_many(movements) == Outcome(0, list(range(10)), [])
    assert book.holds(book.frozen) == 100


def test_an_id_twice_in_a_batch_is_a_repeat_or_a_conflict() -> None:
    book = funded(100)
    movement = book.movement(Kind.FREEZE, 10)
    too_much = book.movement(Kind.FREEZE, 95)

    outcome = bulk.post_many(
        [movement, movement, replace(movement, reference="other"), too_much, too_much], on_error="skip_bad"
    )

    assert (outcome.posted, outcome.repeated) == (1, [1])
    assert [(bad.position, type(bad.error)) for bad in outcome.refused] == [
        (2, IdempotencyConflict),
        (3, InsufficientFunds),
        (4, InsufficientFunds),
    ]


def test_an_id_with_another_content_stops_the_batch() -> None:
    book = funded(100)
    movement = book.movement(Kind.FREEZE, 10)
    bulk.post_many([movement])

    with pytest.raises(BatchRefused, match="event_once"):
        bulk.post_many([book.movement(Kind.FREEZE, 1), replace(movement, amount_units=11)])

    assert book.holds(book.frozen) == 10


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "unknown kind": ("event_kind_between_purposes", {"kind": "BONUS"}),
    "too large": ("event_amount_in_range", {"amount_units": 10**77}),
    "negative": ("event_amount_in_range", {"amount_units": -1}),
    "adjusted by one person": ("adjust_by_two_persons", {"kind": Kind.ADJUST, "data": {"reason": "x", "by": "ada"}}),
}


@pytest.mark.parametrize(("rule", "change"), BAD.values(), ids=BAD.keys())
def test_each_rule_is_named(rule: str, change: dict[str, Any]) -> None:
    book = funded(100)
    movements = [book.movement(Kind.FREEZE, 1), replace(book.movement(Kind.FREEZE, 1), **change)]

    with pytest.raises(BatchRefused, match=rule):
        bulk.post_many(movements)
    outcome = bulk.post_many(movements, on_error="skip_bad")

    assert (outcome.posted, outcome.refused[0].position) == (1, 1)


def converted(book: Book, sold_units: int) -> list[Movement]:
    return converting.legs(book.conversion(sold_units, bought_units=sold_units))


@pytest.mark.parametrize("opened", [False, True])
def test_a_conversion_in_bulk_is_done_whole_or_left_out_whole(*, opened: bool) -> None:
    book = funded(100)
    if opened:  # the short way is for open accounts
        posting.post(converted(book, 1))
    held = book.holds(book.available)
    one, poor, same = converted(book, 60), converted(book, 60), converted(book, 10)
    movements = [*one, *poor[::-1], book.movement(Kind.FREEZE, 5), *same, *same, *poor]

    outcome = bulk.post_many(movements, on_error="skip_bad")

    assert (outcome.posted, outcome.repeated) == (5, [7, 8])
    assert [(bad.position, bad.error.rule) for bad in outcome.refused] == [
        (2, "convert_in_pairs"),  # was bought before it was found that nothing could be sold for it
        (3, "account_not_overdrawn"),
        (9, "account_not_overdrawn"),
        (10, "convert_in_pairs"),
    ]
    bought = book.ref(Purpose.AVAILABLE, asset="EURC")
    assert (book.holds(book.available), book.holds(bought)) == (held - 75, 70 + (100 - held))
    assert bulk.post_many([*one, *same]) == Outcome(0, [0, 1, 2, 3], [])
    assert audit.prove().problems == []


# fmt: off
HALVES: dict[str, tuple[int, str, Callable[[Movement, Movement], list[Movement]]]] = {
    # the place and the rule of the first that is refused
    "one leg alone":        (1, "convert_in_pairs", lambda one, _: [one]),
    "the other leg alone":  (1, "convert_in_pairs", lambda _, other: [other]),
    "two transactions":     (1, "convert_in_pairs", lambda one, other: [one, replace(other, txn=new_id())]),
    "another's leg":        (1, "convert_in_pairs", lambda one, other: [one, replace(other, id=new_id())]),
    "a pair of its own":    (1, "convert_in_pairs",
                             lambda one, other: [one, replace(other, data={**other.data, "pair": str(other.id)})]),
    "no rate":              (1, "convert_by_rate",  lambda one, other: [replace(one, data={}), other]),
    "a rate in words":      (1, "convert_by_rate",
                             lambda *legs: [replace(leg, data={**leg.data, "rate": "1e3"}) for leg in legs]),
    "two rates":            (1, "convert_in_pairs",
                             lambda one, other: [one, replace(other, data={**other.data, "rate": "7"})]),
    "one asset and back":   (1, "convert_in_pairs",
                             lambda one, other: [one, replace(other, source=one.target, target=one.source)]),
    "both sold":            (1, "convert_in_pairs",
                             lambda one, other: [one, replace(other, source=other.target, target=other.source)]),
    "nothing bought":       (2, "event_amount_in_range", lambda one, other: [one, replace(other, amount_units=0)]),
}
# fmt: on


@pytest.mark.parametrize("case", HALVES)
def test_half_a_conversion_in_bulk_is_refused_and_found_before_anything_is_written(case: str) -> None:
    place, rule, spoil = HALVES[case]
    book = funded(1000)
    halves = spoil(*converted(book, 100))
    movements = [book.movement(Kind.FREEZE, 1), *halves, book.movement(Kind.FREEZE, 2)]

    with pytest.raises(BatchRefused, match=rule) as refused:
        bulk.post_many(movements)
    outcome = bulk.post_many(movements, on_error="skip_bad")

    assert refused.value.position == place
    assert (outcome.posted, len(outcome.refused)) == (2, len(halves))
    assert (book.holds(book.available), book.holds(book.frozen)) == (997, 3)
    assert audit.prove().problems == []


def test_between_books_assets_or_an_account_and_itself_nothing_moves() -> None:
    book, other = funded(100), Book()
    movement = book.movement(Kind.FREEZE, 1)
    movements = [
        replace(movement, id=new_id(), target=other.frozen),
        replace(movement, id=new_id(), target=book.ref(Purpose.FROZEN, asset="USDC")),
        replace(movement, id=new_id(), target=book.available),
    ]

    outcome = bulk.post_many(movements, on_error="skip_bad")

    rules = ["one_book", "event_one_asset", "event_two_accounts"]
    assert [bad.error.rule for bad in outcome.refused] == rules
    # And when all are open, and each alone: the short way may let none of them pass.
    posting.lock([book.frozen, book.ref(Purpose.FROZEN, asset="USDC")])
    posting.lock([other.frozen])
    alone = [bulk.post_many([movement], on_error="skip_bad").refused[0].error.rule for movement in movements]
    assert alone == rules
    assert Event.objects.filter(book__in=[book.id, other.id]).count() == 1


def test_a_credit_line_is_not_overpaid_in_bulk() -> None:
    book = funded(100)

    with pytest.raises(BatchRefused, match="credit_not_overpaid") as refused:
        bulk.post_many([book.movement(Kind.CREDIT_REPAY, 1)])

    assert refused.value.ref == book.credit
    posting.lock([book.credit])
    with pytest.raises(BatchRefused, match="credit_not_overpaid"):  # in between, though not in the end
        bulk.post_many([book.movement(Kind.CREDIT_REPAY, 1), book.movement(Kind.CREDIT_DRAW, 1)])
    assert book.holds(book.available) == 100


@pytest.mark.parametrize("change", [{"reference": "a\x00b"}, {"data": {"a": "\x00"}}])
def test_text_that_the_database_cannot_hold_refuses_the_batch(change: dict[str, Any]) -> None:
    book = funded(100)

    with pytest.raises(LedgerRefused), transaction.atomic():
        bulk.post_many([replace(book.movement(Kind.FREEZE, 1), **change)])


def test_a_caller_goes_on_after_a_refused_batch() -> None:
    book = funded(100)

    with transaction.atomic():
        with pytest.raises(BatchRefused):
            bulk.post_many([book.movement(Kind.FREEZE, 1), book.movement(Kind.FREEZE, 100)])
        bulk.post_many([book.movement(Kind.FREEZE, 100)])

    assert book.holds(book.frozen) == 100


def test_an_account_of_no_sense_is_not_opened_in_bulk() -> None:
    book = Book(asset="usdt")

    with pytest.raises(LedgerRefused, match="account_named_plainly"), transaction.atomic():
        bulk.post_many([book.movement(Kind.DEPOSIT, 1)])

    assert not Account.objects.filter(book=book.id).exists()


def test_no_movements_are_no_call_in_bulk_either() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert bulk.post_many([]) == Outcome(0, [], [])

    assert len(queries) == 0


def test_units_beyond_64_bits_go_in_bulk() -> None:
    book = Book()

    bulk.post_many([book.movement(Kind.DEPOSIT, 10**30), book.movement(Kind.FREEZE, 1)])

    assert book.holds(book.available) == 10**30 - 1


def test_another_way_to_fail_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="on_error"):
        bulk.post_many([], on_error="ignore")  # type: ignore[arg-type] # the point
