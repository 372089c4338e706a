"""What an account's owner reads: entries, running balances, pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import balances
from ledger.balances import Balance, Direction
from ledger.posting import Kind
from tests.ledger.books import Book, funded

pytestmark = pytest.mark.django_db


def busy() -> Book:
    """An available account with ten entries: +100 and nine times −1."""
    book = funded(100)
    for _ in range(9):
        book.post(Kind.FREEZE, 1)
    return book


def test_an_entry_says_what_moved_which_way_and_what_was_left() -> None:
    book = funded(100)
    posted = book.post(Kind.FREEZE, 30)

    (entry,) = balances.statement(book.available, limit=1).entries

    assert (entry.event, entry.kind, entry.direction) == (posted.id, "FREEZE", Direction.DEBIT)
    assert (entry.amount_units, entry.balance_after_units, entry.seq) == (30, 70, 2)
    assert (entry.reference, entry.data, entry.at, entry.txn) == ("", {}, posted.at, posted.id)
    assert balances.statement(book.frozen).entries[0].direction is Direction.CREDIT


@pytest.mark.parametrize(
    ("offset", "limit", "newest_first", "expected"),
    [
        (0, 20, True, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (0, 3, True, [10, 9, 8]),
        (3, 3, True, [7, 6, 5]),
        (8, 5, True, [2, 1]),
        (10, 5, True, []),
        (99, 5, True, []),
        (0, 0, True, []),
        (0, 3, False, [1, 2, 3]),
        (8, 5, False, [9, 10]),
        (10, 5, False, []),
    ],
)
def test_a_page_is_a_range_of_the_sequence(*, offset: int, limit: int, newest_first: bool, expected: list[int]) -> None:
    page = balances.statement(busy().available, offset=offset, limit=limit, newest_first=newest_first)

    assert [entry.seq for entry in page.entries] == expected
    assert [entry.balance_after_units for entry in page.entries] == [101 - seq for seq in expected]
    assert page.total == 10


def test_a_page_far_back_reads_its_own_entries_only() -> None:
    book = busy()

    with CaptureQueriesContext(connection) as queries:
        balances.statement(book.available, offset=8, limit=2)

    assert len(queries) == 2
    assert "OFFSET" not in queries[1]["sql"]


@pytest.mark.parametrize(("offset", "limit"), [(-1, 1), (0, -1)])
def test_a_negative_page_is_a_fault_of_the_caller(offset: int, limit: int) -> None:
    with pytest.raises(ValueError, match="count entries"):
        balances.statement(Book().available, offset=offset, limit=limit)


def test_an_account_that_nobody_used_reads_as_zeros() -> None:
    book = Book()

    assert balances.balance(book.available) == Balance(0, 0, 0)
    assert balances.balance(book.fees) == Balance(0, None, 0)
    assert balances.statement(book.available) == balances.Page([], 0)
    assert balances.book(book.id) == []


def test_a_book_lists_its_accounts_and_no_others() -> None:
    book, other = funded(100), funded(7)

    assert balances.book(book.id) == [
        (book.available, Balance(100, 0, 1)),
        (book.external, Balance(-100, None, 1)),
    ]
    assert {ref.book for ref, _ in balances.book(other.id)} == {other.id}


def test_the_world_outside_is_summed_over_all_books_per_network_and_asset() -> None:
    before = balances.external_units("tron", "USDT")
    funded(100)
    funded(7)
    Book(asset="USDC").post(Kind.DEPOSIT, 50)

    assert balances.external_units("tron", "USDT") - before == -107
    assert balances.external_units("solana", "USDT") == 0
