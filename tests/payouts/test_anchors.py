"""The ledger's seals on a chain: ordered when due, signed from the sealed block alone, read back without trust."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from chain import anchoring, signing, transfers
from chain.evm import build
from chain.models import HotWallet, Intent, IntentState, SignedAttempt
from ledger import audit, seals
from ledger.models import Anchor, Block
from ledger.posting import Kind
from payouts import anchors, tasks
from tests import databases, make
from tests.chain import labs, proxy, steps
from tests.chain.test_evm_payments import BUMP_AFTER_S
from tests.ledger import books, forgery, sealing
from tests.ledger.test_seal_tampering import CLOSE_BLOCKS, FOLLOW, LOOKALIKES, OPEN_BLOCKS

pytestmark = pytest.mark.chains


@pytest.fixture
def lane(
    committed: databases.Database, ethereum: labs.EvmLab, redis_clean: str, settings: Settings
) -> tuple[labs.EvmLab, HotWallet]:
    """Anchoring is on, the lane has gas, and the ledger has a sealed block."""
    settings.SEAL_ANCHOR_NETWORK, settings.SEAL_ANCHOR_EVERY_S = "ethereum", 3600
    wallet = ethereum.wallet(units=1_000_000)
    another_block()
    return ethereum, wallet


def another_block() -> Block:
    books.funded(100).post(Kind.FREEZE, 30)
    sealing.seal(limit=100)
    return sealing.blocks()[-1]


def landed(lab: labs.EvmLab) -> Intent:
    """An anchor's whole way."""
    assert anchors.sweep(now=make.now()) == 1
    assert (tasks.sign(), tasks.send()) == (1, 1)
    labs.finalise(lab)
    intent = steps.watch(Intent.objects.latest("created_at"), after_s=60)
    anchors.sweep(now=make.now())
    return intent


def test_a_block_is_anchored_once_and_found_on_the_chain(lane: tuple[labs.EvmLab, HotWallet]) -> None:
    lab, wallet = lane
    (block,) = sealing.blocks()
    intent = landed(lab)
    assert intent.state == IntentState.PAID
    (row,) = Anchor.objects.all()
    assert (row.block, row.network, row.txid) == (block.number, "ethereum", intent.txid)
    shown = lab.rpc("eth_getTransactionByHash", intent.txid)
    assert shown["from"] == shown["to"] == wallet.address.lower()
    assert (shown["value"], shown["input"]) == (
        "0x0",
        "0x" + (b"sluice1:" + block.number.to_bytes(8, "big") + bytes(block.hash)).hex(),
    )
    assert anchors.public() == [(block.number, bytes(block.hash).hex())]
    assert audit.prove(anchors=anchors.public()).problems == []
    assert anchors.sweep(now=make.now() + timedelta(days=1)) == 0  # nothing newer is sealed
    assert transfers.verdicts(limit=10) == []


def test_anchors_keep_their_distance_and_payments_go_on_between_them(lane: tuple[labs.EvmLab, HotWallet]) -> None:
    lab, _ = lane
    assert anchors.sweep(now=make.now()) == 1
    another_block()
    later = make.now() + timedelta(days=1)
    assert anchors.sweep(now=later) == 0  # one is open
    wanted = steps.payment("ethereum", units=1_000)
    payment = steps.order(wanted)
    assert (payment.seq, Intent.objects.get(purpose="anchor").seq) == (1, 0)
    assert steps.sign(payment, wanted)
    assert (tasks.sign(), tasks.send()) == (1, 2)
    labs.finalise(lab)
    assert steps.watch(payment, after_s=60).state == IntentState.PAID
    assert anchors.sweep(now=make.now()) == 1  # taken over, and the next one waits for its hour
    assert Intent.objects.filter(purpose="anchor").count() == 1
    assert anchors.sweep(now=later) == 1
    assert lab.balance(wanted.to_address) == 1_000


