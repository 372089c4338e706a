"""The two local chains under a test's control: blocks come when they are ordered, faults when they are asked for."""

import secrets
from dataclasses import replace
from typing import Any, Protocol

import pytest
import requests
from django.utils import timezone
from eth_keys.datatypes import PrivateKey

from chain import addresses, liquidity, networks, wallets
from chain.devnet import tokens
from chain.models import HotWallet
from tests.chain import proxy as proxies

ETHER = 10**18
TRX = 10**6
OWNER = "0x00000000000000000000000000000000000c0Ffe"
FINAL = {"ethereum": 12, "tron": 19}


class Lab(Protocol):
    """What a test does to a chain."""

    network: str
    url: str

    def wallet(self, *, units: int) -> HotWallet: ...
    def balance(self, address: str) -> int: ...
    def mine(self, blocks: int = 1) -> None: ...
    def orphan(self, blocks: int) -> None: ...
    def lose_reply(self) -> None: ...
    def blacklist(self, address: str, *, on: bool = True) -> None: ...
    def token_fee(self, *, basis_points: int) -> None: ...
    def lie_about_txid(self) -> None: ...
    def refuse(self, message: str) -> None: ...


def recipient(network: str) -> str:
    key = PrivateKey(secrets.token_bytes(32))
    return addresses.from_bytes(network, key.public_key.to_canonical_address())


def finalise(lab: Lab) -> None:
    lab.mine(FINAL[lab.network] + 1)


def ceiling(monkeypatch: pytest.MonkeyPatch, network: str, fee: int) -> None:
    """Let the network's row allow no more than that."""
    monkeypatch.setitem(networks.NETWORKS, network, replace(networks.network(network), fee_ceiling=fee))


