"""The `merchant` API against its document (seed 2), request by request and answer by answer."""

import json
import re
from typing import Any

import pytest

from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import speaker
from tests.api.speaker import CREATE, Program, conformance

pytestmark = pytest.mark.django_db

# The seed's own request and answers, as they stand there.
SEED_REQUEST = """{
    "amount": "500.00",
    "destination_address": "TXyz1234567890abcdefghijklmnopqrst",
    "network": "TRC20"
  }"""
SEED_CREATED = """{
  "id": "wd_01HQ8ZTXV...",
  "merchant_id": "a1b2c3d4-...",
  "amount": "500.00",
  "fee": "1.00",
  "status": "PENDING",
  "destination_address": "TXyz1234567890abcdefghijklmnopqrst",
  "network": "TRC20",
  "tx_hash": null,
  "created_at": "2024-01-15T10:00:00Z",
  "updated_at": "2024-01-15T10:00:00Z"
}"""
SEED_LISTED = """{
  "withdrawals": [
    {
      "id": "wd_01HQ8ZTXV...",
      "amount": "500.00",
      "fee": "1.00",
      "status": "COMPLETED",
      "destination_address": "TXyz...",
      "network": "TRC20",
      "tx_hash": "abc123def456...",
      "created_at": "2024-01-15T10:00:00Z",
      "updated_at": "2024-01-15T14:30:00Z"
    }
  ],
  "total": 5
}"""
ULID = re.compile(r"wd_[0-7][0-9A-HJKMNP-TV-Z]{25}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def documented(sample: str, **own: Any) -> dict[str, Any]:
    """The sample with this call's own id, merchant and moments in the place of the document's."""
    body: dict[str, Any] = json.loads(sample)
    return body | own


@conformance("S POST /v1/withdrawals answers 201 and the Withdrawal object")
@conformance("S an amount of 500.00 costs a fee of 1.00")
@conformance("R id is wd_ and a ULID")
@conformance("R a test-mode merchant's address needs only the documented form")
def test_the_seeds_own_request_gets_the_seeds_own_answer_in_test_mode() -> None:
    merchant = make.merchant(funds="1000", mode=Merchant.Mode.TEST)
    answer = speaker.program(merchant).post("/v1/withdrawals", SEED_REQUEST)
    body = answer.json()
    own = {"id": body["id"], "merchant_id": str(merchant.id)}
    own |= {"created_at": body["created_at"], "updated_at": body["created_at"]}
    assert answer.status_code == 201
    assert body == documented(SEED_CREATED, **own)
    assert list(body) == list(json.loads(SEED_CREATED)), "in the document's order"
    assert ULID.fullmatch(body["id"])
    assert MOMENT.fullmatch(body["created_at"])


@conformance("R a live merchant's address is checked in full")
def test_a_live_merchant_is_refused_the_seeds_sample_address(merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    answer = program.post("/v1/withdrawals", SEED_REQUEST)
    assert speaker.error(answer) == (400, "invalid destination address")
    assert speaker.state(merchant) == before


@conformance("S the amount is frozen at once")
@conformance("R exactly the amount is frozen")
@conformance("N GET /v1/balance answers {merchant_id, available, frozen}")
def test_the_amount_is_frozen_at_once_and_no_more_than_the_amount(merchant: Merchant, program: Program) -> None:
    program.post("/v1/withdrawals", CREATE)
    balance = {"merchant_id": str(merchant.id), "available": "500.00", "frozen": "500.00"}
    assert program.get("/v1/balance").json() == balance


@conformance("S GET /v1/withdrawals answers {withdrawals, total}; items omit merchant_id")
@conformance("S GET /v1/withdrawals/{id} answers the Withdrawal object, or 404")
def test_an_item_of_the_list_is_the_seeds_and_a_retrieved_one_adds_the_merchant(
    merchant: Merchant, program: Program
) -> None:
    made = program.post("/v1/withdrawals", CREATE).json()
    row = speaker.reach(made["id"], "COMPLETED")
    listed = program.get("/v1/withdrawals?limit=20").json()
    one = program.get(f"/v1/withdrawals/{made['id']}")
    item = listed["withdrawals"][0]
    assert list(listed) == ["withdrawals", "total"]
    assert list(item) == list(json.loads(SEED_LISTED)["withdrawals"][0])
    assert listed["total"] == 1
    assert (item["status"], item["tx_hash"]) == ("COMPLETED", row.txid)
    assert one.status_code == 200
    assert one.json() == item | {"merchant_id": str(merchant.id)}


@conformance("S COMPLETED is confirmed on chain, and tx_hash is set")
@conformance("S PENDING, PENDING_REVIEW, LEVEL1_APPROVED, APPROVED, PROCESSING, COMPLETED, FAILED, CANCELLED, REJECTED")
@pytest.mark.parametrize("status", speaker.ROADS)
def test_the_transaction_hash_is_set_when_completed_and_only_then(status: str, program: Program) -> None:
    made = program.post("/v1/withdrawals", CREATE).json()
    speaker.reach(made["id"], status)
    seen = program.get(f"/v1/withdrawals/{made['id']}").json()
    assert seen["status"] == status
    assert seen["tx_hash"] == ("ab" * 32 if status == "COMPLETED" else None)


@conformance("S FAILED and REJECTED return the funds to the balance")
def test_completed_keeps_the_fee_and_failed_or_rejected_returns_everything(program: Program) -> None:
    for status in ("FAILED", "REJECTED", "COMPLETED"):
        speaker.reach(program.post("/v1/withdrawals", CREATE).json()["id"], status)
        kept = "500.00" if status == "COMPLETED" else "1000.00"
        balance = program.get("/v1/balance").json()
        assert (balance["available"], balance["frozen"]) == (kept, "0.00")


@conformance("S amount is a decimal string, positive and not more than what is available")
@pytest.mark.parametrize(("amount", "shown"), [("500", "500.00"), ("1.5", "1.50"), ("2.123456", "2.123456")])
def test_amounts_are_decimal_strings_that_lose_no_digit(amount: str, shown: str, program: Program) -> None:
    assert program.post("/v1/withdrawals", CREATE | {"amount": amount}).json()["amount"] == shown


@conformance("S network is TRC20 or ERC20")
def test_an_ethereum_address_works_on_erc20_and_comes_back_with_its_checksum(program: Program) -> None:
    body = CREATE | {"network": "ERC20", "destination_address": make.EVM_ADDRESS.lower()}
    made = program.post("/v1/withdrawals", body).json()
    assert (made["network"], made["destination_address"], made["fee"]) == ("ERC20", make.EVM_ADDRESS, "1.00")


@conformance("S amount is a decimal string, positive and not more than what is available")
@conformance("S destination_address is valid for the network")
@conformance("S network is TRC20 or ERC20")
@conformance("N errors invalid amount, unsupported network; R insufficient balance, invalid destination address")
@conformance("R a JSON number as amount: 400 invalid amount")
@conformance("R unknown body fields are refused")
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"amount": "1000.000001"}, "insufficient balance"),
        ({"amount": "0"}, "invalid amount"),
        ({"amount": "-5"}, "invalid amount"),
        ({"amount": 500}, "invalid amount"),
        ({"amount": "1.00"}, "amount must exceed the fee"),
        ({"network": "BEP20"}, "unsupported network"),
        ({"network": "trc20"}, "unsupported network"),
        ({"network": None}, "unsupported network"),
        ({"destination_address": make.EVM_ADDRESS}, "invalid destination address"),
        ({"destination_address": make.TRON_ADDRESS[:-1] + "9"}, "invalid destination address"),
        ({"destination_address": ""}, "invalid destination address"),
        ({"destination_address": None}, "invalid destination address"),
        ({"memo": "x"}, "unknown field: memo"),
    ],
)
def test_what_cannot_be_paid_is_refused_with_the_documented_text(
    change: dict[str, Any], text: str, merchant: Merchant, program: Program
) -> None:
    before = speaker.state(merchant)
    assert speaker.error(program.post("/v1/withdrawals", CREATE | change)) == (400, text)
    assert speaker.state(merchant) == before


