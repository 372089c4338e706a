"""Many payments are signed in one go with all that is asked of one: caps are counted on, whoever differs stays out."""

import json
import threading
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import families, keys, networks, transfers
from chain.models import AttemptState, HotWallet, Intent, IntentState, SignedAttempt
from tests.chain import labs, steps
from tests.databases import Database

pytestmark = pytest.mark.chains
COIN = 1_000_000
NUMBER = 6


def ordered(lab: labs.Lab, *coins: int) -> dict[Intent, transfers.Payment]:
    lab.wallet(units=50 * COIN)
    wanted = [steps.payment(lab.network, units=coin * COIN) for coin in coins or [1] * NUMBER]
    return {steps.order(one): one for one in wanted}


def sign(wanted: dict[Intent, transfers.Payment]) -> set[Intent]:
    signed = transfers.sign_together({intent.pk: one for intent, one in wanted.items()}, now=timezone.now())
    return {intent for intent in wanted if intent.pk in signed}


@pytest.mark.django_db
def test_all_are_signed_with_one_reading_and_pay(lab: labs.Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "RECENT_S", 3600.0)
    wanted = ordered(lab)
    assert sign(wanted) == set(wanted)
    assert sign(wanted) == set()  # they have their live bytes
    assert SignedAttempt.objects.filter(state=AttemptState.LIVE).count() == NUMBER
    assert steps.send() == NUMBER
    labs.finalise(lab)
    assert {steps.watch(intent, after_s=60).state for intent in wanted} == {IntentState.PAID}
    assert {lab.balance(one.to_address) for one in wanted.values()} == {COIN}


@pytest.mark.django_db
def test_the_caps_are_counted_on_from_one_to_the_next(ethereum: labs.EvmLab, settings: Settings) -> None:
    settings.SIGNER_CAPS = json.dumps({"USDT": {"payment": "5", "hour": "8", "unattended": "2"}})
    wanted = ordered(ethereum, 5, 3, 1, 6)
    assert sorted(intent.amount_units for intent in sign(wanted)) == [3 * COIN, 5 * COIN]
    settings.SIGNER_CAPS = json.dumps({"USDT": {"payment": "6", "hour": "100", "unattended": "2"}})
    unattended = {intent: replace(one, attended=False) for intent, one in ordered(ethereum, 2, 1).items()}
    assert [intent.amount_units for intent in sign(unattended)] == [2 * COIN]


@pytest.mark.django_db
def test_who_was_not_approved_so_or_has_no_money_or_no_open_lane_stays_out(ethereum: labs.EvmLab) -> None:
    first, *others = ordered(ethereum).items()
    wanted = dict([(first[0], replace(first[1], amount_units=2 * COIN)), *others])
    assert sign(wanted) == {intent for intent, _ in others}
    late = ordered(ethereum)
    HotWallet.objects.update(paused=True)
    assert sign(late) == set()
    HotWallet.objects.update(paused=False)
    lane = HotWallet.objects.get(pk=next(iter(late)).wallet_id)
    lane.balances.filter(contract=networks.token("ethereum", "USDT").contract).update(units=NUMBER * COIN - 1)
    assert sign(late) == set()
    assert not SignedAttempt.objects.filter(intent__in=late).exists()


@pytest.mark.django_db
def test_only_the_signer_signs(ethereum: labs.EvmLab, settings: Settings) -> None:
    wanted = ordered(ethereum)
    settings.ROLE = "worker"
    with pytest.raises(keys.NotTheSigner):
        sign(wanted)


def test_of_two_signers_at_once_each_payment_gets_its_bytes_once(committed: Database, lab: labs.Lab) -> None:
    wanted = ordered(lab)
    together = threading.Barrier(2)
    signed: list[set[Intent]] = []

    def work() -> None:
        together.wait(timeout=60)
        signed.append(sign(wanted))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    first, second = signed
    assert first | second == set(wanted)
    assert first & second == set()
    assert SignedAttempt.objects.count() == NUMBER
