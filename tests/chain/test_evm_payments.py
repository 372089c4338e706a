"""What only EVM has: replacements, nonces that somebody else takes, fee ceilings, chain ids."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from eth_account import Account
from structlog.testing import capture_logs

from chain import custody, families, networks, transfers
from chain.evm import build
from chain.gateway import Permanent
from chain.models import AttemptState, Intent, IntentState, SignedAttempt
from tests.chain import labs, proxy, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]

BUMP_AFTER_S = networks.network("ethereum").bump_after_ms // 1000


def bumped(ethereum: labs.EvmLab) -> tuple[transfers.Payment, Intent, SignedAttempt, SignedAttempt]:
    """A payment whose first bytes nobody mined, and its replacement."""
    wanted = steps.payment("ethereum")
    intent, first = steps.signed(wanted)
    steps.send()
    assert not steps.watch(intent).bump_due
    later = timezone.now() + timedelta(seconds=BUMP_AFTER_S + 1)
    assert steps.watch(intent, after_s=BUMP_AFTER_S + 1).bump_due
    assert [one.id for one in transfers.awaiting_signature(limit=10, now=later)] == [intent.id]
    second = steps.sign(intent, wanted, now=later)
    assert second is not None
    return wanted, intent, first, second


def test_a_bump_has_the_same_payload_and_an_eighth_more_of_both_fees(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    _, _, first, second = bumped(ethereum)
    old, new = build.read(bytes(first.raw)), build.read(bytes(second.raw))
    assert old.transfer == new.transfer
    assert new.fees["gas"] == old.fees["gas"]
    for name in ("max_fee_wei", "tip_wei"):
        assert new.fees[name] * 8 >= old.fees[name] * 9
    first.refresh_from_db()
    assert (first.state, second.state) == (AttemptState.SUPERSEDED, AttemptState.LIVE)
    assert transfers.awaiting_signature(limit=10) == []


@pytest.mark.parametrize("winner", [1, 2])
def test_a_bump_pays_once_whichever_bytes_are_mined(ethereum: labs.EvmLab, winner: int) -> None:
    wallet = ethereum.wallet(units=5_000_000)
    wanted, intent, first, second = bumped(ethereum)
    if winner == 2:
        steps.send(after_s=BUMP_AFTER_S + 2)
    labs.finalise(ethereum)
    if winner == 1:
        steps.send(after_s=BUMP_AFTER_S + 2)  # too late: "nonce too low" is no verdict
        labs.finalise(ethereum)
    decided = steps.watch(intent, after_s=BUMP_AFTER_S + 60)
    assert (decided.state, decided.txid) == (IntentState.PAID, (first, second)[winner - 1].txid)
    assert ethereum.balance(wallet.address) == 5_000_000 - wanted.amount_units
    assert {one.state for one in SignedAttempt.objects.filter(intent=intent)} == {
        AttemptState.LANDED,
        AttemptState.VOID,
    }


def test_a_mined_transaction_is_not_bumped(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment("ethereum"))
    steps.send()
    ethereum.mine()
    assert not steps.watch(intent, after_s=10 * BUMP_AFTER_S).bump_due


def test_bytes_that_wait_for_gas_or_for_another_nonce_are_not_bumped(ethereum: labs.EvmLab) -> None:
    wallet = ethereum.wallet(units=5_000_000)
    first = steps.order(steps.payment("ethereum"))
    behind, _ = steps.signed(steps.payment("ethereum"))
    steps.send()
    assert not steps.watch(behind, after_s=BUMP_AFTER_S + 1).bump_due  # nonce 0 is not signed yet
    ethereum.rpc("anvil_setBalance", wallet.address, "0x0")
    wanted = transfers.Payment(first.payout_id, "ethereum", "USDT", first.to_address, first.amount_units)
    assert steps.sign(first, wanted)
    steps.send()
    assert "nsufficient funds" in Intent.objects.get(pk=first.pk).last_error
    assert not steps.watch(first, after_s=2 * BUMP_AFTER_S).bump_due
    ethereum.rpc("anvil_setBalance", wallet.address, hex(labs.ETHER))
    steps.send(after_s=100)
    labs.finalise(ethereum)
    decided = [steps.watch(intent, after_s=10 * BUMP_AFTER_S).state for intent in (first, behind)]
    assert decided == [IntentState.PAID, IntentState.PAID]


def test_bytes_that_a_rising_base_fee_shuts_out_are_bumped_and_paid(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent, first = steps.signed(wanted)
    ethereum.rpc("anvil_setNextBlockBaseFeePerGas", hex(2 * first.fees["max_fee_wei"]))
    ethereum.mine()
    ethereum.refuse("max fee per gas less than block base fee")
    steps.send()
    assert ethereum.rpc("eth_getTransactionByHash", first.txid) is None
    assert steps.watch(intent, after_s=BUMP_AFTER_S + 1).bump_due
    later = timezone.now() + timedelta(seconds=BUMP_AFTER_S + 1)
    assert steps.sign(intent, wanted, now=later)
    assert steps.send(after_s=BUMP_AFTER_S + 2) == 1
    ethereum.mine(20)
    assert steps.watch(intent, after_s=3 * BUMP_AFTER_S).state == IntentState.PAID


def test_payments_of_one_wallet_take_consecutive_nonces(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    signed = [steps.signed(steps.payment("ethereum")) for _ in range(3)]
    assert [build.read(bytes(attempt.raw)).transfer.seq for _, attempt in signed] == [0, 1, 2]
    steps.send()
    labs.finalise(ethereum)
    assert {steps.watch(intent, after_s=60).state for intent, _ in signed} == {IntentState.PAID}


@pytest.mark.parametrize("signed_before", [True, False])
def test_a_nonce_that_another_transaction_took_is_dead_with_that_transaction_as_evidence(
    ethereum: labs.EvmLab, *, signed_before: bool
) -> None:
    wallet = ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent = steps.order(wanted)
    if signed_before:
        assert steps.sign(intent, wanted)
    ethereum.steal_nonce(wallet.address, nonce=0)
    if signed_before:
        assert steps.watch(intent).state == IntentState.OPEN  # not final yet
    labs.finalise(ethereum)
    if not signed_before:
        assert steps.sign(intent, wanted)
    steps.send()
    with capture_logs() as logs:
        decided = steps.watch(intent, after_s=60)
    assert decided.state == IntentState.DEAD
    assert decided.proof["foreign_txid"] == decided.txid
    assert any("took nonce 0" in entry.get("alarm", "") for entry in logs)
    assert ethereum.balance(wanted.to_address) == 0


@pytest.mark.parametrize("known_blocks", [3, 30, 1_000])
def test_a_nonce_that_was_taken_long_before_the_signature_is_found_though_nodes_forget_states(
    ethereum: labs.EvmLab, *, known_blocks: int
) -> None:
    wallet = ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent = steps.order(wanted)
    ethereum.steal_nonce(wallet.address, nonce=0)
    ethereum.mine(50)
    forgotten = ethereum.head() - known_blocks

    def count(call: proxy.Call) -> object:
        block = call.arguments[1]
        known = not block.startswith("0x") or int(block, 16) > forgotten - 12
        return call.forward() if known else proxy.Error({"code": -32602, "message": "BlockOutOfRangeError"})

    ethereum.proxy.spoil("eth_getTransactionCount", count)
    assert steps.sign(intent, wanted), Intent.objects.get(pk=intent.pk).last_error
    steps.send()
    decided = steps.watch(intent, after_s=60)
    assert (decided.state, decided.txid) == (IntentState.DEAD, decided.proof["foreign_txid"])


def test_a_nonce_count_alone_is_no_verdict(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent, _ = steps.signed(wanted)
    ethereum.proxy.lie("eth_getTransactionCount", hex(7), times=1)
    labs.finalise(ethereum)
    looked = steps.watch(intent)
    assert looked.state == IntentState.OPEN
    assert "looking for the transaction" in looked.last_error
    ethereum.proxy.lie("eth_getTransactionCount", hex(7), times=1)
    assert "no final block" in steps.watch(intent, after_s=60).last_error
    steps.send()
    labs.finalise(ethereum)
    assert steps.watch(intent, after_s=120).state == IntentState.PAID


def test_a_receipt_whose_block_is_not_the_one_at_that_height_is_no_verdict(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    intent, attempt = steps.signed(steps.payment("ethereum"))
    steps.send()
    labs.finalise(ethereum)
    receipt = ethereum.rpc("eth_getTransactionReceipt", attempt.txid)
    ethereum.proxy.lie("eth_getTransactionReceipt", receipt | {"blockHash": "0x" + "22" * 32}, times=1)
    assert steps.watch(intent).state == IntentState.OPEN
    assert steps.watch(intent, after_s=60).state == IntentState.PAID


def test_a_fee_above_the_ceiling_waits(ethereum: labs.EvmLab, monkeypatch: pytest.MonkeyPatch) -> None:
    ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent = steps.order(wanted)
    row = networks.network("ethereum")
    monkeypatch.setitem(networks.NETWORKS, "ethereum", replace(row, fee_ceiling=10))
    assert steps.sign(intent, wanted) is None
    assert "above the ceiling" in Intent.objects.get(pk=intent.pk).last_error
    assert transfers.awaiting_signature(limit=10) == []
    monkeypatch.setitem(networks.NETWORKS, "ethereum", row)
    later = timezone.now() + timedelta(seconds=10)
    assert [one.id for one in transfers.awaiting_signature(limit=10, now=later)] == [intent.id]


def test_a_node_of_another_chain_is_refused(ethereum: labs.EvmLab) -> None:
    ethereum.proxy.lie("eth_chainId", hex(5), times=1)
    with pytest.raises(Permanent, match="chain 5"):
        families.gateway("ethereum").head()


def test_our_bytes_are_those_that_eth_account_makes_of_the_same_fields(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    _, attempt = steps.signed(steps.payment("ethereum"))
    reading = build.read(bytes(attempt.raw))
    assert Account.recover_transaction(bytes(attempt.raw)) == reading.transfer.wallet
    steps.send()
    ethereum.mine()
    assert ethereum.rpc("eth_getTransactionByHash", attempt.txid)["nonce"] == hex(reading.transfer.seq)


def test_a_balance_that_a_node_tells_differently_a_moment_later_is_read_again(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    ethereum.proxy.lie("eth_call", hex(1), times=1)  # as a node in the midst of its next block does
    assert custody.held_units("ethereum", "USDT").units == 5_000_000
