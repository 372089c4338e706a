"""The tokens of the local chains, compiled: one like Tether's, and a plain one for everything else.

The JSON files are made from the Solidity sources by contracts/compile.mjs with solc 0.8.30; running needs no compiler.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode
from eth_hash.auto import keccak

from chain.devnet import addresses

TETHER: Final = ("USDT", 6)  # what has this symbol and these decimals is Tether's own contract


@dataclass(frozen=True, slots=True)
class Spec:
    """What distinguishes one token from another."""

    symbol: str
    title: str
    decimals: int


USDT: Final = Spec("USDT", "Tether USD", 6)
ON_TRON: Final = addresses.parse("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")
GENESIS: Final[Mapping[bytes, Spec]] = {  # what the TRON dev node's first block holds, where the main net has it
    ON_TRON: USDT,
    addresses.parse("TXDk8mbtRbXeYuMNS83CfKPaYYT8XWv9Hz"): Spec("USDD", "Decentralized USD", 18),
}


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the compiler made of a contract."""

    abi: Sequence[Mapping[str, Any]]
    bytecode: bytes
    runtime: bytes


def usdt() -> Artifact:
    """The Tether-like token."""
    return _artifact("USDT")


def artifact(spec: Spec) -> Artifact:
    """The contract that such a token has."""
    return _artifact("USDT" if (spec.symbol, spec.decimals) == TETHER else "Token")


def creation_code(spec: Spec) -> bytes:
    """Build the code that deploys the token, without a supply, the deployer its owner."""
    if artifact(spec) is usdt():
        return usdt().bytecode + encode(["uint256"], [0])
    words = [spec.title.encode().ljust(32, b"\0"), spec.symbol.encode().ljust(32, b"\0"), spec.decimals]
    return artifact(spec).bytecode + encode(["bytes32", "bytes32", "uint8"], words)


def call_data(function: str, *arguments: Any) -> bytes:
    """Encode a call of one of the tokens' functions, such as `transfer`; addresses have 20 bytes.

    Raises: KeyError when the token has no such function.
    """
    functions = {item["name"]: item for item in usdt().abi if item["type"] == "function"}
    inputs = [entry["type"] for entry in functions[function]["inputs"]]
    return keccak(f"{function}({','.join(inputs)})".encode())[:4] + encode(inputs, arguments)


@functools.cache
def _artifact(name: str) -> Artifact:
    loaded = json.loads(Path(__file__).with_name(f"{name}.json").read_text())
    return Artifact(
        abi=loaded["abi"], bytecode=bytes.fromhex(loaded["bytecode"]), runtime=bytes.fromhex(loaded["runtime"])
    )
