"""What the dev node does with transactions that an unmodified tronpy sends."""

import time
from collections.abc import Iterator

import pytest
from tronpy.exceptions import (
    AddressNotFound,
    BadSignature,
    TransactionError,
    TransactionNotFound,
    TvmError,
    UnknownError,
    ValidationError,
)
from tronpy.keys import PrivateKey
from tronpy.proto import transaction, tron_pb2

from tests.chain.devnet_node import TRX, USDT, DevNode, Person, broadcast, refusal

pytestmark = pytest.mark.chains


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevNode]:
    started = DevNode(tmp_path_factory.mktemp("tron")).start()
    yield started
    started.stop()


@pytest.fixture
def alice(node: DevNode) -> Person:
    return Person(node).rich()


@pytest.fixture
def bob(node: DevNode) -> Person:
    return Person(node)


def test_trx_reaches_a_new_account_which_is_then_created(node: DevNode, alice: Person, bob: Person) -> None:
    with pytest.raises(AddressNotFound):
        bob.client.get_account(bob.address)
    sent = alice.client.trx.transfer(alice.address, bob.address, 5 * TRX).build().sign(alice.key).broadcast()
    node.mine()
    assert bob.sun() == 5 * TRX
    assert sent.wait()["fee"] == 1_100_000
    assert alice.sun() == 1_000 * TRX - 5 * TRX - 1_100_000


def test_trx_to_an_existing_account_costs_free_bandwidth_only(node: DevNode, alice: Person) -> None:
    carol = Person(node).rich(units=0)
    alice.client.trx.transfer(alice.address, carol.address, TRX).build().sign(alice.key).broadcast()
    node.mine()
    assert alice.sun() + carol.sun() == 2_000 * TRX
    assert 200 < alice.client.get_account_resource(alice.address)["freeNetUsed"] < 400


def test_a_token_transfer_built_online_arrives(node: DevNode, alice: Person, bob: Person) -> None:
    method = alice.client.get_contract(USDT).functions.transfer
    built = method.with_owner(alice.address)(bob.address, 7).fee_limit(30 * TRX).build()
    sent = built.sign(alice.key).broadcast()
    node.mine()
    info = sent.wait()
    assert info["receipt"]["result"] == "SUCCESS"
    assert info["log"][0]["address"] == USDT
    assert (bob.units(), alice.units()) == (7, 1_000_000_000 - 7)


def test_a_new_holder_costs_the_energy_of_a_new_storage_slot(node: DevNode, alice: Person, bob: Person) -> None:
    payments = []
    for units in (1, 2):
        payments.append(alice.pay(bob.address, units))
        payments[-1].broadcast()
        node.mine()
    new, existing = (alice.info(payment)["receipt"]["energy_usage_total"] for payment in payments)
    assert new - existing == 15_000
    assert 13_000 < existing < 14_000


def test_a_token_transfer_built_offline_has_the_node_s_txid(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 9)
    answer = payment.broadcast()
    assert answer["txid"] == payment.txid
    node.mine()
    assert bob.units() == 9


def test_broadcasthex_takes_the_same_bytes(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 11)
    raw = transaction._raw_data_to_protobuf(payment._raw_data)  # noqa: SLF001 - tronpy hides what it signs
    signed = tron_pb2.Transaction(raw_data=raw, signature=[bytes.fromhex(payment._signature[0])])  # noqa: SLF001 - as above
    answer = node.post("wallet/broadcasthex", transaction=signed.SerializeToString().hex())
    assert answer == {"result": True, "txid": payment.txid}
    node.mine()
    assert bob.units() == 11


def test_a_memo_is_part_of_the_txid_and_costs_its_fee(node: DevNode, alice: Person, bob: Person) -> None:
    method = alice.client.get_contract(USDT).functions.transfer
    built = method.with_owner(alice.address)(bob.address, 1).fee_limit(30 * TRX).memo("payout 1").build()
    sent = built.sign(alice.key).broadcast()
    node.mine()
    assert sent.wait()["fee"] == TRX + sent.wait()["receipt"]["energy_fee"]
    assert alice.client.get_transaction(sent.txid)["raw_data"]["data"] == "payout 1"


def test_a_signature_by_another_key_is_refused(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 1)
    payment.set_signature([PrivateKey.random().sign_msg_hash(bytes.fromhex(payment.txid)).hex()])
    with pytest.raises(BadSignature, match="not contained of permission"):
        payment.broadcast()


