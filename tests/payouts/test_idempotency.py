"""A repeated create gets the first answer; what failed leaves nothing behind; keys are each merchant's own."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from ledger.posting import InsufficientFunds
from payouts.merchants.models import Merchant
from payouts.withdrawals import idempotency
from payouts.withdrawals.models import IdempotencyKey, Withdrawal
from tests import make
from tests.databases import Database


@pytest.fixture
def merchant(db: None) -> Merchant:
    return make.merchant(funds="1000")


def scope(of: Merchant, **changes: Any) -> idempotency.Scope:
    facts: dict[str, Any] = {"endpoint": "POST /x", "key": "k", "request": {"amount": "100"}}
    return idempotency.Scope(of, **facts | changes)


def creating(of: Merchant, amount: str = "100") -> Callable[[], idempotency.Answer]:
    return lambda: (201, {"id": str(make.withdrawal(of, amount).id)})


def never() -> idempotency.Answer:
    pytest.fail("this was answered before")


def test_a_repeat_gets_the_first_answer_and_makes_nothing(merchant: Merchant) -> None:
    first = idempotency.once(scope(merchant), creating(merchant), now=make.now())
    assert idempotency.once(scope(merchant), never, now=make.now()) == first
    assert first == (201, {"id": str(Withdrawal.objects.get().id)})


@pytest.mark.parametrize(
    "other", [{"amount": "101"}, {"amount": "100", "memo": ""}, {}, {"amount": Decimal("100.0")}, ["amount", "100"]]
)
def test_a_key_with_another_request_is_refused(merchant: Merchant, other: Any) -> None:
    idempotency.once(scope(merchant), creating(merchant), now=make.now())
    with pytest.raises(idempotency.KeyReused):
        idempotency.once(scope(merchant, request=other), never, now=make.now())
    assert Withdrawal.objects.count() == 1


def test_the_order_of_a_requests_fields_does_not_matter(merchant: Merchant) -> None:
    first = {"amount": Decimal("1.50"), "to": {"b": "1", "a": "2"}}
    again = {"to": {"a": "2", "b": "1"}, "amount": Decimal("1.50")}
    answer = idempotency.once(scope(merchant, request=first), creating(merchant), now=make.now())
    assert idempotency.once(scope(merchant, request=again), never, now=make.now()) == answer


@pytest.mark.parametrize("change", [{"key": "l"}, {"endpoint": "POST /y"}], ids=["key", "endpoint"])
def test_another_key_or_endpoint_is_another_create(merchant: Merchant, change: dict[str, str]) -> None:
    one = idempotency.once(scope(merchant), creating(merchant), now=make.now())
    two = idempotency.once(scope(merchant, **change), creating(merchant), now=make.now())
    assert one != two
    assert Withdrawal.objects.count() == 2


def test_the_same_key_of_another_merchant_is_another_key(merchant: Merchant) -> None:
    """Invariant 6: nobody gets an answer that was somebody else's, nor learns that the key is taken."""
    other = make.merchant(funds="1000")
    mine = idempotency.once(scope(merchant), creating(merchant), now=make.now())
    theirs = idempotency.once(scope(other, request={"amount": "7"}), creating(other, "7"), now=make.now())
    assert mine != theirs
    assert Withdrawal.objects.filter(merchant=other).count() == 1


def test_without_a_key_every_call_is_a_first(merchant: Merchant) -> None:
    for _ in range(2):
        idempotency.once(None, creating(merchant), now=make.now())
    assert (Withdrawal.objects.count(), IdempotencyKey.objects.count()) == (2, 0)


def test_nothing_is_kept_of_what_failed(committed: Database) -> None:
    merchant = make.merchant(funds="1000")
    before = make.holds(merchant)
    with pytest.raises(InsufficientFunds):
        idempotency.once(scope(merchant), creating(merchant, "1001"), now=make.now())
    assert (Withdrawal.objects.count(), IdempotencyKey.objects.count()) == (0, 0)
    assert make.holds(merchant) == before
    assert idempotency.once(scope(merchant), creating(merchant), now=make.now())[0] == 201


def test_the_withdrawal_and_its_key_are_kept_together_or_not_at_all(committed: Database) -> None:
    """A crash after the create and before the key's row: neither is there, the repeat may create."""
    merchant = make.merchant(funds="1000")

    def unanswerable() -> idempotency.Answer:
        make.withdrawal(merchant)
        return 201, {"id": object()}

    with pytest.raises(TypeError):
        idempotency.once(scope(merchant), unanswerable, now=make.now())
    assert (Withdrawal.objects.count(), make.holds(merchant).get("frozen")) == (0, None)


def test_a_repeat_while_the_first_is_going_on_is_told_so_at_once(committed: Database) -> None:
    merchant = make.merchant(funds="1000")
    begun, finish = threading.Event(), threading.Event()

    def slow() -> idempotency.Answer:
        begun.set()
        finish.wait(timeout=10)
        return creating(merchant)()

    def first() -> None:
        try:
            idempotency.once(scope(merchant), slow, now=make.now())
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(timeout=10)
    with pytest.raises(idempotency.StillInFlight):
        idempotency.once(scope(merchant), never, now=make.now())
    assert idempotency.once(scope(merchant, key="another"), lambda: (200, {}), now=make.now()) == (200, {})
    finish.set()
    thread.join()
    assert idempotency.once(scope(merchant), never, now=make.now())[0] == 201


def test_what_postgresql_gave_up_on_is_run_again_as_a_whole(merchant: Merchant) -> None:
    tries = 0

    def deadlocked_twice() -> idempotency.Answer:
        nonlocal tries
        tries += 1
        answer = creating(merchant)()
        if tries < 3:
            raise OperationalError from psycopg.errors.DeadlockDetected()
        return answer

    answer = idempotency.once(scope(merchant), deadlocked_twice, now=make.now())
    assert (tries, Withdrawal.objects.count()) == (3, 1)
    assert answer == (201, {"id": str(Withdrawal.objects.get().id)})


def test_five_tries_are_enough(merchant: Merchant) -> None:
    tries = 0

    def deadlocked() -> idempotency.Answer:
        nonlocal tries
        tries += 1
        raise OperationalError from psycopg.errors.SerializationFailure()

    with pytest.raises(OperationalError):
        idempotency.once(scope(merchant), deadlocked, now=make.now())
    assert (tries, IdempotencyKey.objects.count()) == (5, 0)
