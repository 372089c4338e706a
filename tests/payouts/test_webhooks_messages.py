"""What webhooks say, to whom, in which order, and how a receiver knows that they are ours."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from payouts.merchants.models import Merchant
from payouts.webhooks import endpoints, outbox
from payouts.webhooks.models import Message
from payouts.withdrawals.models import Approval
from tests import fakes, make
from tests.api import speaker
from tests.api.speaker import conformance
from tests.payouts import hooks


@pytest.fixture
def receiver() -> Iterator[fakes.Receiver]:
    with fakes.receiver() as running:
        yield running


@pytest.fixture
def merchant(request: pytest.FixtureRequest) -> Merchant:
    if not request.node.get_closest_marker("django_db"):
        request.getfixturevalue("committed")
    made = make.merchant(funds="1000")
    make.policy(made, Approval.NONE)
    return made


@conformance("S the webhook withdrawal.completed comes when the transfer is confirmed on chain")
@conformance("N X-Merchant-Signature: t=…,v1=… and X-Webhook-Event; body {event, timestamp, data}")
@pytest.mark.django_db
def test_completion_is_told_exactly_once_and_as_documented(merchant: Merchant, receiver: fakes.Receiver) -> None:
    hooks.hook(merchant, receiver.url(), "withdrawal.completed")
    program = speaker.program(merchant)
    made = program.post("/v1/withdrawals", speaker.CREATE).json()
    row = speaker.reach(made["id"], "COMPLETED")
    now = row.updated_at
    assert [hooks.deliver(now), hooks.deliver(now), hooks.deliver(now + timedelta(days=9))] == [1, 0, 0]
    (call,) = receiver.calls
    assert call.headers["X-Webhook-Event"] == "withdrawal.completed"
    assert call.headers["Content-Type"] == "application/json"
    told = json.loads(call.body)
    assert list(told) == ["event", "timestamp", "data"]
    assert told["event"] == "withdrawal.completed"
    assert told["data"] == program.get(f"/v1/withdrawals/{made['id']}").json()
    assert told["timestamp"] == told["data"]["updated_at"]
    secret = endpoints.secret_for(merchant, api="merchant", now=now)
    assert hooks.verified(call, secret)
    assert not hooks.verified(fakes.Call(call.path, call.headers, call.body + b" "), secret)


@pytest.mark.django_db
def test_a_message_says_at_every_attempt_what_was_true_when_it_was_written(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    hooks.hook(merchant, receiver.url(), "withdrawal.created")
    receiver.answers["/in"] = 500
    row, now = make.withdrawal(merchant), make.now()
    hooks.deliver(now)
    speaker.reach(hooks.public_id(row), "PROCESSING")
    hooks.deliver(now + timedelta(seconds=60))
    first, second = receiver.calls
    assert first.body == second.body
    assert json.loads(second.body)["data"]["status"] == "PENDING"
    assert first.headers["X-Webhook-Id"] == second.headers["X-Webhook-Id"]
    assert first.headers["X-Merchant-Signature"] != second.headers["X-Merchant-Signature"], "t moves on"
    assert hooks.verified(second, endpoints.secret_for(merchant, api="merchant", now=now))


@pytest.mark.django_db
def test_a_rotated_secret_goes_on_signing_for_a_day_beside_the_new_one(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    endpoint, now = hooks.hook(merchant, receiver.url()), make.now()
    old = endpoints.secret_for(merchant, api="merchant", now=now)
    new = endpoints.rotate_secret(merchant, api="merchant", now=now)
    assert old != new == endpoints.secret_for(merchant, api="merchant", now=now)
    for hours in (0, 23, 25):
        outbox.test(endpoint, now=now + timedelta(hours=hours))
        hooks.deliver(now + timedelta(hours=hours))
    seen = [(hooks.verified(call, old), hooks.verified(call, new)) for call in receiver.calls]
    assert seen == [(True, True), (True, True), (False, True)]


@pytest.mark.django_db
def test_only_the_events_that_were_asked_for_by_active_urls_of_that_merchant_are_told(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    hooks.hook(merchant, receiver.url("/created"), "withdrawal.created")
    hooks.hook(merchant, receiver.url("/two"), "withdrawal.created", "withdrawal.cancelled")
    hooks.hook(make.merchant(), receiver.url("/stranger"))
    endpoints.remove(hooks.hook(merchant, receiver.url("/removed")))
    row = make.withdrawal(merchant)
    speaker.reach(hooks.public_id(row), "CANCELLED")
    hooks.deliver(make.now())
    told = Counter((call.path, call.headers["X-Webhook-Event"]) for call in receiver.calls)
    assert told == {
        ("/created", "withdrawal.created"): 1,
        ("/two", "withdrawal.created"): 1,
        ("/two", "withdrawal.cancelled"): 1,
    }


@pytest.mark.django_db
def test_what_happens_to_one_withdrawal_is_told_in_order(merchant: Merchant, receiver: fakes.Receiver) -> None:
    hooks.hook(merchant, receiver.url())
    rows = [speaker.reach(hooks.public_id(make.withdrawal(merchant, "10")), "COMPLETED") for _ in range(5)]
    hooks.deliver(make.now())
    for row in rows:
        bodies = [json.loads(call.body) for call in receiver.calls]
        told = [body["event"] for body in bodies if body["data"]["id"] == hooks.public_id(row)]
        assert told == [f"withdrawal.{event}" for event in ("created", "approved", "processing", "completed")]


@pytest.mark.django_db
def test_news_does_not_wait_hours_for_the_retry_of_older_news(merchant: Merchant, receiver: fakes.Receiver) -> None:
    hooks.hook(merchant, receiver.url())
    receiver.answers["/in"] = 500
    row, now = make.withdrawal(merchant), make.now()
    hooks.deliver(now)
    hooks.deliver(now + timedelta(seconds=60))  # the next try is minutes away
    receiver.answers["/in"] = 200
    speaker.reach(hooks.public_id(row), "CANCELLED")
    hooks.deliver(now + timedelta(seconds=61))
    assert receiver.calls[-1].headers["X-Webhook-Event"] == "withdrawal.cancelled"


def test_a_step_that_is_rolled_back_tells_nobody(merchant: Merchant, receiver: fakes.Receiver) -> None:
    hooks.hook(merchant, receiver.url())
    with transaction.atomic():
        make.withdrawal(merchant)
        assert Message.objects.count() == 1
        transaction.set_rollback(True)
    assert Message.objects.count() == hooks.deliver(make.now()) == len(receiver.calls) == 0