def test_an_anchor_whose_nonce_was_taken_is_let_go_and_another_ordered(lane: tuple[labs.EvmLab, HotWallet]) -> None:
    lab, wallet = lane
    assert (anchors.sweep(now=make.now()), tasks.sign()) == (1, 1)
    lab.steal_nonce(wallet.address, nonce=0)
    labs.finalise(lab)
    assert steps.watch(Intent.objects.get(), after_s=60).state == IntentState.DEAD
    assert anchors.sweep(now=make.now()) == 2  # let go, and ordered again at once
    assert list(Intent.objects.order_by("seq").values_list("seq", "state")) == [(0, "DEAD"), (1, "OPEN")]
    assert tasks.sign() == 1
    assert anchors.public() == []


def test_what_somebody_else_did_with_a_wallet_is_read_though_nodes_forget_states(
    lane: tuple[labs.EvmLab, HotWallet],
) -> None:
    lab, wallet = lane
    lab.steal_nonce(wallet.address, nonce=0)  # in nobody's books
    lab.mine(40)
    forgotten = lab.head() - 20

    def count(call: proxy.Call) -> object:
        known = int(call.arguments[1], 16) > forgotten
        return call.forward() if known else proxy.Error({"code": -32000, "message": "missing trie node"})

    lab.proxy.spoil("eth_getTransactionCount", count)
    assert anchors.public() == []


def test_a_stuck_anchor_is_bumped_with_the_same_data(lane: tuple[labs.EvmLab, HotWallet]) -> None:
    anchors.sweep(now=make.now())
    assert (tasks.sign(), tasks.send()) == (1, 1)
    intent = steps.watch(Intent.objects.get(), after_s=BUMP_AFTER_S + 1)
    assert intent.bump_due
    assert tasks.sign() == 1
    first, second = (build.read(bytes(one.raw)) for one in SignedAttempt.objects.order_by("number"))
    assert first.transfer == second.transfer
    assert second.fees["gas"] == 120_000 + sum(40 if byte else 10 for byte in bytes.fromhex(intent.data))
    assert second.fees["max_fee_wei"] * 8 >= first.fees["max_fee_wei"] * 9


def test_the_signer_signs_the_sealed_hash_and_nothing_else(lane: tuple[labs.EvmLab, HotWallet]) -> None:
    block = sealing.blocks()[-1]
    right = anchoring.Anchor("ethereum", block.number, bytes(block.hash))
    for wrong in (replace(right, hash=b"\1" * 32), replace(right, number=99)):
        forged = anchoring.order(wrong, now=make.now())
        assert tasks.sign() == 0
        assert Intent.objects.get(pk=forged.pk).last_error.startswith(signing.REFUSED)
        Intent.objects.filter(pk=forged.pk).update(state="DEAD", txid="x", proof={"a": 1}, verdict_at=make.now())
    assert not SignedAttempt.objects.exists()


def test_an_intent_is_made_for_its_purpose_and_one_anchor_is_open(lane: tuple[labs.EvmLab, HotWallet]) -> None:
    anchors.sweep(now=make.now())
    anchor = Intent.objects.get()
    payment = steps.order(steps.payment("ethereum"))
    broken: list[tuple[Intent, dict[str, Any]]] = [
        (anchor, {"payout_id": payment.id}),
        (anchor, {"amount_units": 1}),
        (anchor, {"data": ""}),
        (anchor, {"asset": "USDT"}),
        (anchor, {}),
        (payment, {"payout_id": None}),
        (payment, {"amount_units": 0, "payout_id": anchor.id}),
        (payment, {"data": "00", "payout_id": anchor.id}),
    ]
    for like, changes in broken:
        made = Intent.objects.get(pk=like.pk)
        for name, value in ({"id": uuid4(), "seq": 70} | changes).items():
            setattr(made, name, value)
        refused = r"intent_(made_for_its_purpose|one_open_anchor)"
        with pytest.raises(IntegrityError, match=refused), transaction.atomic():
            made.save(force_insert=True)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Intent.objects.filter(pk=anchor.pk).update(data="00")


@pytest.mark.parametrize("name", ["tron", "elsewhere", "optimism"])
def test_a_network_that_cannot_carry_anchors_is_refused_at_the_start(settings: Settings, name: str) -> None:
    settings.SEAL_ANCHOR_NETWORK, settings.SEAL_ANCHOR_EVERY_S = name, 0
    said = [found for found in run_checks() if (found.id or "").startswith("chain.")]
    assert [found.id for found in said] == ["chain.E001", "chain.E002"]
    assert name in said[0].msg
    settings.SEAL_ANCHOR_NETWORK, settings.SEAL_ANCHOR_EVERY_S = "", 1
    assert not [found for found in run_checks() if (found.id or "").startswith("chain.")]


