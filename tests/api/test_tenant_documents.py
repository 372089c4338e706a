"""The `tenant` API against its document (seed 4): its own requests and answers, and the amounts in them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from chain import codes
from payouts.api.tenant import wire
from payouts.currencies.models import CurrencyLimit
from payouts.merchants.models import Merchant
from payouts.rates.models import Rate
from payouts.withdrawals.models import Approval, FeeRule, Withdrawal
from tests import make
from tests.api import invoices, tenants
from tests.api.tenants import conformance

pytestmark = pytest.mark.django_db

# The seed's own, as they stand there.
SEED_FULL = """{
"currencies": [
{
"currency": "USDTTRC20",
"name": "Tether USD",
"token": "usdt",
"blockchain": "trx",
"is_popular": true,
"is_stable": true,
"min_amount": "10.00000000",
"max_amount": "100000.00000000",
"min_amount_usd": "10.00",
"max_amount_usd": "100000.00"
}
]
}"""
SEED_RATE = """{
"currency_from": "USD",
"currency_to": "USDTTRC20",
"amount": 100.0,
"estimated_amount": 99.9,
"rate": 0.999
}"""
SEED_CREATE = """{
"amount": 50.00,
"currency": "USDTTRC20",
"address": "TXYZabc123...",
"callback_url": "https://your-site.com/webhook"
}"""
SEED_PRICED = """{
"price_amount": 50.00,
"price_currency": "USD",
"blockchain": "TRX",
"token": "USDT",
"address": "TXYZabc123...",
"callback_url": "https://your-site.com/webhook"
}"""
SEED_ESTIMATE_REQUEST = """{
"amount": 100.00,
"currency": "USDTTRC20",
"final_amount": false
}"""
SEED_ESTIMATE = """{
"requested_amount": "100.00000000",
"fee": "1.50000000",
"amount": "98.50000000",
"currency": "USDTTRC20",
"blockchain": "TRX",
"token": "USDT",
"platform_fee": "1.00000000",
"network_fee": "0.50000000"
}"""
ABBREVIATED = "TXYZabc123..."


def real(text: str) -> str:
    return text.replace(ABBREVIATED, make.TRON_ADDRESS)


def exactly(answer: Any) -> Any:
    """The body with its numbers as they are written."""
    return json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)


@conformance("S GET /status/ {status: ok}")
def test_the_status_asks_nobody_who_they_are() -> None:
    program = tenants.program()
    assert tenants.told(program.call("GET", "/status/", headers={})) == {"status": "ok"}


@conformance("S GET /currencies/ {currencies: [codes]}: read, write")
@conformance("R only currencies of connected networks are offered")
def test_the_simple_list_is_the_codes_of_what_is_connected_in_the_documents_order() -> None:
    listed = tenants.told(tenants.program().get("/currencies/"))["currencies"]
    assert listed[:4] == ["TRX", "ETH", "USDTERC20", "USDTTRC20"]
    assert listed == [code.joined for code in codes.all_offered()]


@conformance(
    "S GET /currencies/ full, with min_max and include_usd (which needs min_max): 8-place amounts, 2-place USD"
)
def test_the_seeds_own_currency_is_listed_as_it_stands_there() -> None:
    program = tenants.program()
    query = {"full": "true", "min_max": "true", "include_usd": "true"}
    listed = tenants.told(program.get("/currencies/", query))["currencies"]
    (seed,) = json.loads(SEED_FULL)["currencies"]
    assert seed in listed
    (ether,) = [one for one in listed if one["currency"] == "ETH"]
    assert (ether["min_amount"], ether["min_amount_usd"]) == ("0.00300000", None), "nobody says what it is worth"
    assert tenants.error(program.get("/currencies/", {"include_usd": "true"})) == (400, "invalid_request")
    assert tenants.error(program.get("/currencies/", {"full": "yes"})) == (400, "invalid_request")
    (plain, *_) = tenants.told(program.get("/currencies/", {"full": "1"}))["currencies"]
    assert "min_amount" not in plain


@conformance("S GET /currencies/?withdrawal=true lists withdrawal currencies")
@conformance("R the limits are rows")
def test_what_can_be_withdrawn_has_ranges_of_its_own() -> None:
    CurrencyLimit.objects.filter(asset="USDT", network="tron").update(withdrawal_min_units=2, withdrawal_max_units=3)
    listed = tenants.told(tenants.program().get("/currencies/", {"withdrawal": "true", "min_max": "true"}))
    (usdt,) = [one for one in listed["currencies"] if one["currency"] == "USDTTRC20"]
    assert usdt == {"currency": "USDTTRC20", "min_amount": "0.00000200", "max_amount": "0.00000300"}
    CurrencyLimit.objects.filter(asset="USDT", network="tron").delete()
    assert "USDTTRC20" not in tenants.told(tenants.program().get("/currencies/"))["currencies"]


@conformance("S GET /rates/ {currency_from, currency_to, amount, estimated_amount, rate} in numbers: read")
@conformance("R estimated = (amount − fee) × rate")
def test_the_seeds_own_rate_is_answered_in_exact_numbers() -> None:
    Rate.objects.create(base="USD", quote="USDT", rate=Decimal("0.999"), at=make.now())
    answer = tenants.program().with_scope("read").get("/rates/", {"amount": "100", "currency_to": "USDTTRC20"})
    assert tenants.told(answer) == json.loads(SEED_RATE)
    assert answer.content == b"".join(SEED_RATE.replace(": ", ":").split("\n")[i].encode() for i in range(7))


@conformance("S GET /rates/ amount 1, currency_from USD by default, currency_to required")
def test_without_more_one_dollar_is_converted() -> None:
    program = tenants.program()
    answer = exactly(program.get("/rates/", {"currency_to": "usdterc20"}))
    assert answer == {
        "currency_from": "USD", "currency_to": "USDTERC20", "amount": 1, "estimated_amount": 1, "rate": 1,
    }  # fmt: skip
    assert tenants.error(program.get("/rates/")) == (400, "invalid_request")


@conformance("S GET /rates/ fee_percentage and is_fee_paid_by_user")
@conformance("S GET /rates/?full=true adds fee_percentage, fee_amount and timestamp")
@pytest.mark.parametrize(("payer", "estimated"), [(None, "98.901"), ("true", "98.901"), ("false", "99.9")])
def test_a_fee_is_deducted_before_the_amount_is_converted(payer: str | None, estimated: str) -> None:
    at = make.now()
    Rate.objects.create(base="USD", quote="USDT", rate=Decimal("0.999"), at=at)
    query = {"amount": "100", "currency_to": "USDTTRC20", "fee_percentage": "1", "full": "true"}
    told = exactly(tenants.program().get("/rates/", query | ({"is_fee_paid_by_user": payer} if payer else {})))
    assert told["estimated_amount"] == Decimal(estimated)
    assert (told["fee_percentage"], told["fee_amount"], told["timestamp"]) == (1, 1, wire.moment(at))


@conformance("R a stale rate refuses: 503 rate_unavailable; no rate at all: 400 invalid_currency")
def test_a_rate_that_is_too_old_or_unknown_is_not_guessed() -> None:
    program = tenants.program()
    assert tenants.error(program.get("/rates/", {"currency_to": "ETH"})) == (400, "invalid_currency")
    at = make.now().replace(year=2025)
    Rate.objects.create(base="ETH", quote="USD", rate=Decimal(2500), at=at, good_for_s=60, source="somebody")
    assert tenants.error(program.get("/rates/", {"currency_to": "ETH"})) == (503, "rate_unavailable")
    before = tenants.state(program.merchant)
    priced = json.loads(real(SEED_PRICED)) | {"blockchain": "ETH", "token": "ETH", "address": make.EVM_ADDRESS}
    assert tenants.error(program.post("/withdrawal/", priced)) == (503, "rate_unavailable")
    assert tenants.state(program.merchant) == before


@conformance("S POST /withdrawal/estimate/: 100 costs 1.5 = platform 1 + network 0.5, 98.5 is left, in 8 places")
@conformance("R final_amount: the amount is what the recipient gets")
def test_the_seeds_own_estimate_both_ways_round() -> None:
    program = tenants.program()
    assert tenants.told(program.post("/withdrawal/estimate/", SEED_ESTIMATE_REQUEST)) == json.loads(SEED_ESTIMATE)
    final = {"amount": "98.5", "currency": "USDTTRC20", "final_amount": True}
    assert tenants.told(program.post("/withdrawal/estimate/", final)) == json.loads(SEED_ESTIMATE)
    tiny = {"amount": "0.5", "currency": "USDTTRC20"}
    assert tenants.error(program.post("/withdrawal/estimate/", tiny)) == (422, "invalid_amount")


@conformance("S POST /withdrawal/fee-estimate/")
@conformance("R one engine: estimate, fee-estimate and create agree")
@conformance("R platform 1 % plus 0.5 USDT on TRC20, 2 on ERC20: rows per merchant, API and currency")
@pytest.mark.parametrize(("code", "fee"), [("USDTTRC20", "1.50000000"), ("USDTERC20", "3.00000000")])
def test_estimates_and_what_is_then_made_have_the_same_amounts(code: str, fee: str) -> None:
    program = tenants.program()
    address = make.ADDRESSES[codes.find(code).network]
    asked = {"amount": 100.00, "currency": code}
    estimate = tenants.told(program.post("/withdrawal/estimate/", asked))
    assert estimate["fee"] == fee
    assert tenants.told(program.post("/withdrawal/fee-estimate/", asked | {"address": address})) == estimate
    made = tenants.told(program.post("/withdrawal/", asked | {"address": address}), status=201)
    assert {name: made[name] for name in estimate} == estimate
    row = Withdrawal.objects.get(id=made["id"])
    assert wire.amount("USDT", int(row.net_units)) == estimate["amount"]
    wrong = asked | {"address": address[:-1]}
    assert tenants.error(program.post("/withdrawal/fee-estimate/", wrong)) == (400, "invalid_request")


def test_a_merchants_own_percentage_goes_before_everybodys() -> None:
    program = tenants.program()
    make.ruled(
        FeeRule(
            merchant=program.merchant, api="tenant", asset="USDT", network="tron", flat_units=0, percent=Decimal("0.25")
        )
    )
    made = tenants.told(program.create(amount=100), status=201)
    assert (made["platform_fee"], made["network_fee"], made["amount"]) == ("0.25000000", "0.00000000", "99.75000000")
    assert tenants.told(program.get("/user/me/"))["transaction_fee"] == 0.25


@conformance("S POST /withdrawal/ with amount and currency")
@conformance("R creates answer 201: id and withdrawal_id, requested_amount, amount, fees, total_deducted")
@conformance("R two levels of approval by default")
def test_the_seeds_own_request_freezes_what_is_deducted() -> None:
    program = tenants.program()
    made = tenants.told(program.post("/withdrawal/", real(SEED_CREATE)), status=201)
    assert made["id"] == made["withdrawal_id"]
    amounts = ("requested_amount", "amount", "fee", "platform_fee", "network_fee", "total_deducted")
    assert [made[name] for name in amounts] == [
        "50.00000000", "49.00000000", "1.00000000", "0.50000000", "0.50000000", "50.00000000",
    ]  # fmt: skip
    assert (made["status"], made["currency"], made["blockchain"], made["token"]) == (
        "pending",
        "USDTTRC20",
        "TRX",
        "USDT",
    )
    assert (made["address"], made["custom_id"], made["transaction_hash"]) == (make.TRON_ADDRESS, None, None)
    assert make.holds(program.merchant)["frozen"] == make.usdt("50")
    row = Withdrawal.objects.select_related("callback").get(id=made["id"])
    assert (row.approval, row.callback and row.callback.url) == (Approval.TWO_LEVELS, "https://your-site.com/webhook")


@conformance("S POST /withdrawal/ with price_amount, price_currency, blockchain and token")
@conformance("R what is priced records its rate's source and time")
@pytest.mark.parametrize("form", [str.upper, str.lower])
def test_fifty_dollars_worth_is_withdrawn_at_the_rate_of_now_which_is_kept(form: Any) -> None:
    at = make.now()
    Rate.objects.create(base="USD", quote="USDT", rate=Decimal("0.999"), at=at, source="somebody")
    program = tenants.program()
    asked = json.loads(real(SEED_PRICED)) | {"blockchain": form("TRX"), "token": form("USDT")}
    made = tenants.told(program.post("/withdrawal/", asked), status=201)
    assert (made["requested_amount"], made["currency"]) == ("49.95000000", "USDTTRC20")
    told = {name: made[name] for name in ("price_amount", "price_currency", "rate", "rate_source", "rate_at")}
    assert told == {
        "price_amount": "50.0", "price_currency": "USD", "rate": "0.999", "rate_source": "somebody",
        "rate_at": wire.moment(at),
    }  # fmt: skip
    price = Withdrawal.objects.get(id=made["id"]).price
    assert price == {
        "amount": "50.0", "currency": "USD", "pair": "USD-USDT", "rate": "0.999", "source": "somebody",
        "at": at.isoformat(),
    }  # fmt: skip
    Rate.objects.update(rate=7)
    assert tenants.told(program.get(f"/withdrawal/{made['id']}/")) == made, "a later rate changes nothing"


@conformance("R in test mode the documented rule is enough for an address, and it waits for people")
def test_an_address_with_a_wrong_checksum_is_taken_in_test_mode_alone() -> None:
    wrong = make.TRON_ADDRESS[:-1] + "9"
    live, test = (tenants.program(mode=mode) for mode in (Merchant.Mode.LIVE, Merchant.Mode.TEST))
    assert tenants.error(live.create(address=wrong)) == (400, "invalid_request")
    assert tenants.told(test.create(address=wrong), status=201)["status"] == "pending"


@conformance("S POST /withdrawal/validate-address/ needs one of currency, blockchain, type")
@conformance("R {valid: bool, …}")
def test_an_address_is_valid_where_it_could_be_paid() -> None:
    program = tenants.program()

    def valid(address: str, **where: str) -> Any:
        return tenants.told(program.post("/withdrawal/validate-address/", {"address": address, **where}))["valid"]

    assert valid(make.EVM_ADDRESS, currency="USDTARB") is True
    assert valid(make.TRON_ADDRESS, blockchain="trx") is True
    assert valid(make.EVM_ADDRESS, type="evm") is True
    assert valid(make.EVM_ADDRESS, type="ERC20", currency="ETH") is True
    assert valid("0x1234567890abcdef...", currency="USDTARB") is False
    assert valid(make.EVM_ADDRESS, currency="USDTTRC20") is False
    assert valid(make.EVM_ADDRESS, currency="USDTARB", blockchain="TRX") is False
    for wrong in ({}, {"currency": "X"}, {"blockchain": "moon"}, {"currency": "BTC"}):
        answer = program.post("/withdrawal/validate-address/", {"address": make.EVM_ADDRESS, **wrong})
        assert answer.status_code == 400


@conformance("S POST /withdrawal/min-amount/")
def test_the_least_that_can_be_withdrawn_is_told_and_held() -> None:
    program = tenants.program()
    assert tenants.told(program.post("/withdrawal/min-amount/", {"currency": "USDTTRC20"})) == {
        "currency": "USDTTRC20", "blockchain": "TRX", "token": "USDT",
        "min_amount": "1.00000000", "max_amount": "1000000.00000000",
    }  # fmt: skip
    for amount in ("0.999999", "1000000.000001"):
        answer = program.create(amount=amount)
        assert tenants.error(answer) == (422, "invalid_amount")
        assert "00000 USDTTRC20" in answer.json()["message"]
    assert tenants.told(program.create(amount=1), status=201)["amount"] == "0.49000000"


@conformance("S GET /withdrawal/available-currencies/ lists those with a positive balance")
def test_what_there_is_nothing_of_cannot_be_withdrawn() -> None:
    program = tenants.program(funds="12.5")
    invoices.deposit(program.merchant, "ETH", "2")
    told = tenants.told(program.get("/withdrawal/available-currencies/"))
    assert told["currencies"] == ["ETH", "USDTERC20", "USDTTRC20"]
    assert told["balances"] == {"ETH": "2.00000000", "USDTERC20": "12.50000000", "USDTTRC20": "12.50000000"}
    assert tenants.told(tenants.program(funds="0").get("/withdrawal/available-currencies/"))["currencies"] == []


@pytest.mark.parametrize("change", [{"platform_units": 0}, {"price": None}, {"custom_id": "other"}])
def test_what_a_withdrawal_was_priced_in_never_changes(change: dict[str, Any]) -> None:
    program = tenants.program()
    made = tenants.told(program.post("/withdrawal/", real(SEED_PRICED)), status=201)["id"]
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Withdrawal.objects.filter(id=made).update(**change)
