"""Sweeps move what is alike in one transaction; what is refused goes singly and keeps nobody."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from chain import transfers
from chain.models import HotWallet, Intent, IntentState
from ledger import audit
from payouts import tasks, turns
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval, Status, StepTaken, Withdrawal
from tests import make
from tests.chain import labs
from tests.databases import Database
from tests.payouts import hooks

NUMBER = 24
SEVERAL = 60  # statements; singly they would be six times as many


@pytest.fixture(autouse=True)
def _bells(redis_clean: str) -> None:
    """Rings go to a Redis of this process's own, where nobody listens."""


@pytest.fixture
def merchants(db: None) -> list[Merchant]:
    return [make.merchant(funds="1000") for _ in range(2)]


def approved(of: Merchant, number: int = NUMBER) -> list[Withdrawal]:
    make.policy(of, Approval.NONE)
    made = [make.withdrawal(of, "10", destination=labs.recipient("tron")) for _ in range(number)]
    tasks.screen()
    return made


def number_of(status: Status) -> int:
    return Withdrawal.objects.filter(status=status).count()


def test_a_run_is_ordered_and_settled_in_few_statements_and_every_book_is_right(merchants: list[Merchant]) -> None:
    lane = make.lane()
    for merchant in merchants:
        hooks.hook(merchant, "https://example.com/hook", "withdrawal.processing", "withdrawal.completed")
        approved(merchant, NUMBER // 2)
    with CaptureQueriesContext(
        connection,
    ) as ordering:
        assert tasks.dispatch() == NUMBER
    assert number_of(Status.PROCESSING) == NUMBER
    seqs = list(Intent.objects.order_by("seq").values_list("seq", flat=True))
    assert len(set(seqs)) == NUMBER
    assert HotWallet.objects.get(pk=lane.pk).next_seq == seqs[-1] + 1
    for intent in Intent.objects.all():
        make.decided_intent(intent, IntentState.PAID)
    with CaptureQueriesContext(connection) as settling:
        assert tasks.settle() == NUMBER
    assert number_of(Status.COMPLETED) == NUMBER
    assert len(ordering) < SEVERAL
    assert len(settling) < SEVERAL
    for merchant in merchants:
        for verb in ("dispatch", "complete"):
            assert StepTaken.objects.filter(withdrawal__merchant=merchant, verb=verb).count() == NUMBER // 2
        assert merchant.webhook_endpoints.get().messages.count() == NUMBER
        assert make.holds(merchant)["external/tron"] == -make.usdt("1000") + NUMBER // 2 * make.usdt("9")
    for row in Withdrawal.objects.all():
        assert row.txid == Intent.objects.get(payout_id=row.id).txid
    assert audit.prove().problems == []


def test_one_that_is_refused_goes_singly_and_keeps_nobody(merchants: list[Merchant]) -> None:
    make.lane()
    first, *others = approved(merchants[0])
    HotWallet.objects.create(network="tron", address=first.destination)  # becomes one of our own meanwhile
    with capture_logs() as logs:
        assert tasks.dispatch() == len(others)
    assert [log["refusal"] for log in logs if log["event"] == "sweep.refused"] == ["BadAddress"]
    assert number_of(Status.PROCESSING) == len(others)
    assert number_of(Status.APPROVED) == 1


def test_one_verdict_that_cannot_be_taken_keeps_no_other(merchants: list[Merchant]) -> None:
    make.lane()
    first, *others = approved(merchants[0])
    tasks.dispatch()
    for intent in Intent.objects.all():
        make.decided_intent(intent)
    Withdrawal.objects.filter(id=first.id).update(status=Status.CANCELLED)
    with capture_logs() as logs:
        assert tasks.settle() == len(others)
    assert [log["refusal"] for log in logs if log["event"] == "sweep.refused"] == ["StepRefused"]
    assert len(transfers.verdicts(limit=NUMBER)) == 1
    assert audit.prove().problems == []


def test_two_workers_do_not_do_the_same_sweep_at_once(committed: Database) -> None:
    inside, leave = threading.Event(), threading.Event()
    done: list[Any] = []

    @turns.one_at_a_time
    def slow() -> int:
        inside.set()
        assert leave.wait(30)
        return 7

    def work() -> None:
        done.append(slow())
        connection.close()

    first = threading.Thread(target=work)
    first.start()
    assert inside.wait(30)
    assert slow() == 0
    leave.set()
    first.join()
    assert done == [7]
    assert slow() == 7
