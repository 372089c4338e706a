"""What a payment would cost, asked before it is ordered: near what it then costs, and cheap to ask."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from chain import families, networks, transfers
from tests.chain import labs, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.mark.parametrize("native", [False, True], ids=["token", "coin"])
def test_an_estimate_is_what_the_payment_then_costs(lab: labs.Lab, *, native: bool) -> None:
    lab.wallet(units=5_000_000)
    asset = networks.network(lab.network).coin if native else "USDT"
    wanted = steps.payment(lab.network, asset=asset)
    expected = transfers.estimate(
        lab.network, asset, to_address=wanted.to_address, amount_units=wanted.amount_units, now=timezone.now()
    )
    intent, _ = steps.signed(wanted)
    steps.send()
    labs.finalise(lab)
    steps.watch(intent, after_s=60)
    (cost,) = transfers.costs_of_payout(wanted.payout_id)
    assert expected.coin == cost.coin
    if lab.network == "tron":  # prices stand still there
        assert expected.fee_units == cost.fee_units
    else:
        assert cost.detail["gas"] <= expected.detail["gas"] <= cost.detail["gas"] * 11 // 10
        assert expected.fee_units == expected.detail["gas"] * expected.detail["gas_price_wei"]


def test_without_a_recipient_a_new_account_is_meant(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    now = timezone.now()
    unknown = transfers.estimate(lab.network, "USDT", now=now + timedelta(hours=1))
    known = transfers.estimate(lab.network, "USDT", to_address=labs.recipient(lab.network), now=now)
    name = "gas" if lab.network == "ethereum" else "energy"
    assert abs(unknown.detail[name] - known.detail[name]) <= known.detail[name] // 100  # zeros in calldata are cheaper


def test_a_network_without_a_wallet_has_its_estimate(lab: labs.Lab) -> None:
    for asset in ("USDT", networks.network(lab.network).coin):
        to_address = labs.recipient(lab.network)
        assert transfers.estimate(lab.network, asset, to_address=to_address, now=timezone.now()).fee_units > 0


def test_the_same_question_is_asked_of_the_chain_once_in_a_while(ethereum: labs.EvmLab) -> None:
    to_address, now = labs.recipient("ethereum"), timezone.now()
    first = transfers.estimate("ethereum", "USDT", to_address=to_address, now=now)
    ethereum.proxy.asked.clear()
    assert transfers.estimate("ethereum", "USDT", to_address=to_address, now=now + timedelta(seconds=4)) == first
    assert ethereum.proxy.asked == []
    later = transfers.estimate("ethereum", "USDT", to_address=to_address, now=now + timedelta(seconds=6))
    assert later.at > first.at
    assert ethereum.proxy.asked


def test_layer_1s_share_is_asked_of_the_networks_oracle(ethereum: labs.EvmLab, monkeypatch: pytest.MonkeyPatch) -> None:
    row = networks.network("ethereum")
    monkeypatch.setitem(networks.NETWORKS, "ethereum", replace(row, l1_fee_oracle=networks.OP_STACK_ORACLE))
    here = transfers.estimate("ethereum", "USDT", to_address=labs.recipient("ethereum"), now=timezone.now())
    assert here.detail["l1_fee_wei"] == 0  # a local chain without the contract
    ethereum.proxy.lie("eth_call", hex(10**15))
    there = transfers.estimate("ethereum", "USDT", to_address=labs.recipient("ethereum"), now=timezone.now())
    assert there.detail["l1_fee_wei"] == 10**15
    assert there.fee_units == there.detail["gas"] * there.detail["gas_price_wei"] + 10**15


def test_a_lane_keeps_gas_for_layer_1s_share_too(ethereum: labs.EvmLab, monkeypatch: pytest.MonkeyPatch) -> None:
    row = networks.network("ethereum")
    without_wei = families.gateway("ethereum").fee_units()
    monkeypatch.setitem(networks.NETWORKS, "ethereum", replace(row, l1_fee_oracle=networks.OP_STACK_ORACLE))
    ethereum.proxy.lie("eth_call", hex(10**15))
    assert families.gateway("ethereum").fee_units() == without_wei + 2 * 10**15


def test_no_estimate_is_asked_for_inside_a_transaction(lab: labs.Lab) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        transfers.estimate(lab.network, "USDT", to_address=labs.recipient(lab.network), now=timezone.now())
