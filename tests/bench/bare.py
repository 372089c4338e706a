"""A bare loop, the peer of the chain section: it signs, sends and polls, and keeps nothing anywhere.

`python -m tests.bench.bare NETWORK URL PAYMENTS` makes a wallet, pays so many fresh recipients one token unit each as
fast as one program can with the libraries of the field, and prints the seconds from the first signature until the last
payment has the network's confirmations. Whatever dies in it, is lost or paid twice; that is what it saves.
"""

import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

import requests
from tronpy import Tron
from tronpy.keys import PrivateKey
from tronpy.providers import HTTPProvider

from chain import networks
from chain.devnet import seed
from chain.evm.libraries import Account
from chain.evm.libraries import HTTPProvider as EvmProvider

POLL_S = 0.2
FUND_UNITS, GAS_WEI, GAS_SUN = 10**9, 10**20, 10**12
GWEI = 10**9


def evm(url: str, *, payments: int) -> float:
    """Seconds for so many ERC-20 transfers."""
    row = networks.network("ethereum")
    contract = row.tokens["USDT"].contract
    account = Account.create()
    seed.fund_evm(url, address=account.address, wei=GAS_WEI)
    seed.mint_evm(url, contract=contract, to=account.address, units=FUND_UNITS)
    session = requests.Session()
    session.trust_env = False
    node = EvmProvider(url, session=session)

    def ask(method: str, *params: Any) -> Any:
        return node.make_request(method, params)["result"]

    begun = time.monotonic()
    sent = []
    for nonce in range(payments):
        call = "0xa9059cbb" + secrets.token_bytes(20).hex().rjust(64, "0") + f"{1:064x}"
        fields = {"to": contract, "data": call, "nonce": nonce, "value": 0, "gas": 120_000, "chainId": row.chain_id}
        fees = {"type": 2, "maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": GWEI}
        sent.append(ask("eth_sendRawTransaction", "0x" + account.sign_transaction(fields | fees).raw_transaction.hex()))

    def is_final(txid: str) -> bool:
        receipt = ask("eth_getTransactionReceipt", txid)
        if not receipt:
            return False
        assert receipt["status"] == "0x1", receipt
        return int(ask("eth_blockNumber"), 16) >= int(receipt["blockNumber"], 16) + row.confirmations - 1

    _poll(sent, is_final)
    return time.monotonic() - begun


def tron(url: str, *, payments: int) -> float:
    """Seconds for so many TRC-20 transfers."""
    contract = networks.token("tron", "USDT").contract
    key = PrivateKey(secrets.token_bytes(32))
    address = key.public_key.to_base58check_address()
    seed.fund_tron(url, address=address, sun=GAS_SUN)
    seed.mint_tron(url, contract=contract, to=address, units=FUND_UNITS)
    client = Tron(HTTPProvider(url))
    token = client.get_contract(contract)
    begun = time.monotonic()
    sent = []
    for _ in range(payments):
        to = PrivateKey(secrets.token_bytes(32)).public_key.to_base58check_address()
        built = token.functions.transfer(to, 1).with_owner(address).fee_limit(100 * 10**6).build()
        sent.append(built.sign(key).broadcast().txid)

    def is_final(txid: str) -> bool:
        info = requests.post(f"{url}/walletsolidity/gettransactioninfobyid", json={"value": txid}, timeout=10).json()
        assert info.get("receipt", {}).get("result", "SUCCESS") == "SUCCESS", info
        return bool(info.get("id"))

    _poll(sent, is_final)
    return time.monotonic() - begun


def _poll(txids: list[str], is_final: Callable[[str], bool]) -> None:
    """Look at each until it is final, oldest first."""
    for txid in txids:
        while not is_final(txid):
            time.sleep(POLL_S)


if __name__ == "__main__":
    network, rpc_url, count = sys.argv[1:]
    print({"ethereum": evm, "tron": tron}[network](rpc_url, payments=int(count)))  # noqa: T201 - its answer
