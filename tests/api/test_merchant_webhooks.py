"""Webhooks as a merchant's program manages them: register, list, try, look at the log, rotate, remove."""

from collections.abc import Iterator
from typing import Any

import pytest

from payouts.api import dialects
from payouts.merchants.models import Merchant
from payouts.webhooks import delivery
from payouts.withdrawals import steps
from tests import fakes, make
from tests.api import speaker
from tests.api.speaker import CREATE, Program, conformance

pytestmark = pytest.mark.django_db
COMPLETED = ["withdrawal.completed"]


@pytest.fixture
def receiver() -> Iterator[fakes.Receiver]:
    with fakes.receiver() as running:
        yield running


def deliver() -> int:
    return delivery.deliver_due(render=dialects.webhook_body, now=make.now())


def register(program: Program, url: str, events: list[str] | None = None) -> Any:
    return program.post("/v1/webhooks", {"url": url, "events": events or COMPLETED})


@conformance("R POST /v1/webhooks {url, events[]} answers 201 {id, url, events, secret}")
def test_registering_answers_the_webhook_and_the_merchants_one_secret(program: Program) -> None:
    first = register(program, "https://hooks.example/in")
    second = register(program, "https://hooks.example/other", ["withdrawal.failed", *COMPLETED, "withdrawal.failed"])
    body = first.json()
    assert first.status_code == second.status_code == 201
    assert list(body) == ["id", "url", "events", "secret"]
    assert (body["url"], body["events"]) == ("https://hooks.example/in", COMPLETED)
    assert second.json()["events"] == ["withdrawal.completed", "withdrawal.failed"]
    assert second.json()["secret"] == body["secret"]
    assert len(bytes.fromhex(body["secret"])) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://hooks.example/in"},
        {"url": "https://10.0.0.1/in"},
        {"url": "https://user:word@hooks.example/"},
        {"url": ""},
        {"url": None},
        {"url": ["https://hooks.example"]},
        {"events": []},
        {"events": None},
        {"events": "withdrawal.completed"},
        {"events": ["withdrawal.nothing"]},
        {"events": [["withdrawal.completed"]]},
        {"events": [{}]},
        {"events": [1]},
        {"events": {"withdrawal.completed": 1}},
        {"secret": "mine"},
    ],
)
def test_a_webhook_that_could_not_work_is_refused(change: dict[str, Any], merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    answer = program.post("/v1/webhooks", {"url": "https://hooks.example/in", "events": COMPLETED} | change)
    assert speaker.error(answer)[0] == 400
    assert speaker.state(merchant) == before


@pytest.mark.parametrize(("production", "status"), [(False, 201), (True, 400)])
def test_plain_http_to_loopback_is_for_the_local_default_alone(
    status: int, program: Program, settings: Any, *, production: bool
) -> None:
    settings.WEBHOOKS_ALLOW_LOOPBACK = not production
    assert register(program, "http://127.0.0.1:9000/in").status_code == status


def test_the_list_shows_no_secret_and_a_removed_one_is_gone_but_for_its_log(program: Program) -> None:
    kept, removed = (register(program, f"https://hooks.example/{name}").json() for name in ("kept", "removed"))
    assert program.call("DELETE", f"/v1/webhooks/{removed['id']}").status_code == 204
    listed = program.get("/v1/webhooks").json()
    (shown,) = listed["webhooks"]
    assert listed["total"] == 1
    assert (shown["id"], shown["active"], shown["disabled_reason"]) == (kept["id"], True, None)
    assert "secret" not in shown
    assert program.get(f"/v1/webhooks/{kept['id']}").json() == shown
    gone = f"/v1/webhooks/{removed['id']}"
    for method in ("GET", "DELETE"):
        assert speaker.error(program.call(method, gone)) == (404, "webhook not found")
    assert speaker.error(program.post(f"{gone}/test")) == (404, "webhook not found")
    assert program.get(f"{gone}/deliveries").json() == {"deliveries": [], "total": 0}


def test_another_merchants_webhook_answers_like_one_that_does_not_exist(program: Program) -> None:
    foreign = register(speaker.program(make.merchant()), "https://hooks.example/in").json()["id"]
    for one in (foreign, "01900000-0000-7000-8000-000000000000"):
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test")):
            answer = program.call(method, f"/v1/webhooks/{one}{path}")
            assert speaker.error(answer) == (404, "webhook not found")
    assert program.get("/v1/webhooks").json() == {"webhooks": [], "total": 0}


@conformance("N a delivery log at /v1/webhooks/{id}/deliveries")
def test_a_test_event_arrives_and_the_log_tells_every_attempt(program: Program, receiver: fakes.Receiver) -> None:
    receiver.answers["/in"] = 500
    made = register(program, receiver.url()).json()
    sent = program.post(f"/v1/webhooks/{made['id']}/test")
    assert (sent.status_code, sent.json()["event"]) == (202, "webhook.test")
    log = f"/v1/webhooks/{made['id']}/deliveries"
    waiting = program.get(log).json()
    assert (waiting["total"], waiting["deliveries"][0]["attempts"]) == (1, [])
    deliver()
    (row,) = program.get(log).json()["deliveries"]
    (attempt,) = row["attempts"]
    assert row["id"] == sent.json()["id"] == receiver.calls[0].headers["X-Webhook-Id"]
    assert (row["event"], row["status"], row["delivered_at"]) == ("webhook.test", "pending", None)
    assert row["next_attempt_at"] > row["created_at"]
    assert (attempt["number"], attempt["status_code"], attempt["error"]) == (1, 500, None)


def test_the_log_is_newest_first_and_paged(program: Program, receiver: fakes.Receiver) -> None:
    made = register(program, receiver.url(), list(steps.EVENTS)).json()
    rows = [program.post("/v1/withdrawals", CREATE | {"amount": str(amount)}).json() for amount in (10, 11, 12)]
    speaker.reach(rows[0]["id"], "CANCELLED")
    deliver()
    log = f"/v1/webhooks/{made['id']}/deliveries"
    page = program.get(log).json()
    assert [row["event"].split(".")[1] for row in page["deliveries"]] == ["cancelled", "created", "created", "created"]
    assert {row["status"] for row in page["deliveries"]} == {"delivered"}
    assert program.get(f"{log}?limit=2&offset=1").json() == {"deliveries": page["deliveries"][1:3], "total": 4}


def test_a_delivery_is_sent_again_from_the_start_of_its_schedule_and_the_log_goes_on(
    program: Program, receiver: fakes.Receiver
) -> None:
    made, other = (register(program, receiver.url(path)).json()["id"] for path in ("/in", "/other"))
    sent = program.post(f"/v1/webhooks/{made}/test").json()["id"]
    deliver()
    again = program.post(f"/v1/webhooks/{made}/deliveries/{sent}/replay")
    assert (again.status_code, again.json()["status"], len(again.json()["attempts"])) == (202, "pending", 1)
    deliver()
    (row,) = program.get(f"/v1/webhooks/{made}/deliveries").json()["deliveries"]
    assert ([attempt["number"] for attempt in row["attempts"]], row["status"]) == ([1, 2], "delivered")
    first, second = receiver.at("/in")
    assert first.body == second.body
    assert first.headers["X-Webhook-Id"] == second.headers["X-Webhook-Id"] == sent
    elsewhere = program.post(f"/v1/webhooks/{other}/deliveries/{sent}/replay")
    assert speaker.error(elsewhere) == (404, "delivery not found")
    receiver.answers["/in"] = 410
    program.post(f"/v1/webhooks/{made}/deliveries/{sent}/replay")
    deliver()
    refused = program.post(f"/v1/webhooks/{made}/deliveries/{sent}/replay")
    assert speaker.error(refused) == (409, "webhook is disabled: the receiver answered 410 Gone")
    assert len(receiver.at("/in")) == 3


def test_a_url_that_answered_410_is_shown_as_disabled_and_is_not_tested(
    program: Program, receiver: fakes.Receiver
) -> None:
    receiver.answers["/in"] = 410
    made = register(program, receiver.url()).json()
    program.post(f"/v1/webhooks/{made['id']}/test")
    deliver()
    (shown,) = program.get("/v1/webhooks").json()["webhooks"]
    assert (shown["active"], shown["disabled_reason"]) == (False, "the receiver answered 410 Gone")
    refused = program.post(f"/v1/webhooks/{made['id']}/test")
    assert speaker.error(refused) == (409, "webhook is disabled: the receiver answered 410 Gone")


def test_a_rotated_secret_is_shown_and_is_the_one_from_then_on(program: Program) -> None:
    old = register(program, "https://hooks.example/in").json()["secret"]
    new = program.post("/v1/webhooks/secret/rotate").json()["secret"]
    assert new != old
    assert register(program, "https://hooks.example/two").json()["secret"] == new
