"""A create of the `public` API waits for its end: told by PostgreSQL, bounded in time and number, never a guess."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from payouts.withdrawals import ends
from payouts.withdrawals.models import Withdrawal
from tests import databases
from tests.api import users
from tests.api.users import CREATE, CREATE_PATH, Program, conformance

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
LONG_S = 60.0  # nobody waits so long in a test that passes


@pytest.fixture
def program(committed: databases.Database, settings: Any) -> Program:
    """A program whose creates wait for as long as it takes."""
    settings.WITHDRAWAL_WAIT_S = LONG_S
    settings.WITHDRAWAL_WAITERS = 4
    return users.program()


def until(look: Callable[[], object], *, what: str) -> None:
    deadline = time.monotonic() + LONG_S
    while not look():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.02)


def in_thread(job: Callable[[], Any]) -> Any:
    try:
        return job()
    finally:
        connection.close()


def waiting() -> int:
    """How many wait in this process now."""
    return sum(map(len, ends.listener._waiting.values()))  # noqa: SLF001 - what a test can know it by


def made() -> str:
    """The one withdrawal's id, as soon as it is there and somebody waits for it."""
    until(lambda: waiting() and Withdrawal.objects.exists(), what="a create that waits")
    return str(Withdrawal.objects.get().id)


@conformance("S a create answers completed with its transactionHash when the worker got there")
@conformance("R the wait listens: no polling loop against the database")
@pytest.mark.parametrize("end", ["completed", "failed"])
def test_a_create_is_answered_with_its_end_as_soon_as_that_comes(program: Program, end: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(in_thread, program.create)
        users.reach(made(), end)
        data = users.data(answer.result(LONG_S), status=201)
    assert (data["status"], data["fee"], data["netAmount"]) == (end, 2, 48)
    assert data["transactionHash"] == ("ab" * 32 if end == "completed" else None)


@conformance("R after the bounded wait the answer is processing")
def test_when_the_wait_is_over_the_answer_says_processing(program: Program, settings: Any) -> None:
    settings.WITHDRAWAL_WAIT_S = 0.3
    data = users.data(program.create(), status=201)
    assert (data["status"], data["transactionHash"]) == ("processing", None)
    assert waiting() == 0


def test_who_waits_holds_no_connection_to_the_database(program: Program, owner: psycopg.Connection) -> None:
    before = sessions(owner)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(in_thread, lambda: program.create(amount=10)) for _ in range(2)]
        until(lambda: waiting() == 2, what="two that wait")
        until(lambda: sessions(owner) <= before + 1, what="the listener's connection alone")
        for one in Withdrawal.objects.all():
            users.reach(str(one.id), "completed")
        assert {users.data(answer.result(LONG_S), status=201)["status"] for answer in answers} == {"completed"}


def sessions(owner: psycopg.Connection) -> int:
    row = owner.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
    assert row
    return int(row[0])


def test_beyond_the_places_to_wait_a_create_is_answered_at_once(program: Program, settings: Any) -> None:
    settings.WITHDRAWAL_WAITERS = 1
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, lambda: program.create(amount=10))
        one = made()
        assert users.data(program.create(amount=11), status=201)["status"] == "processing"
        assert not first.done()
        users.reach(one, "completed")
        assert users.data(first.result(LONG_S), status=201)["status"] == "completed"


def test_a_listener_that_lost_its_connection_misses_nothing(program: Program, owner: psycopg.Connection) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(in_thread, program.create)
        one = made()
        until(lambda: cut_off(owner), what="a listener to cut off")
        users.reach(one, "completed")  # perhaps while nobody listens
        assert users.data(answer.result(LONG_S), status=201)["status"] == "completed"


def cut_off(owner: psycopg.Connection) -> bool:
    """End the listener's session from the other side."""
    query = f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS listeners"  # noqa: S608 - our own text
    return bool(owner.execute(query).fetchall())


def test_an_end_that_came_before_the_waiting_is_seen(program: Program, owner: psycopg.Connection) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(in_thread, program.create)
        one = made()  # somebody waits, so that the listener listens already and tells nothing when it begins
        until(lambda: owner.execute(LISTENERS).fetchall(), what="a listener")
        ended = users.reach(users.data(program.request(), status=201)["id"], "rejected")
        started = time.monotonic()
        assert ends.listener.wait(ended.id, seconds=LONG_S)
        assert time.monotonic() - started < LONG_S / 2
        users.reach(one, "completed")
        assert users.data(answer.result(LONG_S), status=201)["status"] == "completed"


@pytest.mark.django_db
def test_nobody_waits_inside_a_transaction() -> None:
    with pytest.raises(RuntimeError):
        ends.listener.wait(users.program().merchant.id, seconds=1)


@conformance("R Idempotency-Key: a repeat gets the first answer, while it is in flight 409, another body 422")
def test_a_repeat_gets_the_answer_that_the_first_call_waited_for(program: Program) -> None:
    key = {"Idempotency_Key": "order-4711"}

    def create() -> Any:
        return program.post(CREATE_PATH, CREATE, **key)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, create)
        one = made()
        assert users.error(create())[0] == 409
        users.reach(one, "completed")
        answered = first.result(LONG_S)
    again = create()
    assert (again.status_code, again.content) == (201, answered.content)
    assert users.error(program.post(CREATE_PATH, CREATE | {"amount": 51}, **key))[0] == 422
    assert Withdrawal.objects.count() == 1


def test_a_repeat_after_the_first_calls_worker_died_is_answered_by_what_is_so(program: Program, settings: Any) -> None:
    key = {"Idempotency_Key": "order-4711"}
    settings.WITHDRAWAL_WAIT_S = 0.05  # who does not wait at all has answered when it is made
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("payouts.withdrawals.idempotency.keep", lambda *_: None)  # it died before it answered
        one = users.data(program.post(CREATE_PATH, CREATE, **key), status=201)["id"]
    users.reach(one, "completed")
    assert users.error(program.post(CREATE_PATH, CREATE, **key))[0] == 409
    with monkey.context() as patch:
        patch.setattr("payouts.api.public.views.IN_FLIGHT_S", 0)
        assert users.data(program.post(CREATE_PATH, CREATE, **key), status=201)["status"] == "completed"


def test_a_hundred_at_once_with_one_key_make_one_withdrawal(program: Program, settings: Any) -> None:
    settings.WITHDRAWAL_WAIT_S = 0
    programs = [program, *(users.colleague(program) for _ in range(4))]  # each has 30 calls in 15 minutes
    statuses: list[int] = []
    start = threading.Barrier(20)

    def create(number: int) -> None:
        start.wait(30)
        statuses.extend(caller.post(CREATE_PATH, CREATE, Idempotency_Key="one").status_code for caller in programs)
        connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(create, range(20)))
    assert set(Counter(statuses)) <= {201, 409}
    assert Withdrawal.objects.count() == 1
    assert users.owed(program.merchant)[1] == 50 * 10**6
