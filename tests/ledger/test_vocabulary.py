"""Which kind goes between which purposes, and what the newer kinds are for: user wallets, conversions, transfers."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import product
from uuid import UUID

import pytest
from django.db import connection, transaction

from ledger import audit, balances, converting, posting
from ledger.accounts import FLOORLESS, Purpose, Ref
from ledger.balances import Balance
from ledger.models import Event
from ledger.posting import InsufficientFunds, Kind, LedgerRefused, Movement
from tests.ledger.books import Book, funded, new_id

pytestmark = pytest.mark.django_db

P = Purpose
MEMORANDA = {P.MEMO, P.MEMO_FROZEN, P.MEMO_CONTRA}
# fmt: off
GOES: dict[Kind, set[tuple[Purpose, Purpose]]] = {
    Kind.DEPOSIT:      {(P.EXTERNAL,    P.AVAILABLE)},
    Kind.CREDIT_DRAW:  {(P.CREDIT,      P.AVAILABLE)},
    Kind.FREEZE:       {(P.AVAILABLE,   P.FROZEN)},
    Kind.DEBIT:        {(P.FROZEN,      P.EXTERNAL)},
    Kind.FEE:          {(P.FROZEN,      P.FEES)},
    Kind.REFUND:       {(P.FROZEN,      P.AVAILABLE)},
    Kind.CREDIT_REPAY: {(P.AVAILABLE,   P.CREDIT)},
    Kind.TRANSFER:     {(P.AVAILABLE,   P.AVAILABLE)},
    Kind.CONVERT:      {(P.AVAILABLE,   P.CONVERSION), (P.CONVERSION, P.AVAILABLE)},
    Kind.MEMO_CREDIT:  {(P.MEMO_CONTRA, P.MEMO)},
    Kind.MEMO_FREEZE:  {(P.MEMO,        P.MEMO_FROZEN)},
    Kind.MEMO_DEBIT:   {(P.MEMO_FROZEN, P.MEMO_CONTRA)},
    Kind.MEMO_REFUND:  {(P.MEMO_FROZEN, P.MEMO)},
    Kind.ADJUST:       {(one, other) for one, other in product(P, P) if (one in MEMORANDA) == (other in MEMORANDA)},
}
# fmt: on


def test_every_cell_of_kind_and_purposes_is_as_this_table_says() -> None:
    cells = [(str(kind), str(source), str(target)) for kind, source, target in product(Kind, P, P)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, source, target FROM unnest(%s::text[], %s::text[], %s::text[]) AS cell (kind, source, target)"
            " WHERE ledger_kind_allowed(kind, source, target)",
            [list(column) for column in zip(*cells, strict=True)],
        )
        allowed = set(cursor.fetchall())

    assert allowed == {(str(kind), str(a), str(b)) for kind, ends in GOES.items() for a, b in ends}


def test_what_the_table_does_not_know_goes_nowhere() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT bool_or(ledger_kind_allowed(kind, source, target)) FROM (VALUES
                ('BONUS', 'external', 'available'), ('deposit', 'external', 'available'), ('DEPOSIT', 'external', NULL),
                (NULL, 'external', 'available'), ('ADJUST', NULL, 'available')) AS cell (kind, source, target)
        """)

        assert cursor.fetchone() == (False,)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ADJUST])
def test_a_posting_of_a_kind_goes_nowhere_else(kind: Kind) -> None:
    book = Book()
    source, target = book.ends(kind)
    movement = replace(book.movement(kind, 1), source=target, target=replace(source, owner=new_id()))
    if (target.purpose, source.purpose) in GOES[kind]:  # there and back: send it somewhere else
        movement = replace(movement, target=book.frozen)

    with pytest.raises(LedgerRefused, match="event_kind_between_purposes"):
        posting.post([movement])


@pytest.mark.parametrize("purpose", list(P))
def test_an_account_opens_with_the_floor_of_its_purpose(purpose: Purpose) -> None:
    ref = Book().ref(purpose, network="tron" if purpose is P.EXTERNAL else "")

    opened = posting.lock([ref])[ref]

    assert opened == balances.balance(ref) == balances.absent(ref) == Balance(0, None if purpose in FLOORLESS else 0, 0)


def test_an_adjustment_does_not_make_money_of_a_memorandum() -> None:
    book = Book()
    book.post(Kind.MEMO_CREDIT, 100)
    movement = replace(book.movement(Kind.ADJUST, 1), source=book.memo, target=book.available)

    with pytest.raises(LedgerRefused, match="event_kind_between_purposes"):
        posting.post([movement])


