"""Webhooks are delivered on schedule, once where that can be known, and nobody waits for a slow receiver."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from payouts.api import dialects
from payouts.merchants.models import Merchant
from payouts.webhooks import delivery, endpoints, outbox
from payouts.webhooks.models import Attempt, Endpoint, Message
from payouts.withdrawals.models import Approval
from tests import fakes, make
from tests.payouts import crowd, hooks

# CONFORMANCE, "Everywhere", once more by hand.
WAITS_S = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600]


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


# --- when it is sent ------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_failing_receiver_is_tried_ten_times_on_schedule_and_then_given_up(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    receiver.answers["/in"] = 503
    now = make.now()
    message = outbox.test(hooks.hook(merchant, receiver.url()), now=now)
    for wait_s in WAITS_S:
        assert hooks.deliver(now) == 1
        assert hooks.deliver(now + timedelta(seconds=wait_s - 1)) == 0
        message.refresh_from_db()
        assert message.next_attempt_at is not None
        assert wait_s <= (message.next_attempt_at - now).total_seconds() <= wait_s * 1.1 + 1
        now = message.next_attempt_at
    assert hooks.deliver(now) == 1
    message.refresh_from_db()
    assert (message.state, message.next_attempt_at, len(receiver.calls)) == ("FAILED", None, 10)
    assert hooks.deliver(now + timedelta(days=365)) == 0
    log = list(Attempt.objects.filter(message=message).values_list("number", "status_code"))
    assert log == [(number, 503) for number in range(1, 11)]


@pytest.mark.django_db
def test_a_receiver_that_was_down_for_three_days_loses_nothing(merchant: Merchant) -> None:
    with fakes.receiver() as gone:
        url = gone.url()
    hooks.hook(merchant, url, "withdrawal.created")
    start = make.now()
    rows = [make.withdrawal(merchant, "10") for _ in range(3)]
    for hour in range(0, 72, 2):
        hooks.deliver(start + timedelta(hours=hour))
    assert set(Attempt.objects.values_list("status_code", flat=True)) == {None}
    port = int(url.split(":")[2].split("/")[0])
    with fakes.receiver(port=port) as back:
        for hour in range(72, 100, 2):
            hooks.deliver(start + timedelta(hours=hour))
        ids = [json.loads(call.body)["data"]["id"] for call in back.calls]
    assert sorted(ids) == sorted(hooks.public_id(row) for row in rows)


@pytest.mark.django_db
def test_410_disables_the_url_and_gives_up_what_waits_for_it(merchant: Merchant, receiver: fakes.Receiver) -> None:
    receiver.answers["/in"] = 410
    endpoint, now = hooks.hook(merchant, receiver.url()), make.now()
    outbox.test(endpoint, now=now)
    later = outbox.test(endpoint, now=now + timedelta(hours=1))
    hooks.deliver(now)
    endpoint.refresh_from_db()
    later.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, "the receiver answered 410 Gone")
    assert later.state == "FAILED"
    make.withdrawal(merchant)
    assert hooks.deliver(now + timedelta(days=2)) == 0
    assert not outbox.replay(later, now=now), "nobody is there"


@pytest.mark.django_db
def test_a_url_that_is_switched_on_again_gets_the_news_from_then_on_and_old_ones_when_asked(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    endpoint, now = hooks.hook(merchant, receiver.url(), "withdrawal.created"), make.now()
    missed = outbox.test(endpoint, now=now)
    endpoints.switch_off(endpoint.id, reason="for a while")
    make.withdrawal(merchant, "10")
    assert hooks.deliver(now) == 0
    Endpoint.objects.filter(id=endpoint.id).update(is_active=True, disabled_reason="")
    assert hooks.deliver(now + timedelta(days=1)) == 0
    make.withdrawal(merchant, "10")
    assert hooks.deliver(make.now()) == 1
    assert outbox.replay(missed, now=now)
    assert hooks.deliver(now) == 1
    assert [call.headers["X-Webhook-Event"] for call in receiver.calls] == ["withdrawal.created", "webhook.test"]


@pytest.mark.django_db
def test_a_message_that_is_sent_again_keeps_its_log_and_starts_its_schedule_anew(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    now = make.now()
    message = outbox.test(hooks.hook(merchant, receiver.url()), now=now)
    hooks.deliver(now)
    receiver.answers["/in"] = 500
    outbox.replay(message, now=now)
    hooks.deliver(now)
    message.refresh_from_db()
    assert (message.state, message.attempts_made, message.delivered_at) == ("PENDING", 1, None)
    assert list(message.attempts.values_list("number", "status_code")) == [(1, 200), (2, 500)]


# --- who does not get in whose way ----------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("answer", [fakes.held, fakes.dripping, fakes.stalling], ids=lambda answer: answer.__name__)
def test_a_receiver_that_takes_its_time_delays_none_of_fifty_others(
    answer: Callable[[fakes.Handler], None],
    merchant: Merchant,
    receiver: fakes.Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "AT_ONCE", 2 * delivery.PER_ENDPOINT)
    receiver.answers["/slow"] = answer
    slow = hooks.hook(merchant, receiver.url("/slow"), "withdrawal.failed")
    quick = {hooks.hook(merchant, receiver.url(f"/{number}"), "withdrawal.created").url for number in range(50)}
    now = make.now()
    for _ in range(40):  # more than there are lines at once, and older than everything else
        hooks.tell(merchant, "withdrawal.failed", now=now - timedelta(minutes=1))
    hooks.tell(merchant, "withdrawal.created", now=now)
    noted: list[str] = []
    real = delivery.note

    def note(message: Message, *args: Any, **kwargs: Any) -> None:
        noted.append(message.endpoint.url)
        real(message, *args, **kwargs)
        if quick <= {*noted}:
            receiver.released.set()  # the slow one was waiting for this; else its deadline would have come first

    monkeypatch.setattr(delivery, "note", note)
    hooks.deliver(now, until=lambda: quick <= {*noted})
    assert {*noted[:50]} == quick
    assert {*noted[50:]} == {slow.url}
    assert len(noted) == 50 + delivery.PER_ENDPOINT


@pytest.mark.django_db
def test_one_message_that_cannot_be_put_into_words_keeps_nobody_elses(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    endpoint, now = hooks.hook(merchant, receiver.url()), make.now()
    bad = Message.objects.create(
        endpoint=endpoint,
        event="withdrawal.created",
        subject_id=merchant.id,
        data={"status": "half a snapshot"},
        created_at=now,
        next_attempt_at=now,
    )
    outbox.test(endpoint, now=now)
    assert hooks.deliver(now) == 2
    assert [call.headers["X-Webhook-Event"] for call in receiver.calls] == ["webhook.test"]
    bad.refresh_from_db()
    assert (bad.state, bad.attempts_made) == ("PENDING", 1)


@pytest.mark.django_db
def test_a_receiver_that_hangs_up_is_tried_again(merchant: Merchant, receiver: fakes.Receiver) -> None:
    receiver.answers["/in"] = fakes.hanging_up
    now = make.now()
    message = outbox.test(hooks.hook(merchant, receiver.url()), now=now)
    hooks.deliver(now)
    receiver.answers["/in"] = 204
    hooks.deliver(now + timedelta(seconds=6))
    message.refresh_from_db()
    assert (message.state, message.attempts_made) == ("DELIVERED", 2)


def test_two_workers_at_once_deliver_each_message_once(merchant: Merchant, receiver: fakes.Receiver) -> None:
    urls = [hooks.hook(merchant, receiver.url(f"/{number}")) for number in range(6)]
    now = make.now()
    wanted = {str(outbox.test(endpoint, now=now).id) for endpoint in urls for _ in range(10)}
    crowd.at_once([lambda: hooks.deliver(now)] * 4)
    while hooks.deliver(now):
        pass
    assert Counter(call.headers["X-Webhook-Id"] for call in receiver.calls) == dict.fromkeys(wanted, 1)


def test_what_a_killed_worker_had_sent_but_not_noted_is_sent_again_after_its_lease(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    now = make.now()
    message = outbox.test(hooks.hook(merchant, receiver.url()), now=now)
    killed = threading.Thread(target=_deliver_and_die, args=(now,))
    killed.start()
    killed.join()
    assert len(receiver.calls) == 1
    assert not message.attempts.exists()
    assert hooks.deliver(now + timedelta(seconds=119)) == 0
    assert hooks.deliver(now + timedelta(seconds=121)) == 1
    assert len(receiver.calls) == 2


def _deliver_and_die(now: datetime) -> None:
    """What a worker leaves behind that is killed between sending and noting."""
    for message in delivery.claim(now=now, limit=8, busy=Counter()):
        delivery.send(delivery.prepare(message, render=dialects.webhook_body, now=now))
    connection.close()


@pytest.mark.django_db
def test_a_worker_that_comes_back_after_its_lease_does_not_undo_a_delivery(
    merchant: Merchant, receiver: fakes.Receiver
) -> None:
    now = make.now()
    message = outbox.test(hooks.hook(merchant, receiver.url()), now=now)
    (late,) = delivery.claim(now=now, limit=8, busy=Counter())
    assert hooks.deliver(now + delivery.LEASE) == 1
    delivery.note(late, delivery.Outcome(None, "Timeout", "", 15_000), now=now)
    message.refresh_from_db()
    assert (message.state, message.next_attempt_at, message.attempts_made) == ("DELIVERED", None, 1)
    assert message.attempts.count() == 2
