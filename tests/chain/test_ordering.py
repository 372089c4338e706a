"""Ordering and collecting: what PostgreSQL alone promises, also to callers that come at once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from chain import transfers
from chain.addresses import BadAddress
from chain.models import AttemptState, BroadcastAttempt, HotWallet, Intent, IntentState, SignedAttempt
from tests import databases
from tests.chain import labs, steps

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def lane(network: str) -> HotWallet:
    return steps.rich(HotWallet.objects.create(network=network, address=labs.recipient(network)))


def attempt_for(
    intent: Intent, *, number: int = 1, state: str = "LIVE", expiration_ms: int | None = None
) -> SignedAttempt:
    return SignedAttempt.objects.create(
        intent=intent,
        number=number,
        txid=f"{intent.id}-{number}",
        raw=b"bytes",
        fees={},
        ref_number=1,
        ref_hash="aa",
        expiration_ms=expiration_ms,
        state=state,
        proof={"why": "test"} if state == "EXPIRED" else {},
        signed_at=NOW,
    )


def decide(intent: Intent, state: IntentState) -> None:
    Intent.objects.filter(pk=intent.pk).update(state=state, txid="t", proof={"a": 1}, verdict_at=NOW)


def together(*calls: Callable[[], object]) -> list[object]:
    """Run the calls at once; their answers, or the exceptions they raised."""
    gate = threading.Barrier(len(calls))
    answers: list[object] = [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        gate.wait()
        try:
            answers[number] = call()
        except (transfers.AlreadyOrdered, transfers.NotToCollect) as refused:
            answers[number] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("network", ["ethereum", "tron"])
def test_a_payout_is_ordered_once_by_however_many_workers(committed: databases.Database, network: str) -> None:
    lane(network)
    wanted = steps.payment(network)
    answers = together(*[lambda: steps.order(wanted)] * 6)
    assert sum(isinstance(answer, Intent) for answer in answers) == 1
    assert sum(isinstance(answer, transfers.AlreadyOrdered) for answer in answers) == 5
    assert Intent.objects.filter(payout_id=wanted.payout_id).count() == 1


def test_payouts_ordered_at_once_take_different_sequence_numbers(committed: databases.Database) -> None:
    lane("ethereum")
    answers = together(*[lambda: steps.order(steps.payment("ethereum"))] * 6)
    assert sorted(answer.seq for answer in answers if isinstance(answer, Intent)) == [0, 1, 2, 3, 4, 5]
    assert HotWallet.objects.get().next_seq == 6


def test_a_verdict_is_collected_by_one_of_two(committed: databases.Database) -> None:
    lane("tron")
    intent = steps.order(steps.payment("tron"))
    decide(intent, IntentState.PAID)
    answers = together(*[lambda: steps.collect(intent)] * 4)
    assert sum(isinstance(answer, transfers.NotToCollect) for answer in answers) == 3
    assert transfers.verdicts(limit=10) == []


@pytest.mark.django_db
def test_a_dead_and_refunded_payout_is_never_ordered_again() -> None:
    lane("tron")
    wanted = steps.payment("tron")
    decide(steps.order(wanted), IntentState.DEAD)
    with pytest.raises(transfers.AlreadyOrdered):
        steps.order(wanted)


@pytest.mark.django_db
def test_an_open_intent_has_no_verdict_to_collect() -> None:
    lane("tron")
    intent = steps.order(steps.payment("tron"))
    assert transfers.verdicts(limit=10) == []
    with pytest.raises(transfers.NotToCollect):
        steps.collect(intent)


@pytest.mark.django_db
def test_equal_moments_on_tron_give_different_timestamps() -> None:
    lane("tron")
    with transaction.atomic():
        seqs = [transfers.order(steps.payment("tron"), now=NOW).seq for _ in range(3)]
    first = int(NOW.timestamp() * 1000)
    assert seqs == [first, first + 1, first + 2]


@pytest.mark.django_db
def test_our_own_wallets_and_wrong_addresses_are_not_paid() -> None:
    wallet = lane("ethereum")
    wanted = steps.payment("ethereum")
    for address in (wallet.address, "0x" + "0" * 40, "T" * 34):
        with pytest.raises(BadAddress):
            steps.order(replace(wanted, to_address=address))
    assert not Intent.objects.exists()
    assert HotWallet.objects.get().next_seq == 0


@pytest.mark.django_db
def test_without_an_open_lane_nothing_is_ordered() -> None:
    with pytest.raises(transfers.NoLane):
        steps.order(steps.payment("tron"))


def test_ordering_and_collecting_need_the_callers_transaction(committed: databases.Database) -> None:
    lane("tron")
    intent = steps.order(steps.payment("tron"))
    with pytest.raises(TransactionManagementError):
        transfers.order(steps.payment("tron"), now=timezone.now())
    with pytest.raises(TransactionManagementError):
        transfers.collect(intent.id, now=timezone.now())


@pytest.mark.django_db
def test_the_shown_txid_is_the_newest_until_one_has_landed() -> None:
    lane("ethereum")
    wanted = steps.payment("ethereum")
    assert transfers.latest_txid(wanted.payout_id) is None
    intent = steps.order(wanted)
    assert transfers.latest_txid(wanted.payout_id) is None
    first = attempt_for(intent)
    SignedAttempt.objects.filter(pk=first.pk).update(state=AttemptState.SUPERSEDED)
    second = attempt_for(intent, number=2)
    assert transfers.latest_txid(wanted.payout_id) == second.txid
    SignedAttempt.objects.filter(pk=first.pk).update(state=AttemptState.LANDED)
    assert transfers.latest_txid(wanted.payout_id) == first.txid


Try = Callable[[Intent, SignedAttempt], object]


def intent_with(**values: object) -> Try:
    return lambda intent, _: Intent.objects.filter(pk=intent.pk).update(**values)


def attempt_with(**values: object) -> Try:
    return lambda _, attempt: SignedAttempt.objects.filter(pk=attempt.pk).update(**values)


def without(table: str) -> Try:
    return lambda *_: run_sql(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table})")  # noqa: S608 - our own


def same_txid(intent: Intent, attempt: SignedAttempt) -> None:
    copy = SignedAttempt.objects.get(pk=attempt.pk)
    copy.pk, copy.number, copy.state = None, 9, AttemptState.VOID
    copy.save()


def run_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


# fmt: off
FORBIDDEN: dict[str, tuple[Try, str]] = {
    # what somebody tries           how                                                   what refuses it
    "a second live attempt":       (lambda intent, _: attempt_for(intent, number=2),      "attempt_one_live"),
    "the same txid twice":         (same_txid,                                            "attempt_txid_once"),
    "other bytes":                 (attempt_with(raw=b"other"),                           "attempt_bytes_fixed"),
    "another txid":                (attempt_with(txid="other"),                           "attempt_bytes_fixed"),
    "deleting signed bytes":       (without("chain_signedattempt"),                       "chain_append_only"),
    "expired without a proof":     (attempt_with(state="EXPIRED"),                        "attempt_expired_has_proof"),
    "replacing bytes that expire": (attempt_with(state="SUPERSEDED"),                     "attempt_superseded_never"),
    "another recipient":           (intent_with(to_address="other"),                      "intent_payload_fixed"),
    "another amount":              (intent_with(amount_units=2),                          "intent_payload_fixed"),
    "paid without a proof":        (intent_with(state="PAID", verdict_at=NOW, txid="t"),  "intent_verdict_has_proof"),
    "collecting an open intent":   (intent_with(collected_at=NOW),                        "intent_collected_after"),
    "an unknown state":            (intent_with(state="LOST", verdict_at=NOW, txid="t",
                                                proof={"a": 1}),                          "intent_state_known"),
    "deleting an intent":          (without("chain_intent"),                              "chain_append_only"),
    "rewriting a node's answer":   (lambda *_: BroadcastAttempt.objects.update(answer=""), "chain_append_only"),
    "deleting a node's answer":    (without("chain_broadcastattempt"),                    "chain_append_only"),
}
# fmt: on


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_database_refuses_the_owner_too(owner_inside: psycopg.Connection, name: str) -> None:
    tried, constraint = FORBIDDEN[name]
    lane("tron")
    intent = steps.order(steps.payment("tron"))
    attempt = attempt_for(intent, expiration_ms=1)
    BroadcastAttempt.objects.create(attempt=attempt, endpoint="node", at=NOW, accepted=True, answer="ok")
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        tried(intent, attempt)
    cause = refused.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert (cause.diag.constraint_name or "").startswith(constraint)


@pytest.mark.django_db
def test_the_database_keeps_a_verdict() -> None:
    lane("tron")
    intent = steps.order(steps.payment("tron"))
    decide(intent, IntentState.PAID)
    steps.collect(intent)
    for values in ({"state": "DEAD"}, {"proof": {"b": 1}}, {"collected_at": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Intent.objects.filter(pk=intent.pk).update(**values)
