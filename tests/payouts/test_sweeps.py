"""The sweeps that move withdrawals along: repeatable, and no row stands in another's way.

Invariant 7: what a sweep has to do stands in PostgreSQL; these tests call it whenever they like, as beat does.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from structlog.testing import capture_logs

from chain import alarms, transfers
from chain.models import HotWallet, Intent, IntentState, LaneBalance, SignedAttempt
from ledger import audit, posting
from payouts import rounds, tasks
from payouts.ticks import Tick
from payouts.withdrawals import postings, withdrawals
from payouts.withdrawals.models import Approval, Status, StepTaken, Withdrawal
from tests import make
from tests.chain import labs
from tests.databases import Database
from tests.payouts.crowd import at_once

on_chains = pytest.mark.chains


@pytest.fixture(autouse=True)
def _bells(redis_clean: str) -> None:
    """Rings go to a Redis of this process's own, where nobody listens."""


@pytest.fixture
def book(db: None) -> Any:
    return make.merchant(funds="10000")


def address(network: str) -> dict[str, str]:
    return {"network": network, "destination": labs.recipient(network)}


def statuses(*rows: Withdrawal) -> list[str]:
    return [Withdrawal.objects.get(id=row.id).status for row in rows]


def refused(logs: list[Any]) -> list[str]:
    return [log["refusal"] for log in logs if log["event"] == "sweep.refused"]


def test_screening_puts_every_new_one_into_the_queue_once(book: Any) -> None:
    made = [make.withdrawal(book) for _ in range(3)]
    assert (tasks.screen(), tasks.screen()) == (3, 0)
    assert statuses(*made) == [Status.PENDING_REVIEW] * 3
    assert Withdrawal.objects.get(id=made[0].id).review_notes == "first withdrawal to this address"
    assert Tick.objects.get(sweep="screen").at <= make.now()


def test_screening_passes_what_policy_asks_nobody_about(book: Any) -> None:
    make.policy(book, Approval.NONE)
    made = make.withdrawal(book)
    assert tasks.screen() == 1
    assert statuses(made) == [Status.APPROVED]


def test_screening_never_passes_an_address_that_cannot_be_paid(db: None) -> None:
    book = make.merchant(funds="100000")
    make.policy(book, Approval.NONE)
    made = make.withdrawal(book, "20000")
    HotWallet.objects.create(network="tron", address=make.TRON_ADDRESS)  # becomes one of our own meanwhile
    tasks.screen()
    row = Withdrawal.objects.get(id=made.id)
    assert row.status == Status.PENDING_REVIEW
    assert "cannot be paid" in row.review_notes
    assert "large: 20000.00 USDT" in row.review_notes.replace(",", "")


@on_chains
def test_sweeps_alone_pay_an_approved_withdrawal(book: Any, lab: labs.Lab) -> None:
    """Invariant 3, and every sweep twice: the second time there is nothing to do."""
    wallet = lab.wallet(units=make.usdt("500"))
    made = make.nodded(book, "100", **address(lab.network))
    assert (tasks.dispatch(), tasks.dispatch()) == (1, 0)
    assert statuses(made) == [Status.PROCESSING]
    assert (tasks.sign(), tasks.sign()) == (1, 0)
    assert tasks.send() == 1
    labs.finalise(lab)
    assert (tasks.watch(), tasks.watch()) == (1, 0)
    assert (tasks.settle(), tasks.settle()) == (1, 0)
    done = Withdrawal.objects.get(id=made.id)
    assert (done.status, done.txid) == (Status.COMPLETED, SignedAttempt.objects.get().txid)
    assert lab.balance(made.destination) == make.usdt("99")
    assert lab.balance(wallet.address) == make.usdt("401")
    assert make.holds(book)["fees"] == make.usdt("1")
    assert {"dispatch", "sign", "send", "watch", "settle"} == set(Tick.objects.values_list("sweep", flat=True))


