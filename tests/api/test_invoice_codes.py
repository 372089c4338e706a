"""All forty currency codes of the document: thirty are withdrawn over the API, some to the last block; ten say no."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chain import codes, networks, units
from chain.models import Intent
from payouts import tasks
from payouts.api import dialects
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.api import invoices
from tests.api.invoices import CODES, RECIPIENTS, conformance
from tests.chain import everywhere, labs
from tests.chain.conftest import keystore, tron

__all__ = ["keystore", "tron"]
HERE = [code for code in CODES if codes.find(code).network in networks.NETWORKS]
ELSEWHERE = [code for code in CODES if code not in HERE]


@pytest.fixture
def everywhere_here(settings: Settings) -> None:
    """Every network of the catalogue is configured; nobody listens there, and no create asks."""
    for row in networks.NETWORKS.values():
        setattr(settings, row.urls_setting, ["http://127.0.0.1:1"])


@conformance("S currency_code: the forty codes verbatim")
def test_the_documents_forty_codes_are_the_ones_that_we_know() -> None:
    assert (len(CODES), len(HERE), len(ELSEWHERE)) == (40, 30, 10)
    assert [*codes.CODES] == CODES


@pytest.mark.django_db
@conformance("S currency_code: each of the thirty is withdrawn, reviewed, and frozen until then")
@pytest.mark.parametrize("code", HERE)
def test_a_code_is_frozen_to_the_unit_and_waits_for_its_approvers(code: str, everywhere_here: None) -> None:
    row = codes.find(code)
    one = 10 ** units.places(row.asset)
    program = invoices.program(**{row.asset: "3"})
    amount = f"1.{'0' * (units.places(row.asset) - 1)}1"
    recipient = RECIPIENTS[networks.network(row.network).family]
    result = invoices.result(program.create(currency_code=code, to_address=recipient, amount=amount))
    assert (result["currency"], result["amount"], result["status"]) == (code, Decimal(amount), "created")
    assert invoices.held(program.merchant, row.asset) == (2 * one - 1, one + 1)
    tasks.screen()
    made = Withdrawal.objects.get()
    assert made.id == dialects.withdrawal_id(result["invoice_id"])
    assert (made.asset, made.network, made.status) == (row.asset, row.network, Status.PENDING_REVIEW)


@pytest.mark.django_db
@conformance("R a code whose network is not configured answers the currency_code error, and nothing is frozen")
@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_code_of_a_network_that_is_none_of_ours_says_so(code: str, everywhere_here: None) -> None:
    program = invoices.program(USDT="3", USDC="3", PYUSD="3", XAUT="3")
    before = invoices.state(program.merchant)
    answer = program.create(currency_code=code, to_address=make.EVM_ADDRESS, amount=1)
    assert invoices.error(answer) == (400, "currency_code")
    assert "not available" in answer.json()["result"]["currency_code"]
    assert invoices.state(program.merchant) == before


@pytest.mark.django_db
@conformance("R a code whose network has no node in this deployment is not offered either")
def test_a_code_of_a_network_without_a_node_says_so_and_is_not_enabled(settings: Settings) -> None:
    settings.BSC_RPC_URLS = []
    program = invoices.program(USDT="3")
    before = invoices.state(program.merchant)
    answer = program.create(currency_code="USDT_BSC", to_address=make.EVM_ADDRESS, amount=1)
    assert invoices.error(answer) == (400, "currency_code")
    assert invoices.state(program.merchant) == before
    entry = program.balance("USDT_BSC")
    assert (entry["currency"]["enable"], entry["available_balance"]) == (False, 3)


@pytest.mark.django_db
def test_what_a_network_of_finer_tokens_could_not_pay_is_refused_by_the_assets_own_places(
    everywhere_here: None,
) -> None:
    program = invoices.program(USDT="3")
    body: dict[str, Any] = {"currency_code": "USDT_BSC", "to_address": make.EVM_ADDRESS}
    assert invoices.error(program.create(**body, amount="1.0000001")) == (400, "uncorrected_amount")


@pytest.fixture
def market(request: pytest.FixtureRequest, keystore: object, settings: Settings) -> Iterator[Any]:
    """The chain of a code's network, alone configured."""
    row = codes.find(request.param)
    for network in networks.NETWORKS.values():
        setattr(settings, network.urls_setting, [])
    if row.network == "tron":
        lab = request.getfixturevalue("tron")
        settings.TRON_RPC_URLS = [lab.url]
        yield everywhere.Tron(lab)
        return
    evm = everywhere.Evm(request.getfixturevalue("anvil_url"), row.network)
    setattr(settings, evm.row.urls_setting, [evm.url])
    evm.start()
    yield evm
    evm.stop()


@pytest.mark.chains
@pytest.mark.django_db
@conformance("S the thirty are paid end to end: a coin, a token in finer units, TRON's coin")
@pytest.mark.parametrize(
    ("code", "market"), [(one, one) for one in ("ETH", "USDT_BSC", "TRX")], indirect=["market"], ids=str
)
def test_a_withdrawal_is_approved_twice_and_paid_to_the_last_unit(
    code: str, market: everywhere.Market, redis_clean: str
) -> None:
    row = codes.find(code)
    one = 10 ** units.places(row.asset)
    market.wallet(row.asset, amount_units=5 * one)
    recipient = labs.recipient(row.network)
    program = invoices.program(**{row.asset: "3"})
    result = invoices.result(program.create(currency_code=code, to_address=recipient, amount="1.000001"))
    tasks.screen()
    withdrawal_id = dialects.withdrawal_id(result["invoice_id"])
    assert withdrawal_id is not None
    for level in (1, 2):
        make.approve(withdrawal_id, level=level, by=make.approver(level))
    for step in (tasks.dispatch, tasks.sign, tasks.send, market.finalise):
        step()
    Intent.objects.update(next_watch_at=make.now())
    for step in (tasks.watch, tasks.settle):
        step()
    done = Withdrawal.objects.get(id=withdrawal_id)
    assert (done.status, bool(done.txid)) == (Status.COMPLETED, True)
    paid_units = one + one // 10**6
    assert market.balance(row.asset, recipient) == units.to_token_units(row.network, row.asset, paid_units)
    assert invoices.held(program.merchant, row.asset) == (3 * one - paid_units, 0)
