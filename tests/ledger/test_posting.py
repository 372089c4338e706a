"""What the one writer does: every kind, in order, once, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger import audit, balances, posting
from ledger.accounts import Purpose, Ref
from ledger.models import Account, Event
from ledger.posting import IdempotencyConflict, InsufficientFunds, Kind, LedgerRefused, Movement
from tests.ledger.books import TWO_PERSONS, Book, funded, new_id

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
    return book


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_moves_its_amount_between_its_two_purposes(kind: Kind) -> None:
    book = rich()
    source, target = book.ends(kind)
    before = book.holds(source), book.holds(target)

    book.post(kind, 7)

    assert (book.holds(source), book.holds(target)) == (before[0] - 7, before[1] + 7)
    assert audit.prove().problems == []


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ADJUST])
@pytest.mark.parametrize("source", list(Purpose))
@pytest.mark.parametrize("target", list(Purpose))
def test_a_kind_goes_nowhere_else(kind: Kind, source: Purpose, target: Purpose) -> None:
    book = rich()
    ends = tuple(ref.purpose for ref in book.ends(kind))
    if (source, target) == ends:
        return
    refs = [
        book.ref(purpose, owner=owner, network="tron" if purpose is Purpose.EXTERNAL else "")
        for purpose, owner in ((source, book.id), (target, new_id() if source is target else book.id))
    ]
    movement = replace(book.movement(kind, 1), source=refs[0], target=refs[1])

    with pytest.raises(LedgerRefused, match="event_kind_between_purposes"):
        posting.post([movement])


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


def test_an_order_that_overdraws_in_between_is_refused() -> None:
    book = Book()

    with pytest.raises(InsufficientFunds):
        posting.post([book.movement(Kind.FREEZE, 60), book.movement(Kind.DEPOSIT, 100)])


def test_a_repeat_answers_the_first_posting() -> None:
    book = funded(100)
    movements = [book.movement(Kind.FREEZE, 30), book.movement(Kind.FREEZE, 20)]
    first = posting.post(movements)
    book.post(Kind.FREEZE, 1)

    again = posting.post(movements)

    assert again == [replace(posted, repeated=True) for posted in first]
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

    assert posting.post([movement]) == [replace(first, repeated=True)]


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


def test_the_outside_and_the_fees_have_no_floor() -> None:
    book = Book()
    book.post(Kind.DEPOSIT, 10**30)

    assert balances.balance(book.external) == balances.Balance(-(10**30), None, 1)
    assert balances.balance(book.external).spendable_units is None


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