@conformance("S amount is a decimal string, positive and not more than what is available")
def test_the_whole_balance_may_leave_and_not_a_unit_more(program: Program) -> None:
    assert program.post("/v1/withdrawals", CREATE | {"amount": "1000"}).status_code == 201
    more = program.post("/v1/withdrawals", CREATE | {"amount": "1.000001"})
    assert speaker.error(more) == (400, "insufficient balance")


@conformance("S limit is 20 by default and 100 at most, offset 0 by default")
@conformance("R limit > 100 clamps")
def test_the_list_is_newest_first_twenty_at_a_time_and_never_more_than_a_hundred(merchant: Merchant) -> None:
    make.deposit(merchant, "10000")
    made = [make.withdrawal(merchant, "2") for _ in range(105)]
    program = speaker.program(merchant)

    def ids(query: str) -> list[str]:
        page = program.get(f"/v1/withdrawals{query}").json()
        assert page["total"] == 105
        return [str(speaker.internal(item["id"])) for item in page["withdrawals"]]

    newest = [str(row.id) for row in reversed(made)]
    assert ids("") == newest[:20]
    assert ids("?limit=100") == ids("?limit=101") == ids("?limit=99999999999999") == newest[:100]
    assert ids("?limit=3&offset=2") == newest[2:5]
    assert ids("?offset=100") == newest[100:]
    assert ids("?offset=999999999999999999999999") == []