class EvmLab:
    """anvil, without interval mining."""

    network = "ethereum"

    def __init__(self, url: str, *, proxy: proxies.Proxy) -> None:
        self.url = url
        self.proxy = proxy
        self._http = requests.Session()
        self._http.trust_env = False
        self.token = networks.token("ethereum", "USDT").contract

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self._http.post(self.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()
        assert "error" not in answer, answer
        return answer["result"]

    def start(self) -> None:
        self.rpc("evm_setIntervalMining", 0)
        self.rpc("evm_setAutomine", False)
        self.rpc("anvil_setCode", self.token, "0x" + tokens.usdt().runtime.hex())
        self.rpc("anvil_setStorageAt", self.token, "0x0", "0x" + bytes.fromhex(OWNER[2:]).rjust(32, b"\0").hex())
        self.rpc("anvil_setBalance", OWNER, hex(10**6 * ETHER))
        self.rpc("anvil_impersonateAccount", OWNER)

    def stop(self) -> None:
        self.rpc("evm_setIntervalMining", 1)

    def as_owner(self, function: str, *arguments: Any) -> str:
        data = "0x" + tokens.call_data(function, *arguments).hex()
        call = {"from": OWNER, "to": self.token, "data": data, "gas": hex(200_000), "gasPrice": hex(100 * 10**9)}
        return str(self.rpc("eth_sendTransaction", call))

    def wallet(self, *, units: int) -> HotWallet:
        wallet = wallets.create("ethereum", light=True)
        self.rpc("anvil_setBalance", wallet.address, hex(100 * ETHER))
        self.as_owner("issue", units)
        self.as_owner("transfer", wallet.address, units)
        self.mine(FINAL["ethereum"])
        liquidity.refresh("ethereum", now=timezone.now())
        return wallet

    def move(self, source: str, target: str, *, units: int) -> None:
        """Tokens out of or into a wallet, past the protocol."""
        if source == OWNER:
            self.as_owner("issue", units)
        self.rpc("anvil_impersonateAccount", source)
        data = "0x" + tokens.call_data("transfer", target, units).hex()
        call = {"from": source, "to": self.token, "data": data, "gas": hex(200_000), "gasPrice": hex(100 * 10**9)}
        self.rpc("eth_sendTransaction", call)
        self.mine()

    def take_from(self, wallet: str, *, by: str, units: int) -> None:
        """Tokens out of a wallet that uses no number of its own for that: whoever has its allowance moves them."""
        data = tokens.call_data("transferFrom", bytes.fromhex(wallet[2:]), bytes.fromhex(OWNER[2:]), units)
        self.rpc("anvil_setBalance", by, hex(ETHER))
        self.rpc("anvil_impersonateAccount", by)
        call = {"from": by, "to": self.token, "data": "0x" + data.hex(), "gas": hex(200_000)}
        self.rpc("eth_sendTransaction", call | {"gasPrice": hex(100 * 10**9)})
        self.mine()

    def balance(self, address: str) -> int:
        data = "0x" + tokens.call_data("balanceOf", address).hex()
        return int(self.rpc("eth_call", {"to": self.token, "data": data}, "latest"), 16)

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def orphan(self, blocks: int) -> None:
        self.rpc("anvil_reorg", blocks, [])

    def blacklist(self, address: str, *, on: bool = True) -> None:
        self.as_owner("addBlackList" if on else "removeBlackList", address)
        self.mine()

    def token_fee(self, *, basis_points: int) -> None:
        self.as_owner("setParams", basis_points, 10)
        self.mine()

    def head(self) -> int:
        return int(self.rpc("eth_blockNumber"), 16)

    def nonce(self, address: str) -> int:
        return int(self.rpc("eth_getTransactionCount", address, "latest"), 16)

    def steal_nonce(self, address: str, *, nonce: int) -> None:
        """Another program uses the wallet."""
        self.rpc("anvil_impersonateAccount", address)
        fees = {"gas": hex(21_000), "gasPrice": hex(200 * 10**9)}
        self.rpc("eth_sendTransaction", {"from": address, "to": OWNER, "nonce": hex(nonce), **fees})
        self.mine()
        self.rpc("anvil_stopImpersonatingAccount", address)

    def lose_reply(self) -> None:
        self.proxy.spoil("eth_sendRawTransaction", proxies.lost, times=1)

    def lie_about_txid(self) -> None:
        self.proxy.lie("eth_sendRawTransaction", "0x" + "11" * 32, times=1)

    def refuse(self, message: str) -> None:
        self.proxy.spoil("eth_sendRawTransaction", proxies.refused(message), times=1)


class TronLab:
    """The TRON dev node, producing no blocks by itself."""

    network = "tron"

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(self, path: str, **body: Any) -> Any:
        answer = self._http.post(f"{self.url.rstrip('/')}/{path}", json=body).json()
        assert "Error" not in answer, answer
        return answer

    def start(self) -> None:
        self.ask("dev/mining", on=False)
        self.ask("dev/unfault")

    def stop(self) -> None:
        self.ask("dev/unfault")
        self.ask("dev/mining", on=True)

    def wallet(self, *, units: int) -> HotWallet:
        wallet = wallets.create("tron", light=True)
        self.ask("dev/credit", address=wallet.address, sun=10_000 * TRX)
        self.ask("dev/mint", address=wallet.address, units=units)
        self.mine(20)
        liquidity.refresh("tron", now=timezone.now())
        return wallet

    def balance(self, address: str) -> int:
        account = (b"\x41" + addresses.account_bytes("tron", address)).hex()
        contract = (b"\x41" + addresses.account_bytes("tron", networks.token("tron", "USDT").contract)).hex()
        data = tokens.call_data("balanceOf", addresses.account_bytes("tron", address)).hex()
        answer = self.ask("wallet/triggerconstantcontract", owner_address=account, contract_address=contract, data=data)
        return int(answer["constant_result"][0], 16)

    def mine(self, blocks: int = 1) -> None:
        self.ask("dev/mine", n=blocks)

    def orphan(self, blocks: int) -> None:
        self.ask("dev/reorg", depth=blocks, repool=True)

    def blacklist(self, address: str, *, on: bool = True) -> None:
        self.ask("dev/blacklist", address=address, on=on)
        self.mine()

    def token_fee(self, *, basis_points: int) -> None:
        self.ask("dev/fee", basis_points=basis_points, maximum_tokens=10)
        self.mine()

    def lose_reply(self) -> None:
        self.ask("dev/fault", match="wallet/broadcasthex", action="reset_after")

    def lie_about_txid(self) -> None:
        self.ask("dev/fault", match="wallet/broadcasthex", action="lie", reply={"txid": "11" * 32})

    def refuse(self, message: str) -> None:
        reply = {"code": message, "message": message.encode().hex()}
        self.ask("dev/fault", match="wallet/broadcasthex", action="replace", reply=reply)

    def pass_time(self, *, until_ms: int) -> None:
        """One more block, and that one after the moment."""
        head_ms = self.ask("wallet/getnowblock")["block_header"]["raw_data"]["timestamp"]
        self.ask("dev/skip", ms=max(until_ms - head_ms, 0) + 1_000)
        self.mine()
