"""Webhooks of the `public` API: one for what nobody is asked about, two where the merchant decides."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from payouts.api import dialects
from payouts.webhooks import delivery
from tests import fakes, make
from tests.api import users
from tests.api.users import CREATE, REQUESTS, Program, conformance

pytestmark = pytest.mark.django_db
# fmt: off
FIELDS = [
    "type", "transactionId", "clientId", "amount", "fee", "netAmount", "currencyType", "status", "createdAt",
    "confirmedAt", "blockchainTxHash", "walletAddress", "network", "id",
]
# fmt: on


@pytest.fixture
def receiver() -> Iterator[fakes.Receiver]:
    with fakes.receiver() as running:
        yield running


def told(program: Program, url: str) -> str:
    """Have the merchant told there; answers the secret."""
    users.data(program.post("/public/webhook/url", {"url": url}))
    return str(users.data(program.post("/public/webhook/secret/rotate"))["secret"])


def deliver() -> int:
    return delivery.deliver_due(render=dialects.webhook_body, now=make.now())


def signature(secret: str, raw: bytes) -> str:
    """What the document tells a receiver to compute."""
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def statuses(receiver: fakes.Receiver, path: str = "/in") -> list[str]:
    deliver()
    return [json.loads(call.body)["data"]["status"] for call in receiver.at(path)]


@conformance("S auto-approved: 1 webhook, completed or failed, type withdrawal")
@pytest.mark.parametrize("end", ["completed", "failed"])
def test_a_create_is_told_once_when_it_has_ended(end: str, receiver: fakes.Receiver) -> None:
    program = users.program()
    told(program, receiver.url())
    made = users.data(program.create(), status=201)["id"]
    assert statuses(receiver) == []
    users.reach(made, end)
    assert statuses(receiver) == [end]
    assert json.loads(receiver.calls[0].body)["data"]["type"] == "withdrawal"


@conformance("S manual approval: 2 webhooks, pending when created, then completed, failed or rejected")
@pytest.mark.parametrize("end", ["completed", "failed", "rejected"])
def test_a_request_is_told_when_it_waits_and_when_it_has_ended(end: str, receiver: fakes.Receiver) -> None:
    program = users.program()
    told(program, receiver.url())
    made = users.data(program.request(), status=201)["id"]
    assert statuses(receiver) == ["pending"]
    if end == "rejected":
        users.data(program.post(f"{REQUESTS}/{made}/reject"))
    else:
        users.reach(made, end)
    assert statuses(receiver) == ["pending", end]


@conformance("S enabled and under the threshold: 1 webhook; over it: 2")
def test_a_request_under_the_auto_setting_is_told_once(receiver: fakes.Receiver) -> None:
    program = users.program()
    told(program, receiver.url())
    users.set_up(program.merchant, auto_withdraw=True)
    made = users.data(program.request(), status=201)["id"]
    assert statuses(receiver) == []
    for verb in ("auto_approve", "dispatch", "complete"):
        users.step(made, verb)
    assert statuses(receiver) == ["completed"]


@conformance("N webhook payload {success, message: Transaction status update, data: {type … id}}")
@conformance("N X-Webhook-Signature: sha256=<hex HMAC-SHA256(rawBody, secret)>")
def test_the_message_is_shaped_and_signed_as_documented(receiver: fakes.Receiver) -> None:
    program = users.program()
    told(program, receiver.url())
    secret = told(program, receiver.url())
    made = users.data(program.create(currencyType="USDT-ERC20", walletAddress=make.EVM_ADDRESS), status=201)["id"]
    users.reach(made, "completed")
    deliver()
    (call,) = receiver.calls
    body = json.loads(call.body)
    seen = users.data(program.get(f"/public/payout/get?id={made}"))
    assert call.headers["X-Webhook-Signature"] == signature(secret, call.body)
    assert "X-Webhook-Test" not in call.headers
    assert list(body) == ["success", "message", "data"]
    assert (body["success"], body["message"]) == (True, "Transaction status update")
    assert list(body["data"]) == FIELDS
    assert body["data"] == {
        "type": "withdrawal",
        "transactionId": made,
        "clientId": "user-12345",
        "amount": 50,
        "fee": 2.5,
        "netAmount": 47.5,
        "currencyType": "USDT-ERC20",
        "status": "completed",
        "createdAt": seen["createdAt"],
        "confirmedAt": seen["confirmedAt"],
        "blockchainTxHash": "ab" * 32,
        "walletAddress": make.EVM_ADDRESS,
        "network": "ERC20",
        "id": made,
    }
    assert seen["confirmedAt"].endswith("Z")


@conformance("S callbackUrl is the webhook URL for this withdrawal")
def test_a_withdrawals_own_url_is_told_in_the_place_of_the_merchants(receiver: fakes.Receiver) -> None:
    program = users.program()
    told(program, receiver.url())
    own = receiver.url("/own")
    made = [users.data(program.create(callbackUrl=own), status=201)["id"] for _ in range(2)]
    other = users.data(program.create(), status=201)["id"]
    for one in (*made, other):
        users.reach(one, "completed")
    assert statuses(receiver, "/own") == ["completed"] * 2
    assert statuses(receiver) == ["completed"]
    assert {json.loads(call.body)["data"]["id"] for call in receiver.at("/own")} == set(made)
    assert users.data(program.get("/public/webhook/url"))["url"] == receiver.url()


def test_a_callback_that_answered_410_is_tried_anew_by_the_next_withdrawal(receiver: fakes.Receiver) -> None:
    program = users.program()
    receiver.answers["/own"] = 410
    first = users.data(program.create(callbackUrl=receiver.url("/own")), status=201)["id"]
    users.reach(first, "completed")
    assert statuses(receiver, "/own") == ["completed"]
    receiver.answers["/own"] = 200
    second = users.data(program.create(callbackUrl=receiver.url("/own")), status=201)["id"]
    users.reach(second, "completed")
    assert statuses(receiver, "/own") == ["completed", "completed"]


@pytest.mark.parametrize("url", ["http://hooks.example/in", "https://10.0.0.1/", "https://a:b@hooks.example/", "nope"])
def test_a_url_that_may_not_be_called_is_refused_and_nothing_is_frozen(url: str) -> None:
    program = users.program()
    before = users.state(program.merchant)
    refused = (400, "URL must be a public https address")
    assert users.error(program.post(users.CREATE_PATH, CREATE | {"callbackUrl": url})) == refused
    assert users.error(program.post("/public/webhook/url", {"url": url})) == refused
    assert users.state(program.merchant) == before


@conformance("N tests add X-Webhook-Test: true: POST /webhook/test {}")
def test_a_test_message_says_that_it_is_one(receiver: fakes.Receiver) -> None:
    program = users.program()
    assert users.error(program.post("/public/webhook/test")) == (400, "Webhook URL is not configured")
    secret = told(program, receiver.url())
    users.data(program.post("/public/webhook/test"))
    deliver()
    (call,) = receiver.calls
    assert call.headers["X-Webhook-Test"] == "true"
    assert call.headers["X-Webhook-Signature"] == signature(secret, call.body)
    assert json.loads(call.body)["data"]["type"] == "test"


def test_what_was_told_last_about_a_withdrawal_is_sent_again(receiver: fakes.Receiver) -> None:
    program = users.program()
    told(program, receiver.url())
    made = users.data(program.request(), status=201)["id"]
    users.reach(made, "completed")
    assert statuses(receiver) == ["pending", "completed"]
    again = users.data(program.post("/public/webhook/replay", {"id": made}))
    assert again["url"] == receiver.url()
    assert statuses(receiver) == ["pending", "completed", "completed"]
    assert receiver.calls[-1].body == receiver.calls[-2].body
    untold = users.data(program.create(), status=201)["id"]
    refused = program.post("/public/webhook/replay", {"id": untold})
    assert users.error(refused) == (404, "No webhook was sent about this withdrawal")
    told(program, receiver.url("/new"))
    gone = program.post("/public/webhook/replay", {"id": made})
    assert users.error(gone) == (400, "Webhook URL is no longer in use")


@conformance("N /webhook/url sets the merchant's one URL; R body {url}")
def test_another_url_takes_the_place_of_the_first(receiver: fakes.Receiver) -> None:
    program = users.program()
    told(program, receiver.url("/old"))
    told(program, receiver.url("/new"))
    users.data(program.post("/public/webhook/test"))
    deliver()
    assert [call.path for call in receiver.calls] == ["/new"]


@conformance("N /webhook/secret/rotate shows the new secret once; R data.secret")
def test_a_rotated_secret_signs_at_once_and_the_old_one_beside_it(receiver: fakes.Receiver) -> None:
    program = users.program()
    old = told(program, receiver.url())
    answer = program.post("/public/webhook/secret/rotate")
    new = users.data(answer)["secret"]
    masked: dict[str, Any] = users.data(program.get("/public/webhook/secret"))
    assert masked == {"secretMasked": f"****{new[-4:]}"}
    users.data(program.post("/public/webhook/test"))
    deliver()
    (call,) = receiver.calls
    assert call.headers["X-Webhook-Signature"] == signature(new, call.body)
    assert call.headers["X-Webhook-Signature-Previous"] == signature(old, call.body)