@pytest.mark.parametrize("signatures", [[], ["00" * 65], ["1234"]])
def test_a_missing_or_malformed_signature_is_refused(
    signatures: list[str], node: DevNode, alice: Person, bob: Person
) -> None:
    with pytest.raises(BadSignature):
        alice.pay(bob.address, 1).set_signature(signatures).broadcast()


def test_a_second_signature_is_refused(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 1)
    with pytest.raises(BadSignature):
        payment.set_signature(payment._signature * 2).broadcast()  # noqa: SLF001 - tronpy gives it out nowhere


def test_a_transaction_of_another_chain_is_refused(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 1)
    payment._raw_data["ref_block_hash"] = "ab" * 8  # noqa: SLF001 - what a block of another chain would give
    assert refusal(broadcast(payment, node))[0] == "TAPOS_ERROR"


def test_a_transaction_that_ends_before_the_next_slot_is_refused(node: DevNode, alice: Person, bob: Person) -> None:
    node.mine()
    soon = int(time.time() * 1_000) + 1_000
    with pytest.raises(TransactionError, match="expired"):
        alice.pay(bob.address, 1, expiration=soon).broadcast()


def test_a_transaction_that_lives_longer_than_a_day_is_refused(node: DevNode, alice: Person, bob: Person) -> None:
    later = int(time.time() * 1_000) + 2 * 86_400_000
    with pytest.raises(TransactionError, match="expired"):
        alice.pay(bob.address, 1, expiration=later).broadcast()


def test_a_waiting_transaction_is_dropped_when_it_expires(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 1)
    payment.broadcast()
    slot_ms = node.dev("params", block_ms=100_000)["block_ms"]
    assert slot_ms == 100_000
    assert {"txid": payment.txid, "code": "TRANSACTION_EXPIRATION_ERROR"} in node.mine()["dropped"]
    node.dev("params", block_ms=3_000)
    assert alice.info(payment) == {}


def test_the_same_transaction_again_is_a_duplicate(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 3)
    payment.broadcast()
    with pytest.raises(UnknownError) as waiting:
        payment.broadcast()
    assert "DUP_TRANSACTION_ERROR" in str(waiting.value.args)
    node.mine()
    assert refusal(broadcast(payment, node))[0] == "DUP_TRANSACTION_ERROR"
    node.dev("forget", txid=payment.txid)
    assert refusal(broadcast(payment, node)) == ("DUP_TRANSACTION_ERROR", "Dup transaction.")
    node.mine()
    assert bob.units() == 3


def test_a_refused_transaction_is_a_duplicate_the_second_time(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 3)
    node.dev("params", max_fee_limit_sun=TRX)
    with pytest.raises(ValidationError, match="feeLimit"):
        payment.broadcast()
    node.dev("params", max_fee_limit_sun=15_000 * TRX)
    assert refusal(broadcast(payment, node)) == ("DUP_TRANSACTION_ERROR", "Transaction already exists.")
    node.mine()
    assert alice.info(payment) == {}


def test_a_fee_limit_that_is_too_small_burns_all_of_it(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 3, fee_limit=TRX)
    payment.broadcast()
    node.mine()
    info = alice.info(payment)
    assert (info["result"], info["receipt"]["result"]) == ("FAILED", "OUT_OF_ENERGY")
    assert info["receipt"]["energy_fee"] == TRX
    assert alice.sun() == 1_000 * TRX - info["fee"]
    assert bob.units() == 0


def test_a_transfer_of_more_than_there_is_reverts_and_costs_energy(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 2_000_000_000)
    sent = payment.broadcast()
    node.mine()
    with pytest.raises(TvmError, match="balance is too small"):
        sent.result()
    info = alice.info(payment)
    assert info["receipt"]["result"] == "REVERT"
    assert bytes.fromhex(info["resMessage"]) == b"REVERT opcode executed"
    assert 0 < info["receipt"]["energy_usage_total"] < 2_000
    assert node.post("wallet/gettransactionbyid", value=payment.txid)["ret"] == [{"contractRet": "REVERT"}]


def test_without_trx_for_the_fee_limit_the_balance_is_the_limit(node: DevNode, bob: Person) -> None:
    poor = Person(node).rich(trx=1)
    payment = poor.pay(bob.address, 1)
    payment.broadcast()
    node.mine()
    assert poor.info(payment)["receipt"]["result"] == "OUT_OF_ENERGY"
    assert poor.sun() == 0


