"""The `tenant` API's withdrawals afterwards: statuses, lists, who sees them; the tenant's settings and webhooks."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from payouts.api import base
from payouts.api.tenant import wire
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from payouts.withdrawals.models import Status
from tests import fakes, make
from tests.api import invoices, tenants
from tests.api.tenants import conformance
from tests.payouts import hooks

pytestmark = pytest.mark.django_db
CREATED = "Webhook settings created successfully. Please save your secret - it will not be shown again."
LISTED = {
    "withdrawal_id", "custom_id", "amount", "fee", "platform_fee", "network_fee", "blockchain", "token", "currency",
    "address", "status", "transaction_hash", "created_at", "updated_at",
}  # fmt: skip


def ids(answer: Any) -> list[str]:
    return [row["withdrawal_id"] for row in tenants.told(answer)["withdrawals"]]


def test_every_status_is_shown_as_the_vendors_page_has_it() -> None:
    assert set(wire.SHOWN) == set(Status.values)
    assert set(tenants.ROADS) == set(wire.SHOWN.values())


@conformance("S GET /withdrawal/{withdrawal_id}/")
@conformance("S POST /withdrawal/status/ by withdrawal_id")
@conformance("N pending, approved, processing, submitted, confirmed, completed, rejected, failed, cancelled")
@pytest.mark.parametrize("status", tenants.ROADS)
def test_a_withdrawal_is_shown_where_it_is(status: str) -> None:
    program = tenants.program(approval="NONE")
    made = tenants.told(program.create(custom_id="mine"), status=201)["id"]
    tenants.reach(made, status)
    seen = tenants.told(program.get(f"/withdrawal/{made}/"))
    txid = "ab" * 32 if status == "completed" else None
    assert (seen["status"], seen["custom_id"], seen["transaction_hash"]) == (status, "mine", txid)
    short = tenants.told(program.post("/withdrawal/status/", {"withdrawal_id": made}))
    assert short == {name: seen[name] for name in short}
    assert ids(program.get("/withdrawal/", {"status": status})) == [made]
    other = next(one for one in wire.DOCUMENTED if one != status)
    assert ids(program.get("/withdrawal/", {"status": other})) == []
    returned = status in ("rejected", "failed", "cancelled")
    assert make.holds(program.merchant).get("frozen", 0) == (0 if returned or txid else make.usdt("50"))


@conformance("R foreign ids answer like absent ones; ids of other APIs are none of this one's")
def test_another_tenants_withdrawal_is_not_there_nor_is_one_of_another_api() -> None:
    mine, theirs = tenants.program(), tenants.program()
    foreign = tenants.told(theirs.create(), status=201)["id"]
    other = str(make.withdrawal(mine.merchant).id)
    for unknown in (foreign, other, "x", foreign.upper(), foreign.replace("-", "")):
        assert tenants.error(mine.get(f"/withdrawal/{unknown}/")) == (404, "not_found")
        assert tenants.error(mine.post("/withdrawal/status/", {"withdrawal_id": unknown})) == (404, "not_found")
    assert tenants.told(mine.get("/withdrawal/")) == {"withdrawals": [], "total": 0}


@conformance("S GET /withdrawal/ filters status, blockchain, token, custom_id, dates; limit, offset, sort")
@conformance("N {withdrawals, total}: newest first; limit 20 by default")
def test_the_list_is_filtered_sorted_and_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    program = tenants.program()
    invoices.deposit(program.merchant, "ETH", "5")
    day, made = make.now() - timedelta(days=3), []
    for at, more in (
        (day, {"amount": 30, "custom_id": "a"}),
        (make.now(), {"amount": "2.5", "currency": "ETH", "address": make.EVM_ADDRESS}),
        (make.now(), {"amount": 20, "currency": "USDTERC20", "address": make.EVM_ADDRESS}),
    ):
        monkeypatch.setattr(base, "now", lambda at=at: at)
        made.append(tenants.told(program.create(**more), status=201)["id"])
    tron, ether, erc20 = made
    listed = tenants.told(program.get("/withdrawal/"))
    assert (ids(program.get("/withdrawal/")), listed["total"]) == ([erc20, ether, tron], 3)
    assert all(set(row) == LISTED for row in listed["withdrawals"])
    found = {
        "blockchain=trx": [tron], "blockchain=ETH": [erc20, ether], "token=usdt": [erc20, tron], "token=ETH": [ether],
        "custom_id=a": [tron], "custom_id=b": [], "status=pending": [erc20, ether, tron], "status=submitted": [],
        f"start_date={day:%Y-%m-%d}&end_date={day:%Y-%m-%d}": [tron],
        f"start_date={make.now():%Y-%m-%d}": [erc20, ether],
        f"end_date={(day - timedelta(days=1)):%Y-%m-%d}": [], f"start_date={day.isoformat()}&token=USDT": [erc20, tron],
        "sort=created_asc": [tron, ether, erc20], "sort=created_desc": [erc20, ether, tron],
        "sort=amount_asc": [ether, erc20, tron], "sort=amount_desc": [tron, erc20, ether],
        "limit=1": [erc20], "limit=1&offset=1": [ether], "offset=3": [], "limit=2&token=USDT&offset=1": [tron],
    }  # fmt: skip
    assert {query: ids(program.get(f"/withdrawal/?{query}")) for query in found} == found
    assert tenants.told(program.get("/withdrawal/?limit=1&token=USDT"))["total"] == 2
    for wrong in ("limit=0", "limit=101", "limit=x", "offset=-1", "sort=amount", "status=lost", "start_date=soon",
                  "end_date=2026-13-01", "end_date=9999-12-31", "blockchain=moon", "token=x"):  # fmt: skip
        assert program.get(f"/withdrawal/?{wrong}").status_code == 400, wrong


@conformance("S GET /user/me/ with webhook_secret_masked: read, write")
@conformance("S POST /user/webhooks/ shows the secret the first time, with the document's message: write")
def test_the_webhooks_secret_is_shown_when_it_is_first_configured_and_masked_afterwards() -> None:
    program = tenants.program()
    writer = program.with_scope("write")
    fresh = tenants.told(program.get("/user/me/"))
    assert fresh == {
        "name": program.merchant.name, "transaction_fee": 1.0, "is_fee_paid_by_user": False,
        "webhook_callback_url": None, "webhook_secret_masked": None,
    }  # fmt: skip
    tenants.told(program.create(callback_url="https://shop.example/one"), status=201)
    url = {"callback_url": "https://your-site.com/webhook"}
    first = tenants.told(writer.post("/user/webhooks/", url, Idempotency_Key="k"), status=201)
    assert (first["callback_url"], first["message"]) == (url["callback_url"], CREATED)
    assert first["secret"].startswith("sec_")
    assert tenants.told(writer.post("/user/webhooks/", url, Idempotency_Key="k"), status=201) == first
    other = {"callback_url": "https://your-site.com/other"}
    again = tenants.told(writer.post("/user/webhooks/", other))
    assert (again["callback_url"], "secret" in again) == (other["callback_url"], False)
    me = tenants.told(program.get("/user/me/"))
    masked = (me["webhook_callback_url"], me["webhook_secret_masked"])
    assert masked == (other["callback_url"], "sec_****" + first["secret"][-3:])
    for wrong in ({}, {"callback_url": "http://shop.example"}, {"callback_url": "https://10.0.0.1/"}, url | {"x": 1}):
        assert tenants.error(writer.post("/user/webhooks/", wrong)) == (400, "invalid_request")


@conformance("R X-Webhook-Signature: hex HMAC-SHA256 of the raw body; {withdrawal_id, event, status, timestamp, data}")
@conformance("R secrets rotate with overlap; a test event")
def test_a_webhook_tells_every_status_and_is_signed_over_its_bytes() -> None:
    program = tenants.program(approval="NONE")
    writer = program.with_scope("write")
    with fakes.receiver() as receiver:
        url = {"callback_url": receiver.url("/in")}
        secret = tenants.told(writer.post("/user/webhooks/", url), status=201)["secret"]
        made = tenants.told(program.create(custom_id="mine"), status=201)
        own = tenants.told(program.create(callback_url=receiver.url("/own")), status=201)
        tenants.reach(made["id"], "completed")
        new = tenants.told(writer.post("/user/webhooks/secret/rotate/"))["secret"]
        tenants.told(writer.post("/user/webhooks/test/"), status=202)
        for _ in range(6):
            hooks.deliver(make.now())
        calls = receiver.at("/in")
        bodies = [json.loads(call.body) for call in calls]
        (alone,) = [json.loads(call.body) for call in receiver.at("/own")]
    for call in calls:
        newer, older = (hmac.new(one.encode(), call.body, hashlib.sha256).hexdigest() for one in (new, secret))
        signatures = call.headers["X-Webhook-Signature"], call.headers["X-Webhook-Signature-Previous"]
        assert signatures == (newer, older)
    told = [body for body in bodies if body["event"] != "webhook.test"]
    assert len(told) == len(bodies) - 1 == 4
    assert [body["status"] for body in told] == ["pending", "approved", "processing", "completed"]
    assert {body["event"] for body in told} == {"withdrawal_status_update"}
    assert {body["withdrawal_id"] for body in told} == {made["id"]}
    assert told[0]["data"] == made
    assert told[-1]["data"] == tenants.told(program.get(f"/withdrawal/{made['id']}/"))
    assert (alone["withdrawal_id"], alone["status"]) == (own["id"], "pending")


def test_without_a_url_there_is_nothing_to_test() -> None:
    writer = tenants.program().with_scope("write")
    assert tenants.error(writer.post("/user/webhooks/test/")) == (400, "invalid_request")
    assert not Message.objects.exists()


@conformance("S GET /user/fees/: admin")
def test_what_the_platform_earned_from_this_tenant_alone_is_for_the_admin_scope() -> None:
    program, other = (tenants.program(approval="NONE") for _ in range(2))
    for one in (program, other):
        tenants.reach(tenants.told(one.create(amount=100), status=201)["id"], "completed")
    told = tenants.told(program.with_scope("admin").get("/user/fees/"))
    assert told == {"fees": {"USDT": {"amount": "1.50000000"}}}
    assert tenants.told(tenants.program().with_scope("admin").get("/user/fees/")) == {"fees": {}}


def test_other_apis_secrets_have_no_prefix() -> None:
    assert not endpoints.secret_for(make.merchant(), api="merchant", now=make.now()).startswith("sec_")
