"""Deposits of merchants' users: they pay in on chain, both balances grow once, the merchant is told."""

import json
from collections.abc import Iterator

import pytest

from ledger import audit
from payouts.api import dialects
from payouts.merchants.user_models import UserWallet
from payouts.payments import wallets
from payouts.webhooks import delivery
from tests import fakes, make
from tests.api import users
from tests.api.users import Program, conformance
from tests.payouts import arrivals

pytestmark = pytest.mark.django_db
# fmt: off
FIELDS = [
    "type", "transactionId", "clientId", "amount", "fee", "netAmount", "actualBalance", "currencyType", "status",
    "createdAt", "confirmedAt", "blockchainTxHash", "walletAddress", "network", "id",
]
# fmt: on


@pytest.fixture
def receiver() -> Iterator[fakes.Receiver]:
    with fakes.receiver() as running:
        yield running


def address(program: Program, network: str = "tron") -> str:
    return wallets.held(UserWallet.objects.get(merchant=program.merchant))[network]


def told(receiver: fakes.Receiver, path: str = "/in") -> list[dict[str, object]]:
    delivery.deliver_due(render=dialects.webhook_body, now=make.now())
    return [json.loads(call.body) for call in receiver.at(path)]


@conformance("N webhook payload {success, message, data{…}}")
@pytest.mark.parametrize(("network", "code"), [("tron", "TRC20"), ("ethereum", "ERC20")])
def test_a_users_deposit_is_credited_and_told_with_what_the_user_then_has(
    network: str, code: str, receiver: fakes.Receiver
) -> None:
    program = users.program()
    before, owed = make.holds(program.merchant).get("available", 0), users.owed(program.merchant)[0]
    users.data(program.post("/public/webhook/url", {"url": receiver.url()}))
    row = arrivals.came_in(network, address(program, network), make.usdt("12.5"))
    arrivals.book()
    assert make.holds(program.merchant)["available"] == before + make.usdt("12.5")
    assert users.owed(program.merchant) == (owed + make.usdt("12.5"), 0)
    (body,) = told(receiver)
    data = body["data"]
    assert isinstance(data, dict)
    assert list(data) == FIELDS
    assert (body["success"], body["message"]) == (True, "Transaction status update")
    assert (data["type"], data["status"], data["clientId"]) == ("deposit", "completed", users.USER)
    assert (data["amount"], data["fee"], data["netAmount"]) == (12.5, 0, 12.5)
    assert (data["currencyType"], data["network"]) == (f"USDT-{code}", code)
    assert (data["blockchainTxHash"], data["walletAddress"]) == (row.txid, row.recipient)
    assert data["actualBalance"] == (owed + make.usdt("12.5")) / 10**6
    assert arrivals.book() == []
    assert audit.prove().problems == []


def test_a_user_with_an_url_of_his_own_is_told_there_alone(receiver: fakes.Receiver) -> None:
    program = users.program()
    users.data(program.post("/public/webhook/url", {"url": receiver.url()}))
    UserWallet.objects.filter(merchant=program.merchant).update(callback_url=receiver.url("/own"))
    arrivals.came_in("tron", address(program), make.usdt("1"))
    arrivals.book()
    assert len(told(receiver, "/own")) == 1
    assert told(receiver) == []


def test_an_url_that_withdrawals_were_made_with_hears_of_deposits_too(receiver: fakes.Receiver) -> None:
    program = users.program()
    made = users.data(program.create(callbackUrl=receiver.url("/both")), status=201)
    UserWallet.objects.filter(merchant=program.merchant).update(callback_url=receiver.url("/both"))
    arrivals.came_in("tron", address(program), make.usdt("1"))
    arrivals.book()
    (body,) = told(receiver, "/both")
    data = body["data"]
    assert isinstance(data, dict)
    assert data["type"] == "deposit"
    assert data["id"] != made["id"]
