"""Putting tokens and coins on the local chains: for the local default's first start and for tests.

It talks to the chains over HTTP alone and imports nothing of py-evm, which only the dev node's own process needs.
Every function returns when what it did can be read on the chain.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import requests
from eth_utils.address import to_checksum_address

from chain.devnet import addresses, tokens

TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05
OWNER_SLOT: Final = "0x0"  # of every local token; all its other slots are zero without a supply
CALL_GAS: Final = 200_000
GAS_MONEY_WEI: Final = 10**20
EVM: Final = "evm"


class SeedFailed(Exception):
    """The local chain did not do what it was asked."""


def install_evm_token(rpc_url: str, *, contract: str, owner: str, spec: tokens.Spec = tokens.USDT) -> None:
    """Put the token at exactly this address of an anvil, with `owner` as the one who issues; again is no change.

    Raises: SeedFailed.
    """
    if _evm(rpc_url, "eth_getCode", contract, "latest") != "0x":
        return
    # What a deployment would leave there, its owner apart, who is no part of the code.
    runtime = _evm(rpc_url, "eth_call", {"data": "0x" + tokens.creation_code(spec).hex()}, "latest")
    slot = "0x" + bytes.fromhex(owner.removeprefix("0x")).rjust(32, b"\0").hex()
    _evm(rpc_url, "anvil_setStorageAt", contract, OWNER_SLOT, slot)
    _evm(rpc_url, "anvil_setCode", contract, runtime)  # the code comes last: where it is, everything is
    _until(lambda: _evm(rpc_url, "eth_getCode", contract, "latest") == runtime, f"no code at {contract}")


def mint_evm(rpc_url: str, *, contract: str, to: str, units: int) -> str:
    """Issue tokens to an address; answer the hash of the transaction that brought them.

    Units: token base units.
    Raises: SeedFailed.
    """
    return mined_evm(rpc_url, start_mint_evm(rpc_url, contract=contract, to=to, units=units))


def start_mint_evm(rpc_url: str, *, contract: str, to: str, units: int) -> str:
    """Begin to issue tokens to an address; answer the hash of the transaction that will bring them.

    Units: token base units.
    Raises: SeedFailed.
    """
    owner = to_checksum_address(_evm_call(rpc_url, contract=contract, data=tokens.call_data("owner"))[-20:])
    if int(_evm(rpc_url, "eth_getBalance", owner, "latest"), 16) < GAS_MONEY_WEI:
        fund_evm(rpc_url, address=owner, wei=GAS_MONEY_WEI * 2)
    _evm(rpc_url, "anvil_impersonateAccount", owner)
    account = bytes.fromhex(to.removeprefix("0x"))
    for data in (tokens.call_data("issue", units), tokens.call_data("transfer", account, units)):
        call = {"from": owner, "to": contract, "data": "0x" + data.hex(), "gas": hex(CALL_GAS)}
        txid = str(_evm(rpc_url, "eth_sendTransaction", call))
    return txid


def mined_evm(rpc_url: str, txid: str) -> str:
    """Wait until a transaction is in a block, and answer its hash again.

    Raises: SeedFailed when it failed there.
    """
    receipt = _until(lambda: _evm(rpc_url, "eth_getTransactionReceipt", txid), f"{txid} is in no block")
    if receipt["status"] != "0x1":
        raise SeedFailed(f"{txid} was reverted")
    return txid


def fund_evm(rpc_url: str, *, address: str, wei: int) -> None:
    """Set an address's ether to this amount.

    Units: wei.
    Raises: SeedFailed.
    """
    _evm(rpc_url, "anvil_setBalance", address, hex(wei))
    _until(lambda: int(_evm(rpc_url, "eth_getBalance", address, "latest"), 16) == wei, f"{address} has no {wei} wei")


def mint_tron(rpc_url: str, *, contract: str, to: str, units: int) -> str:
    """Issue tokens to an address; answer the txid that brought them.

    Units: token base units.
    Raises: SeedFailed.
    """
    return mined_tron(rpc_url, start_mint_tron(rpc_url, contract=contract, to=to, units=units))


def start_mint_tron(rpc_url: str, *, contract: str, to: str, units: int) -> str:
    """Begin to issue tokens to an address; answer the txid that will bring them.

    Units: token base units.
    Raises: SeedFailed.
    """
    return str(_tron(rpc_url, "dev/mint", address=to, units=units, contract=contract)["txid"])


def fund_tron(rpc_url: str, *, address: str, sun: int) -> str:
    """Give an address TRX on top of what it has; answer the txid that brought it.

    Units: sun.
    Raises: SeedFailed.
    """
    return mined_tron(rpc_url, _tron(rpc_url, "dev/credit", address=address, sun=sun)["txid"])


def mined_tron(rpc_url: str, txid: str) -> str:
    """Wait until a transaction is in a block, and answer its txid again.

    Raises: SeedFailed when it failed there.
    """
    info = _until(lambda: _tron(rpc_url, "wallet/gettransactioninfobyid", value=txid), f"{txid} is in no block")
    if info.get("result") == "FAILED":
        raise SeedFailed(f"{txid} ended as {info['receipt']['result']}")
    return txid


def balance_of(rpc_url: str, family: str, contract: str, address: str) -> int:
    """Read a token balance from either family of chains.

    Units: token base units.
    Raises: SeedFailed.
    """
    if family == EVM:
        data = tokens.call_data("balanceOf", bytes.fromhex(address.removeprefix("0x")))
        return int.from_bytes(_evm_call(rpc_url, contract=contract, data=data))
    data = tokens.call_data("balanceOf", addresses.parse(address))
    answer = _tron(
        rpc_url,
        "wallet/triggerconstantcontract",
        owner_address=address,
        contract_address=contract,
        data=data.hex(),
        visible=True,
    )
    return int.from_bytes(bytes.fromhex(answer["constant_result"][0]))


def _evm(rpc_url: str, method: str, *params: Any) -> Any:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = requests.post(rpc_url, json=question, timeout=TIMEOUT_S).json()
    if "error" in answer:
        raise SeedFailed(f"{method}: {answer['error']}")
    return answer["result"]


def _evm_call(rpc_url: str, *, contract: str, data: bytes) -> bytes:
    result = _evm(rpc_url, "eth_call", {"to": contract, "data": "0x" + data.hex()}, "latest")
    return bytes.fromhex(result.removeprefix("0x"))


def _tron(rpc_url: str, path: str, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{rpc_url.rstrip('/')}/{path}", json=body, timeout=TIMEOUT_S).json()
    if "Error" in answer:
        raise SeedFailed(f"{path}: {answer['Error']}")
    return dict(answer)


def _until(look: Callable[[], Any], failure: str) -> Any:
    """Look until there is something to see."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise SeedFailed(failure)
        time.sleep(POLL_S)
    return seen