def user_withdrawal(book: Book, *kinds: tuple[Kind, int]) -> list[Movement]:
    txn = new_id()
    return [replace(book.movement(kind, amount), txn=txn) for kind, amount in kinds]


def deposited(amount_units: int) -> Book:
    """A user's deposit: the money is the merchant's, the memorandum says to whom he owes it."""
    book = Book()
    posting.post(user_withdrawal(book, (Kind.DEPOSIT, amount_units), (Kind.MEMO_CREDIT, amount_units)))
    return book


def held(book: Book) -> dict[str, int]:
    return {str(ref.purpose): balance.balance_units for ref, balance in balances.book(book.id) if balance.balance_units}


def test_a_deposit_is_the_merchants_and_owed_to_the_user() -> None:
    assert held(deposited(100)) == {"available": 100, "external": -100, "memo": 100, "memo_contra": -100}


def test_a_paid_withdrawal_leaves_both_balances() -> None:
    book = deposited(100)

    posting.post(user_withdrawal(book, (Kind.MEMO_FREEZE, 50), (Kind.FREEZE, 50)))
    assert held(book) | {"external": 0, "memo_contra": 0} == {
        "available": 50, "frozen": 50, "memo": 50, "memo_frozen": 50, "external": 0, "memo_contra": 0
    }  # fmt: skip
    posting.post(user_withdrawal(book, (Kind.DEBIT, 48), (Kind.FEE, 2), (Kind.MEMO_DEBIT, 50)))

    assert held(book) == {"available": 50, "external": -52, "fees": 2, "memo": 50, "memo_contra": -50}
    assert audit.prove().problems == []


def test_a_rejected_withdrawal_restores_both_balances() -> None:
    book = deposited(100)
    before = held(book)
    posting.post(user_withdrawal(book, (Kind.MEMO_FREEZE, 50), (Kind.FREEZE, 52)))  # the merchant pays the fee

    posting.post(user_withdrawal(book, (Kind.MEMO_REFUND, 50), (Kind.REFUND, 52)))

    assert held(book) == before


def test_the_user_is_short_although_the_merchant_is_not_and_nothing_moves() -> None:
    book = deposited(100)
    book.post(Kind.DEPOSIT, 1000)

    with pytest.raises(InsufficientFunds) as refused:
        posting.post(user_withdrawal(book, (Kind.MEMO_FREEZE, 101), (Kind.FREEZE, 101)))

    assert (refused.value.ref, refused.value.short_units) == (book.memo, 1)
    assert (book.holds(book.available), book.holds(book.memo)) == (1100, 100)


def test_the_merchant_is_short_although_the_user_is_not_and_nothing_moves() -> None:
    book = deposited(100)
    book.post(Kind.FREEZE, 60)

    with pytest.raises(InsufficientFunds) as refused:
        posting.post(user_withdrawal(book, (Kind.MEMO_FREEZE, 50), (Kind.FREEZE, 50)))

    assert (refused.value.ref, refused.value.short_units) == (book.available, 10)
    assert (book.holds(book.memo), book.holds(book.memo_frozen)) == (100, 0)


def test_money_moves_between_a_merchants_accounts_and_not_beyond_what_is_there() -> None:
    book = funded(100)
    shop = book.ref(P.AVAILABLE, owner=new_id())
    movement = replace(book.movement(Kind.TRANSFER, 70), target=shop)

    posting.post([movement])

    assert (book.holds(book.available), book.holds(shop)) == (30, 70)
    with pytest.raises(InsufficientFunds):
        posting.post([replace(movement, id=new_id())])


def sums(book: Book) -> dict[str, int]:
    totals: dict[str, int] = {}
    for ref, balance in balances.book(book.id):
        totals[ref.asset] = totals.get(ref.asset, 0) + balance.balance_units
    return totals


def test_a_conversion_changes_assets_and_each_sums_to_zero() -> None:
    book = funded(1000)
    conversion = book.conversion(100, bought_units=92)

    posted = converting.convert(conversion)

    assert (book.holds(book.available), book.holds(conversion.bought)) == (900, 92)
    assert sums(book) == {"USDT": 0, "EURC": 0}
    assert [one.source_balance_units for one in posted] == [900, -92]
    for event in Event.objects.filter(book=book.id, kind="CONVERT"):
        assert (event.txn, event.data["rate"]) == (conversion.id, "0.92")
    assert converting.convert(conversion)[0].repeated
    assert audit.prove().problems == []


