"""Lanes: which one pays, what each may still spend, and what happens when money or gas is short."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chain import alarms, lanes, liquidity, transfers
from chain.models import HotWallet, Intent, IntentState, LaneBalance, LaneThreshold
from tests import databases
from tests.chain import labs, steps
from tests.chain.test_ordering import together

USDT = {"ethereum": "0xdAC17F958D2ee523a2206206994597C13D831ec7", "tron": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}
MINUTE = timedelta(minutes=1)


def lane(network: str, *, units: int, coin_units: int = 10**30, fee_units: int = 1) -> HotWallet:
    wallet = HotWallet.objects.create(network=network, address=labs.recipient(network))
    return steps.rich(wallet, units=units, coin_units=coin_units, fee_units=fee_units)


def order(network: str, units: int) -> Intent:
    return steps.order(steps.payment(network, units=units))


def owed_units(wallet: HotWallet) -> int:
    return sum(Intent.objects.filter(wallet=wallet, state=IntentState.OPEN).values_list("amount_units", flat=True))


@pytest.mark.parametrize("network", ["ethereum", "tron"])
def test_many_dispatchers_over_many_lanes_order_exactly_what_there_is_money_for(
    committed: databases.Database, network: str
) -> None:
    """Three lanes with money for 2, 3 and 1 payments, one with money but gas for 2: exactly 8 of 24 orders."""
    funded = [lane(network, units=units) for units in (250, 399, 100)]
    funded.append(lane(network, units=10_000, coin_units=20, fee_units=10))

    def try_to_order() -> object:
        try:
            return order(network, 100)
        except transfers.NoLane as short:
            return short

    answers = together(*[try_to_order] * 24)
    assert sum(isinstance(answer, Intent) for answer in answers) == 8
    assert sum(isinstance(answer, transfers.NoLane) for answer in answers) == 16
    assert [owed_units(wallet) for wallet in funded] == [200, 300, 100, 200]
    assert transfers.reach_units(network, "USDT") == 99


@pytest.mark.django_db
def test_orders_spread_over_the_lanes_that_have_the_least_to_do() -> None:
    wallets = [lane("tron", units=10_000) for _ in range(3)]
    for _ in range(7):
        order("tron", 100)
    assert sorted(owed_units(wallet) for wallet in wallets) == [200, 200, 300]


@pytest.mark.django_db
def test_a_paused_lane_is_passed_over_and_nothing_known_of_a_lane_is_no_money() -> None:
    paused, open_one = lane("tron", units=10_000), lane("tron", units=500)
    HotWallet.objects.filter(pk=paused.pk).update(paused=True)
    HotWallet.objects.create(network="tron", address=labs.recipient("tron"))
    assert transfers.reach_units("tron", "USDT") == 500
    assert order("tron", 500).wallet == open_one
    with pytest.raises(transfers.NoLane):
        order("tron", 1)


@pytest.mark.django_db
@pytest.mark.parametrize(("network", "others_go_on"), [("ethereum", False), ("tron", True)])
def test_a_lane_that_ran_dry_takes_no_more_of_that_and_on_evm_nothing_behind_it(
    network: str, *, others_go_on: bool
) -> None:
    """On EVM the nonce of the unfunded payment stands before everything else of the lane."""
    wallet = lane(network, units=1_000)
    LaneBalance.objects.create(
        wallet=wallet, contract="other", asset="OTHER", units=50, block_number=0, read_at=timezone.now()
    )
    order(network, 600)
    LaneBalance.objects.filter(contract=USDT[network]).update(units=400)
    (found,) = lanes.all_of(network)
    assert found.reach_units(USDT[network]) < 0
    assert found.can_pay("other", 50) is others_go_on


@pytest.mark.django_db
def test_a_shortage_is_told_with_what_is_missing_when_it_lasts_and_cleared_when_funded(
    keystore: object, ethereum: labs.EvmLab
) -> None:
    wallet = ethereum.wallet(units=1_000_000_000)
    order("ethereum", 600_000_000)
    ethereum.move(wallet.address, labs.recipient("ethereum"), units=900_000_000)
    labs.finalise(ethereum)
    now = timezone.now()
    liquidity.refresh("ethereum", now=now)
    assert not alarms.standing().filter(kind="lane.liquidity").exists()
    liquidity.refresh("ethereum", now=now + MINUTE)
    alarm = alarms.standing().get(kind="lane.liquidity")
    assert alarm.subject == f"ethereum/{wallet.address}/USDT"
    assert alarm.text == "500 USDT missing: it holds 100 USDT, 1 open payments need 600 USDT; it takes no orders"
    ethereum.move(labs.OWNER, wallet.address, units=500_000_000)
    labs.finalise(ethereum)
    liquidity.refresh("ethereum", now=now + 2 * MINUTE)
    assert set(alarms.standing().values_list("kind", flat=True)) == {"lane.low"}
    assert transfers.reach_units("ethereum", "USDT") == 0


@pytest.mark.chains
@pytest.mark.django_db
def test_what_its_lane_cannot_cover_is_not_signed_until_it_is_funded(lab: labs.Lab) -> None:
    """Bytes without money behind them would fail on chain, and the withdrawal with them."""
    wallet = lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    steps.rich(wallet, units=wanted.amount_units - 1)
    assert steps.sign(intent, wanted) is None
    assert "holds too little" in Intent.objects.get(pk=intent.pk).last_error
    steps.rich(wallet, coin_units=0)
    assert steps.sign(intent, wanted) is None
    liquidity.refresh(lab.network, now=timezone.now())
    assert steps.sign(intent, wanted) is not None


@pytest.mark.django_db
def test_gas_for_the_open_payments_and_one_more_is_kept_back() -> None:
    lane("tron", units=10_000, coin_units=35, fee_units=10)
    for _ in range(3):
        order("tron", 1)
    with pytest.raises(transfers.NoLane):
        order("tron", 1)


@pytest.mark.django_db
def test_the_most_special_threshold_counts() -> None:
    wallet = lane("tron", units=5_000_000)
    (found,) = lanes.all_of("tron")

    def low_units() -> int:
        return liquidity.low_units(found, USDT["tron"], list(LaneThreshold.objects.all()))

    assert low_units() == 1_000_000_000
    LaneThreshold.objects.create(asset="USDT", network="tron", low_amount=2)
    assert low_units() == 2_000_000
    LaneThreshold.objects.create(asset="USDT", network="tron", wallet=wallet, low_amount=3)
    LaneThreshold.objects.create(asset="USDT", network="ethereum", low_amount=4)
    assert low_units() == 3_000_000
    assert liquidity.low_units(found, "", []) == liquidity.LOW_PAYMENTS
