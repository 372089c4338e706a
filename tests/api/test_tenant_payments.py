"""The `tenant` API's payments: asked for by the document's body, shown as they are paid, listed and told."""

import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from payouts.payments import deposits
from payouts.payments.payment_models import Payment
from payouts.rates.models import Rate
from tests import fakes, make
from tests.api import tenants, users
from tests.api.tenants import conformance
from tests.payouts import arrivals, hooks

pytestmark = pytest.mark.django_db

# The seed's own, as it stands there but for the address of the customer, which is masked, and the wallet's.
SEED = """{
"amount": 100.00,
"currency": "USDTTRC20",
"price_currency": "USD",
"callback_url": "https://your-site.com/webhook",
"order_id": "order_123",
"order_description": "Payment for order 123",
"is_fixed_rate": true,
"is_fee_paid_by_user": false,
"customer_email": "customer@shop.example",
"wallet_id": "wallet_abc123",
"expiry_minutes": 30
}"""
SEED_RANGE = """{
"currency": "USDTTRC20",
"min_amount": 10.0,
"max_amount": 100000.0,
"blockchain": "TRX",
"token": "USDT"
}"""


@pytest.fixture
def program() -> tenants.Program:
    users.enrol_keys()
    return tenants.program(funds="0")


def ask(program: tenants.Program, **changes: Any) -> Any:
    wanted = {"amount": 100, "currency": "USDTTRC20"} | changes
    return program.post("/payments/", {name: one for name, one in wanted.items() if one is not None})


def paid(transaction_id: str, amount: str) -> None:
    """The chain has found a final transfer to the payment's address, and the sweep books it."""
    payment = Payment.objects.get(id=transaction_id)
    row = arrivals.came_in(payment.network, payment.address, make.usdt(amount))
    deposits.book(row.id, now=make.now())


@conformance("S POST /payments/ with the document's body: read, write")
@conformance("R a payment has an address of its own; what is priced records its rate's source and time")
def test_the_seeds_own_request_asks_for_coins_at_an_address_of_its_own(program: tenants.Program) -> None:
    at = make.now()
    Rate.objects.create(base="USD", quote="USDT", rate=Decimal("0.999"), at=at, source="somebody")
    to = tenants.told(program.post("/wallets/", {"name": "Wallet"}), status=201)["wallet_id"]
    made = tenants.told(program.post("/payments/", SEED.replace("wallet_abc123", to)), status=201)
    shown = {
        "status": "waiting", "currency": "USDTTRC20", "blockchain": "TRX", "token": "USDT", "amount": "99.90000000",
        "received_amount": "0.00000000", "price_amount": "100", "price_currency": "USD", "rate": "0.999",
        "rate_source": "somebody", "order_id": "order_123", "order_description": "Payment for order 123",
        "is_fixed_rate": True, "is_fee_paid_by_user": False, "customer_email": "customer@shop.example", "wallet_id": to,
        "fee": "0.99900000",
    }  # fmt: skip
    assert {name: made[name] for name in shown} == shown
    assert made["address"].startswith("T")
    other = tenants.told(ask(program), status=201)
    assert other["address"] != made["address"]
    assert (other["amount"], other["price_amount"], other["rate_at"]) == ("100.00000000", None, None)
    plain = tenants.told(ask(program, is_fee_paid_by_user=True), status=201)
    assert (plain["amount"], plain["fee"]) == ("101.00000000", "1.00000000")


@conformance("S POST /payments/status/ by transaction_id")
@conformance("R {transaction_id, event: payment_status_update, status, timestamp, data}")
def test_a_paid_payment_is_finished_credited_to_its_wallet_and_told(program: tenants.Program) -> None:
    wallet = tenants.told(program.post("/wallets/", {"name": "Wallet"}), status=201)
    with fakes.receiver() as receiver:
        made = tenants.told(ask(program, wallet_id=wallet["wallet_id"], callback_url=receiver.url("/in")), status=201)
        paid(made["transaction_id"], "100")
        hooks.deliver(make.now())
        (told,) = [json.loads(call.body) for call in receiver.at("/in")]
    seen = tenants.told(program.post("/payments/status/", {"transaction_id": made["transaction_id"]}))
    assert (seen["status"], seen["received_amount"]) == ("finished", "100.00000000")
    assert len(seen["transaction_hashes"]) == 1
    envelope = {"transaction_id": made["transaction_id"], "event": "payment_status_update", "status": "finished"}
    assert {name: told[name] for name in envelope} == envelope
    assert told["data"] | {"transaction_hashes": seen["transaction_hashes"]} == seen
    (held, *_) = tenants.told(program.get(f"/wallets/{wallet['id']}/"))["balances"]
    assert held["amount"] == "99.00000000", "less the platform's per cent"
    assert make.holds(program.merchant)["fees"] == make.usdt("1")


