"""Putting tokens and coins on both local chains."""

import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from hexbytes import HexBytes
from web3 import Web3

from chain import networks
from chain.devnet import addresses, seed, tokens
from config.local.place import ROOT
from tests.chain.devnet_node import TRX, USDT, DevNode, Person

pytestmark = pytest.mark.chains

ETHEREUM_USDT = Web3.to_checksum_address("0xdac17f958d2ee523a2206206994597c13d831ec7")
READ_ONLY_ABI = [
    {"type": "function", "name": name, "stateMutability": "view", "inputs": [], "outputs": [{"type": kind, "name": ""}]}
    for name, kind in (
        ("name", "string"),
        ("symbol", "string"),
        ("decimals", "uint8"),
        ("owner", "address"),
        ("totalSupply", "uint256"),
    )
]


@pytest.fixture(scope="module")
def tron(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevNode]:
    started = DevNode(tmp_path_factory.mktemp("tron")).start()
    started.dev("params", block_ms=100)
    started.dev("mining", on=True)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def issuer() -> str:
    return Web3.to_checksum_address(secrets.token_bytes(20))


def test_the_token_stands_at_the_main_net_address_of_an_anvil(anvil_url: str, issuer: str) -> None:
    seed.install_evm_token(anvil_url, contract=ETHEREUM_USDT, owner=issuer)
    contract = Web3(Web3.HTTPProvider(anvil_url)).eth.contract(ETHEREUM_USDT, abi=READ_ONLY_ABI)
    assert contract.functions.name().call() == "Tether USD"
    assert (contract.functions.symbol().call(), contract.functions.decimals().call()) == ("USDT", 6)


def test_any_other_token_has_its_own_name_and_decimals_in_its_code(anvil_url: str, issuer: str) -> None:
    there = Web3.to_checksum_address(secrets.token_bytes(20))
    seed.install_evm_token(anvil_url, contract=there, owner=issuer, spec=tokens.Spec("PEPE", "Pepe", 18))
    contract = Web3(Web3.HTTPProvider(anvil_url)).eth.contract(there, abi=READ_ONLY_ABI)
    told = [contract.functions[name]().call() for name in ("name", "symbol", "decimals", "owner", "totalSupply")]
    assert told == ["Pepe", "PEPE", 18, issuer, 0]
    seed.mint_evm(anvil_url, contract=there, to=issuer, units=10**33)
    assert seed.balance_of(anvil_url, "evm", there, issuer) == 10**33


def test_tokens_and_ether_are_there_when_seeding_returns(anvil_url: str, issuer: str) -> None:
    seed.install_evm_token(anvil_url, contract=ETHEREUM_USDT, owner=issuer)
    holder = Web3.to_checksum_address(secrets.token_bytes(20))
    txid = seed.mint_evm(anvil_url, contract=ETHEREUM_USDT, to=holder, units=1_234)
    assert seed.balance_of(anvil_url, "evm", ETHEREUM_USDT, holder) == 1_234
    assert Web3(Web3.HTTPProvider(anvil_url)).eth.get_transaction_receipt(HexBytes(txid))["status"] == 1
    seed.fund_evm(anvil_url, address=holder, wei=5)
    assert Web3(Web3.HTTPProvider(anvil_url)).eth.get_balance(holder) == 5


def test_installing_the_token_again_changes_nothing(anvil_url: str, issuer: str) -> None:
    seed.install_evm_token(anvil_url, contract=ETHEREUM_USDT, owner=issuer)
    holder = Web3.to_checksum_address(secrets.token_bytes(20))
    seed.mint_evm(anvil_url, contract=ETHEREUM_USDT, to=holder, units=7)
    seed.install_evm_token(anvil_url, contract=ETHEREUM_USDT, owner=Web3.to_checksum_address(secrets.token_bytes(20)))
    assert seed.balance_of(anvil_url, "evm", ETHEREUM_USDT, holder) == 7


def test_tokens_and_trx_are_in_a_block_when_seeding_returns(tron: DevNode) -> None:
    holder = Person(tron)
    minted = seed.mint_tron(tron.url, contract=USDT, to=holder.address, units=1_234)
    funded = seed.fund_tron(tron.url, address=holder.address, sun=5 * TRX)
    assert seed.balance_of(tron.url, "tron", USDT, holder.address) == 1_234
    assert holder.sun() == 5 * TRX
    for txid in (minted, funded):
        assert tron.post("wallet/gettransactioninfobyid", value=txid)["blockNumber"] > 0


def test_only_tokens_that_exist_can_be_minted(tron: DevNode, anvil_url: str) -> None:
    holder = Person(tron)
    with pytest.raises(seed.SeedFailed, match="no such token"):
        seed.mint_tron(tron.url, contract=holder.address, to=holder.address, units=1)


def test_a_mint_that_the_token_refuses_is_an_error(tron: DevNode) -> None:
    holder = Person(tron)
    paused = tron.dev("pause")["txid"]
    with pytest.raises(seed.SeedFailed, match="REVERT"):
        seed.mint_tron(tron.url, contract=USDT, to=holder.address, units=1)
    assert tron.post("wallet/gettransactioninfobyid", value=paused)["receipt"]["result"] == "SUCCESS"
    tron.dev("pause", on=False)


def test_the_tokens_stand_on_the_dev_node_from_its_first_block(tron: DevNode) -> None:
    contract = tron.tronpy().get_contract(USDT)
    assert (contract.functions.symbol(), contract.functions.decimals()) == ("USDT", 6)
    usdd = tron.tronpy().get_contract(networks.token("tron", "USDD").contract)
    assert (usdd.functions.name(), usdd.functions.symbol(), usdd.functions.decimals()) == (
        "Decentralized USD",
        "USDD",
        18,
    )
    assert [token.contract for token in networks.network("tron").tokens.values()] == [
        addresses.base58check(account) for account in tokens.GENESIS
    ]


def test_a_node_that_is_asked_to_stop_ends_without_an_error(
    tron: DevNode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    short = DevNode(tmp_path_factory.mktemp("short")).start()
    process = short.child.process
    assert process is not None
    process.terminate()
    assert process.wait(timeout=10) == 0
    with pytest.raises(requests.ConnectionError):
        short.mine()


def test_seeding_needs_no_evm_engine() -> None:
    loaded = "import sys, chain.devnet.seed; sys.exit(any(name.split('.')[0] == 'eth' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own line
