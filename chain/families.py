"""Which gateway speaks for which family; to add a family, add a row."""

from collections.abc import Callable

from django.conf import settings

from chain import networks
from chain.evm.gateway import Gateway as EvmGateway
from chain.gateway import Gateway
from chain.tron.gateway import Gateway as TronGateway

FAMILIES: dict[str, Callable[..., Gateway]] = {
    "evm": EvmGateway,
    "tron": TronGateway,
}


def gateway(network: str) -> Gateway:
    """A fresh gateway for one sweep: what a node failed to answer is forgotten with it.

    Raises: UnknownNetwork.
    """
    row = networks.network(network)
    return FAMILIES[row.family](network, row.endpoints, timeout_s=settings.RPC_TIMEOUT_S)
