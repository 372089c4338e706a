"""What an operator sees: alarms that come and go by themselves, `/readyz`, `/metrics`."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from chain import alarms
from chain.models import Intent
from ledger import audit
from payouts import reconciliation, surveying, ticks
from payouts.webhooks.models import Message
from payouts.withdrawals import withdrawals
from tests import make
from tests.databases import Database

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _bells(redis_clean: str) -> None:
    """Rings go to a Redis of this process's own, where nobody listens."""


def opened() -> set[str]:
    return set(alarms.standing().values_list("kind", flat=True))


def dispatched() -> Intent:
    make.lane()
    made = withdrawals.dispatch(make.nodded(make.merchant(funds="1000")).id, now=make.now())
    return Intent.objects.get(payout_id=made.id)


@pytest.mark.django_db
def test_a_payment_that_takes_too_long_is_told_with_what_it_waits_for() -> None:
    intent = dispatched()
    surveying.survey(now=make.now())
    assert "payment.stuck" not in opened()
    surveying.survey(now=make.now() + HOUR)
    told = alarms.standing().get(kind="payment.stuck")
    assert (told.subject, "waits for: the signer" in told.text) == (str(intent.id), True)
    make.decided_intent(intent)
    surveying.survey(now=make.now() + HOUR)
    assert "payment.stuck" not in opened()


@pytest.mark.django_db
def test_what_the_signer_refuses_and_what_only_a_person_decides_is_told() -> None:
    intent = dispatched()
    Intent.objects.filter(pk=intent.pk).update(last_error="refused: approved 1, ordered 2")
    alarms.raise_alarm("payment.person", subject=str(intent.id), text="look", now=make.now())
    surveying.survey(now=make.now())
    assert {"payment.refused", "payment.person"} <= opened()
    Intent.objects.filter(pk=intent.pk).update(last_error="")
    surveying.survey(now=make.now() + timedelta(minutes=6))
    assert not {"payment.refused", "payment.person"} & opened()


def test_events_that_stay_unsealed_and_messages_that_are_not_tried_are_told(committed: Database) -> None:
    book = make.merchant(funds="1000")
    surveying.survey(now=make.now())
    assert opened() == set()
    surveying.survey(now=make.now() + HOUR)
    assert opened() == {"ledger.unsealed"}
    assert book.id


@pytest.mark.django_db
def test_a_ledger_that_differs_from_the_chain_is_told_when_it_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    make.merchant(funds="1000")
    off = reconciliation.Comparison("tron", "USDT", ledger_units=5, held_units=3, in_flight_units=0)
    monkeypatch.setattr(reconciliation, "compare", lambda *_: off)
    surveying.reconcile(now=make.now())
    assert opened() == set()
    surveying.reconcile(now=make.now() + HOUR)
    assert "reconciliation.difference" in opened()
    even = reconciliation.Comparison("tron", "USDT", ledger_units=3, held_units=3, in_flight_units=0)
    monkeypatch.setattr(reconciliation, "compare", lambda *_: even)
    surveying.reconcile(now=make.now() + 2 * HOUR)
    assert opened() == set()


def readyz() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


@pytest.mark.chains
def test_ready_lists_alarms_as_degraded_and_only_a_ledger_that_does_not_prove_is_unready(
    committed: Database, owner: psycopg.Connection, ethereum: Any, tron: Any
) -> None:
    for sweep in ticks.SWEEPS:
        ticks.tick(sweep, now=make.now())
    assert (readyz()[0], readyz()[1]["status"]) == (200, "ready")
    for kind in alarms.KINDS.values():
        if not kind.makes_unready:
            alarms.raise_alarm(kind.name, subject="tron/whom/it/concerns", text="secret", now=make.now())
    status, said = readyz()
    assert (status, said["status"]) == (200, "degraded")
    assert len(said["checks"]["alarms"]["open"]) == len(alarms.KINDS) - 1
    assert "whom" not in str(said)
    assert "secret" not in str(said)
    make.merchant(funds="1000")
    assert surveying.prove(now=make.now()) == 0
    owner.execute("ALTER TABLE ledger_account DISABLE TRIGGER ALL")
    owner.execute("UPDATE ledger_account SET balance = balance + 1 WHERE balance > 0")
    assert not audit.prove().ok
    assert surveying.prove(now=make.now()) > 0
    status, said = readyz()
    assert (status, said["status"]) == (503, "not ready")


def samples(**headers: str) -> dict[str, dict[tuple[str, ...], float]]:
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    return {
        family.name: {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in family.samples
        }
        for family in text_string_to_metric_families(answer.content.decode())
    }


@pytest.mark.django_db
def test_metrics_show_lanes_payments_alarms_and_ages() -> None:
    intent = dispatched()
    wallet = make.fund(intent.wallet, units=make.usdt("500"))
    ticks.tick("watch", now=make.now())
    alarms.raise_alarm("lane.low", subject="x", text="y", now=make.now())
    seen = samples()
    assert seen["sluice_alarms_open"][("lane.low",)] == 1
    assert seen["sluice_alarms_open"][("lane.gas",)] == 0
    assert seen["sluice_lane_held"][("USDT", wallet.address, "tron")] == 500
    assert seen["sluice_lane_free"][("USDT", wallet.address, "tron")] == 401
    assert seen["sluice_payments_open"][("tron", "unsigned")] == 1
    assert seen["sluice_payments_oldest_age_seconds"][("tron", "unsigned")] > 0
    assert seen["sluice_tick_age_seconds"][("watch",)] >= 0
    assert seen["sluice_outbox_pending"][()] == Message.objects.count()
    assert () in seen["sluice_unsealed_age_seconds"]


@pytest.mark.django_db
def test_metrics_are_for_whoever_has_the_token_and_in_production_for_nobody_else(settings: Any) -> None:
    settings.METRICS_TOKEN = "a token of forty characters and not one less"
    for wrong in ({}, {"authorization": "Bearer a"}, {"authorization": settings.METRICS_TOKEN}):
        assert Client().get("/metrics", headers=wrong).status_code == 404
    assert "sluice_alarms_open" in samples(authorization=f"Bearer {settings.METRICS_TOKEN}")
    settings.METRICS_TOKEN, settings.IS_LOCAL = "", False
    assert Client().get("/metrics", headers={"authorization": "Bearer "}).status_code == 404
