"""What a payment cost on chain, to the last wei and sun: paid, failed, or taken by somebody else's transaction."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from chain import alarms, costs, families, networks, transfers
from chain.models import Alarm, Cost, HotWallet, IntentState
from tests.chain import labs, steps
from tests.chain.test_evm_payments import BUMP_AFTER_S

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


def coin_units(wallet: HotWallet) -> int:
    """What the wallet has for fees."""
    return sum(families.gateway(wallet.network).held(networks.NATIVE, [wallet.address]).each)


def about_fees() -> list[Alarm]:
    return list(alarms.standing().filter(kind="payment.fees"))


def test_the_recorded_cost_is_what_the_wallet_has_less_of_its_coin(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    before = coin_units(wallet)
    wanted = steps.payment(lab.network)
    paid, attempt = steps.signed(wanted)
    steps.send()
    lab.mine()
    assert costs.paid_units(lab.network) == 0  # not final yet
    labs.finalise(lab)
    lab.blacklist(wallet.address)
    reverted, _ = steps.signed(steps.payment(lab.network))
    steps.send()
    labs.finalise(lab)
    states = [steps.watch(intent, after_s=60).state for intent in (paid, reverted)]
    assert states == [IntentState.PAID, IntentState.DEAD]
    assert costs.paid_units(lab.network) == before - coin_units(wallet) > 0
    (cost,) = transfers.costs_of_payout(wanted.payout_id)
    assert (cost.txid, cost.coin) == (attempt.txid, networks.network(lab.network).coin)
    assert cost.fee_units > 0
    assert any(cost.detail.values())
    assert costs.paid_units(lab.network, upto_block=cost.block_number) == cost.fee_units
    assert costs.paid_units(lab.network, wallets=[]) == 0


def test_a_payment_of_the_coin_itself_costs_its_fee_and_not_its_amount(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    before = coin_units(wallet)
    wanted = steps.payment(lab.network, asset=networks.network(lab.network).coin, units=1_000_000)
    intent, _ = steps.signed(wanted)
    steps.send()
    labs.finalise(lab)
    assert steps.watch(intent, after_s=60).state == IntentState.PAID
    assert costs.paid_units(lab.network) == before - coin_units(wallet) - 1_000_000 > 0


def test_a_foreign_transaction_costs_our_wallet_too(ethereum: labs.EvmLab) -> None:
    wallet = ethereum.wallet(units=5_000_000)
    before = coin_units(wallet)
    wanted = steps.payment("ethereum")
    intent, _ = steps.signed(wanted)
    ethereum.steal_nonce(wallet.address, nonce=0)
    labs.finalise(ethereum)
    decided = steps.watch(intent)
    assert decided.state == IntentState.DEAD
    (cost,) = transfers.costs_of_payout(wanted.payout_id)
    assert (cost.txid, cost.fee_units) == (decided.txid, before - coin_units(wallet))


def test_the_share_of_layer_1_is_part_of_the_cost(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent, _ = steps.signed(wanted)
    steps.send()
    labs.finalise(ethereum)
    l1_fee_wei = 123_456_789_012

    def as_optimism_tells_it(receipt: Any) -> Any:
        return receipt and receipt | {"l1Fee": hex(l1_fee_wei)}

    ethereum.proxy.alter("eth_getTransactionReceipt", as_optimism_tells_it)
    assert steps.watch(intent).state == IntentState.PAID
    (cost,) = transfers.costs_of_payout(wanted.payout_id)
    assert cost.fee_units == cost.detail["gas"] * cost.detail["gas_price_wei"] + l1_fee_wei


def test_a_cost_is_never_changed(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment(lab.network))
    steps.send()
    labs.finalise(lab)
    assert steps.watch(intent, after_s=60).state == IntentState.PAID
    for change in (lambda: Cost.objects.update(fee_units=0), lambda: Cost.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_bump_that_the_ceiling_forbids_is_an_alarm_until_none_is_needed(
    ethereum: labs.EvmLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent, first = steps.signed(wanted)
    steps.send()
    assert steps.watch(intent, after_s=BUMP_AFTER_S + 1).bump_due
    labs.ceiling(monkeypatch, "ethereum", first.fees["max_fee_wei"] + 1)
    later = timezone.now() + timedelta(seconds=BUMP_AFTER_S + 1)
    assert steps.sign(intent, wanted, now=later) is None
    (alarm,) = about_fees()
    assert alarm.subject == str(intent.id)
    assert "replacement" in alarm.text
    labs.finalise(ethereum)
    assert steps.watch(intent, after_s=2 * BUMP_AFTER_S).state == IntentState.PAID
    assert not about_fees()


def test_a_first_signature_that_the_ceiling_forbids_is_an_alarm_until_it_is_made(
    lab: labs.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    with monkeypatch.context() as patched:
        labs.ceiling(patched, lab.network, 10)
        assert steps.sign(intent, wanted) is None
    assert [alarm.subject for alarm in about_fees()] == [str(intent.id)]
    assert steps.sign(intent, wanted)
    assert not about_fees()
