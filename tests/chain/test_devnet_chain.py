"""Blocks of the dev node: solidification, reorganisations, a killed process, reads by number and id."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tronpy.exceptions import TransactionNotFound

from chain.devnet import messages
from tests.chain.devnet_node import TRX, USDT, DevNode, Person, broadcast, refusal

pytestmark = pytest.mark.chains


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevNode]:
    started = DevNode(tmp_path_factory.mktemp("tron")).start()
    yield started
    started.stop()


@pytest.fixture
def alice(node: DevNode) -> Person:
    person = Person(node).rich()
    node.mine(6)  # what she has is solid, so that no reorganisation takes it away
    return person


@pytest.fixture
def bob(node: DevNode) -> Person:
    return Person(node)


def test_walletsolidity_tells_of_a_transfer_only_when_it_is_solid(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 5)
    payment.broadcast()
    node.mine(5)
    assert alice.info(payment)["receipt"]["result"] == "SUCCESS"
    with pytest.raises(TransactionNotFound):
        alice.client.get_solid_transaction_info(payment.txid)
    node.mine()
    assert alice.client.get_solid_transaction_info(payment.txid)["receipt"]["result"] == "SUCCESS"


def test_walletsolidity_reads_accounts_and_contracts_at_the_solid_block(node: DevNode, alice: Person) -> None:
    carol = Person(node).rich(trx=3, units=7)
    question = {"owner_address": carol.address, "contract_address": USDT, "visible": True}
    question |= {
        "function_selector": "balanceOf(address)",
        "parameter": "00" * 12 + carol.key.public_key.to_hex_address()[2:],
    }

    def seen(api: str) -> tuple[int, int]:
        account = node.post(f"{api}/getaccount", address=carol.address, visible=True)
        answer = node.post(f"{api}/triggerconstantcontract", **question)
        return account.get("balance", 0), int(answer["constant_result"][0], 16)

    assert seen("wallet") == (3 * TRX, 7)
    assert seen("walletsolidity") == (0, 0)
    node.mine(5)
    assert seen("walletsolidity") == (3 * TRX, 7)


def test_a_reorganisation_without_repooling_undoes_a_transfer(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 5)
    payment.broadcast()
    node.mine()
    before = (alice.units() + 5, 1_000 * TRX)
    assert node.dev("reorg", depth=1, repool=False)["orphaned"] == [payment.txid]
    assert (alice.units(), alice.sun()) == before
    node.mine(2)
    assert alice.info(payment) == {}
    assert refusal(broadcast(payment, node))[0] == "DUP_TRANSACTION_ERROR"
    node.dev("forget", txid=payment.txid)
    assert broadcast(payment, node) == {"result": True, "txid": payment.txid}
    node.mine()
    assert bob.units() == 5


def test_a_reorganisation_with_repooling_brings_a_transfer_into_another_block(
    node: DevNode, alice: Person, bob: Person
) -> None:
    payment = alice.pay(bob.address, 5)
    payment.broadcast()
    node.mine(3)
    before = alice.info(payment)
    block = alice.client.get_block(before["blockNumber"])
    node.dev("reorg", depth=3)
    assert node.dev("status")["pending"] == [payment.txid]
    node.mine()
    after = alice.info(payment)
    assert after["blockNumber"] == before["blockNumber"]
    assert alice.client.get_block(after["blockNumber"])["blockID"] != block["blockID"]
    assert node.post("wallet/getblockbyid", value=block["blockID"]) == {}
    assert bob.units() == 5


def test_a_reorganisation_can_keep_some_of_the_transactions(node: DevNode, alice: Person, bob: Person) -> None:
    kept, lost = alice.pay(bob.address, 5), alice.pay(bob.address, 6)
    for payment in (kept, lost):
        payment.broadcast()
    node.mine()
    node.dev("reorg", depth=1, repool=False, keep=[kept.txid])
    node.mine()
    assert bob.units() == 5


def test_a_transaction_that_refers_to_a_lost_block_is_dropped(node: DevNode, alice: Person, bob: Person) -> None:
    node.mine()
    method = alice.client.get_contract(USDT).functions.transfer
    head = alice.client.get_latest_block_id()
    payment = method.with_owner(alice.address)(bob.address, 1).build(offline=True, ref_block_id=head).sign(alice.key)
    assert broadcast(payment, node)["result"]
    node.mine()
    node.dev("reorg", depth=2)
    assert {"txid": payment.txid, "code": "TAPOS_ERROR"} in node.mine()["dropped"]


def test_a_solid_block_is_never_taken_away(node: DevNode, alice: Person) -> None:
    status = node.mine()
    depth = status["head"] - status["solid"]
    assert "Error" in node.post("dev/reorg", depth=depth + 1)
    assert node.dev("reorg", depth=depth)["head"] == status["solid"]
    assert "Error" in node.post("dev/reorg", depth=1)
    assert node.mine()["solid"] == status["solid"]


def test_a_dropped_transaction_never_arrives(node: DevNode, alice: Person, bob: Person) -> None:
    payment, other = alice.pay(bob.address, 5), alice.pay(bob.address, 7)
    for sent in (payment, other):
        sent.broadcast()
    assert node.dev("drop", txid=payment.txid) == {"dropped": True}
    node.mine()
    assert (alice.info(payment), bob.units()) == ({}, 7)


def test_blocks_name_their_parent_and_their_id_is_the_hash_of_the_header(node: DevNode, alice: Person) -> None:
    head = node.mine(3)["head"]
    blocks = node.post("wallet/getblockbylimitnext", startNum=head - 3, endNum=head + 1)["block"]
    assert [block["block_header"]["raw_data"]["number"] for block in blocks] == list(range(head - 3, head + 1))
    for parent, child in pairwise(blocks):
        assert child["block_header"]["raw_data"]["parentHash"] == parent["blockID"]
        assert child["block_header"]["raw_data"]["timestamp"] > parent["block_header"]["raw_data"]["timestamp"]
    assert messages.BlockHeaderRaw.DESCRIPTOR.fields_by_name["number"].number == 7
    assert int(blocks[-1]["blockID"][:16], 16) == head


def test_a_block_is_found_by_number_by_id_and_among_the_latest(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 1)
    payment.broadcast()
    number = node.mine()["head"]
    by_number = alice.client.get_block(number)
    assert [entry["txID"] for entry in by_number["transactions"]] == [payment.txid]
    assert alice.client.get_block(by_number["blockID"]) == by_number
    assert alice.client.get_latest_block() == by_number
    assert node.post("wallet/getblockbylatestnum", num=2, visible=True)["block"][0] == by_number
    assert node.post("wallet/getblock", id_or_num=str(number), detail=True, visible=True) == by_number
    assert node.post("wallet/getblockbynum", num=number + 1) == {}
    infos = node.post("wallet/gettransactioninfobyblocknum", num=number)
    assert [info["id"] for info in infos] == [payment.txid]
    assert node.post("walletsolidity/gettransactioninfobyblocknum", num=number) == []


def test_a_node_killed_while_it_mines_comes_back_with_a_whole_chain(tmp_path: Path) -> None:
    mortal = DevNode(tmp_path).start()
    try:
        alice, bob = Person(mortal).rich(trx=100_000), Person(mortal)
        arrived = 0
        for payments_sent in (30, 16):
            mortal.dev("params", block_ms=20)
            amounts = range(1 + arrived, 1 + arrived + payments_sent)
            payments = {units: alice.pay(bob.address, units) for units in amounts}
            mortal.dev("mining", on=True)
            for payment in payments.values():
                assert broadcast(payment, mortal)["result"]
            mortal.kill()
            mortal.start()
            arrived += sum(units for units, payment in payments.items() if alice.info(payment))
            assert (bob.units(), alice.units()) == (arrived, 1_000_000_000 - arrived)
        head = mortal.mine()["head"]
        blocks = [mortal.post("wallet/getblockbynum", num=number) for number in range(head + 1)]
        for parent, child in pairwise(blocks):
            assert child["block_header"]["raw_data"]["parentHash"] == parent["blockID"]
    finally:
        mortal.stop()


def test_a_killed_node_keeps_every_block(tmp_path: Path) -> None:
    mortal = DevNode(tmp_path).start()
    try:
        alice, bob = Person(mortal).rich(), Person(mortal)
        mined, waiting = alice.pay(bob.address, 5), alice.pay(bob.address, 6)
        mined.broadcast()
        head = mortal.mine(7)
        waiting.broadcast()
        ids = [mortal.post("wallet/getblockbynum", num=number) for number in range(head["head"] + 1)]

        mortal.kill()
        mortal.start()

        status = mortal.dev("status")
        assert (status["head"], status["solid"], status["pending"]) == (head["head"], head["solid"], [])
        assert [mortal.post("wallet/getblockbynum", num=number) for number in range(head["head"] + 1)] == ids
        assert bob.client.get_solid_transaction_info(mined.txid)["receipt"]["result"] == "SUCCESS"
        assert broadcast(waiting, mortal)["result"]
        assert refusal(broadcast(mined, mortal))[0] == "DUP_TRANSACTION_ERROR"
        mortal.mine()
        assert bob.units() == 11
    finally:
        mortal.stop()
