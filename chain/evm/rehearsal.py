"""Calls that are only tried out, at a node's newest block."""

from collections.abc import Sequence
from typing import Any

from chain import networks
from chain.endpoints import Endpoints
from chain.evm import build
from chain.evm.client import Client
from chain.gateway import ChainError, Obstacle, Reverted, Transfer


def run(nodes: Endpoints[Client], transfers: Sequence[Transfer]) -> list[Obstacle | ChainError | None]:
    """Call what the transfers would call, with the gas that they would have; in one question where a node allows that.

    Raises: ChainError.
    """
    told = nodes.first(lambda node: node.each("eth_call", [[_call(transfer), "latest"] for transfer in transfers]))
    return [_obstacle(answer) for answer in told]


def _call(transfer: Transfer) -> dict[str, str]:
    to, value, data = build.call(transfer)
    gas = hex(networks.network(transfer.network).transfer_resource)
    return {"from": transfer.wallet, "to": to, "value": hex(value), "data": "0x" + data.hex(), "gas": gas}


def _obstacle(answer: Any) -> Obstacle | ChainError | None:
    if isinstance(answer, Reverted):
        return Obstacle(str(answer))
    return answer if isinstance(answer, ChainError) else None
