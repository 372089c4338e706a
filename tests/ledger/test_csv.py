"""A statement as CSV: every entry once, exact amounts, nothing that a spreadsheet would run, in flat memory."""

import csv
import io
import tracemalloc
from dataclasses import replace
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import balances, posting, statements
from ledger.accounts import Purpose, Ref
from ledger.models import Account
from ledger.posting import Kind
from tests.ledger.books import Book, funded, new_id

pytestmark = pytest.mark.django_db


def rows(ref: Ref, **options: int) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(statements.as_csv(ref, **options)))))


def busy(entries: int) -> Book:
    book = funded(10 * entries)
    for first in range(1, entries, 500):
        posting.post([book.movement(Kind.FREEZE, 1) for _ in range(first, min(first + 500, entries))])
    return book


def test_a_statement_is_whole_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "STRETCH", 7)
    book = busy(24)

    written = rows(book.available)

    assert [row["seq"] for row in written] == [str(seq) for seq in range(1, 25)]
    assert [int(row["balance_after"]) for row in written] == [241 - seq for seq in range(1, 25)]
    assert {row["direction"] for row in written[1:]} == {"DEBIT"}
    page = balances.statement(book.available, limit=1).entries[0]
    last = written[-1]
    assert (last["event"], last["txn"], last["at"]) == (str(page.event), str(page.txn), page.at.isoformat())
    assert last["asset"] == "USDT"


def test_a_stretch_of_it_is_asked_for_by_places() -> None:
    book = busy(24)

    assert [row["seq"] for row in rows(book.available, after_seq=3, before_seq=7)] == ["4", "5", "6"]
    assert [row["seq"] for row in rows(book.available, after_seq=22)] == ["23", "24"]
    assert rows(book.available, after_seq=24) == rows(book.available, before_seq=1) == []
    assert [entry.seq for entry in balances.statement(book.available, before_seq=7, limit=2).entries] == [6, 5]
    page = balances.statement(book.available, after_seq=20, offset=1, limit=9, newest_first=False)
    assert [entry.seq for entry in page.entries] == [22, 23, 24]


def test_an_account_that_nobody_used_has_a_header() -> None:
    assert "".join(statements.as_csv(Book().available)) == ",".join(statements.HEADER) + "\r\n"


@pytest.mark.parametrize(
    ("places", "amount", "balance"),
    [(0, "12345678901234567890123456789012345678901234567890", "1"), (6, "0.000001", "0.000001"), (2, "1.00", "0.01")],
)
def test_amounts_are_exact_in_units_and_in_coins(places: int, amount: str, balance: str) -> None:
    units = int(amount.replace(".", ""))
    book = funded(units)
    if amount.startswith("123"):
        book.post(Kind.FREEZE, units - 1)
        assert rows(book.available)[1]["balance_after"] == "1"

    assert rows(book.available, places=places)[0]["amount"] == amount
    assert rows(book.external, places=places)[0]["balance_after"] == f"-{amount}"
    assert balance


RUN_BY_SPREADSHEETS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "|calc",
    "%0A=1",
    "＝1+1",
    '=HYPERLINK("http://evil","x")',
    "=cmd|'/C calc'!A0",
]


@pytest.mark.parametrize("reference", RUN_BY_SPREADSHEETS)
def test_a_text_that_a_spreadsheet_would_run_is_a_text(reference: str) -> None:
    book = funded(10)
    posting.post([book.movement(Kind.FREEZE, 1, reference=reference)])

    assert rows(book.available)[1]["reference"] == f"'{reference}"


@pytest.mark.parametrize("reference", ["INV-1", 'a "b", c', "two\nlines", "é, ü", "a=b", "'quoted"])
def test_any_other_text_comes_back_as_it_was(reference: str) -> None:
    book = funded(10)
    movement = replace(book.movement(Kind.FREEZE, 1, reference=reference), data={"note": reference, "n": [1, None]})
    posting.post([movement])

    row = rows(book.available)[1]

    assert row["reference"] == reference
    assert row["data"].startswith('{"')


def test_memory_and_queries_are_flat_however_long_the_account_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "STRETCH", 100)
    book = busy(3000)

    def peak(**places: int) -> int:
        tracemalloc.start()
        try:
            for _ in statements.as_csv(book.available, **places):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak()  # what is imported and cached at first
    short, long = peak(before_seq=600), peak()
    with CaptureQueriesContext(connection) as queries:
        text = "".join(statements.as_csv(book.available))

    assert text.count("\r\n") == 3001
    assert long < 1.5 * short
    assert len(queries) < 3 * 30 + 2


def test_what_comes_while_one_reads_is_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "STRETCH", 5)
    book = busy(12)

    seen = 0
    for _ in statements.entries(book.available):
        seen += 1
        book.post(Kind.FREEZE, 1)

    assert seen == 12


def printed(*arguments: str) -> list[dict[str, str]]:
    out = io.StringIO()
    call_command("statement", *arguments, stdout=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_the_command_writes_an_account_by_its_parts_or_its_id() -> None:
    book = busy(5)

    assert [row["seq"] for row in printed(str(book.id))] == [*"12345"]
    assert printed(str(book.id), "--account", str(book.available.id)) == printed(str(book.id))
    assert [row["kind"] for row in printed(str(book.id), "--purpose", "external", "--network", "tron")] == ["DEPOSIT"]
    in_coins = printed(str(book.id), "--after-seq", "4", "--places", "6")
    assert [(row["seq"], row["amount"]) for row in in_coins] == [("5", "0.000001")]


@pytest.mark.parametrize(
    "arguments", [["--purpose", "fees"], ["--account", str(new_id())], ["--after-seq", "-1"], ["--places", "99"]]
)
def test_the_command_says_what_there_is_not(arguments: list[str]) -> None:
    book = funded(10)

    with pytest.raises(CommandError):
        call_command("statement", str(book.id), *arguments)


def test_an_account_is_named_by_its_id_in_its_own_book_only() -> None:
    book = funded(10)

    assert balances.named(book.id, account=book.available.id) == book.ref(Purpose.AVAILABLE)
    with pytest.raises(Account.DoesNotExist):
        balances.named(UUID(int=1), account=book.available.id)