def test_staked_energy_is_used_before_trx(node: DevNode, alice: Person, bob: Person) -> None:
    node.post("wallet/getaccount", address=alice.address, visible=True)
    raw = alice.client.trx.freeze_balance(alice.address, 500 * TRX, "ENERGY")
    raw.build().sign(alice.key).broadcast()
    node.mine()
    payment = alice.pay(bob.address, 1)
    payment.broadcast()
    node.mine()
    receipt = alice.info(payment)["receipt"]
    assert receipt["energy_usage"] == 5_000
    assert receipt["energy_fee"] == (receipt["energy_usage_total"] - 5_000) * 100
    assert alice.client.get_energy(alice.address) == 0


def test_bandwidth_is_burnt_once_the_free_part_is_used(node: DevNode, alice: Person, bob: Person) -> None:
    payments = [alice.pay(bob.address, units) for units in (1, 2)]
    for payment in payments:
        payment.broadcast()
    node.mine()
    free, burnt = (alice.info(payment)["receipt"] for payment in payments)
    assert "net_fee" not in free
    assert burnt["net_fee"] == free["net_usage"] * 1_000


def test_a_blocked_sender_and_a_paused_token_revert(node: DevNode, alice: Person, bob: Person) -> None:
    node.dev("blacklist", address=alice.address)
    node.mine()
    payments = [alice.pay(bob.address, 1)]
    payments[0].broadcast()
    node.dev("blacklist", address=alice.address, on=False)
    node.dev("pause")
    node.mine()
    payments.append(alice.pay(bob.address, 2))
    payments[1].broadcast()
    node.dev("pause", on=False)
    node.mine()
    assert [alice.info(payment)["receipt"]["result"] for payment in payments] == ["REVERT", "REVERT"]
    payments.append(alice.pay(bob.address, 3))
    payments[2].broadcast()
    node.mine()
    assert bob.units() == 3


def test_the_token_s_own_fee_is_kept_from_the_receiver(node: DevNode, alice: Person, bob: Person) -> None:
    node.dev("fee", basis_points=10, maximum_tokens=1)
    node.mine()
    alice.pay(bob.address, 100_000).broadcast()
    node.dev("fee", basis_points=0, maximum_tokens=0)
    node.mine()
    assert bob.units() == 99_900


def test_estimates_equal_what_is_charged(node: DevNode, alice: Person, bob: Person) -> None:
    parameter = bytes(12) + bytes.fromhex(bob.key.public_key.to_hex_address()[2:]) + (5).to_bytes(32)
    estimate = alice.client.get_estimated_energy(alice.address, USDT, "transfer(address,uint256)", parameter.hex())
    assert bob.units() == 0
    payment = alice.pay(bob.address, 5)
    payment.broadcast()
    node.mine()
    assert alice.info(payment)["receipt"]["energy_usage_total"] == estimate


def test_a_constant_call_that_reverts_says_so(node: DevNode, alice: Person, bob: Person) -> None:
    parameter = bytes(12) + bytes.fromhex(bob.key.public_key.to_hex_address()[2:]) + (10**15).to_bytes(32)
    with pytest.raises(TvmError, match="balance is too small"):
        alice.client.trigger_constant_contract(alice.address, USDT, "transfer(address,uint256)", parameter.hex())


def test_the_energy_penalty_makes_a_call_dearer(node: DevNode, alice: Person, bob: Person) -> None:
    node.dev("params", energy_penalty_percent=100)
    payment = alice.pay(bob.address, 5)
    payment.broadcast()
    node.mine()
    node.dev("params", energy_penalty_percent=0)
    receipt = alice.info(payment)["receipt"]
    assert receipt["energy_usage_total"] == 2 * receipt["energy_penalty_total"]


def test_a_transaction_that_does_not_exist_is_not_found(node: DevNode, alice: Person) -> None:
    with pytest.raises(TransactionNotFound):
        alice.client.get_transaction_info("ab" * 32)


def test_an_amount_of_trx_that_is_not_there_is_refused(node: DevNode, alice: Person, bob: Person) -> None:
    transfer = alice.client.trx.transfer(alice.address, bob.address, 10**15).build().sign(alice.key)
    with pytest.raises(ValidationError, match="balance is not sufficient"):
        transfer.broadcast()
    assert alice.sun() == 1_000 * TRX
