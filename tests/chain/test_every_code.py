"""Each of the thirty codes is paid on its chain through the whole protocol; each bad end is the defined one."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings
from uuid_utils.compat import uuid7

from chain import codes, custody, networks, transfers, units
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
