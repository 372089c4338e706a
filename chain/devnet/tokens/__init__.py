"""The token of the local chains, compiled.

USDT.json is made from USDT.sol by compile.mjs with solc 0.8.30 from npm; running needs no compiler.
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

ARTIFACT: Final = Path(__file__).with_name("USDT.json")
ON_TRON: Final = addresses.parse("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")  # where the dev node's first block puts it


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the compiler made of a contract."""

    abi: Sequence[Mapping[str, Any]]
    bytecode: bytes
    runtime: bytes


@functools.cache
def usdt() -> Artifact:
    """Load the Tether-like token."""
    loaded = json.loads(ARTIFACT.read_text())
    return Artifact(
        abi=loaded["abi"], bytecode=bytes.fromhex(loaded["bytecode"]), runtime=bytes.fromhex(loaded["runtime"])
    )


def creation_code(*, initial_supply_units: int) -> bytes:
    """Build the code that deploys the token with its whole supply at the deployer's address.

    Units: token base units.
    """
    return usdt().bytecode + encode(["uint256"], [initial_supply_units])


def call_data(function: str, *arguments: Any) -> bytes:
    """Encode a call of one of the token's functions, such as `transfer`; addresses have 20 bytes.

    Raises: KeyError when the token has no such function.
    """
    functions = {item["name"]: item for item in usdt().abi if item["type"] == "function"}
    inputs = [entry["type"] for entry in functions[function]["inputs"]]
    return keccak(f"{function}({','.join(inputs)})".encode())[:4] + encode(inputs, arguments)
