"""Every network of the catalogue on the two local chains: one anvil that takes each network's chain id in turn."""

from typing import Any, Protocol

import requests
from django.utils import timezone

from chain import addresses, assets, liquidity, networks, units, wallets
from chain.devnet import seed, tokens
from chain.models import HotWallet
from tests.chain import labs

GAS_WEI, GAS_SUN = 10**20, 10_000 * labs.TRX


class Market(Protocol):
    """A network with its coin and tokens, under a test's control."""

    row: networks.Network

    def wallet(self, asset: str, *, amount_units: int) -> HotWallet: ...
    def balance(self, asset: str, address: str) -> int: ...
    def mine(self, blocks: int = 1) -> None: ...
    def finalise(self) -> None: ...
    def block(self, asset: str, address: str, *, on: bool = True) -> None: ...
    def pause(self, asset: str, *, on: bool) -> None: ...


class Evm:
    """An EVM network on an anvil that mines when it is told to."""

    def __init__(self, url: str, network: str) -> None:
        self.url = url
        self.row = networks.network(network)
        self._http = requests.Session()
        self._http.trust_env = False

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self._http.post(self.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()
        assert "error" not in answer, answer
        return answer["result"]

    def start(self) -> None:
        self.rpc("evm_setIntervalMining", 0)
        self.rpc("evm_setAutomine", False)
        self.rpc("anvil_setChainId", self.row.chain_id)
        self.rpc("anvil_setBalance", labs.OWNER, hex(GAS_WEI))
        self.rpc("anvil_impersonateAccount", labs.OWNER)
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
        self.mine()

    def stop(self) -> None:
        self.rpc("anvil_setChainId", networks.network("ethereum").chain_id)
        self.rpc("evm_setIntervalMining", 1)

    def token(self, asset: str) -> networks.Token:
        """The asset there; a token's code is put in place when it is first asked for."""
        token = self.row.assets[asset]
        if token.contract:
            spec = tokens.Spec(asset, assets.ASSETS[asset].title, token.decimals)
            seed.install_evm_token(self.url, contract=token.contract, owner=labs.OWNER, spec=spec)
        return token

    def _as_owner(self, contract: str, function: str, *arguments: Any) -> None:
        data = "0x" + tokens.call_data(function, *arguments).hex()
        call = {"from": labs.OWNER, "to": contract, "data": data, "gas": hex(200_000), "gasPrice": hex(3 * 10**9)}
        self.rpc("eth_sendTransaction", call)

    def wallet(self, asset: str, *, amount_units: int) -> HotWallet:
        wallet = wallets.create(self.row.name, light=True)
        token, token_units = self.token(asset), units.to_token_units(self.row.name, asset, amount_units)
        coin_wei = GAS_WEI if token.contract else GAS_WEI + token_units
        self.rpc("anvil_setBalance", wallet.address, hex(coin_wei))
        if token.contract:
            self._as_owner(token.contract, "issue", token_units)
            self._as_owner(token.contract, "transfer", wallet.address, token_units)
        self.finalise()
        liquidity.refresh(self.row.name, now=timezone.now())
        return wallet

    def balance(self, asset: str, address: str) -> int:
        contract = self.token(asset).contract
        if not contract:
            return int(self.rpc("eth_getBalance", address, "latest"), 16)
        return seed.balance_of(self.url, "evm", contract, address)

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def finalise(self) -> None:
        self.mine(self.row.confirmations + 2)

    def block(self, asset: str, address: str, *, on: bool = True) -> None:
        function = "addBlackList" if on else "removeBlackList"
        self._as_owner(self.token(asset).contract, function, address)
        self.mine()

    def pause(self, asset: str, *, on: bool) -> None:
        self._as_owner(self.token(asset).contract, "pause" if on else "unpause")
        self.mine()


class Tron:
    """The TRON dev node with its coin and tokens."""

    def __init__(self, lab: labs.TronLab) -> None:
        self.lab = lab
        self.row = networks.network("tron")

    def wallet(self, asset: str, *, amount_units: int) -> HotWallet:
        wallet = wallets.create("tron", light=True)
        token, token_units = self.row.assets[asset], units.to_token_units("tron", asset, amount_units)
        self.lab.ask("dev/credit", address=wallet.address, sun=GAS_SUN + (0 if token.contract else token_units))
        if token.contract:
            self.lab.ask("dev/mint", address=wallet.address, units=token_units, contract=token.contract)
        self.mine(20)
        liquidity.refresh("tron", now=timezone.now())
        return wallet

    def balance(self, asset: str, address: str) -> int:
        contract = self.row.assets[asset].contract
        if contract:
            return seed.balance_of(self.lab.url, "tron", contract, address)
        account = (b"\x41" + addresses.account_bytes("tron", address)).hex()
        return int(self.lab.ask("wallet/getaccount", address=account).get("balance", 0))

    def mine(self, blocks: int = 1) -> None:
        self.lab.mine(blocks)

    def finalise(self) -> None:
        self.mine(self.row.confirmations + 1)

    def block(self, asset: str, address: str, *, on: bool = True) -> None:
        self.lab.ask("dev/blacklist", address=address, on=on, contract=self.row.assets[asset].contract)
        self.mine()

    def pause(self, asset: str, *, on: bool) -> None:
        self.lab.ask("dev/pause", on=on, contract=self.row.assets[asset].contract)
        self.mine()
