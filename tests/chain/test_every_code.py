"""Each of the thirty codes is paid on its chain through the whole protocol; each bad end is the defined one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings
from uuid_utils.compat import uuid7

from chain import addresses, codes, custody, networks, transfers, units
from chain.models import Intent, IntentState
from payouts import reconciliation
from tests.chain import everywhere, labs, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]

HERE = [row for row in codes.CODES.values() if row.network in networks.NETWORKS]
Markets = Callable[[str], everywhere.Market]


@pytest.fixture
def markets(request: pytest.FixtureRequest, keystore: object, settings: Settings) -> Iterator[Markets]:
    """Any network by its name, alone configured."""
    started: list[everywhere.Evm] = []
    for row in networks.NETWORKS.values():
        setattr(settings, row.urls_setting, [])

    def market(name: str) -> everywhere.Market:
        if name == "tron":
            lab = request.getfixturevalue("tron")
            settings.TRON_RPC_URLS = [lab.url]
            return everywhere.Tron(lab)
        evm = everywhere.Evm(request.getfixturevalue("anvil_url"), name)
        setattr(settings, evm.row.urls_setting, [evm.url])
        evm.start()
        started.append(evm)
        return evm

    yield market
    for evm in started:
        evm.stop()


def wanted(network: str, asset: str, amount_units: int, *, to: str = "") -> transfers.Payment:
    recipient = to or labs.recipient(network)
    return transfers.Payment(UUID(str(uuid7())), network, asset, recipient, amount_units)


def paid(market: everywhere.Market, payment: transfers.Payment) -> Intent:
    intent, _ = steps.signed(payment)
    assert steps.send() == 1
    market.mine()
    assert steps.watch(intent).state == IntentState.OPEN
    market.finalise()
    return steps.watch(intent, after_s=60)


@pytest.mark.parametrize("code", HERE, ids=lambda row: row.code)
def test_a_code_is_paid_to_the_last_unit_and_the_wallets_still_agree(code: codes.Code, markets: Markets) -> None:
    market = markets(code.network)
    one = 10 ** units.places(code.asset)
    market.wallet(code.asset, amount_units=5 * one)
    payment = wanted(code.network, code.asset, one + 1)
    decided = paid(market, payment)
    assert (decided.state, decided.last_error) == (IntentState.PAID, "")
    there = units.to_token_units(code.network, code.asset, one + 1)
    assert market.balance(code.asset, payment.to_address) == there
    assert decided.amount_units == there
    held = custody.held_units(code.network, code.asset)
    assert held.uncollected_units == one + 1
    found = reconciliation.compare(code.network, code.asset)
    if networks.token(code.network, code.asset).contract:
        assert held.units == 4 * one - 1
        assert not found.ok  # the ledger knows nothing of what this test issued
    else:
        assert found.ok
        assert found.gas_units > 5 * one  # what fees have left of the gas money


@pytest.mark.parametrize("code", ["USDC_ERC20", "USDT_BSC", "USDD_TRC20"])
def test_a_blocked_recipient_is_foreseen_and_paid_all_the_same_it_is_dead(code: str, markets: Markets) -> None:
    row = codes.find(code)
    market, one = markets(row.network), 10 ** units.places(row.asset)
    market.wallet(row.asset, amount_units=5 * one)
    payment = wanted(row.network, row.asset, one)
    assert transfers.obstacles([payment]) == {}
    market.block(row.asset, payment.to_address)
    found = transfers.obstacles([payment])[payment.payout_id]
    assert found.in_a_block
    assert "recipient is blocked" in found.reason
    decided = paid(market, payment)
    assert decided.state == IntentState.DEAD
    assert market.balance(row.asset, payment.to_address) == 0


@pytest.mark.parametrize("code", ["DAI_ARB", "USDT_TRC20"])
def test_a_paused_token_is_foreseen_and_goes_on_when_it_does(code: str, markets: Markets) -> None:
    row = codes.find(code)
    market, one = markets(row.network), 10 ** units.places(row.asset)
    market.wallet(row.asset, amount_units=5 * one)
    payments = [wanted(row.network, row.asset, one) for _ in range(2)]
    market.pause(row.asset, on=True)
    try:
        found = transfers.obstacles(payments)
        dead = paid(market, payments[0])
    finally:
        market.pause(row.asset, on=False)
    assert {obstacle.reason.split(": ")[-1] for obstacle in found.values()} == {"transfers are paused"}
    assert dead.state == IntentState.DEAD
    assert transfers.obstacles(payments) == {}
    assert paid(market, payments[1]).state == IntentState.PAID


REFUSES = "0x60006000fd"  # revert(0, 0), whatever comes
BURNS = "0x5b600056"  # runs until the gas is gone
TAKES = "0x00"


@pytest.mark.parametrize("network", ["ethereum", "bsc"])
@pytest.mark.parametrize(("runtime", "end"), [(REFUSES, "DEAD"), (BURNS, "DEAD"), (TAKES, "PAID")])
def test_a_contract_decides_about_coin_sent_to_it(network: str, runtime: str, end: str, markets: Markets) -> None:
    market = markets(network)
    assert isinstance(market, everywhere.Evm)
    coin, one = market.row.coin, 10**18
    wallet = market.wallet(coin, amount_units=5 * one)
    payment = wanted(network, coin, one)
    market.rpc("anvil_setCode", payment.to_address, runtime)
    found = transfers.obstacles([payment])
    assert bool(found) == (end == "DEAD")
    before = market.balance(coin, wallet.address)
    decided = paid(market, payment)
    assert decided.state == end
    assert market.balance(coin, payment.to_address) == (one if end == "PAID" else 0)
    fees = before - market.balance(coin, wallet.address) - (one if end == "PAID" else 0)
    assert 0 < fees < one // 100


@pytest.mark.parametrize("code", ["USDT_ERC20", "USDC_BASE"])
def test_tokens_go_to_a_contract_as_to_anybody(code: str, markets: Markets) -> None:
    row = codes.find(code)
    market, one = markets(row.network), 10 ** units.places(row.asset)
    market.wallet(row.asset, amount_units=5 * one)
    payment = wanted(row.network, row.asset, one)
    assert isinstance(market, everywhere.Evm)
    market.rpc("anvil_setCode", payment.to_address, REFUSES)
    assert transfers.obstacles([payment]) == {}
    assert paid(market, payment).state == IntentState.PAID


def test_trx_to_a_contract_would_be_in_no_block_and_is_held_back(
    markets: Markets, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = markets("tron")
    market.wallet("TRX", amount_units=5 * labs.TRX)
    payment = wanted("tron", "TRX", labs.TRX)
    assert transfers.obstacles([payment]) == {}
    usdd = networks.token("tron", "USDD").contract
    monkeypatch.setattr(addresses, "normalise", lambda _network, text: text)  # it refuses tokens, our only contracts
    found = transfers.obstacles([wanted("tron", "TRX", labs.TRX, to=usdd)])
    assert [obstacle.in_a_block for obstacle in found.values()] == [False]


def test_a_lane_that_is_short_says_nothing_about_the_payment(markets: Markets) -> None:
    market = markets("optimism")
    market.wallet("OP", amount_units=10**18)
    assert transfers.obstacles([wanted("optimism", "OP", 2 * 10**18)]) == {}


def test_a_network_that_cannot_be_asked_holds_nobody_back(markets: Markets, settings: Settings) -> None:
    market = markets("base")
    market.wallet("DAI", amount_units=10**18)
    settings.BASE_RPC_URLS = ["http://127.0.0.1:1"]
    assert transfers.obstacles([wanted("base", "DAI", 10**18)]) == {}


@pytest.mark.parametrize("network", ["base", "bsc"])
def test_deep_is_not_final_where_the_network_has_a_word_for_final(
    network: str, markets: Markets, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = markets(network)
    market.wallet("USDC", amount_units=5_000_000)
    intent, _ = steps.signed(wanted(network, "USDC", 1_000_000))
    steps.send()
    monkeypatch.setitem(networks.NETWORKS, network, replace(market.row, final_tag="earliest"))
    market.mine(3 * market.row.confirmations)
    assert steps.watch(intent).state == IntentState.OPEN
    monkeypatch.setitem(networks.NETWORKS, network, market.row)
    assert steps.watch(intent, after_s=60).state == IntentState.PAID
