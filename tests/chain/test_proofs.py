"""A payment's proof stands by itself: whatever is changed in it is found, without and with a node."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from chain import audit, families, gateway, proofs, transfers
from chain.models import Intent, IntentState
from tests.chain import labs, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.fixture
def paid(lab: labs.Lab) -> tuple[labs.Lab, transfers.Payment, Intent]:
    """A payment that is proven, by the chain's own sweep."""
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent, _ = steps.signed(wanted)
    steps.send()
    labs.finalise(lab)
    decided = steps.watch(intent, after_s=60)
    assert decided.state == IntentState.PAID
    return lab, wanted, Intent.objects.select_related("wallet").get(pk=intent.pk)


def rehash(proof: dict[str, Any], at: int) -> None:
    """Another block of the same height, written everywhere alike."""
    chain = proof["chain"]
    hashes = chain["hashes"]
    hashes[at] = hashes[at][:-2] + ("00" if hashes[at][-2:] != "00" else "11")
    chain["first"]["hash"], chain["last"]["hash"] = hashes[0], hashes[-1]
    if "block_hash" in proof["receipt"]:
        proof["receipt"]["block_hash"] = hashes[0]


def cheaper(proof: dict[str, Any]) -> None:
    name = "gas_used" if "gas_used" in proof["receipt"] else "energy"
    proof["receipt"][name] -= 1


def one_block(proof: dict[str, Any]) -> None:
    chain = proof["chain"]
    chain["hashes"], chain["blocks"] = [*chain["hashes"][1:]], chain["blocks"] - 1


Tamper = Callable[[dict[str, Any]], Any]
# fmt: off
BY_ITSELF: dict[str, Tamper] = {
    "no bytes":           lambda proof: proof.pop("raw"),
    "other bytes":        lambda proof: proof.update(raw="00" + proof["raw"][2:]),
    "another txid":       lambda proof: proof.update(txid=proof["txid"][:-4] + "beef"),
    "no log":             lambda proof: proof.pop("log"),
    "more in the log":    lambda proof: proof["log"].update(data=proof["log"]["data"][:-1] + "f"),
    "another height":     lambda proof: proof["receipt"].update(number=proof["receipt"]["number"] + 1),
    "no success":         lambda proof: proof["receipt"].update(status=0, result="REVERT"),
    "a block left out":   one_block,
    "a hash changed":     lambda proof: proof["chain"]["hashes"].__setitem__(0, "0" * 64),
}
WITH_A_NODE: dict[str, Tamper] = {
    "another block":        lambda proof: rehash(proof, 0),
    "another final block":  lambda proof: rehash(proof, -1),
    "other costs":          cheaper,
}
# fmt: on


def test_a_proof_holds_and_whatever_is_changed_in_it_is_found(
    paid: tuple[labs.Lab, transfers.Payment, Intent],
) -> None:
    lab, wanted, intent = paid
    asked = families.gateway(lab.network)
    auditor = audit.Auditor(lab.network)

    def by_itself(proof: dict[str, Any]) -> list[str]:
        return proofs.problems(intent.transfer(), proof, gateway=asked)

    assert by_itself(intent.proof) == []
    assert auditor.problems(wanted, now=timezone.now()) == []
    for name, tamper in BY_ITSELF.items():
        proof = copy.deepcopy(intent.proof)
        tamper(proof)
        assert by_itself(proof), name
    whole = asked.judge(intent.transfer(), [audit.candidate(intent)], head=asked.head(), scan={}, now=timezone.now())
    for name, tamper in WITH_A_NODE.items():
        proof = copy.deepcopy(intent.proof)
        tamper(proof)
        assert by_itself(proof) == [], name
        assert proofs.differences(proof, whole.proof), name


def test_what_was_completed_is_what_was_ordered(paid: tuple[labs.Lab, transfers.Payment, Intent]) -> None:
    lab, wanted, _ = paid
    auditor = audit.Auditor(lab.network)
    for other in (
        transfers.Payment(wanted.payout_id, wanted.network, "USDT", labs.recipient(lab.network), wanted.amount_units),
        transfers.Payment(wanted.payout_id, wanted.network, "USDT", wanted.to_address, wanted.amount_units + 1),
        steps.payment(lab.network),
    ):
        assert auditor.problems(other, now=timezone.now())


def test_a_payment_that_is_no_longer_on_the_chain_is_found(ethereum: labs.EvmLab) -> None:
    ethereum.wallet(units=5_000_000)
    wanted = steps.payment("ethereum")
    intent, _ = steps.signed(wanted)
    steps.send()
    labs.finalise(ethereum)
    steps.watch(intent, after_s=60)
    ethereum.orphan(14)
    ethereum.mine(14)
    auditor = audit.Auditor("ethereum")
    (problem,) = auditor.problems(wanted, now=timezone.now())
    assert problem.startswith("the node does not show it paid")


def test_a_node_of_another_chain_is_no_auditor(ethereum: labs.EvmLab) -> None:
    ethereum.rpc("anvil_setChainId", 5)
    try:
        with pytest.raises(gateway.Permanent):
            audit.Auditor("ethereum", urls=[ethereum.url])
    finally:
        ethereum.rpc("anvil_setChainId", 1)
