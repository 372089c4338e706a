"""One payment on each real chain: paid once, whatever happens between the signature and the final block."""

from dataclasses import replace

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import custody, gateway, keys, liquidity, transfers
from chain.models import AttemptState, BroadcastAttempt, Intent, IntentState, LaneBalance, SignedAttempt
from tests.chain import labs, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


def test_a_payment_is_paid_at_final_depth_and_not_before(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent, attempt = steps.signed(wanted)
    assert steps.send() == 1
    lab.mine()
    assert steps.watch(intent).state == IntentState.OPEN
    assert transfers.verdicts(limit=10) == []
    labs.finalise(lab)
    decided = steps.watch(intent, after_s=60)
    assert (decided.state, decided.txid, decided.last_error) == (IntentState.PAID, attempt.txid, "")
    assert lab.balance(wanted.to_address) == wanted.amount_units
    assert transfers.latest_txid(wanted.payout_id) == attempt.txid
    (verdict,) = transfers.verdicts(limit=10)
    assert (verdict.payout_id, verdict.outcome, verdict.txid) == (wanted.payout_id, IntentState.PAID, attempt.txid)
    assert verdict.proof["chain"]["blocks"] >= 2
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.LANDED
    assert BroadcastAttempt.objects.get(attempt=attempt).accepted


def test_a_depth_one_short_of_final_gives_no_verdict(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment(lab.network))
    steps.send()
    lab.mine()
    below = {"ethereum": 10, "tron": 18}[lab.network]
    lab.mine(below)
    assert steps.watch(intent, after_s=60).state == IntentState.OPEN
    lab.mine()
    assert steps.watch(intent, after_s=120).state == IntentState.PAID


def test_a_reply_lost_after_acceptance_pays_once(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent, attempt = steps.signed(wanted)
    lab.lose_reply()
    assert steps.send() == 1
    assert "no answer" in BroadcastAttempt.objects.get(attempt=attempt).answer
    assert Intent.objects.get(pk=intent.pk).state == IntentState.OPEN
    assert steps.send(after_s=60) == 1  # the same bytes again: already known, and no verdict
    lab.mine()
    assert steps.send(after_s=200) == 1
    assert Intent.objects.get(pk=intent.pk).state == IntentState.OPEN
    labs.finalise(lab)
    assert steps.watch(intent, after_s=60).state == IntentState.PAID
    assert lab.balance(wanted.to_address) == wanted.amount_units
    assert lab.balance(wallet.address) == 5_000_000 - wanted.amount_units
    assert SignedAttempt.objects.filter(intent=intent).count() == 1


def test_a_transaction_that_a_reorganisation_drops_is_paid_once_in_the_end(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent, attempt = steps.signed(wanted)
    steps.send()
    lab.mine(3)
    steps.watch(intent)
    lab.orphan(3)
    assert steps.watch(intent, after_s=60).state == IntentState.OPEN
    assert steps.send(after_s=60) == 1
    labs.finalise(lab)
    decided = steps.watch(intent, after_s=120)
    assert (decided.state, decided.txid) == (IntentState.PAID, attempt.txid)
    assert lab.balance(wallet.address) == 5_000_000 - wanted.amount_units


def test_a_transfer_that_reverts_in_a_final_block_is_dead(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent, attempt = steps.signed(wanted)
    lab.blacklist(wallet.address)
    steps.send()
    lab.mine()
    assert steps.watch(intent).state == IntentState.OPEN
    labs.finalise(lab)
    decided = steps.watch(intent, after_s=60)
    assert (decided.state, decided.txid) == (IntentState.DEAD, attempt.txid)
    assert "in a" in decided.proof["reason"]
    assert lab.balance(wanted.to_address) == 0


def test_a_success_without_the_exact_transfer_waits_for_a_person(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    lab.token_fee(basis_points=10)
    try:
        intent, _ = steps.signed(steps.payment(lab.network))
        steps.send()
        labs.finalise(lab)
        looked = steps.watch(intent, after_s=60)
    finally:
        lab.token_fee(basis_points=0)
    assert looked.state == IntentState.OPEN
    assert "a person must look" in looked.last_error


@pytest.mark.parametrize("words", ["already known", "nonce too low", "DUP_TRANSACTION_ERROR", "TAPOS_ERROR"])
def test_what_a_node_says_to_a_broadcast_is_written_down_and_changes_nothing(lab: labs.Lab, words: str) -> None:
    lab.wallet(units=5_000_000)
    intent, attempt = steps.signed(steps.payment(lab.network))
    lab.refuse(words)
    steps.send()
    said = BroadcastAttempt.objects.get(attempt=attempt)
    assert not said.accepted
    assert words in said.answer
    looked = steps.watch(intent)
    assert looked.state == IntentState.OPEN
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.LIVE


def test_a_node_that_lies_about_the_txid_changes_nothing_of_ours(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent, attempt = steps.signed(wanted)
    lab.lie_about_txid()
    steps.send()
    labs.finalise(lab)
    decided = steps.watch(intent, after_s=60)
    assert (decided.state, decided.txid) == (IntentState.PAID, attempt.txid)
    assert "11" * 32 not in transfers.latest_txid(wanted.payout_id)  # type: ignore[operator]  # there is one


def test_an_unreachable_network_holds_up_nobody_but_itself(
    ethereum: labs.EvmLab, tron: labs.TronLab, settings: Settings
) -> None:
    intents = {}
    for lab in (ethereum, tron):
        lab.wallet(units=5_000_000)
        intents[lab.network], _ = steps.signed(steps.payment(lab.network))
    reachable = settings.EVM_RPC_URLS
    settings.EVM_RPC_URLS = ["http://127.0.0.1:1"]
    assert steps.send() == 2
    labs.finalise(tron)
    assert steps.watch(intents["tron"], after_s=60).state == IntentState.PAID
    stuck = Intent.objects.get(pk=intents["ethereum"].pk)
    assert (stuck.state, stuck.last_error[:6]) == (IntentState.OPEN, "watch:")
    settings.EVM_RPC_URLS = ["http://127.0.0.1:1", *reachable, ethereum.url]  # two of three are enough
    steps.send(after_s=200)
    labs.finalise(ethereum)
    assert steps.watch(intents["ethereum"], after_s=200).state == IntentState.PAID


def test_the_signer_signs_only_what_was_approved(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    wrong = [
        replace(wanted, amount_units=wanted.amount_units + 1),
        replace(wanted, to_address=labs.recipient(lab.network)),
        replace(wanted, to_address="nonsense"),
        replace(wanted, payout_id=steps.payment(lab.network).payout_id),
        replace(wanted, network="tron" if lab.network == "ethereum" else "ethereum"),
        replace(wanted, asset="USDC"),
    ]
    for expected in wrong:
        with pytest.raises(transfers.PayloadDiffers):
            steps.sign(intent, expected)
    assert not SignedAttempt.objects.filter(intent=intent).exists()


def test_only_the_signer_process_signs(lab: labs.Lab, settings: Settings) -> None:
    wallet = lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    settings.ROLE = "worker"
    with pytest.raises(keys.NotTheSigner):
        steps.sign(intent, wanted)
    with pytest.raises(keys.NotTheSigner):
        keys.sign_digest(lab.network, address=wallet.address, digest=bytes(32))
    with pytest.raises(keys.NotTheSigner):
        keys.create(lab.network)


def test_bytes_signed_with_another_wallets_key_are_thrown_away(lab: labs.Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.wallet(units=5_000_000)
    other = keys.create(lab.network, light=True)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    real = keys.sign_digest

    def with_the_wrong_key(network: str, *, address: str, digest: bytes, number: int | None) -> gateway.Signature:
        assert address != other
        return real(network, address=other, digest=digest, number=number)

    monkeypatch.setattr(keys, "sign_digest", with_the_wrong_key)
    with pytest.raises(transfers.PayloadDiffers):
        steps.sign(intent, wanted)
    assert not SignedAttempt.objects.filter(intent=intent).exists()


def test_a_paused_lane_neither_orders_nor_signs(lab: labs.Lab) -> None:
    wallet = lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    type(wallet).objects.update(paused=True)
    assert transfers.awaiting_signature(limit=10) == []
    assert steps.sign(intent, wanted) is None
    with pytest.raises(transfers.NoLane):
        steps.order(steps.payment(lab.network))


def test_custody_is_exact_before_between_and_after(lab: labs.Lab) -> None:
    lab.wallet(units=5_000_000)
    wanted = [steps.payment(lab.network, units=units) for units in (1_000_000, 700_000)]
    intents = [steps.signed(one)[0] for one in wanted]
    seen = [custody.held_units(lab.network, "USDT")]
    steps.send()
    lab.mine()
    seen.append(custody.held_units(lab.network, "USDT"))
    labs.finalise(lab)
    seen.append(custody.held_units(lab.network, "USDT"))
    assert [one.units + one.uncollected_units for one in seen] == [5_000_000] * 3
    assert (seen[-1].units, seen[-1].uncollected_units) == (3_300_000, 1_700_000)
    assert {steps.watch(intent, after_s=60).state for intent in intents} == {IntentState.PAID}
    steps.collect(intents[0])
    last = custody.held_units(lab.network, "USDT")
    assert (last.units, last.uncollected_units) == (3_300_000, 700_000)


def test_a_lane_may_spend_what_it_holds_finally_less_what_is_ordered(lab: labs.Lab) -> None:
    """A payment is counted once at every moment: ordered, sent, in a block, final, decided, read again."""
    lab.wallet(units=5_000_000)

    def left() -> int:
        return transfers.reach_units(lab.network, "USDT")

    assert left() == 5_000_000
    intent, _ = steps.signed(steps.payment(lab.network, units=2_000_000))
    assert left() == 3_000_000
    steps.send()
    lab.mine()
    liquidity.refresh(lab.network, now=timezone.now())
    assert left() == 3_000_000
    labs.finalise(lab)
    assert steps.watch(intent, after_s=60).state == IntentState.PAID
    assert left() == 3_000_000
    liquidity.refresh(lab.network, now=timezone.now())
    assert left() == 3_000_000
    assert LaneBalance.objects.get(wallet=intent.wallet, asset="USDT").units == 3_000_000