@conformance("S GET /payments/ limit 1 to 100, 20 by default; status, currency, blockchain, token")
def test_payments_are_listed_newest_first_and_filtered(program: tenants.Program) -> None:
    users.enrol_keys()
    made = [
        tenants.told(ask(program, **more), status=201)["transaction_id"]
        for more in ({}, {"currency": "USDTERC20"}, {"currency": "ETH", "amount": "0.5"})
    ]
    tron, erc20, ether = made
    paid(tron, "100")
    found = {
        "": [ether, erc20, tron], "status=finished": [tron], "status=waiting": [ether, erc20], "currency=ETH": [ether],
        "currency=USDTERC20": [erc20], "blockchain=eth": [ether, erc20], "token=usdt": [erc20, tron],
        "blockchain=TRX&token=USDT": [tron], "limit=1": [ether], "limit=1&offset=2": [tron],
        "currency=ETH&token=ETH": [ether],
    }  # fmt: skip
    listed = {query: tenants.told(program.get(f"/payments/?{query}"))["payments"] for query in found}
    assert {query: [row["transaction_id"] for row in rows] for query, rows in listed.items()} == found
    whole = tenants.told(program.get("/payments/"))
    assert (whole["total"], whole["limit"], whole["offset"]) == (3, 20, 0)
    for wrong in ("limit=0", "limit=101", "offset=x", "status=lost", "currency=X", "blockchain=moon", "token=x",
                  "currency=ETH&token=USDT"):  # fmt: skip
        assert program.get(f"/payments/?{wrong}").status_code == 400, wrong
    other = tenants.program(funds="0")
    assert tenants.told(other.get("/payments/"))["total"] == 0
    for unknown in (tron, "x", str(uuid.uuid4())):
        assert tenants.error(other.post("/payments/status/", {"transaction_id": unknown})) == (404, "not_found")


@conformance("S GET /payments/min-amount/?currency= {currency, min_amount, max_amount, blockchain, token} in numbers")
def test_the_range_of_a_payment_is_told_in_numbers_and_held(program: tenants.Program) -> None:
    answer = program.get("/payments/min-amount/?currency=USDTTRC20")
    assert tenants.told(answer) == json.loads(SEED_RANGE)
    assert b'"min_amount":10.0,"max_amount":100000.0' in answer.content
    for amount in ("9.999999", 100000.000001):
        assert tenants.error(ask(program, amount=amount)) == (422, "invalid_amount")
    assert tenants.error(program.get("/payments/min-amount/")) == (400, "invalid_request")
    assert tenants.error(program.get("/payments/min-amount/?currency=BTC")) == (400, "invalid_currency")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount": None}, (400, "invalid_request")),
        ({"amount": -1}, (422, "invalid_amount")),
        ({"amount": "100.0000001"}, (422, "invalid_amount")),
        ({"amount": "10.000000001", "price_currency": "USD"}, (422, "invalid_amount")),
        ({"amount": 10**16, "price_currency": "USD"}, (422, "invalid_amount")),
        ({"price_currency": "XYZ"}, (400, "invalid_currency")),
        ({"currency": "BTC"}, (400, "invalid_currency")),
        ({"wallet_id": "wallet_abc123"}, (404, "not_found")),
        ({"wallet_id": 5}, (400, "invalid_request")),
        ({"expiry_minutes": 0}, (400, "invalid_request")),
        ({"expiry_minutes": 1.5}, (400, "invalid_request")),
        ({"expiry_minutes": "30"}, (400, "invalid_request")),
        ({"customer_email": "nobody"}, (400, "invalid_request")),
        ({"callback_url": "http://shop.example"}, (400, "invalid_request")),
        ({"is_fixed_rate": "yes"}, (400, "invalid_request")),
        ({"order_id": "x" * 129}, (400, "invalid_request")),
        ({"orderId": "x"}, (400, "invalid_request")),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    program: tenants.Program, change: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert tenants.error(ask(program, **change)) == expected
    assert not Payment.objects.exists()


def test_a_repeat_is_one_payment(program: tenants.Program) -> None:
    first, again = (
        program.post("/payments/", {"amount": 50, "currency": "USDTTRC20"}, Idempotency_Key="k") for _ in "12"
    )
    assert (first.status_code, first.json()) == (201, again.json())
    assert Payment.objects.count() == 1


def test_without_deposit_keys_nobody_can_be_asked_to_pay() -> None:
    assert tenants.error(ask(tenants.program(funds="0"))) == (503, "service_unavailable")
    assert not Payment.objects.exists()
