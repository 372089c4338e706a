"""What only TRON has: expiration, the proof of absence, and the second signature that needs it."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs
from tronpy.proto import tron_pb2

from chain import deciding, transfers
from chain.models import AttemptState, Intent, IntentState, SignedAttempt
from tests.chain import labs, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


def expire(tron: labs.TronLab, attempt: SignedAttempt) -> None:
    assert attempt.expiration_ms
    tron.pass_time(until_ms=attempt.expiration_ms)


def test_a_lost_transaction_is_signed_again_only_after_its_absence_is_proven(tron: labs.TronLab) -> None:
    wallet = tron.wallet(units=5_000_000)
    wanted = steps.payment("tron")
    intent, first = steps.signed(wanted)
    steps.send()
    tron.ask("dev/drop", txid=first.txid)
    expire(tron, first)
    steps.watch(intent)
    first.refresh_from_db()
    assert first.state == AttemptState.LIVE  # past its expiration, but not yet below the solid head
    assert steps.sign(intent, wanted) is None
    tron.mine(20)
    assert steps.watch(intent, after_s=60).state == IntentState.OPEN
    first.refresh_from_db()
    assert first.state == AttemptState.EXPIRED
    absent = first.proof["absent_from"]
    assert absent["first"] == {"number": first.ref_number, "hash": first.ref_hash}
    assert absent["last"]["at_ms"] >= first.expiration_ms
    assert [one.id for one in transfers.awaiting_signature(limit=10)] == [intent.id]
    second = steps.sign(intent, wanted)
    assert second is not None
    assert second.txid != first.txid
    steps.send(after_s=60)
    labs.finalise(tron)
    decided = steps.watch(intent, after_s=120)
    assert (decided.state, decided.txid) == (IntentState.PAID, second.txid)
    assert tron.balance(wallet.address) == 5_000_000 - wanted.amount_units


def test_a_transaction_that_a_reorganisation_loses_for_good_is_paid_once_by_new_bytes(tron: labs.TronLab) -> None:
    wallet = tron.wallet(units=5_000_000)
    wanted = steps.payment("tron")
    intent, first = steps.signed(wanted)
    steps.send()
    tron.mine()
    steps.watch(intent)
    tron.ask("dev/reorg", depth=1, repool=False)
    steps.send(after_s=60)  # the node answers DUP_TRANSACTION_ERROR and forgets it: no verdict
    assert "DUP_TRANSACTION_ERROR" in Intent.objects.get(pk=intent.pk).last_error
    expire(tron, first)
    tron.mine(20)
    steps.watch(intent, after_s=60)
    second = steps.sign(intent, wanted)
    assert second is not None
    steps.send(after_s=120)
    labs.finalise(tron)
    assert steps.watch(intent, after_s=120).state == IntentState.PAID
    assert tron.balance(wallet.address) == 5_000_000 - wanted.amount_units


def test_a_transaction_in_a_block_before_its_expiration_is_never_called_expired(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    wanted = steps.payment("tron")
    intent, attempt = steps.signed(wanted)
    steps.send()
    tron.mine()
    expire(tron, attempt)
    tron.mine(20)
    tron.ask("dev/fault", match="gettransactioninfobyid", action="replace", reply={})  # the receipt is withheld
    looked = steps.watch(intent)
    attempt.refresh_from_db()
    assert (looked.state, attempt.state) == (IntentState.OPEN, AttemptState.LIVE)
    assert "no receipt" in looked.last_error
    assert steps.sign(intent, wanted) is None
    assert steps.watch(intent, after_s=60).state == IntentState.PAID


def test_a_verdict_for_bytes_that_were_proven_absent_meanwhile_is_not_written(
    tron: labs.TronLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    tron.wallet(units=5_000_000)
    intent, attempt = steps.signed(steps.payment("tron"))
    steps.send()
    labs.finalise(tron)
    decide = deciding.decide

    def overtaken(seen: Any, *, now: datetime) -> int:
        SignedAttempt.objects.filter(pk=attempt.pk).update(state=AttemptState.EXPIRED, proof={"absent_from": "lies"})
        return decide(seen, now=now)

    monkeypatch.setattr(deciding, "decide", overtaken)
    looked = steps.watch(intent, after_s=60)
    assert looked.state == IntentState.OPEN
    assert "no longer a candidate" in looked.last_error


def test_a_scan_whose_blocks_are_not_linked_proves_nothing(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    intent, attempt = steps.signed(steps.payment("tron"))
    expire(tron, attempt)
    tron.mine(20)
    strange = tron.ask("wallet/getblockbynum", num=attempt.ref_number + 1)
    header = strange["block_header"]["raw_data"]
    strange["block_header"]["raw_data"] = header | {"parentHash": "33" * 32}
    number = f'"num": {attempt.ref_number + 1}}}'
    tron.ask("dev/fault", match="getblockbynum", contains=number, action="replace", reply=strange)
    looked = steps.watch(intent)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.LIVE
    assert "does not follow" in looked.last_error


def test_the_solid_head_must_be_past_the_expiration(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    intent, attempt = steps.signed(steps.payment("tron"))
    expire(tron, attempt)
    looked = steps.watch(intent)
    attempt.refresh_from_db()
    assert (attempt.state, looked.last_error) == (AttemptState.LIVE, "sent, in no solid block yet")


def test_equal_payments_in_one_millisecond_have_two_txids(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    one = steps.payment("tron")
    twin = replace(one, payout_id=steps.payment("tron").payout_id)
    signed = [steps.signed(wanted) for wanted in (one, twin)]
    assert len({attempt.txid for _, attempt in signed}) == 2
    steps.send()
    labs.finalise(tron)
    assert {steps.watch(intent, after_s=60).state for intent, _ in signed} == {IntentState.PAID}
    assert tron.balance(one.to_address) == 2 * one.amount_units


def test_the_txid_is_the_hash_of_the_bytes_that_are_sent(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    _, attempt = steps.signed(steps.payment("tron"))
    sealed = tron_pb2.Transaction.FromString(bytes(attempt.raw))
    assert hashlib.sha256(sealed.raw_data.SerializeToString()).hexdigest() == attempt.txid
    assert sealed.raw_data.ref_block_hash.hex() == attempt.ref_hash[16:32]
    assert 0 < sealed.raw_data.fee_limit <= 100_000_000


def test_the_reference_block_is_solid(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    _, attempt = steps.signed(steps.payment("tron"))
    solid = tron.ask("walletsolidity/getnowblock")
    assert (attempt.ref_number, attempt.ref_hash) == (
        solid["block_header"]["raw_data"]["number"],
        solid["blockID"],
    )


def test_energy_that_runs_out_in_a_solid_block_is_dead(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment("tron"))
    tron.token_fee(basis_points=10)  # the call now needs more energy than it was estimated for
    try:
        steps.send()
        labs.finalise(tron)
        decided = steps.watch(intent, after_s=60)
    finally:
        tron.token_fee(basis_points=0)
    assert decided.state == IntentState.DEAD
    assert decided.proof["receipt"]["result"] == "OUT_OF_ENERGY"


def test_a_transaction_that_appears_after_its_absence_was_proven_waits_for_a_person(tron: labs.TronLab) -> None:
    tron.wallet(units=5_000_000)
    wanted = steps.payment("tron")
    intent, first = steps.signed(wanted)
    steps.send()
    proof = {"absent_from": "what a lying node showed"}
    SignedAttempt.objects.filter(pk=first.pk).update(state=AttemptState.EXPIRED, proof=proof)
    labs.finalise(tron)
    with capture_logs() as logs:
        looked = steps.watch(intent, after_s=60)
    assert looked.state == IntentState.OPEN
    assert any("proven absent" in entry.get("alarm", "") for entry in logs)
