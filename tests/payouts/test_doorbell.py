"""Invariant 7: whatever becomes of Redis, a verb is done, and the sweeps find its work in PostgreSQL."""

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import transaction
from structlog.testing import capture_logs

from payouts import doorbell, tasks
from payouts.withdrawals import steps
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.databases import Database


def app_at(url: str) -> Celery:
    """The house's Celery, but with another broker."""
    app = Celery("elsewhere", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"interval_start": 0}
    app.conf.update(broker_url=url, broker_transport_options=options)
    return app


@pytest.fixture(autouse=True)
def _line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "line", doorbell.Line())


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where the broker should be."""
    monkeypatch.setattr(doorbell, "current_app", app_at("redis://127.0.0.1:1/0"))


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The broker takes the call and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        app = app_at(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        app.conf.broker_transport_options |= {"socket_timeout": 0.2}
        monkeypatch.setattr(doorbell, "current_app", app)
        yield


@pytest.fixture
def refusing(redis_clean: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The broker is there, but takes no message: as a full or read-only Redis does."""
    address = urlsplit(redis_clean)
    with redis.Redis.from_url(redis_clean) as broker:
        broker.execute_command("ACL", "SETUSER", "mute", "on", ">mute", "~*", "&*", "+@all", "-lpush")
        url = urlunsplit(address._replace(netloc=f"mute:mute@{address.hostname}:{address.port}"))
        monkeypatch.setattr(doorbell, "current_app", app_at(url))
        yield
        broker.execute_command("ACL", "DELUSER", "mute")


def rung(queue: str) -> list[str]:
    """The tasks that wait in a queue, taken out of it."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        waiting = broker.lpop(queue, 100) or []
    return [json.loads(message)["headers"]["task"] for message in waiting]


@pytest.mark.parametrize(("sweep", "queue"), [("screen", "worker"), ("sign", "signer"), ("webhooks", "webhooks")])
def test_a_ring_arrives_on_the_queue_of_its_workers(redis_clean: str, sweep: str, queue: str) -> None:
    doorbell.ring(sweep)
    assert rung(queue) == [f"payouts.tasks.{sweep}"]


def test_every_ring_of_the_state_table_is_a_task_of_ours() -> None:
    for step in steps.STEPS.values():
        assert step.rings is None or hasattr(tasks, step.rings)


def test_nobody_is_rung_before_the_commit_or_after_a_rollback(redis_clean: str, committed: Database) -> None:
    with transaction.atomic():
        doorbell.ring_on_commit("screen")
        assert rung("worker") == []
    assert rung("worker") == ["payouts.tasks.screen"]
    with transaction.atomic():
        doorbell.ring_on_commit("screen")
        transaction.set_rollback(True)
    assert rung("worker") == []


@pytest.mark.parametrize("broker", ["dead", "hanging", "refusing"])
def test_a_verb_is_done_although_the_broker_is_not_there(
    committed: Database, request: pytest.FixtureRequest, broker: str
) -> None:
    request.getfixturevalue(broker)
    merchant = make.merchant(funds="1000")
    with capture_logs() as logs:
        made = make.withdrawal(merchant)
    assert [log["event"] for log in logs if log["log_level"] == "warning"] == ["doorbell.unheard"]
    assert Withdrawal.objects.get(id=made.id).status == Status.PENDING
    assert make.holds(merchant)["frozen"] == make.usdt("100")
    tasks.screen()
    assert Withdrawal.objects.get(id=made.id).status == Status.PENDING_REVIEW


def test_a_hanging_broker_is_waited_for_once_and_tried_again_later(hanging: None) -> None:
    start_s = time.monotonic()
    for _ in range(20):
        doorbell.ring("send")
    assert time.monotonic() - start_s < 20 * 0.2
    doorbell.line.silent_until_s = time.monotonic()
    with capture_logs() as logs:
        doorbell.ring("send")
    assert [log["event"] for log in logs] == ["doorbell.unheard"]