def test_a_conversion_is_frozen_for_a_withdrawal_in_the_same_call() -> None:
    book = funded(1000)
    conversion = book.conversion(100, bought_units=92)
    freeze = Movement(new_id(), conversion.id, Kind.FREEZE, conversion.bought, book.ref(P.FROZEN, asset="EURC"), 92)

    posting.post([*converting.legs(conversion), freeze])

    assert (book.holds(conversion.bought), book.holds(freeze.target)) == (0, 92)


def test_nobody_sells_what_he_has_not() -> None:
    book = funded(99)

    with pytest.raises(InsufficientFunds):
        converting.convert(book.conversion(100))

    assert sums(book) == {"USDT": 0, "EURC": 0}
    assert book.holds(book.available) == 99


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_is_a_positive_number(rate: str) -> None:
    with pytest.raises(LedgerRefused, match="convert_by_rate"):
        converting.legs(replace(Book().conversion(1), rate=Decimal(rate)))


def test_a_very_small_rate_is_written_in_digits() -> None:
    leg, _ = converting.legs(replace(Book().conversion(1), rate=Decimal("1E-12")))

    assert leg.data["rate"] == "0.000000000001"


# fmt: off
HALVES: dict[str, tuple[str, Callable[[Movement, Movement], list[Movement]]]] = {
    "one leg alone":             ("convert_in_pairs", lambda one, _: [one]),
    "legs of two transactions":  ("convert_in_pairs", lambda one, other: [one, replace(other, txn=new_id())]),
    "two rates":                 ("convert_in_pairs", lambda one, other: [one, says(other, rate="1", pair=one.id)]),
    "no rate":                   ("convert_by_rate",
                                  lambda one, other: [says(one, pair=other.id), says(other, pair=one.id)]),
    "a rate in words":           ("convert_by_rate",
                                  lambda one, other: [says(one, rate="1e3", pair=other.id),
                                                      says(other, rate="1e3", pair=one.id)]),
    "no pair":                   ("convert_in_pairs", lambda one, other: [one, says(other, rate="0.92")]),
    "a pair of its own":         ("convert_in_pairs", lambda one, _: [says(one, rate="0.92", pair=one.id)]),
    "one asset back and forth":  ("convert_in_pairs",
                                  lambda one, other: [one, replace(other, source=one.target, target=one.source)]),
    "both sold":                 ("convert_in_pairs",
                                  lambda one, other: [one, replace(other, source=other.target, target=other.source)]),
}
# fmt: on


def says(movement: Movement, **data: UUID | str) -> Movement:
    return replace(movement, data={key: str(value) for key, value in data.items()})


@pytest.mark.parametrize("case", HALVES)
def test_half_a_conversion_is_refused(case: str) -> None:
    rule, spoil = HALVES[case]
    book = funded(1000)
    conversion = book.conversion(100)
    posting.post(
        [replace(book.movement(Kind.DEPOSIT, 10), source=_outside(conversion.bought), target=conversion.bought)]
    )

    with pytest.raises(LedgerRefused, match=rule), transaction.atomic():
        posting.post(spoil(*converting.legs(conversion)))

    assert sums(book) == {"USDT": 0, "EURC": 0}
    assert not Event.objects.filter(book=book.id, kind="CONVERT").exists()


def _outside(ref: Ref) -> Ref:
    return replace(ref, purpose=P.EXTERNAL, network="tron")


def test_a_second_leg_in_a_later_call_is_too_late() -> None:
    book = funded(1000)
    one, other = converting.legs(book.conversion(100))

    for leg in (one, other):
        with pytest.raises(LedgerRefused, match="convert_in_pairs"), transaction.atomic():
            posting.post([leg])


def test_several_assets_keep_balances_of_their_own() -> None:
    dollars = funded(100)
    euros = Book(id=dollars.id, asset="EURC")
    euros.post(Kind.DEPOSIT, 7)

    with pytest.raises(InsufficientFunds):
        euros.post(Kind.FREEZE, 8)

    assert (dollars.holds(dollars.available), euros.holds(euros.available)) == (100, 7)
    assert dollars.available.id != euros.available.id
    assert UUID(str(dollars.id)) == euros.id
