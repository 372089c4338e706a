"""What the chain would refuse now waits with an alarm; in the end it is paid, cancelled, or refunded on proof."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from chain import alarms
from chain.models import Intent
from payouts import tasks
from payouts.merchants.models import Merchant
from payouts.withdrawals import rehearsal, sheet, withdrawals
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.chain import labs

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.fixture(autouse=True)
def _bells(redis_clean: str) -> None:
    """Rings go to a Redis of this process's own, where nobody listens."""


@pytest.fixture
def paused(tron: labs.TronLab) -> Iterator[labs.TronLab]:
    """A funded wallet, and USDT paused until the end of the test, or until it is resumed."""
    tron.wallet(units=make.usdt("500"))
    tron.ask("dev/pause", on=True)
    tron.mine()
    yield tron
    resume(tron)


def resume(tron: labs.TronLab) -> None:
    """Again is no change: the second one reverts."""
    tron.ask("dev/pause", on=False)
    tron.mine()


def withdrawal(book: Merchant) -> Withdrawal:
    return make.nodded(book, "100", network="tron", destination=labs.recipient("tron"))


def status(of: Withdrawal) -> str:
    return Withdrawal.objects.get(id=of.id).status


def alarms_text(of: Withdrawal) -> list[str]:
    return [row.text for row in alarms.standing().filter(kind=rehearsal.ALARM, subject=str(of.id))]


def a_minute_later(of: Withdrawal) -> None:
    due = make.now() - timedelta(seconds=1)
    assert Withdrawal.objects.filter(id=of.id, held_until__gt=due).update(held_until=due) == 1


def test_a_held_back_withdrawal_takes_no_order_and_goes_when_the_chain_would_pay(paused: labs.TronLab) -> None:
    made = withdrawal(make.merchant(funds="1000"))
    assert tasks.dispatch() == 0
    assert (status(made), Intent.objects.count()) == (Status.APPROVED, 0)
    assert "transfers are paused" in alarms_text(made)[0]
    shown = sheet.around(Withdrawal.objects.get(id=made.id), public_id="wd_1")
    assert any(row.label == "Held back" and "paused" in row.value for row in shown)
    resume(paused)
    assert tasks.dispatch() == 0  # looked at once a minute
    a_minute_later(made)
    assert tasks.dispatch() == 1
    assert (status(made), alarms_text(made)) == (Status.PROCESSING, [])


def test_what_is_over_the_signers_cap_is_held_back_and_goes_when_the_cap_is_raised(
    tron: labs.TronLab, settings: Settings
) -> None:
    tron.wallet(units=make.usdt("500"))
    settings.SIGNER_CAPS = '{"USDT": {"payment": "50", "hour": "1000", "unattended": "1000"}}'
    made = withdrawal(make.merchant(funds="1000"))
    assert (tasks.dispatch(), status(made), Intent.objects.count()) == (0, Status.APPROVED, 0)
    assert "above the cap of one payment" in alarms_text(made)[0]
    alarms.Alarm.objects.update(raised_at=make.now() - rehearsal.TRIED_AFTER)
    a_minute_later(made)
    assert tasks.dispatch() == 0  # the chain has no part in it: trying would change nothing
    settings.SIGNER_CAPS = '{"USDT": {"payment": "100", "hour": "1000", "unattended": "1000"}}'
    a_minute_later(made)
    assert (tasks.dispatch(), status(made), alarms_text(made)) == (1, Status.PROCESSING, [])


def test_a_held_back_withdrawal_can_be_cancelled_and_leaves_no_alarm(paused: labs.TronLab) -> None:
    book = make.merchant(funds="1000")
    before = make.holds(book)
    made = withdrawal(book)
    tasks.dispatch()
    withdrawals.cancel(made.id, by=withdrawals.DISPATCHER, now=make.now())
    tasks.dispatch()
    assert (status(made), make.holds(book)) == (Status.CANCELLED, before)
    assert alarms_text(made) == []


def test_after_a_quarter_of_an_hour_it_is_tried_and_the_revert_refunds_it(paused: labs.TronLab) -> None:
    book = make.merchant(funds="1000")
    before = make.holds(book)
    made = withdrawal(book)
    assert tasks.dispatch() == 0
    alarms.Alarm.objects.update(raised_at=make.now() - rehearsal.TRIED_AFTER)
    a_minute_later(made)
    assert (tasks.dispatch(), tasks.sign(), tasks.send()) == (1, 1, 1)
    labs.finalise(paused)
    assert (tasks.watch(), tasks.settle()) == (1, 1)
    assert (status(made), make.holds(book)) == (Status.FAILED, before)
    assert "REVERT" in Intent.objects.get().proof["reason"]
    tasks.dispatch()
    assert alarms_text(made) == []