@on_chains
def test_a_payment_that_reverts_is_refunded_by_the_sweeps(ethereum: labs.EvmLab, db: None) -> None:
    """Invariant 4: refunded once it is proven at final depth that it can never pay, and not a block earlier."""
    book = make.merchant(funds="60", credit="50")
    before = make.holds(book)
    wallet = ethereum.wallet(units=make.usdt("500"))
    made = make.nodded(book, "100", **address("ethereum"))
    tasks.dispatch()
    tasks.sign()
    ethereum.blacklist(wallet.address)
    tasks.send()
    ethereum.mine()
    assert (tasks.watch(), tasks.settle()) == (0, 0)
    assert make.holds(book) != before
    labs.finalise(ethereum)
    Intent.objects.update(next_watch_at=make.now())
    assert (tasks.watch(), tasks.settle(), tasks.settle()) == (1, 1, 0)
    done = Withdrawal.objects.get(id=made.id)
    assert (done.status, done.reason) == (Status.FAILED, "the transfer failed on chain")
    assert make.holds(book) == before


@on_chains
def test_dispatch_goes_as_far_as_the_wallets_reach_oldest_first(book: Any, tron: labs.TronLab) -> None:
    tron.wallet(units=make.usdt("250"))
    made = [make.nodded(book, "100", **address("tron")) for _ in range(4)]
    assert (tasks.dispatch(), tasks.dispatch()) == (2, 0)
    assert statuses(*made) == [Status.PROCESSING] * 2 + [Status.APPROVED] * 2
    waiting = alarms.standing().get(kind="withdrawals.waiting", subject="tron/USDT").text
    assert "2 wait" in waiting
    assert f"for 99.00 USDT ({made[2].id}); the most that a lane can pay is 52.00 USDT" in waiting


def test_a_large_withdrawal_holds_up_nobody_and_is_the_first_to_get_new_money(book: Any) -> None:
    wallet = make.lane("tron", units=make.usdt("150"))
    large, small, third = (make.nodded(book, amount, **address("tron")) for amount in ("200", "100", "100"))
    assert (tasks.dispatch(), tasks.dispatch()) == (1, 0)
    assert statuses(large, small, third) == [Status.APPROVED, Status.PROCESSING, Status.APPROVED]
    make.fund(wallet, units=make.usdt("300"))
    assert tasks.dispatch() == 1
    assert statuses(large, small, third) == [Status.PROCESSING, Status.PROCESSING, Status.APPROVED]
    make.fund(wallet, units=make.usdt("500"))
    assert tasks.dispatch() == 1
    assert tasks.dispatch() == 0
    assert not alarms.standing().exclude(kind="endpoint.aside").exists()  # nobody listens at this test's nodes


def test_more_large_withdrawals_than_a_sweep_takes_hold_up_nobody(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "BATCH", 2)
    make.lane("tron", units=make.usdt("150"))
    larger = [make.nodded(book, "200", **address("tron")) for _ in range(3)]
    small = make.nodded(book, "100", **address("tron"))
    assert tasks.dispatch() == 1
    assert statuses(*larger, small) == [Status.APPROVED] * 3 + [Status.PROCESSING]


@on_chains
def test_a_silent_network_does_not_hold_up_the_other(book: Any, tron: labs.TronLab, settings: Any) -> None:
    settings.EVM_RPC_URLS = ["http://127.0.0.1:1"]
    tron.wallet(units=make.usdt("500"))
    HotWallet.objects.create(network="ethereum", address=make.EVM_ADDRESS)
    silent, other = (make.nodded(book, **address(network)) for network in ("ethereum", "tron"))
    LaneBalance.objects.update(read_at=make.now() - timedelta(hours=1))
    assert (tasks.lanes(), tasks.dispatch()) == (1, 1)
    assert sorted(alarms.standing().values_list("kind", "subject")) == [
        ("chain.unread", "ethereum"),
        ("endpoint.aside", "ethereum/127.0.0.1:1"),
        ("lane.low", f"tron/{HotWallet.objects.get(network='tron').address}/USDT"),
        ("withdrawals.waiting", "ethereum/USDT"),
    ]
    assert statuses(silent, other) == [Status.APPROVED, Status.PROCESSING]


@on_chains
def test_an_order_that_the_chain_refuses_does_not_hold_up_the_next(book: Any, tron: labs.TronLab) -> None:
    tron.wallet(units=make.usdt("500"))
    refusable, other = (make.nodded(book, **address("tron")) for _ in range(2))
    HotWallet.objects.create(network="tron", address=refusable.destination, paused=True)  # ours since then
    with capture_logs() as logs:
        assert tasks.dispatch() == 1
    assert refused(logs) == ["BadAddress"]
    assert statuses(refusable, other) == [Status.APPROVED, Status.PROCESSING]
    assert Intent.objects.count() == 1


