"""The credit line: drawn down to its limit, never beyond, and every limit remembered."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from ledger import audit, balances, posting
from ledger.models import CreditLimitChange
from ledger.posting import InsufficientFunds, Kind, LedgerRefused, LimitBelowDrawn
from tests.ledger.books import Book

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def with_limit(limit_units: int) -> Book:
    book = Book()
    posting.set_credit_limit(book.credit, limit_units=limit_units, by="ada", at=NOON)
    return book


def test_credit_is_drawn_down_to_the_limit_and_not_one_unit_further() -> None:
    book = with_limit(500)
    book.post(Kind.CREDIT_DRAW, 500)

    with pytest.raises(InsufficientFunds) as refused:
        book.post(Kind.CREDIT_DRAW, 1)

    assert (refused.value.ref, refused.value.short_units) == (book.credit, 1)
    assert balances.balance(book.credit) == balances.Balance(-500, -500, 1)
    assert balances.balance(book.credit).spendable_units == 0


def test_without_a_limit_there_is_no_credit() -> None:
    with pytest.raises(InsufficientFunds):
        Book().post(Kind.CREDIT_DRAW, 1)


def test_no_more_is_repaid_than_was_drawn() -> None:
    book = with_limit(500)
    book.post(Kind.CREDIT_DRAW, 100)
    book.post(Kind.DEPOSIT, 1000)
    book.post(Kind.CREDIT_REPAY, 100)

    with pytest.raises(LedgerRefused, match="credit_not_overpaid"):
        book.post(Kind.CREDIT_REPAY, 1)

    assert book.holds(book.credit) == 0


def test_a_limit_below_what_is_drawn_is_refused() -> None:
    book = with_limit(500)
    book.post(Kind.CREDIT_DRAW, 300)

    with transaction.atomic():
        with pytest.raises(LimitBelowDrawn):
            posting.set_credit_limit(book.credit, limit_units=299, by="ada", at=NOON)
        posting.set_credit_limit(book.credit, limit_units=300, by="ada", at=NOON)

    assert balances.balance(book.credit).floor_units == -300


def test_every_change_of_a_limit_is_remembered() -> None:
    book = with_limit(500)
    posting.set_credit_limit(book.credit, limit_units=200, by="grace", at=NOON)

    changes = CreditLimitChange.objects.filter(book=book.id, account=book.credit.id).order_by("number")

    assert list(changes.values_list("number", "old_floor", "new_floor", "by", "at")) == [
        (1, 0, -500, "ada", NOON),
        (2, -500, -200, "grace", NOON),
    ]
    assert audit.prove().problems == []


@pytest.mark.parametrize("purpose", ["available", "frozen", "fees"])
def test_only_a_credit_account_has_a_limit(purpose: str) -> None:
    book = Book()

    with pytest.raises(LedgerRefused, match="credit_limit_plain"):
        posting.set_credit_limit(getattr(book, purpose), limit_units=1, by="ada", at=NOON)


@pytest.mark.parametrize(("limit_units", "by"), [(-1, "ada"), (1, "")])
def test_a_limit_is_not_negative_and_somebody_set_it(limit_units: int, by: str) -> None:
    with pytest.raises(LedgerRefused, match="credit_limit_plain"):
        posting.set_credit_limit(Book().credit, limit_units=limit_units, by=by, at=NOON)
