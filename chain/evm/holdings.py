"""What wallets hold at a block, as one node tells it."""

from collections.abc import Sequence
from typing import Any

from chain import addresses, networks, token_abi
from chain.evm import facts
from chain.evm.client import Client, quantity


def read(
    node: Client, network: str, contract: str, wallets: Sequence[str], *, at: str | dict[str, str]
) -> tuple[int, ...]:
    """Each wallet's balance at the block, asked for together where the node takes batches.

    Units: wei, or the token's.
    Raises: Unreachable, Retryable, Permanent.
    """
    if contract == networks.NATIVE:
        return tuple(quantity(told) for told in node.batch("eth_getBalance", [(wallet, at) for wallet in wallets]))
    calls = [(_call(network, contract, wallet), at) for wallet in wallets]
    return tuple(facts.held(told) for told in node.batch("eth_call", calls))


def _call(network: str, contract: str, wallet: str) -> dict[str, Any]:
    account = addresses.account_bytes(network, wallet)
    return {"to": contract, "data": "0x" + token_abi.balance_call(account).hex()}