@conformance("S GET /v1/withdrawals/{id} answers the Withdrawal object, or 404")
@conformance("R another merchant's id: 404")
def test_another_merchants_withdrawal_answers_like_one_that_does_not_exist(program: Program) -> None:
    foreign = speaker.program(make.merchant(funds="1000")).post("/v1/withdrawals", CREATE).json()["id"]
    absent = "wd_01HQ8ZTXV0000000000000000A"
    for path in ("/v1/withdrawals/{}", "/v1/withdrawals/{}/cancel"):
        method = "POST" if path.endswith("cancel") else "GET"
        one, other = (program.call(method, path.format(each)) for each in (foreign, absent))
        assert speaker.error(one) == speaker.error(other) == (404, "withdrawal not found")
    assert program.get("/v1/withdrawals").json() == {"withdrawals": [], "total": 0}
    assert Withdrawal.objects.get(id=speaker.internal(foreign)).status == "PENDING"


@conformance("S CANCELLED is before processing")
@conformance("R POST /v1/withdrawals/{id}/cancel, before PROCESSING only; it releases the freeze")
@pytest.mark.parametrize("status", speaker.ROADS)
def test_cancel_releases_the_freeze_before_processing_and_is_refused_from_then_on(
    status: str, merchant: Merchant, program: Program
) -> None:
    made = program.post("/v1/withdrawals", CREATE).json()
    speaker.reach(made["id"], status)
    before = speaker.state(merchant)
    answer = program.post(f"/v1/withdrawals/{made['id']}/cancel")
    if status in ("PENDING", "PENDING_REVIEW", "LEVEL1_APPROVED", "APPROVED"):
        assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
        assert program.get("/v1/balance").json()["available"] == "1000.00"
    else:
        assert speaker.error(answer) == (409, f"withdrawal is {status}")
        assert speaker.state(merchant) == before


@conformance("N GET /v1/transactions answers {transactions, total}, newest first")
def test_the_statement_tells_every_movement_newest_first(merchant: Merchant, program: Program) -> None:
    first, second = (program.post("/v1/withdrawals", CREATE | {"amount": text}).json()["id"] for text in ("10", "20.5"))
    program.post(f"/v1/withdrawals/{first}/cancel")
    page = program.get("/v1/transactions").json()
    told = [
        (line["order_id"], line["entry_type"], line["amount"], line["balance_after"], line["description"])
        for line in page["transactions"]
    ]
    assert told == [
        (first, "CREDIT", "10.00", "979.50", "refund"),
        (second, "DEBIT", "20.50", "969.50", "freeze"),
        (first, "DEBIT", "10.00", "990.00", "freeze"),
        ("test deposit", "CREDIT", "1000.00", "1000.00", "deposit"),
    ]
    assert page["total"] == 4
    line = page["transactions"][0]
    assert set(line) - {"order_id", "entry_type", "amount", "balance_after", "description"} == {
        "id",
        "merchant_id",
        "created_at",
    }
    assert line["merchant_id"] == str(merchant.id)
    assert MOMENT.fullmatch(line["created_at"])
    paged = program.get("/v1/transactions?limit=2&offset=1").json()
    assert paged == {"transactions": page["transactions"][1:3], "total": 4}
    assert program.get("/v1/transactions?offset=99999999999999999999").json() == {"transactions": [], "total": 4}


@conformance("R a balance that is not there is 0")
def test_a_merchant_without_any_money_has_a_balance_of_nothing() -> None:
    merchant = make.merchant()
    program = speaker.program(merchant)
    empty = {"merchant_id": str(merchant.id), "available": "0.00", "frozen": "0.00"}
    assert program.get("/v1/balance").json() == empty
    assert program.get("/v1/transactions").json() == {"transactions": [], "total": 0}
