"""Calls that are only tried out: what they would do, and how much energy they would take."""

import functools
from collections.abc import Sequence
from typing import Any

from chain import networks
from chain.endpoints import Endpoints
from chain.gateway import ChainError, Obstacle, Retryable, Transfer
from chain.tron import build, client, fees
from chain.tron.client import Client

CONTRACT = "Contract"  # an account's type


def run(nodes: Endpoints[Client], transfers: Sequence[Transfer]) -> list[Obstacle | ChainError | None]:
    """Run tokens' calls without a transaction; TRX goes to everything but a contract.

    Raises: ChainError.
    """
    return [_obstacle(transfer, said) for transfer, said in zip(transfers, _each(nodes, transfers), strict=True)]


def costliest(nodes: Endpoints[Client], transfers: Sequence[Transfer]) -> dict[Transfer, dict[str, Any]]:
    """Of each token that a wallet moves what the call would do that takes the most energy.

    Raises: ChainError.
    """
    calls = fees.costliest(transfers)
    told = zip(calls, _each(nodes, calls), strict=True)
    return {call: said for call, said in told if not isinstance(said, Retryable)}


def _each(nodes: Endpoints[Client], transfers: Sequence[Transfer]) -> list[dict[str, Any] | Retryable]:
    return nodes.first(lambda node: node.each(transfers, functools.partial(_one, node)))


def _one(node: Client, transfer: Transfer) -> dict[str, Any]:
    """What a token's call would do, or who it is that TRX goes to. Raises: Unreachable, Retryable."""
    if transfer.contract == networks.NATIVE:
        return node.account(build.account_hex(transfer.to_address))
    return fees.rehearsed(node, transfer)


def _obstacle(transfer: Transfer, said: dict[str, Any] | Retryable) -> Obstacle | ChainError | None:
    if isinstance(said, Retryable):
        return said
    if transfer.contract == networks.NATIVE:
        is_contract = said.get("type") == CONTRACT  # no block takes such a transaction
        return Obstacle("TRON moves no TRX to a contract", in_a_block=False) if is_contract else None
    return Obstacle(client.words(said)) if client.reverted(said) else None
