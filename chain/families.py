"""Which gateway and which reader speak for which family; to add a family, add a row to both."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from chain import networks
from chain.evm.gateway import Gateway as EvmGateway
from chain.evm.reading import Reader as EvmReader
from chain.gateway import Gateway
from chain.reading import Reader
from chain.tron.gateway import Gateway as TronGateway
from chain.tron.reading import Reader as TronReader

FAMILIES: dict[str, Callable[..., Gateway]] = {
    "evm": EvmGateway,
    "tron": TronGateway,
}
READERS: dict[str, Callable[..., Reader]] = {
    "evm": EvmReader,
    "tron": TronReader,
}


RECENT_S = 1.0  # no older is what signatures one after the other stand on


@dataclass(frozen=True, slots=True)
class Made:
    """A gateway with what it was made from and when."""

    of: tuple[networks.Network, list[str]]
    at_s: float  # by the monotonic clock
    gateway: Gateway


_made = threading.local()  # a gateway's connections and memory belong to one thread


def gateway(network: str) -> Gateway:
    """A fresh gateway for one sweep: what a node failed to answer is forgotten with it.

    Raises: UnknownNetwork.
    """
    row = networks.network(network)
    return FAMILIES[row.family](network, row.endpoints, timeout_s=settings.RPC_TIMEOUT_S)


def reader(network: str) -> Reader:
    """A fresh reader for one sweep of a follower.

    Raises: UnknownNetwork.
    """
    row = networks.network(network)
    return READERS[row.family](network, row.endpoints, timeout_s=settings.RPC_TIMEOUT_S)


def recent(network: str) -> Gateway:
    """This thread's gateway of the last moment, so that many quotes share what they read: heads, prices, nonces.

    Raises: UnknownNetwork.
    """
    row = networks.network(network)
    kept: dict[str, Made] = _made.__dict__
    made = kept.get(network)
    at_s = time.monotonic()
    if made is None or at_s - made.at_s >= RECENT_S or made.of != (row, row.endpoints):
        made = kept[network] = Made((row, row.endpoints), at_s, gateway(network))
    return made.gateway
