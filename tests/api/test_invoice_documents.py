"""The `invoice` API's documents as golden tests: their own request and answer, errors by their keys, balances."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from chain import codes, units
from payouts.api import dialects
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval, FeeRule, Status, Withdrawal
from tests import make
from tests.api import invoices, users
from tests.api.invoices import CODES, SEED, conformance

pytestmark = pytest.mark.django_db
ETHER = 10**18
BALANCE = {"currency", "balance_crypto", "balance_usd", "available_balance", "available_balance_usd"}


@conformance("S POST /v2/invoice/api/out/create with Authorization: Token <key>")
@conformance("S answer: status success; result invoice_id INV-…, status created, currency, amount")
@conformance("R the answer's amount is requested − fee: 0.003 → 0.0029")
def test_the_documents_request_is_answered_as_the_document_says() -> None:
    program = invoices.program(ETH="1")
    make.ruled(
        FeeRule(merchant=program.merchant, api="invoice", asset="ETH", network="ethereum", flat_units=ETHER // 10_000)
    )
    answer = program.create(f'{{"currency_code": "ETH", "to_address": "{make.EVM_ADDRESS}", "amount": 0.003}}')
    assert answer.status_code == 200
    body = answer.json()
    assert re.fullmatch("INV-[0-9A-Z]+", body["result"].pop("invoice_id"))
    assert body == {"status": "success", "result": {"status": "created", "currency": "ETH", "amount": 0.0029}}
    assert b'"amount":0.0029}' in answer.content
    assert invoices.held(program.merchant, "ETH") == (ETHER - 3 * ETHER // 1000, 3 * ETHER // 1000)
    row = Withdrawal.objects.get()
    assert (row.destination, row.network, row.asset) == (make.EVM_ADDRESS, "ethereum", "ETH")
    assert (row.approval, row.status) == (Approval.TWO_LEVELS, Status.PENDING)


@conformance("R the fee is 0 by default")
def test_without_a_fee_row_of_its_own_the_recipient_gets_all_of_it() -> None:
    program = invoices.program(ETH="1")
    assert invoices.result(program.create())["amount"] == Decimal("0.003")
    assert Withdrawal.objects.get().fee_units == 0


@conformance("S amount: float in that currency, to its last place")
@conformance("R numeric strings are accepted too")
@pytest.mark.parametrize(
    ("literal", "shown"),
    [
        ("0.003", "0.003"),
        ('"0.003"', "0.003"),
        ("3e-3", "0.003"),
        ("1", "1.0"),
        ('"1.000"', "1.0"),
        ("0.123456789012345678", "0.123456789012345678"),
        ('"0.123456789012345678"', "0.123456789012345678"),
        ("0.000000000000000001", "0.000000000000000001"),
    ],
)
def test_an_amount_passes_through_no_float(literal: str, shown: str) -> None:
    program = invoices.program(ETH="2")
    answer = program.create(json.dumps(SEED).replace("0.003", literal))
    assert f'"amount":{shown}}}'.encode() in answer.content
    assert int(Withdrawal.objects.get().amount_units) == units.to_units("ETH", Decimal(shown))


@conformance("S invoice_id: unique, with the INV prefix")
def test_every_withdrawal_has_an_id_of_its_own_which_everybody_understands() -> None:
    program = invoices.program(ETH="1")
    ids = [invoices.result(program.rested().create())["invoice_id"] for _ in range(3)]
    assert len({*ids}) == 3
    assert {dialects.withdrawal_id(one) for one in ids} == {row.id for row in Withdrawal.objects.all()}
    assert {dialects.DIALECTS["invoice"].public_id(row.id) for row in Withdrawal.objects.all()} == {*ids}
    assert all(dialects.DIALECTS["invoice"].parse_id(text) is None for text in ("INV-89UX09KA", "wd_", ids[0].lower()))


@conformance("S currency_code, to_address and amount are required")
@conformance("N required_parameter")
@pytest.mark.parametrize("field", SEED)
@pytest.mark.parametrize("value", [None, "null", '""'])
def test_what_is_required_is_asked_for_by_name(field: str, value: str | None) -> None:
    program = invoices.program(ETH="1")
    body: dict[str, Any] = {name: found for name, found in SEED.items() if name != field}
    answer = program.create(body if value is None else body | {field: json.loads(value)})
    assert invoices.error(answer) == (400, "required_parameter")
    assert field in answer.json()["result"]["required_parameter"]


# fmt: off
ERRORS: list[tuple[str, str, dict[str, Any]]] = [
    ("unknown code",           "currency_code",      {"currency_code": "DOGE"}),
    ("another document's",     "currency_code",      {"currency_code": "USDTTRC20"}),
    ("lower case",             "currency_code",      {"currency_code": "eth"}),
    ("no text",                "currency_code",      {"currency_code": 5}),
    ("a list",                 "currency_code",      {"currency_code": ["ETH"]}),
    ("other network's",        "network",            {"to_address": make.TRON_ADDRESS}),
    ("checksum",               "network",            {"to_address": make.EVM_ADDRESS.replace("E", "e", 1)}),
    ("as the document has it", "network",            {"to_address": "0x396343<...>210945346fb82Aa49"}),
    ("nobody's",               "network",            {"to_address": "0x" + "0" * 40}),
    ("no address text",        "network",            {"to_address": 5}),
    ("negative",               "uncorrected_amount", {"amount": -1}),
    ("nothing",                "uncorrected_amount", {"amount": 0}),
    ("nothing as text",        "uncorrected_amount", {"amount": "0.00"}),
    ("too many places",        "uncorrected_amount", {"amount": "0.0000000000000000001"}),
    ("too large for anybody",  "uncorrected_amount", {"amount": 10**40}),
    ("insufficient funds",     "uncorrected_amount", {"amount": "1.000000000000000001"}),
    ("words",                  "uncorrected_amount", {"amount": "three"}),
    ("other digits",           "uncorrected_amount", {"amount": "１"}),
    ("scientific text",        "uncorrected_amount", {"amount": "1e-3"}),
    ("true",                   "uncorrected_amount", {"amount": True}),
    ("a list of amounts",      "uncorrected_amount", {"amount": [1]}),
    ("unknown field",          "validate_error",     {"memo": "x"}),
]
# fmt: on


@pytest.mark.parametrize(
    ("key", "changes"),
    [pytest.param(key, changes, marks=conformance(f"N {key}: {what}"), id=what) for what, key, changes in ERRORS],
)
def test_an_error_has_its_documented_key_and_changes_nothing(key: str, changes: dict[str, Any]) -> None:
    program = invoices.program(ETH="1")
    before = invoices.state(program.merchant)
    answer = program.create(**changes)
    assert invoices.error(answer) == (400, key)
    assert invoices.state(program.merchant) == before


@conformance("N uncorrected_amount: too small")
def test_an_amount_that_the_fee_eats_up_is_too_small() -> None:
    program = invoices.program(ETH="1")
    rule = FeeRule.objects.get(api="invoice", asset="ETH", network="ethereum")
    rule.flat_units = Decimal(3 * ETHER // 1000)
    make.ruled(rule)
    assert invoices.error(program.create()) == (400, "uncorrected_amount")
    assert invoices.error(program.rested().create(amount=0.001)) == (400, "uncorrected_amount")
    assert invoices.result(program.rested().create(amount="0.003000000000000001"))["amount"] == Decimal("1e-18")


def test_the_last_unit_may_be_withdrawn_and_then_there_is_no_more() -> None:
    program = invoices.program(ETH="1")
    assert invoices.result(program.create(amount=1))["amount"] == 1
    assert invoices.held(program.merchant, "ETH") == (0, ETHER)
    assert invoices.error(program.rested().create(amount="0.000000000000000001")) == (400, "uncorrected_amount")


def test_a_test_mode_address_needs_only_to_look_right() -> None:
    program = invoices.program(mode=Merchant.Mode.TEST, ETH="1")
    wrong = make.EVM_ADDRESS.replace("E", "e", 1)
    assert invoices.result(program.create(to_address=wrong))["status"] == "created"
    assert invoices.error(program.rested().create(to_address=wrong[:-1])) == (400, "network")


@conformance("N POST /v2/merchant/wallet/balance/all: one entry per currency code, each with the documented fields")
def test_balances_are_shown_under_each_of_the_forty_codes() -> None:
    program = invoices.program()
    entries = invoices.result(program.balances())
    assert [entry["currency"]["code"] for entry in entries] == CODES
    for entry in entries:
        assert set(entry) == BALANCE
        assert {entry[name] for name in BALANCE - {"currency"}} == {0}
    usdt = next(entry["currency"] for entry in entries if entry["currency"]["code"] == "USDT_TRC20")
    assert (usdt["short_code"], usdt["stablecoin"], usdt["enable"]) == ("USDT", True, True)
    assert usdt["obj_network"]["code"] == "TRC20"
    assert {entry["currency"]["code"] for entry in entries if entry["currency"]["enable"]} == {
        code.code for code in codes.all_offered()
    }


@conformance("R one balance per asset, shown under each of its codes; what is frozen is not available")
def test_one_assets_balance_stands_under_all_its_codes_and_follows_withdrawals() -> None:
    program = invoices.program(USDT="100", ETH="2")
    invoices.result(program.create(currency_code="USDT_TRC20", to_address=make.TRON_ADDRESS, amount="30.5"))
    shown = {"balance_crypto": 100, "balance_usd": 100, "available_balance": Decimal("69.5")}
    for code in (one for one in CODES if one.startswith("USDT_")):
        entry = program.balance(code)
        assert {name: entry[name] for name in shown} == shown
        assert entry["available_balance_usd"] == Decimal("69.5")
    assert program.balance("ETH_BASE")["available_balance"] == 2
    assert program.balance("BTC")["balance_crypto"] == 0


@conformance("R balance_usd: stablecoins one to one, null where no rate is known")
def test_what_nobody_knows_a_rate_of_is_worth_nobody_knows_how_much() -> None:
    program = invoices.program(ETH="2", DAI="0.000000000000000001")
    assert program.balance("ETH")["balance_usd"] is None
    assert program.balance("ETH")["available_balance_usd"] is None
    assert program.balance("BNB")["balance_usd"] == 0, "nothing is worth nothing"
    assert program.balance("DAI_ARB")["balance_usd"] == Decimal("1e-18")


def test_a_balance_is_written_to_its_last_place_and_never_as_an_exponent() -> None:
    program = invoices.program(ETH="0.000000000000000001", SHIB="123456789012345678")
    raw = program.balances().content
    assert b'"balance_crypto":0.000000000000000001,' in raw
    assert b'"balance_crypto":123456789012345678.0,' in raw


def test_another_api_sees_the_withdrawal_and_its_currency() -> None:
    users.enrol_keys()
    program = invoices.program(ETH="1")
    made = invoices.result(program.create())["invoice_id"]
    pair = invoices.public_pair(program.merchant)
    other = users.Program(program.merchant, pair.apikey, pair.api_secret)
    seen = users.data(other.get(f"/public/payout/get?id={made}"))
    assert (seen["amount"], seen["currencyType"], seen["status"]) == (0.003, "ETH-ETHEREUM", "pending")
