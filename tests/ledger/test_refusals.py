"""What is refused is refused whole, and the caller goes on."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from ledger import audit, posting
from ledger.accounts import Purpose, Ref
from ledger.models import Account, Event
from ledger.posting import InsufficientFunds, Kind, LedgerRefused
from tests.ledger.books import TWO_PERSONS, Book, funded, new_id

pytestmark = pytest.mark.django_db


def test_an_order_that_overdraws_in_between_is_refused() -> None:
    book = Book()

    with pytest.raises(InsufficientFunds):
        posting.post([book.movement(Kind.FREEZE, 60), book.movement(Kind.DEPOSIT, 100)])


def test_an_overdraft_is_refused_whole_and_says_by_how_much() -> None:
    book = funded(100)
    movements = [book.movement(Kind.FREEZE, 60), book.movement(Kind.FREEZE, 60)]

    with pytest.raises(InsufficientFunds) as refused:
        posting.post(movements)

    assert (refused.value.ref, refused.value.short_units) == (book.available, 20)
    assert book.holds(book.available) == 100
    assert Event.objects.filter(book=book.id).count() == 1


def test_a_caller_goes_on_after_a_refusal() -> None:
    book = funded(100)

    with transaction.atomic():
        with pytest.raises(InsufficientFunds):
            book.post(Kind.FREEZE, 101)
        with pytest.raises(LedgerRefused):
            book.post(Kind.FREEZE, 0)
        book.post(Kind.FREEZE, 100)

    assert book.holds(book.frozen) == 100


@pytest.mark.parametrize("amount", [0, -1, 10**77, 10**90])
def test_an_amount_outside_the_range_is_refused(amount: int) -> None:
    with pytest.raises(LedgerRefused, match="event_amount_in_range"):
        Book().post(Kind.DEPOSIT, amount)


@pytest.mark.parametrize("amount", [1.0, True, "1", None])
def test_an_amount_that_is_no_int_is_a_fault_of_the_caller(amount: Any) -> None:
    with pytest.raises(TypeError):
        Book().post(Kind.DEPOSIT, amount)


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [("0.5", True), ("1.5", True), ("NaN", True), ("Infinity", True), ("-1", True), ("5.000", False)],
)
def test_the_function_itself_takes_whole_numbers_only(*, amount: str, refusal: bool) -> None:
    book = funded(10)
    event = str(new_id())
    accounts = sorted((book.available, book.frozen), key=lambda ref: ref.id)
    texts = [
        [str(ref.id) for ref in accounts],
        [str(ref.owner) for ref in accounts],
        [ref.asset for ref in accounts],
        [str(ref.purpose) for ref in accounts],
        ["", ""],
        [event],
        [event],
        ["FREEZE"],
        [str(accounts.index(book.available) + 1)],
        [str(accounts.index(book.frozen) + 1)],
        [amount],
        ["a reference"],
        ["{}"],
    ]
    with connection.cursor() as cursor:
        cursor.execute(posting._POST, [book.id, *texts])  # noqa: SLF001 - what another client would send

        assert cursor.fetchone()[0] == ("event_amount_in_range" if refusal else None)
    assert audit.prove().problems == []


def test_the_largest_balance_overflows_into_a_refusal() -> None:
    book = Book()
    for _ in range(10):
        book.post(Kind.DEPOSIT, 10**77 - 1)

    with pytest.raises(LedgerRefused), transaction.atomic():
        book.post(Kind.DEPOSIT, 10**77 - 1)


def test_two_assets_never_meet_in_one_movement() -> None:
    book = funded(100)
    movement = replace(book.movement(Kind.FREEZE, 1), target=book.ref(Purpose.FROZEN, asset="USDC"))

    with pytest.raises(LedgerRefused, match="event_one_asset"):
        posting.post([movement])


def test_money_does_not_move_from_an_account_to_itself() -> None:
    book = funded(100)
    movement = replace(book.movement(Kind.TRANSFER, 1), target=book.available)

    with pytest.raises(LedgerRefused, match="event_two_accounts"):
        posting.post([movement])

    assert book.holds(book.available) == 100


def test_nothing_crosses_books() -> None:
    book, other = funded(100), Book()
    movement = replace(book.movement(Kind.TRANSFER, 1), target=other.available)

    with pytest.raises(LedgerRefused, match="one_book"):
        posting.post([movement])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"reason": "x", "by": "ada"},
        {"reason": "x", "by": "ada", "approved_by": "ada"},
        {"by": "ada", "approved_by": "grace"},
        {"reason": "", "by": "ada", "approved_by": "grace"},
    ],
)
def test_an_adjustment_takes_a_reason_and_two_persons(data: dict[str, str]) -> None:
    book = funded(100)

    with pytest.raises(LedgerRefused, match="adjust_by_two_persons"), transaction.atomic():
        posting.post([replace(book.movement(Kind.ADJUST, 1), data=data)])

    assert posting.post([replace(book.movement(Kind.ADJUST, 1), data=TWO_PERSONS)])


@pytest.mark.parametrize(
    "ref",
    [
        Ref(book=uuid4(), owner=uuid4(), asset="usdt", purpose=Purpose.AVAILABLE),
        Ref(book=uuid4(), owner=uuid4(), asset="US/DT", purpose=Purpose.AVAILABLE),
        Ref(book=uuid4(), owner=uuid4(), asset="", purpose=Purpose.AVAILABLE),
        Ref(book=uuid4(), owner=uuid4(), asset="USDT", purpose=Purpose.AVAILABLE, network="tron"),
        Ref(book=uuid4(), owner=uuid4(), asset="USDT", purpose=Purpose.EXTERNAL),
        Ref(book=uuid4(), owner=uuid4(), asset="USDT", purpose="savings"),  # type: ignore[arg-type] # the point
    ],
)
def test_an_account_of_no_sense_is_not_opened(ref: Ref) -> None:
    with pytest.raises(LedgerRefused), transaction.atomic():
        posting.lock([ref])

    assert not Account.objects.filter(book=ref.book).exists()


@pytest.mark.parametrize("movement", [{"reference": "a\x00b"}, {"data": {"a": "\x00"}}])
def test_text_that_the_database_cannot_hold_is_refused(movement: dict[str, Any]) -> None:
    book = funded(100)

    with pytest.raises(LedgerRefused), transaction.atomic():
        posting.post([replace(book.movement(Kind.FREEZE, 1), **movement)])
