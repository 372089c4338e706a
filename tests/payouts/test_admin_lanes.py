"""Lanes and alarms in the admin: what is wrong is seen first, a lane is stopped with a reason, thresholds are set."""

import pytest
from django.utils import timezone

from chain import alarms
from chain.models import HotWallet, LaneThreshold, Pause
from tests import make
from tests.payouts.desk import Desk, superuser

pytestmark = pytest.mark.django_db
THRESHOLDS = "/admin/chain/lanethreshold/"


@pytest.fixture
def boss() -> Desk:
    return Desk(superuser())


@pytest.fixture
def clerk() -> Desk:
    return Desk(make.approver(1))


def alarm(subject: str, *, cleared: bool = False) -> None:
    alarms.raise_alarm("lane.low", subject=subject, text="5 USDT free", now=timezone.now())
    if cleared:
        alarms.clear("lane.low", subject=subject, now=timezone.now())


def test_open_alarms_stand_on_the_front_page_and_first_in_their_list(boss: Desk, clerk: Desk) -> None:
    assert "Open alarms" not in boss.get("/admin/").content.decode()
    alarm("tron/over/USDT", cleared=True)
    alarm("tron/T1/USDT")
    front = boss.get("/admin/").content.decode()
    assert "Open alarms" in front
    assert "tron/T1/USDT" in front
    assert "tron/over/USDT" not in front
    assert "Open alarms" not in clerk.get("/admin/").content.decode()
    listed = boss.get("/admin/chain/alarm/").content.decode()
    assert listed.index("tron/T1/USDT") < listed.index("tron/over/USDT")
    assert "holds less than its threshold" in listed
    assert clerk.get("/admin/chain/alarm/").status_code == 403
    assert boss.client.post("/admin/chain/alarm/add/", {"kind": "lane.low"}).status_code == 403


def test_a_lane_is_paused_and_resumed_with_a_reason_by_whoever_may(boss: Desk, clerk: Desk) -> None:
    wallet = make.lane("tron")
    pause, resume = (f"/admin/chain/hotwallet/{wallet.pk}/{verb}/" for verb in ("pause", "resume"))
    assert wallet.address in boss.get("/admin/chain/hotwallet/").content.decode()
    assert clerk.client.post(pause, {"reason": "because"}).status_code == 403
    assert boss.client.post(pause, {"reason": ""}).status_code == 200
    assert wallet.address in boss.get(pause).content.decode()
    assert not Pause.objects.exists()
    assert boss.client.post(pause, {"reason": "the key is being moved"}).status_code == 302
    assert HotWallet.objects.get().paused
    assert "the key is being moved" in boss.get("/admin/chain/hotwallet/").content.decode()
    boss.client.post(resume, {"reason": "moved"})
    boss.client.post(resume, {"reason": "moved twice"})
    name = boss.approver.person.username
    assert Pause.objects.values_list("by", "reason", "ended_by", "ended_reason").get() == (
        name, "the key is being moved", name, "moved",
    )  # fmt: skip
    assert not HotWallet.objects.get().paused
    assert "moved" in boss.get("/admin/chain/pause/").content.decode()


def test_a_superuser_sets_a_threshold_that_makes_sense_and_nobody_else_any(boss: Desk, clerk: Desk) -> None:
    wallet = make.lane("tron")
    row = {"asset": "USDT", "network": "tron", "wallet": str(wallet.pk), "low_amount": "2500.5"}
    assert clerk.client.post(f"{THRESHOLDS}add/", row).status_code == 403
    for wrong in ({"asset": "DAI"}, {"network": "ethereum"}, {"low_amount": "-1"}, {"asset": "XXX"}):
        assert boss.client.post(f"{THRESHOLDS}add/", row | wrong).status_code == 200
    assert not LaneThreshold.objects.filter(network="tron").exists()
    assert boss.client.post(f"{THRESHOLDS}add/", row).status_code == 302
    assert LaneThreshold.objects.get(network="tron").wallet == wallet
    assert "USDT" in boss.get(THRESHOLDS).content.decode()


def test_a_withdrawals_page_says_what_it_waits_for(clerk: Desk) -> None:
    made = make.withdrawal(make.merchant(funds="1000"))
    assert "Waits for" in clerk.get(f"/admin/payouts/withdrawal/{made.id}/change/").content.decode()
