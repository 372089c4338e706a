"""What a payout costs on an EVM, singly and by the batch contract, measured on a local anvil."""

import secrets
from dataclasses import dataclass
from statistics import mean
from typing import Any

import requests
from hexbytes import HexBytes

from chain import networks, token_abi
from chain.devnet import seed
from chain.evm import batches

PAYMENTS = 100
SINGLES = 5
GAS_WEI = 10**20
UNITS = 10**9


@dataclass(frozen=True)
class Payer:
    """An account of the node's, and the batch contract that it has deployed."""

    url: str
    address: str
    http: requests.Session

    def ask(self, method: str, *params: Any) -> Any:
        """The result of one call."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self.http.post(self.url, json=asked, timeout=30).json()
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, to: str | None, data: bytes) -> dict[str, Any]:
        """The receipt of a transaction that succeeded."""
        call = {"from": self.address, "data": "0x" + data.hex(), "gas": hex(15_000_000), "gasPrice": hex(100 * 10**9)}
        txid = self.ask("eth_sendTransaction", call | ({"to": to} if to else {}))
        self.ask("anvil_mine", "0x1")
        receipt: dict[str, Any] = self.ask("eth_getTransactionReceipt", txid)
        assert receipt["status"] == "0x1", receipt
        return receipt


def per_payout(url: str) -> tuple[float, float]:
    """Gas per payout to somebody who holds nothing yet: singly, and in batches of a hundred."""
    payer = _payer(url)
    token = networks.token("ethereum", "USDT").contract
    contract = payer.send(None, HexBytes(batches.artifact()["bytecode"]))["contractAddress"]
    payer.send(token, batches.approve_call(_bytes(contract)))
    singly = [payer.send(token, token_abi.transfer_call(secrets.token_bytes(20), 5)) for _ in range(SINGLES)]
    lines = tuple(batches.Payment(secrets.token_bytes(20), 5) for _ in range(PAYMENTS))
    batch = batches.Batch(secrets.token_bytes(32), _bytes(token), lines)
    together = payer.send(contract, batches.pay_call(batch))
    return mean(int(one["gasUsed"], 16) for one in singly), int(together["gasUsed"], 16) / PAYMENTS


def line(url: str) -> str:
    """The same for people."""
    singly, together = per_payout(url)
    return (
        f"gas per payout, ethereum: {singly:,.0f} singly, {together:,.0f} in batches of {PAYMENTS}: "
        f"{together / singly:.2f} of single"
    )


def _payer(url: str) -> Payer:
    http = requests.Session()
    http.trust_env = False
    payer = Payer(url, "0x" + secrets.token_bytes(20).hex(), http)
    seed.fund_evm(url, address=payer.address, wei=GAS_WEI)
    token = networks.token("ethereum", "USDT").contract
    minted = seed.start_mint_evm(url, contract=token, to=payer.address, units=UNITS)
    payer.ask("anvil_mine", "0x1")
    seed.mined_evm(url, minted)
    payer.ask("anvil_impersonateAccount", payer.address)
    return payer


def _bytes(address: str) -> bytes:
    return bytes.fromhex(address[2:])
