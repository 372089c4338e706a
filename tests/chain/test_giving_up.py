"""A payment that cannot be signed is given up: its nonce is used up for nothing, and only then is it refunded."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.utils import timezone

from chain import custody, signing, transfers
from chain.models import Intent, IntentState, SignedAttempt
from payouts import operating, tasks
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.chain import labs, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.fixture(autouse=True)
def _bells(redis_clean: str) -> None:
    """Rings go to a Redis of this process's own, where nobody listens."""


def give_up(intent: Intent) -> Intent:
    assert intent.payout_id
    return transfers.give_up(intent.payout_id, by="ann", reason="the address is refused", now=timezone.now())


def test_what_waits_behind_it_goes_on_and_it_is_refunded_on_the_fillers_final_receipt(ethereum: labs.EvmLab) -> None:
    wallet = ethereum.wallet(units=make.usdt("500"))
    book = make.merchant(funds="1000")
    before = make.holds(book)
    stuck, other = (
        make.nodded(book, "100", network="ethereum", destination=labs.recipient("ethereum")) for _ in range(2)
    )
    tasks.dispatch()
    first, second = Intent.objects.order_by("seq")
    assert (first.payout_id, second.seq) == (stuck.id, first.seq + 1)
    call_command("chain", "giveup", str(stuck.id), "--by", "ann", "--reason", "the address is refused")
    assert "given up by ann: the address is refused" in operating.waits_for(Withdrawal.objects.get(id=stuck.id))
    assert tasks.sign() == 2
    tasks.send()
    ethereum.mine()
    tasks.watch()
    assert Withdrawal.objects.get(id=stuck.id).status == Status.PROCESSING  # in a block, not at final depth
    labs.finalise(ethereum)
    Intent.objects.update(next_watch_at=make.now())
    tasks.watch()
    held = custody.held_units("ethereum", "USDT")
    assert held.units + held.uncollected_units == make.usdt("500")
    tasks.settle()
    ended = {one.id: one.status for one in Withdrawal.objects.all()}
    assert ended == {stuck.id: Status.FAILED, other.id: Status.COMPLETED}
    assert [ethereum.balance(one.destination) for one in (stuck, other)] == [0, int(other.net_units)]
    assert ethereum.nonce(wallet.address) == second.seq + 1
    first.refresh_from_db()
    assert (first.state, first.proof["raw"][:4]) == (IntentState.DEAD, "02f8")
    assert "given up by ann" in first.proof["reason"]
    assert make.holds(book)["available"] == before["available"] - int(other.amount_units)


def test_what_is_signed_decided_or_waits_for_no_number_is_not_given_up(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    if lab.network == "tron":
        with pytest.raises(transfers.NotToGiveUp, match="nothing waits behind it"):
            give_up(intent)
    steps.sign(intent, wanted)
    with pytest.raises(transfers.NotToGiveUp, match=r"signed|nothing waits"):
        give_up(intent)
    with pytest.raises(IntegrityError, match="without signed bytes"), transaction.atomic():
        Intent.objects.filter(pk=intent.pk).update(given_up="past the room's own look")
    steps.send()
    labs.finalise(lab)
    assert steps.watch(intent, after_s=60).state == IntentState.PAID
    with pytest.raises(transfers.NotToGiveUp, match="it is PAID"):
        give_up(intent)
    with pytest.raises(CommandError, match="no withdrawal"):
        call_command("chain", "giveup", "wd_nonsense", "--by", "ann", "--reason", "none")


def test_it_is_given_up_once_and_never_taken_back(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    intent = give_up(steps.order(steps.payment("ethereum")))
    assert give_up(intent).given_up == "ann: the address is refused"
    for other in ("", "bob: another reason"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Intent.objects.filter(pk=intent.pk).update(given_up=other)


def test_the_signer_pays_nobody_with_its_number_and_fills_no_number_that_was_not_given_up(
    ethereum: labs.EvmLab,
) -> None:
    ethereum.wallet(units=5_000_000)
    paid, gone = steps.payment("ethereum"), steps.payment("ethereum")
    intent, given = steps.order(paid), give_up(steps.order(gone))
    with pytest.raises(transfers.PayloadDiffers):
        transfers.sign(given.id, expected=gone, now=timezone.now())
    with pytest.raises(transfers.PayloadDiffers):
        transfers.sign(intent.id, expected=transfers.Filler(intent.id), now=timezone.now())
    with pytest.raises(transfers.PayloadDiffers):
        transfers.sign(given.id, expected=transfers.Filler(intent.id), now=timezone.now())
    assert transfers.sign_together({given.pk: gone}, now=timezone.now()) == set()
    assert not SignedAttempt.objects.exists()


def test_a_signer_that_had_read_the_order_before_keeps_no_bytes(
    ethereum: labs.EvmLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent = steps.order(wanted)
    sealed = signing._sealed  # noqa: SLF001 - between reading and keeping

    def overtaken(*asked: Any, **more: Any) -> Any:
        give_up(intent)
        return sealed(*asked, **more)

    monkeypatch.setattr(signing, "_sealed", overtaken)
    assert steps.sign(intent, wanted) is None
    assert not SignedAttempt.objects.exists()


def test_a_fillers_fees_are_raised_when_it_is_stuck_and_it_stays_a_filler(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    intent = give_up(steps.order(steps.payment("ethereum")))
    filler = transfers.Filler(intent.id)
    assert transfers.sign(intent.id, expected=filler, now=timezone.now())
    steps.send()
    Intent.objects.filter(pk=intent.pk).update(bump_due=True)
    assert transfers.sign(intent.id, expected=filler, now=timezone.now() + timedelta(seconds=60))
    steps.send(after_s=60)
    labs.finalise(ethereum)
    assert steps.watch(intent, after_s=90).state == IntentState.DEAD
    assert ethereum.balance(intent.to_address) == 0