# --- the tail cut ----------------------------------------------------------------------------------------------------

CUT = "DELETE FROM ledger_event WHERE xid >= (SELECT xid_from FROM ledger_block WHERE number = 2)"
OPEN_CHAIN = "ALTER TABLE chain_{} DISABLE TRIGGER ALL"


def cut(owner: psycopg.Connection) -> None:
    """Take the second block's events away, its seal, and what the ledger knows of its anchor; balances follow."""
    owner.execute(forgery.OPEN)
    owner.execute(OPEN_BLOCKS)
    for statement in (CUT, FOLLOW, "DELETE FROM ledger_block WHERE number = 2", "DELETE FROM ledger_anchor"):
        assert owner.execute(statement).rowcount > 0
    owner.execute(forgery.CLOSE)
    owner.execute(CLOSE_BLOCKS)
    owner.execute(LOOKALIKES)


def forget(owner: psycopg.Connection) -> None:
    """Take away the chain room's memory of all anchors."""
    for table in ("broadcastattempt", "signedattempt", "intent"):
        owner.execute(OPEN_CHAIN.format(table))
        assert owner.execute(f"DELETE FROM chain_{table}").rowcount > 0  # noqa: S608 - our own names


def pretend(owner: psycopg.Connection) -> None:
    """Make the anchor's row a payment's, with the transaction of another."""
    owner.execute(OPEN_CHAIN.format("intent"))
    owner.execute(
        "UPDATE chain_intent SET purpose = 'payment', payout_id = id, amount_units = 1, data = '', asset = 'USDT',"
        " txid = '0x' || repeat('11', 32)"
    )


def proof(**options: Any) -> tuple[str, str]:
    """What `manage.py prove` says, and its problems (of custody too: these wallets hold what no ledger knows)."""
    said, problems = io.StringIO(), io.StringIO()
    try:
        call_command("prove", stdout=said, stderr=problems, **options)
    except CommandError as error:
        return said.getvalue(), problems.getvalue() + str(error)
    return said.getvalue(), ""


@pytest.mark.parametrize("also", [None, forget, pretend], ids=["ledger", "and the intents", "and a payment instead"])
def test_a_ledger_whose_end_was_cut_off_is_found_out_by_the_chain(
    lane: tuple[labs.EvmLab, HotWallet],
    owner: psycopg.Connection,
    also: Callable[[psycopg.Connection], None] | None,
) -> None:
    lab, wallet = lane
    another_block()
    landed(lab)
    held = "1 anchors read back and compared"
    said, problems = proof()
    assert (held in said, "PROBLEM block" in problems) == (True, False)
    cut(owner)
    if also:
        also(owner)
    assert audit.prove().problems == []  # the ledger alone shows nothing
    said, problems = proof()
    assert held in said
    assert "block 2: is anchored and not here: the chain's end was cut off" in problems
    if also is forget:
        owner.execute("DELETE FROM chain_lanebalance")
        owner.execute(OPEN_CHAIN.format("hotwallet"))
        owner.execute("DELETE FROM chain_hotwallet")
        assert "0 anchors read back" in proof()[0]
        assert "the chain's end was cut off" in proof(anchor_wallet=[wallet.address])[1]


def test_without_a_chain_that_answers_prove_does_not_call_it_proven(
    lane: tuple[labs.EvmLab, HotWallet], settings: Settings
) -> None:
    settings.EVM_RPC_URLS = ["http://127.0.0.1:1"]
    assert "the anchors cannot be read" in proof()[1]


def test_a_restored_number_under_another_hash_is_found_out(lane: tuple[labs.EvmLab, HotWallet]) -> None:
    lab, _ = lane
    landed(lab)
    seals.anchored(1, network="ethereum", txid="0xnever", now=make.now())
    assert audit.prove(anchors=anchors.public()).problems == []  # a second row of the same block is no contradiction
    forged = [(1, "00" * 32)]
    assert "is anchored with the hash" in audit.prove(anchors=forged).problems[0]
