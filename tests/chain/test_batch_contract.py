"""BatchPayer on a real EVM: an id pays once, nobody holds up the others, and it costs what it should."""

import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st

from chain import token_abi
from chain.devnet import tokens
from chain.evm import batches
from chain.gateway import Mismatch
from tests.bench import gas
from tests.chain import labs

pytestmark = pytest.mark.chains
PAYER = "0x00000000000000000000000000000000000000aA"


@dataclass
class Bench:
    """The contract, deployed, and a payer with money and an allowance."""

    lab: labs.EvmLab
    contract: str

    def send(self, to: str | None, data: bytes, *, gas: int = 15_000_000) -> dict[str, Any]:
        call = {"from": PAYER, "data": "0x" + data.hex(), "gas": hex(gas), "gasPrice": hex(100 * 10**9)}
        txid = self.lab.rpc("eth_sendTransaction", call | ({"to": to} if to else {}))
        self.lab.mine()
        receipt: dict[str, Any] = self.lab.rpc("eth_getTransactionReceipt", txid)
        return receipt

    def pay(self, batch: batches.Batch, *, gas: int | None = None) -> dict[str, Any]:
        return self.send(self.contract, batches.pay_call(batch), gas=gas or batches.gas_limit(len(batch.payments)))

    def outcomes(self, batch: batches.Batch, receipt: dict[str, Any]) -> list[bool] | None:
        logs = [
            token_abi.Log(HexBytes(log["address"]), [HexBytes(topic) for topic in log["topics"]], HexBytes(log["data"]))
            for log in receipt["logs"]
        ]
        return batches.outcomes(batch, payer=_bytes(PAYER), contract=_bytes(self.contract), logs=logs)

    def batch(self, *amounts: int) -> batches.Batch:
        payments = tuple(batches.Payment(secrets.token_bytes(20), amount) for amount in amounts)
        return batches.Batch(secrets.token_bytes(32), _bytes(self.lab.token), payments)

    def balance(self, account: bytes) -> int:
        return self.lab.balance("0x" + account.hex())


def _bytes(address: str) -> bytes:
    return bytes.fromhex(address[2:])


@pytest.fixture
def bench(ethereum: labs.EvmLab) -> Bench:
    ethereum.rpc("anvil_setBalance", PAYER, hex(10**20))
    ethereum.rpc("anvil_impersonateAccount", PAYER)
    for data in (tokens.call_data("issue", 10**12), tokens.call_data("transfer", _bytes(PAYER), 10**12)):
        call = {"from": labs.OWNER, "to": ethereum.token, "data": "0x" + data.hex(), "gas": hex(200_000)}
        ethereum.rpc("eth_sendTransaction", call | {"gasPrice": hex(100 * 10**9)})
        ethereum.mine()
    deployed = Bench(ethereum, "")
    deployed.contract = deployed.send(None, HexBytes(batches.artifact()["bytecode"]))["contractAddress"]
    deployed.send(ethereum.token, batches.approve_call(_bytes(deployed.contract)))
    return deployed


def test_everybody_in_a_batch_is_paid_and_the_logs_say_so(bench: Bench) -> None:
    batch = bench.batch(5, 6, 7)
    receipt = bench.pay(batch)
    assert receipt["status"] == "0x1"
    assert bench.outcomes(batch, receipt) == [True, True, True]
    assert [bench.balance(payment.to_account) for payment in batch.payments] == [5, 6, 7]


def test_a_batch_id_is_paid_once_whatever_the_second_one_holds(bench: Bench) -> None:
    batch, other = bench.batch(5), bench.batch(6)
    bench.pay(batch)
    again = batches.Batch(batch.id, other.token, other.payments)
    assert bench.pay(batch)["status"] == "0x0"
    assert bench.pay(again)["status"] == "0x0"
    assert [bench.balance(batch.payments[0].to_account), bench.balance(other.payments[0].to_account)] == [5, 0]


def test_a_payment_that_the_token_refuses_does_not_hold_up_the_others(bench: Bench) -> None:
    batch = bench.batch(5, 10**30, 7)
    receipt = bench.pay(batch)
    assert receipt["status"] == "0x1"
    assert bench.outcomes(batch, receipt) == [True, False, True]
    assert [bench.balance(payment.to_account) for payment in batch.payments] == [5, 0, 7]


def test_equal_payments_are_counted_one_by_one(bench: Bench) -> None:
    twice = bench.batch(5)
    batch = batches.Batch(twice.id, twice.token, twice.payments * 2)
    receipt = bench.pay(batch)
    assert bench.outcomes(batch, receipt) == [True, True]
    assert bench.balance(twice.payments[0].to_account) == 10


def test_logs_that_do_not_show_every_payment_decide_nothing(bench: Bench) -> None:
    batch = bench.batch(5, 6)
    receipt = bench.pay(batch)
    for missing in range(len(receipt["logs"])):
        logs = receipt["logs"][:missing] + receipt["logs"][missing + 1 :]
        assert bench.outcomes(batch, receipt | {"logs": logs}) is None


def test_a_batch_without_gas_for_all_pays_nobody(bench: Bench) -> None:
    batch = bench.batch(*[5] * 20)
    receipt = bench.pay(batch, gas=500_000)
    assert receipt["status"] == "0x0"
    assert not any(bench.balance(payment.to_account) for payment in batch.payments)
    assert bench.pay(batch)["status"] == "0x1"


def test_nobody_moves_another_payers_money(bench: Bench) -> None:
    stranger = "0x00000000000000000000000000000000000000bB"
    bench.lab.rpc("anvil_setBalance", stranger, hex(10**20))
    bench.lab.rpc("anvil_impersonateAccount", stranger)
    batch = bench.batch(5)
    call = {"from": stranger, "to": bench.contract, "data": "0x" + batches.pay_call(batch).hex(), "gas": hex(900_000)}
    txid = bench.lab.rpc("eth_sendTransaction", call | {"gasPrice": hex(100 * 10**9)})
    bench.lab.mine()
    assert bench.outcomes(batch, bench.lab.rpc("eth_getTransactionReceipt", txid)) is None
    assert bench.balance(batch.payments[0].to_account) == 0
    assert bench.pay(batch)["status"] == "0x1"  # the id is the payer's own


def test_a_batch_of_a_hundred_costs_at_most_half_per_payment(ethereum: labs.EvmLab) -> None:
    singly, together = gas.per_payout(ethereum.url)
    assert 0 < together <= 0.5 * singly


@given(
    st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.integers(0, 2**256 - 1)), min_size=1, max_size=5),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=20, max_size=20),
)
def test_calldata_says_again_what_it_was_made_of(payments: list[tuple[bytes, int]], id_: bytes, token: bytes) -> None:
    batch = batches.Batch(id_, token, tuple(batches.Payment(*payment) for payment in payments))
    data = batches.pay_call(batch)
    assert batches.read_pay_call(data) == batch
    for spoilt in (data[:-1], data + b"\0", b"\0" + data[1:]):
        with pytest.raises(Mismatch):
            batches.read_pay_call(spoilt)
