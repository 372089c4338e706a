"""A house under a small chaos pays everybody once, and the audit of its chains notices a payment that was planted."""

from pathlib import Path

import pytest

from chain import networks
from tests.chaos import audit, nodes, run, summary

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]
# Of the seeds with so little time one that has lost replies, a reorganisation, forged receipts and a dead signer.
SMALL = run.Options(each=6, seed=1749, every_s=1.3, lanes=1, shortest_s=8)


def test_a_house_under_a_small_chaos_pays_everybody_once(tmp_path: Path) -> None:
    with run.staged(tmp_path, SMALL.networks) as stage:
        result, payer = run.Run(SMALL, print).go(stage)
        assert result.ok, "\n".join(summary.lines(SMALL, result))
        assert result.done.total() >= 4
        found = _with_a_planted_payment(stage, payer)
    assert (found.double, found.ok) == (1, False)


def _with_a_planted_payment(stage: run.Stage, payer: run.Ours | run.Naive) -> audit.Findings:
    """A hot wallet pays one of them again, past the protocol."""
    node = stage.nodes["ethereum"]
    assert isinstance(node, nodes.EvmNode)
    wanted = [order for order in payer.wanted if order.network == "ethereum"]
    paid = next(order for order in wanted if payer.entries()[order.to][0].status == audit.COMPLETED)
    node.mined(node.pay_again(payer.wallets["ethereum"][0], paid.to, 1))
    contract = networks.token("ethereum", "USDT").contract
    return audit.compare(wanted, payer.entries(), node.moved(payer.wallets["ethereum"]), contract=contract)