@on_chains
def test_what_has_no_lane_waits_approved(book: Any, tron: labs.TronLab) -> None:
    wallet = tron.wallet(units=make.usdt("500"))
    made = make.nodded(book, **address("tron"))
    HotWallet.objects.filter(pk=wallet.pk).update(paused=True)
    assert tasks.dispatch() == 0
    HotWallet.objects.filter(pk=wallet.pk).update(paused=False)
    assert tasks.dispatch() == 1
    assert statuses(made) == [Status.PROCESSING]


@on_chains
def test_what_is_not_authorised_is_not_signed_and_holds_up_nobody(book: Any, tron: labs.TronLab) -> None:
    """Invariant 5: the signer reads the approvals itself."""
    tron.wallet(units=make.usdt("500"))
    with transaction.atomic():
        transfers.order(withdrawals.payment(make.withdrawal(book, **address("tron"))), now=make.now())
    other = make.nodded(book, **address("tron"))
    assert tasks.dispatch() == 1
    with capture_logs() as logs:
        assert tasks.sign() == 1
    assert refused(logs) == ["NotAuthorised"]
    assert [attempt.intent.payout_id for attempt in SignedAttempt.objects.all()] == [other.id]


@on_chains
def test_dispatch_sweeps_at_once_order_each_payment_once(committed: Database, tron: labs.TronLab) -> None:
    """Invariant 3, twenty sweeps over five rows: the losers are refused, row by row."""
    book = make.merchant(funds="10000")
    tron.wallet(units=make.usdt("1000"))
    made = [make.nodded(book, **address("tron")) for _ in range(5)]
    assert at_once([tasks.dispatch] * 20) == {"done": 20}
    assert sorted(Intent.objects.values_list("payout_id", flat=True)) == [row.id for row in made]
    assert StepTaken.objects.filter(verb="dispatch").count() == 5
    assert statuses(*made) == [Status.PROCESSING] * 5


def dispatched(of: Any) -> Withdrawal:
    return withdrawals.dispatch(make.nodded(of).id, now=make.now())


def test_a_verdict_that_the_ledger_refuses_does_not_hold_up_the_next(book: Any) -> None:
    make.lane()
    forced, other = dispatched(book), dispatched(book)
    posting.post(postings.movements(forced, "refunded"))
    for one in (forced, other):
        make.decided(one, IntentState.PAID)
    with capture_logs() as logs:
        assert tasks.settle() == 1
    assert refused(logs) == ["IdempotencyConflict"]
    assert statuses(forced, other) == [Status.PROCESSING, Status.COMPLETED]
    assert audit.prove().problems == []


def test_a_verdict_on_nobodys_payout_does_not_hold_up_the_next(book: Any) -> None:
    make.lane()
    foreign = transfers.Payment(uuid4(), "tron", "USDT", make.TRON_ADDRESS, 1)
    with transaction.atomic():
        intent = transfers.order(foreign, now=make.now())
    made = dispatched(book)
    Intent.objects.filter(id=intent.id).update(
        state=IntentState.PAID, txid="f" * 64, proof={"made by": "tests"}, verdict_at=make.now()
    )
    make.decided(made, IntentState.PAID)
    with capture_logs() as logs:
        assert tasks.settle() == 1
    assert refused(logs) == ["DoesNotExist"]
    assert statuses(made) == [Status.COMPLETED]


def test_a_faulty_row_is_loud_and_does_not_hold_up_the_next(book: Any) -> None:
    """What nobody foresaw is no refusal: the sweep fails, its tick stays away, but only after the others' turn."""
    faulty, other = make.withdrawal(book), make.withdrawal(book)
    faulty.id, faulty.asset = UUID(int=faulty.id.int - 1), "NONESUCH"
    faulty.save(force_insert=True)
    with pytest.raises(ExceptionGroup, match="screen: 1 rows failed"):
        tasks.screen()
    assert statuses(faulty, other) == [Status.PENDING, Status.PENDING_REVIEW]
    assert not Tick.objects.filter(sweep="screen").exists()


@pytest.mark.parametrize("stop", rounds.NOBODYS_TURN)
def test_a_sweep_without_its_database_or_time_asks_no_further_rows(book: Any, stop: type[Exception]) -> None:
    asked = []

    def do(row: int, _: object) -> None:
        asked.append(row)
        raise stop

    with pytest.raises(stop):
        rounds.each("screen", [1, 2, 3], do, ())
    assert asked == [1]
