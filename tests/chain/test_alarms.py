"""Alarms: raised once, cleared by themselves, never forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from chain import alarms
from chain.alarms import Alarm
from tests import databases
from tests.chain.test_ordering import together

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def opened() -> list[tuple[str, str, str, datetime]]:
    return list(alarms.standing().values_list("kind", "subject", "text", "raised_at"))


@pytest.mark.django_db
def test_an_alarm_is_raised_once_and_says_since_when_and_what_now() -> None:
    assert alarms.raise_alarm("chain.unread", subject="tron", text="no answer", now=NOON)
    assert not alarms.raise_alarm("chain.unread", subject="tron", text="another chain", now=LATER)
    assert opened() == [("chain.unread", "tron", "another chain", NOON)]
    assert Alarm.objects.get().seen_at == LATER


@pytest.mark.django_db
def test_a_cleared_alarm_is_history_and_a_new_one_begins_anew() -> None:
    alarms.raise_alarm("chain.unread", subject="tron", text="no answer", now=NOON)
    assert alarms.clear("chain.unread", subject="tron", now=LATER)
    assert not alarms.clear("chain.unread", subject="tron", now=LATER)
    assert opened() == []
    assert alarms.raise_alarm("chain.unread", subject="tron", text="again", now=LATER)
    assert list(Alarm.objects.order_by("id").values_list("raised_at", "cleared_at")) == [(NOON, LATER), (LATER, None)]


@pytest.mark.django_db
def test_what_stands_is_what_was_found_and_the_rest_is_cleared_within_what_was_looked_at() -> None:
    found = {"tron/A/USDT": "lacks 1", "tron/B/USDT": "lacks 2"}
    alarms.raise_alarm("lane.liquidity", subject="ethereum/C/USDT", text="lacks 3", now=NOON)
    alarms.stand("lane.liquidity", found, within="tron/", now=NOON)
    del found["tron/A/USDT"]
    alarms.stand("lane.liquidity", found, within="tron/", now=LATER)
    assert [subject for _, subject, _, _ in opened()] == ["ethereum/C/USDT", "tron/B/USDT"]
    alarms.stand("lane.liquidity", {}, now=LATER)
    assert opened() == []


def test_many_who_see_the_same_raise_one_alarm_and_one_of_them_tells(committed: databases.Database) -> None:
    told = together(
        *[lambda: alarms.raise_alarm("chain.unread", subject="tron", text="no answer", now=NOON) for _ in range(8)]
    )
    assert (told.count(True), told.count(False)) == (1, 7)
    assert len(opened()) == 1


@pytest.mark.django_db
def test_an_alarm_of_no_known_kind_is_refused() -> None:
    with pytest.raises(alarms.UnknownKind):
        alarms.raise_alarm("lane.sad", subject="", text="", now=NOON)
    with pytest.raises(alarms.UnknownKind):
        alarms.clear("lane.sad", subject="", now=NOON)


def test_every_kind_says_what_it_means_and_how_its_subject_is_written() -> None:
    for kind in alarms.KINDS.values():
        assert kind.meaning
        assert kind.subject in alarms.SUBJECTS
