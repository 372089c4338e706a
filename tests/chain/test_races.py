"""Several signers, senders and watchers at once: each step is taken by one of them."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chain import custody, families, gateway, keys, sending, transfers
from chain.models import BroadcastAttempt, HotWallet, Intent, IntentState, SignedAttempt
from tests import databases
from tests.chain import labs, steps
from tests.chain.test_ordering import together

pytestmark = pytest.mark.chains


@pytest.fixture(params=["ethereum", "tron"])
def lab(request: pytest.FixtureRequest, committed: databases.Database) -> labs.Lab:
    """Each chain in turn, with a database that threads share."""
    chosen: labs.Lab = request.getfixturevalue(request.param)
    return chosen


def test_two_signers_of_one_payment_leave_one_live_signature(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    answers = together(*[lambda: steps.sign(intent, wanted)] * 4)
    assert sum(isinstance(answer, SignedAttempt) for answer in answers) == 1
    together(*[steps.send] * 4)
    assert BroadcastAttempt.objects.count() == 1
    labs.finalise(lab)
    together(*[lambda: transfers.watch_due(now=timezone.now(), limit=10)] * 4)
    assert Intent.objects.get(pk=intent.pk).state == IntentState.PAID
    assert lab.balance(wallet.address) == 5_000_000 - wanted.amount_units


def test_a_signer_that_was_overtaken_after_reading_the_chain_leaves_nothing(
    lab: labs.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    real, quicker = keys.sign_digest, []

    def overtaken(network: str, *, address: str, digest: bytes, number: int | None) -> gateway.Signature:
        monkeypatch.setattr(keys, "sign_digest", real)
        lab.mine()  # the quicker one reads other fees and another head, so that its bytes differ
        quicker.append(steps.sign(intent, wanted))
        return real(network, address=address, digest=digest, number=number)

    monkeypatch.setattr(keys, "sign_digest", overtaken)
    assert steps.sign(intent, wanted) is None
    assert SignedAttempt.objects.get(intent=intent) == quicker[0]


def test_many_payments_through_many_workers_are_each_paid_once(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    wanted = {one.payout_id: one for one in (steps.payment(lab.network, units=1_000 + n) for n in range(8))}
    for one in wanted.values():
        steps.order(one)

    def work() -> None:
        for intent in transfers.awaiting_signature(limit=10):
            steps.sign(intent, wanted[intent.payout_id])
        steps.send()

    together(*[work] * 3)
    work()
    labs.finalise(lab)
    together(*[lambda: transfers.watch_due(now=timezone.now(), limit=10)] * 3)
    assert Intent.objects.filter(state=IntentState.PAID).count() == len(wanted)
    assert SignedAttempt.objects.count() == len(wanted)
    spent = sum(one.amount_units for one in wanted.values())
    assert lab.balance(wallet.address) == 5_000_000 - spent
    assert all(lab.balance(one.to_address) == one.amount_units for one in wanted.values())


def test_a_watcher_that_was_overtaken_changes_nothing(lab: labs.Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment(lab.network))
    steps.send()
    labs.finalise(lab)
    family = type(families.gateway(lab.network))
    real = family.judge

    def overtaken(self: gateway.Gateway, *arguments: Any, **named: Any) -> gateway.Judgement:
        monkeypatch.setattr(family, "judge", real)
        assert steps.watch(intent, after_s=60).state == IntentState.PAID
        steps.collect(intent)
        return self.judge(*arguments, **named)

    monkeypatch.setattr(family, "judge", overtaken)
    assert transfers.watch_due(now=timezone.now(), limit=10) == 0
    assert Intent.objects.get(pk=intent.pk).collected_at is not None
    assert transfers.verdicts(limit=10) == []


def test_custody_counts_no_transfer_of_a_later_block(lab: labs.Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.wallet(units=5_000_000)
    steps.signed(steps.payment(lab.network))
    steps.send()
    family = type(families.gateway(lab.network))
    real = family.held

    def outrun(self: gateway.Gateway, *arguments: Any, **named: Any) -> gateway.Holding:
        holding = real(self, *arguments, **named)
        labs.finalise(lab)
        return holding

    monkeypatch.setattr(family, "held", outrun)
    held = custody.held_units(lab.network, "USDT")
    assert (held.units, held.uncollected_units) == (5_000_000, 0)


def test_custody_is_read_again_when_something_is_settled_meanwhile(
    lab: labs.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment(lab.network))
    steps.send()
    labs.finalise(lab)
    steps.watch(intent)
    family = type(families.gateway(lab.network))
    real = family.landed

    def overtaken(self: gateway.Gateway, *arguments: Any) -> gateway.Landing:
        monkeypatch.setattr(family, "landed", real)
        steps.collect(intent)
        return real(self, *arguments)

    monkeypatch.setattr(family, "landed", overtaken)
    held = custody.held_units(lab.network, "USDT")
    assert (held.units, held.uncollected_units) == (4_000_000, 0)


def test_custody_adds_up_at_every_moment_while_payments_move(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    wanted = {one.payout_id: one for one in (steps.payment(lab.network, units=1_000 + n) for n in range(5))}
    done = threading.Event()

    def pay() -> None:
        try:
            for one in wanted.values():
                intent, _ = steps.signed(one)
                steps.send()
                labs.finalise(lab)
                assert steps.watch(intent, after_s=60).state == IntentState.PAID
                steps.collect(intent)
        finally:
            done.set()

    def settled_units() -> int:
        taken = Intent.objects.exclude(collected_at=None).values_list("payout_id", flat=True)
        return sum(wanted[payout].amount_units for payout in taken)

    def compare() -> int:
        compared = 0
        while not done.is_set():
            before = settled_units()
            held = custody.held_units(lab.network, "USDT")
            if settled_units() == before:
                assert held.units + held.uncollected_units == 5_000_000 - before
                compared += 1
        return compared

    _, compared = together(pay, compare)
    assert isinstance(compared, int)
    assert compared > 2
    assert custody.held_units(lab.network, "USDT").units == 5_000_000 - settled_units()


def test_a_worker_that_dies_after_its_claim_holds_a_payment_up_for_its_lease_only(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    steps.signed(steps.payment(lab.network))
    now = timezone.now()
    assert len(sending._claim(lab.network, now=now, limit=10)) == 1  # noqa: SLF001 - and no further
    assert steps.send() == 0
    assert transfers.send_due(now=now + timedelta(seconds=20), limit=10) == 1


def test_on_tron_live_bytes_are_never_replaced_whatever_the_flag_says(
    committed: databases.Database, tron: labs.TronLab
) -> None:
    tron.wallet(units=5_000_000)
    wanted = steps.payment("tron")
    intent, _ = steps.signed(wanted)
    Intent.objects.filter(pk=intent.pk).update(bump_due=True)
    assert steps.sign(intent, wanted) is None
    assert SignedAttempt.objects.filter(intent=intent).count() == 1
    assert HotWallet.objects.count() == 1
