"""The signer's caps: what is over one waits with an alarm and goes on by itself; nobody raises them by the database."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import alarms, caps, transfers
from chain.models import HotWallet, Intent, IntentState, SignedAttempt
from tests.chain import labs, steps
from tests.chain.test_evm_payments import BUMP_AFTER_S

pytestmark = [pytest.mark.django_db, pytest.mark.chains]
COIN = 1_000_000


@pytest.fixture(autouse=True)
def _caps(settings: Settings) -> None:
    settings.SIGNER_CAPS = limits(payment="5", hour="8", unattended="2")


def limits(asset: str = "USDT", **row: str) -> str:
    return json.dumps({asset: row})


def payment(coins: str, **changes: Any) -> transfers.Payment:
    made = steps.payment("ethereum", units=int(float(coins) * COIN))
    return transfers.Payment(made.payout_id, made.network, made.asset, made.to_address, made.amount_units, **changes)


def refused(wanted: transfers.Payment, *, after_s: int = 0) -> str:
    """Why it is not signed."""
    intent = Intent.objects.filter(payout_id=wanted.payout_id).first() or steps.order(wanted)
    with pytest.raises(transfers.OverCap):
        steps.sign(intent, wanted, now=timezone.now() + timedelta(seconds=after_s))
    assert not intent.attempts.exists()
    assert [one.subject for one in alarms.standing() if one.kind == "payment.capped"].count(str(intent.id)) == 1
    return Intent.objects.get(pk=intent.pk).last_error


def test_one_payment_above_its_cap_waits_until_the_cap_is_raised(ethereum: labs.EvmLab, settings: Settings) -> None:
    ethereum.wallet(units=50 * COIN)
    wanted = payment("5.000001")
    assert "5.000001 USDT is above the cap of one payment, 5.00 USDT" in refused(wanted)
    intent = Intent.objects.get()
    assert transfers.awaiting_signature(limit=10, now=timezone.now()) == []  # others have their turn first
    settings.SIGNER_CAPS = limits(payment="6", hour="8")
    assert steps.sign(intent, wanted)
    assert not alarms.standing().filter(kind="payment.capped").exists()
    assert Intent.objects.get().last_error == ""


def test_an_hour_has_its_cap_and_the_next_one_goes_on_by_itself(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=50 * COIN)
    steps.signed(payment("5"))
    steps.signed(payment("3"))
    third = payment("0.000001")
    assert "would take this hour above its cap, 8.00 USDT" in refused(third)
    refused(third, after_s=3590)
    later = timezone.now() + timedelta(seconds=3601)
    assert steps.sign(Intent.objects.get(payout_id=third.payout_id), third, now=later)
    assert not alarms.standing().filter(kind="payment.capped").exists()


def test_what_nobody_said_yes_to_has_a_cap_of_its_own(ethereum: labs.EvmLab, settings: Settings) -> None:
    ethereum.wallet(units=50 * COIN)
    steps.signed(payment("5"))
    steps.signed(payment("2", attended=False))
    assert "no person's yes" in refused(payment("0.5", attended=False))
    steps.signed(payment("1"))
    settings.SIGNER_CAPS = limits(payment="5", hour="100")
    refused(payment("0.000001", attended=False), after_s=3601)  # left out: nothing


def test_a_replacement_counts_once_and_is_not_held_back(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=50 * COIN)
    wanted = payment("5")
    intent, _ = steps.signed(wanted)
    steps.send()
    assert steps.watch(intent, after_s=BUMP_AFTER_S + 1).bump_due
    steps.signed(payment("3"))
    assert steps.sign(intent, wanted, now=timezone.now() + timedelta(seconds=BUMP_AFTER_S + 1))
    assert SignedAttempt.objects.count() == 3
    refused(payment("0.1"))


def test_an_asset_that_is_not_on_the_list_is_not_signed(ethereum: labs.EvmLab, settings: Settings) -> None:
    ethereum.wallet(units=50 * COIN)
    settings.SIGNER_CAPS = limits("USDC", payment="5", hour="8")
    assert "USDT is not on the signer's list" in refused(payment("1"))
    settings.SIGNER_CAPS = limits("*", payment="5", hour="8")
    settings.IS_LOCAL = False  # production names every asset
    refused(payment("1"))
    settings.IS_LOCAL = True
    steps.signed(payment("1"))


def test_two_signers_do_not_spend_the_same_hour(ethereum: labs.EvmLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look, under the lock: as if the other signer had committed between the look and the commit."""
    ethereum.wallet(units=50 * COIN)
    wanted = payment("4")
    intent = steps.order(wanted)
    turns = caps.take_turns

    def late() -> None:
        monkeypatch.setattr(caps, "take_turns", turns)
        other = payment("5")
        SignedAttempt.objects.create(
            intent=steps.order(other), number=1, txid="other", raw=b"", fees={}, ref_number=1, signed_at=timezone.now()
        )

    monkeypatch.setattr(caps, "take_turns", late)
    with pytest.raises(transfers.OverCap):
        steps.sign(intent, wanted)
    assert not intent.attempts.exists()


def test_anchors_burn_no_more_gas_than_the_pause_allows(settings: Settings) -> None:
    settings.SEAL_ANCHOR_EVERY_S = 3600
    caps.check_anchor("ethereum", now=timezone.now())
    labs_lane = labs.recipient("ethereum")
    lane = HotWallet.objects.create(network="ethereum", address=labs_lane)
    for number in range(caps.ANCHORS):
        made = Intent.objects.create(
            wallet=lane, seq=number, network="ethereum", purpose="anchor", data="00", to_address=labs_lane,
            amount_units=0, state=IntentState.DEAD, txid="x", proof={"a": 1}, verdict_at=timezone.now(),
            **dict.fromkeys(("created_at", "next_sign_at", "next_send_at", "next_watch_at"), timezone.now()),
        )  # fmt: skip
        SignedAttempt.objects.create(
            intent=made, number=1, txid=str(number), raw=b"", fees={}, ref_number=1, signed_at=timezone.now()
        )
    with pytest.raises(transfers.OverCap):
        caps.check_anchor("ethereum", now=timezone.now())
    caps.check_anchor("ethereum", now=timezone.now() + timedelta(hours=2))
    caps.check_anchor("base", now=timezone.now())


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"USDT": 5}',
        '{"USDT": {"payment": "5"}}',
        '{"USDT": {"payment": "5", "hour": "x"}}',
        '{"USDT": {"payment": "5", "hour": "8", "day": "9"}}',
        '{"USDT": {"payment": "5", "hour": "0.0000001"}}',
        '{"NONESUCH": {"payment": "5", "hour": "8"}}',
    ],
)
def test_caps_that_say_nothing_clear_are_refused_at_the_start(settings: Settings, text: str) -> None:
    settings.SIGNER_CAPS = text
    assert "chain.E003" in [found.id for found in run_checks()]


def test_productions_signer_does_not_start_without_its_caps(settings: Settings) -> None:
    settings.IS_LOCAL, settings.ROLE = False, "signer"
    for text in ("", "{}", limits("*", payment="1", hour="1")):
        settings.SIGNER_CAPS = text
        assert "chain.E003" in [found.id for found in run_checks()]
    settings.SIGNER_CAPS = limits(payment="1.5", hour="2")
    assert "chain.E003" not in [found.id for found in run_checks()]


def test_json_numbers_are_exact_too(settings: Settings) -> None:
    settings.SIGNER_CAPS = '{"USDT": {"payment": 0.3, "hour": 1000000}}'
    assert caps.of("USDT") == caps.Cap(300_000, 1_000_000 * COIN, 0, gas_units=0)
