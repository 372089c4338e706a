"""Pauses: who stopped what and why, and what a pause stops."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from chain import lanes, pausing, transfers
from chain.models import HotWallet, Intent, Pause
from tests.chain import labs, steps
from tests.chain.test_ordering import lane

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ANN = {"by": "ann", "reason": "the key is being moved"}
BOB = {"by": "bob", "reason": "moved"}


def test_a_paused_lane_takes_no_orders_until_it_is_resumed_and_all_of_it_is_on_record() -> None:
    wallet = lane("tron")
    pausing.pause("tron", address=wallet.address, now=NOW, **ANN)
    pausing.pause("tron", address=wallet.address, by="eve", reason="again", now=NOW + timedelta(minutes=1))
    with pytest.raises(transfers.NoLane):
        steps.order(steps.payment("tron"))
    pausing.resume("tron", address=wallet.address, now=NOW + timedelta(minutes=2), **BOB)
    steps.order(steps.payment("tron"))
    kept = Pause.objects.get()
    assert (kept.by, kept.reason, kept.at) == ("ann", "the key is being moved", NOW)
    assert (kept.ended_by, kept.ended_reason, kept.ended_at) == ("bob", "moved", NOW + timedelta(minutes=2))
    with pytest.raises(IntegrityError), transaction.atomic():
        Pause.objects.all().delete()


def test_a_paused_network_stops_its_lanes_and_a_lane_paused_by_itself_stays_so() -> None:
    first, second, other = lane("tron"), lane("tron"), lane("ethereum")
    pausing.pause("tron", address=first.address, now=NOW, **ANN)
    pausing.pause("tron", now=NOW, **ANN)
    assert set(HotWallet.objects.filter(paused=True)) == {first, second}
    with pytest.raises(pausing.NotPaused):
        pausing.resume("tron", address=second.address, now=NOW, **BOB)
    pausing.resume("tron", now=NOW, **BOB)
    assert set(HotWallet.objects.filter(paused=True)) == {first}
    assert not HotWallet.objects.get(pk=other.pk).paused
    assert [pause.wallet for pause in pausing.reasons(first)] == [first]


def test_a_pause_names_a_lane_of_ours_and_says_who_and_why() -> None:
    wallet = lane("tron")
    with pytest.raises(pausing.NoSuchLane):
        pausing.pause("tron", address=labs.recipient("tron"), now=NOW, **ANN)
    with pytest.raises(IntegrityError), transaction.atomic():
        pausing.pause("tron", address=wallet.address, by="", reason="because", now=NOW)
    assert not HotWallet.objects.get().paused


@pytest.mark.chains
def test_a_pause_stops_signatures_and_not_the_bytes_that_are_signed(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment(lab.network))
    wanted = steps.payment(lab.network)
    unsigned = steps.order(wanted)
    pausing.pause(lab.network, now=NOW, **ANN)
    assert steps.sign(unsigned, wanted) is None
    assert lab.wallet(units=1).paused  # a wallet that comes into use meanwhile
    assert steps.send() == 1
    labs.finalise(lab)
    assert steps.watch(intent, after_s=60).state == "PAID"
    pausing.resume(lab.network, now=NOW, **BOB)
    assert steps.sign(Intent.objects.get(pk=unsigned.pk), wanted) is not None
    assert [found.paused for found in lanes.all_of(lab.network)] == [False, False]
