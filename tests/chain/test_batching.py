"""Batches through the whole protocol on a real EVM: one transaction, an end for each payment, never two."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import addresses, audit, batching, caps, custody, transfers
from chain.evm import batches
from chain.models import HotWallet, Intent, IntentState, Purpose, SignedAttempt
from tests.chain import labs, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]
CONTRACT = addresses.from_bytes("ethereum", bytes.fromhex("ba7cb47c00000000000000000000000000000001"))
OTHER = addresses.from_bytes("ethereum", bytes.fromhex("ba7cb47c00000000000000000000000000000002"))


@pytest.fixture
def lane(ethereum: labs.EvmLab, settings: Settings) -> HotWallet:
    """A lane with money whose token the batch contract may move."""
    contract = CONTRACT
    ethereum.rpc("anvil_setCode", contract, "0x" + batches.artifact()["runtime"])
    settings.BATCH_CONTRACTS = {"ethereum": contract}
    wallet = ethereum.wallet(units=50_000_000)
    asked = transfers.order_allowance(_allowance(), now=timezone.now())
    assert asked is not None
    _paid(ethereum, asked, _allowance())
    return wallet


def _allowance() -> batching.Allowance:
    return batching.Allowance("ethereum", "USDT")


def _paid(lab: labs.EvmLab, intent: Intent, expected: transfers.Expected) -> Intent:
    """Signed, sent, final, judged."""
    assert transfers.sign(intent.id, expected=expected, now=timezone.now()), Intent.objects.get(pk=intent.pk).last_error
    steps.send()
    labs.finalise(lab)
    return steps.watch(intent, after_s=60)


def _order(payments: Sequence[transfers.Payment]) -> Intent:
    with transaction.atomic():
        return transfers.order_batch(payments, now=timezone.now())


def _payments(*amounts: int) -> list[transfers.Payment]:
    return [steps.payment("ethereum", units=units) for units in amounts]


def _ends(payments: Sequence[transfers.Payment]) -> list[str]:
    return [Intent.objects.get(payout_id=payment.payout_id).state for payment in payments]


def test_a_batch_pays_everybody_in_it_and_each_payment_has_its_own_verdict(
    ethereum: labs.EvmLab, lane: HotWallet
) -> None:
    payments = _payments(5, 6, 7)
    batch = _paid(ethereum, _order(payments), batching.Batch(tuple(payments)))
    assert (batch.state, _ends(payments)) == (IntentState.PAID, ["PAID"] * 3)
    assert [ethereum.balance(payment.to_address) for payment in payments] == [5, 6, 7]
    assert {verdict.payout_id for verdict in transfers.verdicts(limit=10)} == {one.payout_id for one in payments}
    assert transfers.latest_txid(payments[1].payout_id) == batch.txid
    auditor = audit.Auditor("ethereum")
    assert [auditor.problems(payment, now=timezone.now()) for payment in payments] == [[], [], []]


def test_a_payment_that_the_token_refuses_is_dead_and_the_others_are_paid(
    ethereum: labs.EvmLab, lane: HotWallet
) -> None:
    payments = _payments(5, 40_000_000, 7)
    ordered = _order(payments)
    ethereum.take_from(lane.address, by=CONTRACT, units=20_000_000)
    decided = _paid(ethereum, ordered, batching.Batch(tuple(payments)))
    assert (decided.state, _ends(payments)) == (IntentState.PAID, ["PAID", "DEAD", "PAID"])
    assert [ethereum.balance(payment.to_address) for payment in payments] == [5, 0, 7]
    refused = Intent.objects.get(payout_id=payments[1].payout_id)
    assert refused.proof["reason"] == "the token refused it"


def test_when_the_whole_batch_reverts_all_its_payments_are_dead(ethereum: labs.EvmLab, lane: HotWallet) -> None:
    payments = _payments(5, 6)
    ordered = _order(payments)
    ethereum.rpc("anvil_setCode", CONTRACT, "0x60006000fd")  # reverts
    assert _paid(ethereum, ordered, batching.Batch(tuple(payments))).state == IntentState.DEAD
    assert _ends(payments) == ["DEAD", "DEAD"]


def test_when_a_foreign_transaction_takes_the_number_all_its_payments_are_dead(
    ethereum: labs.EvmLab, lane: HotWallet
) -> None:
    payments = _payments(5, 6)
    ordered = _order(payments)
    assert transfers.sign(ordered.id, expected=batching.Batch(tuple(payments)), now=timezone.now())
    ethereum.steal_nonce(lane.address, nonce=ordered.seq)
    labs.finalise(ethereum)
    assert steps.watch(ordered, after_s=60).state == IntentState.DEAD
    assert _ends(payments) == ["DEAD", "DEAD"]


def test_a_lost_reply_and_a_bump_pay_a_batch_once(ethereum: labs.EvmLab, lane: HotWallet) -> None:
    payments = _payments(5, 6)
    ordered = _order(payments)
    expected = batching.Batch(tuple(payments))
    assert transfers.sign(ordered.id, expected=expected, now=timezone.now())
    ethereum.lose_reply()
    steps.send()
    Intent.objects.filter(pk=ordered.pk).update(bump_due=True)
    assert transfers.sign(ordered.id, expected=expected, now=timezone.now())
    assert SignedAttempt.objects.filter(intent=ordered).count() == 2
    steps.send(after_s=60)
    labs.finalise(ethereum)
    assert steps.watch(ordered, after_s=90).state == IntentState.PAID
    assert [ethereum.balance(payment.to_address) for payment in payments] == [5, 6]


@pytest.mark.parametrize("change", ["amount_units", "to_address", "one less", "another order"])
def test_the_signer_signs_a_batch_only_as_it_was_approved(ethereum: labs.EvmLab, lane: HotWallet, change: str) -> None:
    payments = _payments(5, 6, 7)
    ordered = _order(payments)
    approved = {
        "amount_units": [replace(payments[0], amount_units=4), *payments[1:]],
        "to_address": [replace(payments[0], to_address=labs.recipient("ethereum")), *payments[1:]],
        "one less": payments[1:],
        "another order": payments[::-1],
    }[change]
    with pytest.raises(transfers.PayloadDiffers):
        transfers.sign(ordered.id, expected=batching.Batch(tuple(approved)), now=timezone.now())
    assert not SignedAttempt.objects.filter(intent=ordered).exists()


def test_a_payment_of_a_batch_is_never_signed_by_itself(ethereum: labs.EvmLab, lane: HotWallet) -> None:
    payments = _payments(5, 6)
    batch = _order(payments)
    child = Intent.objects.get(payout_id=payments[0].payout_id)
    assert [intent.id for intent in transfers.awaiting_signature(limit=10)] == [batch.id]
    assert transfers.sign(child.id, expected=payments[0], now=timezone.now()) is None
    with pytest.raises(IntegrityError, match="paid by the batch alone"), transaction.atomic():
        SignedAttempt.objects.create(
            intent=child, number=1, txid="0x1", raw=b"1", fees={}, ref_number=1, ref_hash="0x", signed_at=timezone.now()
        )


def test_nobody_joins_a_batch_that_has_been_signed(ethereum: labs.EvmLab, lane: HotWallet) -> None:
    payments = _payments(5, 6)
    batch = _order(payments)
    assert transfers.sign(batch.id, expected=batching.Batch(tuple(payments)), now=timezone.now())
    late = Intent.objects.get(payout_id=payments[0].payout_id)
    late.pk, late.payout_id = late.batch_id, steps.payment("ethereum").payout_id
    late.id = steps.payment("ethereum").payout_id
    with pytest.raises(IntegrityError, match="until it is signed"), transaction.atomic():
        late.save(force_insert=True)


def test_a_payout_is_ordered_once_singly_or_in_a_batch(ethereum: labs.EvmLab, lane: HotWallet) -> None:
    payments = _payments(5, 6)
    _order(payments)
    with pytest.raises(transfers.AlreadyOrdered):
        steps.order(payments[0])
    with pytest.raises(transfers.AlreadyOrdered):
        _order([payments[1], *_payments(7)])


def test_a_lane_without_an_allowance_takes_no_batch(ethereum: labs.EvmLab, lane: HotWallet, settings: Settings) -> None:
    settings.BATCH_CONTRACTS = {"ethereum": OTHER}
    with pytest.raises(transfers.NoAllowance):
        _order(_payments(5, 6))


def test_an_allowance_is_asked_for_once_per_lane_and_token(ethereum: labs.EvmLab, lane: HotWallet) -> None:
    assert transfers.order_allowance(_allowance(), now=timezone.now()) is None
    assert Intent.objects.filter(purpose=Purpose.ALLOWANCE).count() == 1


def test_networks_without_a_contract_pay_singly(ethereum: labs.EvmLab, settings: Settings) -> None:
    settings.BATCH_CONTRACTS = {}
    with pytest.raises(transfers.NoBatch):
        _order(_payments(5, 6))


def test_the_hours_cap_counts_what_batches_pay(ethereum: labs.EvmLab, lane: HotWallet, settings: Settings) -> None:
    settings.SIGNER_CAPS = '{"USDT": {"payment": "10", "hour": "20"}}'
    first = _payments(9_000_000, 9_000_000)
    assert transfers.sign(_order(first).id, expected=batching.Batch(tuple(first)), now=timezone.now())
    second = _payments(1_500_000, 1_500_000)
    with pytest.raises(caps.OverCap, match="above its cap"):
        transfers.sign(_order(second).id, expected=batching.Batch(tuple(second)), now=timezone.now())


def test_custody_counts_what_a_batch_has_paid_and_nobody_has_collected(ethereum: labs.EvmLab, lane: HotWallet) -> None:
    payments = _payments(5, 6, 7)
    before = custody.held_units("ethereum", "USDT")
    batch = _paid(ethereum, _order(payments), batching.Batch(tuple(payments)))
    assert batch.state == IntentState.PAID
    steps.collect(Intent.objects.get(payout_id=payments[0].payout_id))
    held = custody.held_units("ethereum", "USDT")
    assert (held.units, held.uncollected_units) == (before.units - 18, 13)
