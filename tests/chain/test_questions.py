"""How many questions a sweep asks of a node: what many payments need in common is asked once."""

from collections import Counter

import pytest
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
        rehearsals = PAYMENTS if lab.network == "tron" else 0  # each call's energy is its own
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
