"""The page that sets ledger against chain, and what a difference that stays does to the signer."""

from datetime import timedelta
from typing import Any

import pytest

from chain import alarms, pausing
from chain.models import HotWallet, Pause
from payouts import reconciliation, surveying
from payouts.surveying import Difference
from tests import make
from tests.chain import deposits
from tests.payouts import arrivals
from tests.payouts.desk import Desk, superuser, text

pytestmark = pytest.mark.django_db
PAGE, RESUME = "/admin/payouts/difference/", "/admin/payouts/difference/tron/resume/"
HOUR = timedelta(hours=1)


def compared(monkeypatch: pytest.MonkeyPatch, *, ledger: str, hot: str, deposits: str = "0", at: Any = None) -> None:
    """One comparison came out like this."""
    found = reconciliation.Comparison(
        "tron",
        "USDT",
        ledger_units=make.usdt(ledger),
        held_units=make.usdt(hot) + (make.usdt(deposits) if deposits != "0" else 0),
        in_flight_units=make.usdt("3.5"),
        deposits_units=make.usdt(deposits) if deposits != "0" else 0,
        arriving_units=make.usdt("2"),
        unbooked_units=1,
        block_number=77,
    )
    if not HotWallet.objects.exists():
        make.lane("tron")  # who has nothing is not compared
    monkeypatch.setattr(reconciliation, "compare", lambda *_: found)
    surveying.reconcile(now=at or make.now())


def test_the_page_explains_the_sum_item_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    compared(monkeypatch, ledger="1041.5", hot="1000.000001", deposits="40")
    said = text(Desk(superuser()).get(PAGE))
    for item in (
        "+ 1,000.000001 on hot wallets",
        "+ 40.00 on deposit addresses",
        "+ 3.50 paid out, not settled",
        "− 2.00 came in, not booked yet",
        "− 0.000001 came in, never booked",
        "− 1,041.50 in the ledger",
        "block 77",
    ):
        assert item in said
    assert "Nothing is signed" not in said
    assert Difference.objects.get(network="tron", asset="USDT").units == 0


def test_what_is_missing_and_stays_missing_stops_the_network_until_a_person_resumes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wallet, boss, clerk, now = make.lane("tron"), Desk(superuser()), Desk(make.approver(1)), make.now()
    short = {"ledger": "1041.5", "hot": "1000.000001", "deposits": "39"}
    compared(monkeypatch, **short, at=now)
    assert not Pause.objects.exists()
    compared(monkeypatch, **short, at=now + HOUR)
    assert HotWallet.objects.get(pk=wallet.pk).paused
    assert alarms.standing().filter(kind="reconciliation.difference").exists()
    said = text(boss.get(PAGE))
    assert "Nothing is signed on tron" in said
    assert "1.00 USDT less on chain than in the ledger" in said
    assert "−1.00" in said
    assert clerk.get(PAGE).status_code == clerk.client.post(RESUME, {"reason": "why not"}).status_code == 403
    assert boss.client.post(RESUME, {"reason": ""}).status_code == 200
    assert boss.client.post(RESUME, {"reason": "counted by hand"}).status_code == 302
    assert Pause.objects.get().ended_reason == "counted by hand"
    compared(monkeypatch, **short, at=now + 2 * HOUR)
    assert not HotWallet.objects.get(pk=wallet.pk).paused  # it has been taken into account
    compared(monkeypatch, **short | {"deposits": "38"}, at=now + 3 * HOUR)
    assert HotWallet.objects.get(pk=wallet.pk).paused
    assert boss.get("/admin/payouts/difference/ethereum/resume/").status_code == 404


def test_a_gift_stops_nothing_and_neither_does_what_is_gone_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can send one unit to a wallet of ours."""
    now = make.now()
    for hours in (0, 1, 2):
        compared(monkeypatch, ledger="1041.5", hot="1000.000002", deposits="40", at=now + hours * HOUR)
    assert alarms.standing().filter(kind="reconciliation.difference").exists()
    compared(monkeypatch, ledger="1041.5", hot="1000", deposits="40", at=now + 3 * HOUR)
    compared(monkeypatch, ledger="1041.5", hot="1000.000001", deposits="40", at=now + 4 * HOUR)
    compared(monkeypatch, ledger="1041.5", hot="1000", deposits="40", at=now + 5 * HOUR)
    assert not Pause.objects.exists()


def test_a_network_that_somebody_else_had_stopped_is_stopped_for_its_difference_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, short = make.now(), {"ledger": "1041.5", "hot": "1000.000001", "deposits": "39"}
    pausing.pause("tron", by="somebody", reason="a new key", now=now)
    for hours in (0, 1):
        compared(monkeypatch, **short, at=now + hours * HOUR)
    pausing.resume("tron", by="somebody", reason="it is there", now=now)
    compared(monkeypatch, **short, at=now + 2 * HOUR)
    assert Pause.objects.get(ended_at=None).by == surveying.STOPPED_BY


def test_what_lies_about_is_listed_with_what_it_waits_for(keystore: object) -> None:
    shop = make.merchant()
    assert shop.pk
    lane = deposits.noted("tron", deposits.address("tron", 3), number=3, now=make.now())
    make.fund(lane, units=make.usdt("7"))
    said = text(Desk(superuser()).get(PAGE))
    assert f"{lane.address} 7 USDT left there more: less than 20 USDT stays" in said
    assert "Nothing has been compared yet" in said
    assert arrivals.book() == []
