"""A list's total is counted as withdrawals are made: exactly, whoever makes them at once."""

from collections import Counter

import pytest
from django.db import DatabaseError, connection, transaction

from ledger import posting
from payouts.webhooks import endpoints, outbox
from payouts.webhooks import queries as webhook_queries
from payouts.webhooks.models import Endpoint, Message, MessageCount
from payouts.withdrawals import counts, queries
from payouts.withdrawals.models import Status, Withdrawal
from tests import databases, make
from tests.api import users
from tests.payouts import crowd


def test_the_count_is_what_counting_finds_after_a_crowd_and_its_refusals(committed: databases.Database) -> None:
    merchant, other = make.merchant(funds="1000"), make.merchant(funds="1000")
    client = make.client(other)

    outcomes = crowd.at_once([lambda: make.withdrawal(merchant, "90")] * 14, refusals=(posting.InsufficientFunds,))
    make.withdrawal(other, "5")
    assert outcomes == {"done": 11, "InsufficientFunds": 3}
    made = Withdrawal.objects.filter(merchant=merchant).count()
    assert counts.of(merchant, api="merchant") == made
    assert counts.of(merchant, api="merchant", channel="") == made
    assert counts.of(merchant, api="public") == 0
    assert client.get("/v1/withdrawals").json()["total"] == 1
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        counts.WithdrawalCount.objects.filter(merchant=merchant).update(number=7)


def listed(program: users.Program, query: str = "") -> tuple[list[str], int]:
    data = users.data(program.get(f"{users.REQUESTS}?{query}"))
    return [one["id"] for one in data["withdrawals"]], data["pagination"]["total"]


def test_requests_are_counted_by_status_as_they_come_and_move_and_each_page_is_what_sorting_would_give(
    committed: databases.Database, redis_clean: str
) -> None:
    program = users.program(funds="10000", user_funds="5000")
    wallet = users.wallet(program.merchant, users.USER)

    def ask() -> None:
        make.withdrawal(program.merchant, "5", api="public", channel="request", user_wallet=wallet)

    crowd.at_once([ask] * 8, refusals=())
    ids = [str(one) for one in Withdrawal.objects.order_by("-id").values_list("id", flat=True)]
    ends = ["rejected", "completed", "pending", "processing", "cancelled", "pending", "failed", "pending"]
    for one, end in zip(ids, ends, strict=True):
        users.reach(one, end)
    Withdrawal.objects.filter(id=ids[5]).update(status=Status.LEVEL1_APPROVED)
    make.withdrawal(program.merchant, "5", api="public", channel="create", user_wallet=wallet)
    assert listed(program) == (ids, 8)
    for status, number in Counter(ends).items():
        mine = [one for one, end in zip(ids, ends, strict=True) if end == status]
        assert (len(mine), listed(program, f"status={status}")) == (number, (mine, number))
    assert listed(program, "status=pending&page=2&limit=2") == ([ids[7]], 3)
    assert listed(program, "status=pending&page=9") == ([], 3)


def test_a_page_of_requests_is_read_from_an_end_of_its_index(db: None) -> None:
    program = users.program()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    rows = queries.of(program.merchant, api="public").filter(channel="request", status=Status.PENDING)
    plan = rows.values("id")[:20].explain()
    assert "request_by_status" in plan
    assert "Sort" not in plan


def test_a_urls_messages_are_counted_as_they_are_written(db: None) -> None:
    merchants = [make.merchant(funds="1000") for _ in range(2)]
    for merchant, paths in zip(merchants, ("ab", "c"), strict=True):
        for path in paths:
            url = f"https://hooks.example/{path}"
            events = ["withdrawal.created"]
            endpoint = endpoints.register(merchant, api="merchant", url=url, events=events, now=make.now())
            for _ in range(2):
                make.withdrawal(merchant, "5")
            outbox.test(endpoint, now=make.now())
    found = {one.url[-1]: webhook_queries.count(one) for one in Endpoint.objects.all()}
    assert found == {"a": 5, "b": 3, "c": 3}
    assert sum(found.values()) == Message.objects.count()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        MessageCount.objects.update(number=7)
