"""How many questions a sweep asks of a node: what many payments need in common is asked once."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import families, networks, transfers
from chain.models import Intent, IntentState
from tests.chain import labs, proxy, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]

PAYMENTS = 6


def ordered(lab: labs.Lab) -> list[tuple[Intent, transfers.Payment]]:
    lab.wallet(units=5_000_000)
    wanted = [steps.payment(lab.network, units=1_000) for _ in range(PAYMENTS)]
    return [(steps.order(one), one) for one in wanted]


def test_signatures_one_after_the_other_share_what_they_read(
    lab: labs.Lab, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = ordered(lab)
    monkeypatch.setattr(families, "RECENT_S", 3600.0)
    with proxy.before(lab.url) as counting:
        setattr(settings, networks.network(lab.network).urls_setting, [counting.url])
        assert all(steps.sign(intent, wanted) for intent, wanted in payments)
        rehearsals = PAYMENTS if lab.network == "tron" else 0  # one by one they show what each one's energy is
        assert len(counting.asked) <= rehearsals + 6
        steps.send()
        labs.finalise(lab)
        assert {steps.watch(intent, after_s=60).state for intent, _ in payments} == {IntentState.PAID}


def test_receipts_and_final_blocks_come_in_one_question_each(ethereum: labs.EvmLab) -> None:
    payments = ordered(ethereum)
    for intent, wanted in payments:
        steps.sign(intent, wanted)
    steps.send()
    labs.finalise(ethereum)
    ethereum.proxy.posts = 0
    ethereum.proxy.asked.clear()
    first, _ = payments[0]
    assert steps.watch(first, after_s=60).state == IntentState.PAID
    assert Intent.objects.filter(state=IntentState.PAID).count() == PAYMENTS
    assert ethereum.proxy.posts <= 5  # chain id, newest, final, receipts, the stretch
    assert Counter(ethereum.proxy.asked)["eth_getTransactionReceipt"] == PAYMENTS


@pytest.mark.parametrize("answer", [None, proxy.Failed(404), {}, []], ids=["receipts", "no such method", "{}", "none"])
def test_many_receipts_come_by_the_block_and_else_one_by_one(
    tron: labs.TronLab, settings: Settings, answer: object
) -> None:
    tron.wallet(units=5_000_000)
    wanted = [steps.payment("tron", units=1_000 + number) for number in range(24)]
    ordered = {steps.order(one).pk: one for one in wanted}
    assert transfers.sign_together(ordered, now=timezone.now()) == ordered.keys()
    steps.send()
    labs.finalise(tron)
    by_block, singly = (f"walletsolidity/gettransactioninfoby{what}" for what in ("blocknum", "id"))
    with proxy.before(tron.url) as node:
        settings.TRON_RPC_URLS = [node.url]
        if isinstance(answer, proxy.Failed):
            node.spoil(by_block, proxy.failed(answer.status))
        elif answer is not None:
            node.lie(by_block, answer)
        assert transfers.watch_due(now=timezone.now() + timedelta(seconds=60), limit=100) == len(wanted)
        asked = Counter(node.asked)
        assert (asked[by_block], asked[singly]) == ((1, 0) if answer is None else (1, len(wanted)))
        assert asked["walletsolidity/getblockbynum"] <= 8
    assert set(Intent.objects.values_list("state", flat=True)) == {IntentState.PAID}


def test_what_cannot_be_final_yet_is_not_asked_for(tron: labs.TronLab, settings: Settings) -> None:
    tron.wallet(units=5_000_000)
    intent, _ = steps.signed(steps.payment("tron"))
    steps.send()
    tron.mine()
    with proxy.before(tron.url) as node:
        settings.TRON_RPC_URLS = [node.url]
        assert steps.watch(intent, after_s=60).last_error == "sent, in no solid block yet"
        assert not any("gettransactioninfo" in name for name in node.asked)
        labs.finalise(tron)
        assert steps.watch(intent, after_s=120).state == IntentState.PAID


@pytest.mark.parametrize("answer", [proxy.Failed(413), proxy.Failed(400), None])
def test_a_node_that_takes_no_batches_is_asked_one_by_one(ethereum: labs.EvmLab, answer: proxy.Failed | None) -> None:
    payments = ordered(ethereum)
    for intent, wanted in payments:
        steps.sign(intent, wanted)
    steps.send()
    labs.finalise(ethereum)
    ethereum.proxy.no_batches = answer or {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "one"}}
    assert steps.watch(payments[0][0], after_s=60).state == IntentState.PAID
    assert Intent.objects.filter(state=IntentState.PAID).count() == PAYMENTS
