"""Deposits into the hot wallet: coin first, then the sweep, each once, whatever arrives or fails meanwhile."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from chain import alarms, caps, costs, keys, networks, pausing, signing, transfers
from chain.models import HotWallet, Intent, IntentState, Pause, Purpose, SignedAttempt, SweepRule
from tests import databases
from tests.chain import deposits, labs, steps
from tests.chain.test_ordering import together

HOT, PAID = 5_000_000, 100_000_000
MUCH = {"ethereum": 10**18, "tron": 1_000 * labs.TRX}  # of the coin


@pytest.mark.chains
@pytest.mark.django_db
def test_tokens_on_a_deposit_address_come_into_the_hot_wallet_after_the_coin_for_their_fee(lab: labs.Lab) -> None:
    hot = lab.wallet(units=HOT)
    coin = deposits.held_coin(lab, hot.address)
    lane, house = deposits.paid(lab, 7, units=PAID), deposits.house(lab)
    house.run()
    (top_up,), (sweep,) = house.top_ups(), house.tokens()
    assert (top_up.wallet, top_up.to_address, top_up.state) == (hot, lane.address, IntentState.PAID)
    assert (sweep.wallet_id, sweep.to_address) == (lane.pk, hot.address)
    assert (sweep.state, sweep.amount_units) == (IntentState.PAID, PAID)
    assert (lab.balance(lane.address), lab.balance(hot.address)) == (0, HOT + PAID)
    assert HotWallet.deposits.get().look_at is None
    left = deposits.held_coin(lab, hot.address) + deposits.held_coin(lab, lane.address)
    assert coin - left == costs.paid_units(lab.network)
    assert costs.paid_units(lab.network) >= sum(one.costs.get().fee_units for one in (top_up, sweep)) > 0
    assert top_up.amount_units < networks.network(lab.network).ceiling_units // 10


@pytest.mark.chains
@pytest.mark.django_db
def test_coin_on_a_deposit_address_sweeps_itself_less_its_fee(lab: labs.Lab) -> None:
    hot = lab.wallet(units=HOT)
    before = deposits.held_coin(lab, hot.address)
    deposits.coin(lab, deposits.address(lab.network, 1), MUCH[lab.network])
    labs.finalise(lab)
    lane, house = deposits.note(lab.network, 1), deposits.house(lab)
    house.run()
    sweep = Intent.objects.get(purpose="sweep")
    assert house.top_ups() == []
    arrived = deposits.held_coin(lab, hot.address) - before
    assert (sweep.contract, sweep.amount_units, sweep.state) == ("", arrived, IntentState.PAID)
    rest = deposits.held_coin(lab, lane.address)
    assert arrived + rest + sweep.costs.get().fee_units == MUCH[lab.network]
    assert arrived > MUCH[lab.network] * 99 // 100


@pytest.mark.chains
@pytest.mark.django_db
def test_what_comes_while_a_sweep_is_under_way_is_swept_by_the_next(lab: labs.Lab) -> None:
    hot = lab.wallet(units=HOT)
    lane, house = deposits.paid(lab, 2, units=PAID), deposits.house(lab)
    house.until_swept()
    house.sign()
    deposits.paid(lab, 2, units=PAID + 1)
    house.run()
    assert [one.amount_units for one in house.tokens()] == [PAID, PAID + 1]
    assert {one.state for one in Intent.objects.all()} == {IntentState.PAID}
    assert (lab.balance(lane.address), lab.balance(hot.address)) == (0, HOT + 2 * PAID + 1)


@pytest.mark.chains
@pytest.mark.django_db
def test_less_than_the_least_stays_where_it_is_until_more_has_come(tron: labs.TronLab) -> None:
    tron.wallet(units=HOT)
    SweepRule.objects.filter(asset="USDT", network="tron").update(least_amount=20)
    lane, house = deposits.paid(tron, 3, units=19_999_999), deposits.house(tron)
    assert house.look() == 0
    assert HotWallet.deposits.get().look_at is None
    deposits.paid(tron, 3, units=1)
    house.run()
    assert tron.balance(lane.address) == 0
    SweepRule.objects.filter(asset="USDT").delete()
    deposits.paid(tron, 3, units=PAID)
    assert (house.look(), tron.balance(lane.address)) == (0, PAID)


@pytest.mark.chains
@pytest.mark.django_db
def test_deposits_that_follow_each_other_are_waited_for_and_swept_together(tron: labs.TronLab) -> None:
    tron.wallet(units=HOT)
    lane, house = deposits.paid(tron, 3, units=PAID), deposits.house(tron)
    assert transfers.sweep_due(now=house.now, limit=9) == 0
    house.run()
    assert tron.balance(lane.address) == 0


@pytest.mark.chains
def test_many_workers_over_many_addresses_with_deposits_arriving_sweep_everything_once(
    committed: databases.Database, lab: labs.Lab
) -> None:
    hot = lab.wallet(units=HOT)
    lanes = [deposits.paid(lab, number, units=PAID + number) for number in range(3)]
    house = deposits.house(lab)

    def arrive() -> None:
        for number in range(3):
            deposits.paid(lab, number, units=PAID)

    together(*[partial(transfers.sweep_due, now=house.now + deposits.LATER, limit=9)] * 3, arrive)
    for _ in range(9):
        house.now += deposits.LATER
        together(*[house.sign] * 2)
        house.chain()
        swept = together(*[partial(transfers.sweep_due, now=house.now, limit=9)] * 3)
        assert not [answer for answer in swept if isinstance(answer, Exception)]
        if not HotWallet.deposits.exclude(look_at=None).exists():
            break
    assert [lab.balance(lane.address) for lane in lanes] == [0, 0, 0]
    assert lab.balance(hot.address) == HOT + 6 * PAID + 3
    assert sum(one.amount_units for one in house.tokens()) == 6 * PAID + 3
    assert {one.state for one in Intent.objects.all()} == {IntentState.PAID}


@pytest.mark.chains
@pytest.mark.django_db
def test_a_pause_stops_sweeps_too_and_the_signer_reads_it_where_it_was_written(lab: labs.Lab) -> None:
    lab.wallet(units=HOT)
    deposits.paid(lab, 4, units=PAID)
    house = deposits.house(lab)
    house.look()
    pausing.pause(lab.network, by="tests", reason="something is wrong", now=house.now)
    assert house.sign() == []
    assert house.look() == 0
    HotWallet.every.update(paused=False)  # a worker in strange hands
    assert house.sign() == []
    fresh = deposits.note(lab.network, 5)
    assert fresh.paused
    pausing.resume(lab.network, by="tests", reason="nothing was", now=house.now)
    assert len(house.sign()) == 1
    assert not HotWallet.every.filter(paused=True).exists()
    assert Pause.objects.get().ended_reason == "nothing was"


@pytest.mark.chains
@pytest.mark.django_db
def test_what_the_token_would_refuse_is_told_and_not_tried(lab: labs.Lab) -> None:
    lab.wallet(units=HOT)
    lane, house = deposits.paid(lab, 5, units=PAID), deposits.house(lab)
    lab.blacklist(lane.address)
    assert house.look() == 0
    alarm = alarms.standing().get(kind="sweep.waits")
    assert alarm.subject == f"{lab.network}/{lane.address}"
    assert "refuse" in alarm.text
    lab.blacklist(lane.address, on=False)
    house.run()
    assert lab.balance(lane.address) == 0
    assert not alarms.standing().filter(kind="sweep.waits").exists()


@pytest.mark.chains
@pytest.mark.django_db
def test_what_failed_on_chain_is_left_alone_for_a_while(lab: labs.Lab) -> None:
    lab.wallet(units=HOT)
    lane, house = deposits.paid(lab, 5, units=PAID), deposits.house(lab)
    house.until_swept()
    house.sign()
    lab.blacklist(lane.address)
    house.chain()
    lab.blacklist(lane.address, on=False)
    assert [one.state for one in house.tokens()] == [IntentState.DEAD]
    assert house.look() == 0
    assert "failed on chain" in alarms.standing().get(kind="sweep.waits").text
    house.now += timedelta(hours=2)
    house.run()
    assert [one.state for one in house.tokens()] == [IntentState.DEAD, IntentState.PAID]
    assert lab.balance(lane.address) == 0


@pytest.mark.chains
@pytest.mark.django_db
def test_fees_that_rose_are_topped_up_before_anything_is_signed(ethereum: labs.EvmLab) -> None:
    """Bytes that their address cannot pay for would lie about, and its number with them."""
    ethereum.wallet(units=HOT)
    lane, house = deposits.paid(ethereum, 6, units=PAID), deposits.house(ethereum)
    house.until_swept()
    ethereum.rpc("anvil_setNextBlockBaseFeePerGas", hex(40 * 10**9))
    ethereum.mine()
    assert house.sign() == []
    assert "waits for coin" in house.tokens()[0].last_error
    house.run()
    assert ethereum.balance(lane.address) == 0
    assert len(house.top_ups()) == 2
    assert len(house.tokens()) == 1


@pytest.mark.django_db
def test_the_database_keeps_deposit_addresses_and_hot_wallets_to_their_work(keystore: object) -> None:
    """Invariant 3: whatever code is wrong, nothing is paid out of a deposit address, and no sweep goes elsewhere."""
    hot = steps.rich(HotWallet.objects.create(network="tron", address=labs.recipient("tron")))
    of, thief = deposits.address("tron", 1), labs.recipient("tron")
    deposits.noted("tron", of, number=1, now=timezone.now())
    lane = HotWallet.deposits.get()
    foreign = HotWallet.objects.create(network="ethereum", address=labs.recipient("ethereum"))
    base: dict[str, Any] = {"network": "tron", "asset": "USDT", "contract": "T", "amount_units": 5, "payout_id": None}
    coin = {"asset": "TRX", "contract": ""}
    refused = [
        ("intent_of_its_lane", base | {"wallet": lane, "purpose": "payment", "to_address": thief, "payout_id": thief}),
        ("intent_of_its_lane", base | coin | {"wallet": lane, "purpose": "topup", "to_address": lane.address}),
        ("intent_of_its_lane", base | {"wallet": hot, "purpose": "sweep", "to_address": hot.address}),
        ("intent_between_our_own", base | {"wallet": lane, "purpose": "sweep", "to_address": thief}),
        ("intent_between_our_own", base | {"wallet": lane, "purpose": "sweep", "to_address": lane.address}),
        ("intent_between_our_own", base | {"wallet": lane, "purpose": "sweep", "to_address": foreign.address}),
        ("intent_between_our_own", base | coin | {"wallet": hot, "purpose": "topup", "to_address": thief}),
        ("intent_between_our_own", base | coin | {"wallet": hot, "purpose": "topup", "to_address": hot.address}),
        ("intent_made_for_its_purpose", base | {"wallet": hot, "purpose": "topup", "to_address": lane.address}),
        (
            "intent_made_for_its_purpose",
            base | {"wallet": lane, "purpose": "sweep", "to_address": hot.address, "data": "00"},
        ),
    ]
    for constraint, row in refused:
        with pytest.raises(IntegrityError) as error, transaction.atomic():
            _insert(row)
        assert _constraint(error.value) == constraint
    sweep = base | {"wallet": lane, "purpose": "sweep", "to_address": hot.address}
    top_up = base | coin | {"wallet": hot, "purpose": "topup", "to_address": lane.address}
    for constraint, row in (("intent_one_open_sweep", sweep), ("intent_one_open_top_up", top_up)):
        _insert(row)
        with pytest.raises(IntegrityError) as error, transaction.atomic():
            _insert(row | {"seq": 2})
        assert _constraint(error.value) == constraint
    for change in ({"kind": "hot", "number": None}, {"number": 2}, {"address": thief}):
        with pytest.raises(IntegrityError) as error, transaction.atomic():
            HotWallet.every.filter(pk=lane.pk).update(**change)
        assert _constraint(error.value) == "hot_wallet_fixed"


def _constraint(error: IntegrityError) -> str | None:
    assert isinstance(error.__cause__, psycopg.Error)
    return error.__cause__.diag.constraint_name


def _insert(row: dict[str, Any]) -> Intent:
    now = timezone.now()
    due = dict.fromkeys(("created_at", "next_sign_at", "next_send_at", "next_watch_at"), now)
    payout = {"payout_id": "0197f0e0-0000-7000-8000-000000000001"} if row["payout_id"] else {}
    return Intent.objects.create(**({"seq": 1} | due | row | payout))


@pytest.mark.django_db
def test_a_deposit_address_is_never_chosen_to_pay(keystore: object) -> None:
    now = timezone.now()
    deposits.noted("tron", deposits.address("tron", 1), number=1, now=now)
    steps.rich(HotWallet.deposits.get())
    assert transfers.reach_units("tron", "USDT") < 0
    with pytest.raises(transfers.NoLane):
        steps.order(steps.payment("tron"))


@pytest.mark.chains
@pytest.mark.django_db
def test_the_signer_sweeps_to_its_own_keys_alone_and_tops_up_what_it_derives(lab: labs.Lab) -> None:
    """Whoever writes to the database can add rows that look like ours; the keystore is not in his reach."""
    lab.wallet(units=HOT)
    lane, house, thief = deposits.paid(lab, 8, units=PAID), deposits.house(lab), labs.recipient(lab.network)
    false_hot = HotWallet.objects.create(network=lab.network, address=thief)
    false_lane = labs.recipient(lab.network)
    deposits.noted(lab.network, false_lane, number=9, now=house.now)
    hot, coin = HotWallet.objects.exclude(pk=false_hot.pk).get(), {"asset": deposits.coin_of(lab.network)}
    contract = networks.token(lab.network, "USDT").contract
    base: dict[str, Any] = {"network": lab.network, "payout_id": None, "seq": 0}
    token, coin = {"asset": "USDT", "contract": contract, "amount_units": PAID}, coin | {"contract": ""}
    steps.rich(lane)
    steps.rich(HotWallet.deposits.get(address=false_lane))
    forged = [
        base | token | {"wallet": lane, "purpose": "sweep", "to_address": thief},
        base
        | token
        | {"wallet": HotWallet.deposits.get(address=false_lane), "purpose": "sweep", "to_address": hot.address},
        base | coin | {"wallet": hot, "purpose": "topup", "to_address": false_lane, "amount_units": 1, "seq": 7},
    ]
    for row in forged:
        _insert(row)
    assert _refusals(house) == ["no hot wallet of ours", "no deposit address of ours", "no deposit address of ours"]
    assert not SignedAttempt.objects.exists()


def _refusals(house: deposits.House) -> list[str]:
    house.now += deposits.LATER
    said = []
    for intent in transfers.awaiting_signature(limit=9, now=house.now):
        expected: transfers.Expected = transfers.Sweep(intent.network, intent.asset)
        if intent.purpose == Purpose.TOP_UP:
            expected = transfers.TopUp(intent.network, intent.amount_units)
        with pytest.raises(transfers.PayloadDiffers) as refused:
            transfers.sign(intent.id, expected=expected, now=house.now)
        said.append(str(refused.value).split(" is ")[1].split(" on ")[0])
        assert Intent.objects.get(pk=intent.pk).last_error.startswith(signing.REFUSED)
    return said


@pytest.mark.chains
@pytest.mark.django_db
def test_top_ups_have_caps_of_their_own_and_sweeps_use_up_none_of_the_payments(lab: labs.Lab, settings: Any) -> None:
    lab.wallet(units=HOT)
    deposits.paid(lab, 8, units=PAID)
    house, coin = deposits.house(lab), deposits.coin_of(lab.network)
    limits = {"USDT": {"payment": "1", "hour": "1"}, coin: {"payment": "0", "hour": "0"}}
    settings.SIGNER_CAPS = json.dumps(limits)
    house.look()
    with pytest.raises(transfers.OverCap, match="gas"):
        house.sign()
    settings.SIGNER_CAPS = json.dumps(limits | {coin: limits[coin] | {"gas": "100"}})
    house.run()
    assert [one.state for one in house.tokens()] == [IntentState.PAID]
    assert steps.sign(steps.order(wanted := steps.payment(lab.network)), wanted)
    most = networks.network(lab.network).ceiling_units + 1
    with pytest.raises(transfers.OverCap, match="what one transfer"):
        caps.check_top_up(lab.network, amount_units=most, now=house.now)


def test_a_deposit_addresss_key_signs_for_it_alone(keystore: object) -> None:
    of = deposits.address("tron", 3)
    assert keys.derives("tron", address=of, number=3)
    assert not keys.derives("tron", address=of, number=4)
    assert not keys.derives("tron", address=of, number=None)
    assert keys.sign_digest("tron", address=of, number=3, digest=b"\1" * 32)
    with pytest.raises(keys.KeyUnusable, match="number 4"):
        keys.sign_digest("tron", address=of, number=4, digest=b"\1" * 32)
    assert not keys.holds("tron", of)
