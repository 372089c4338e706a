"""What gas costs, what we offer for it, and how much more when nobody takes it (EIP-1559)."""

from collections.abc import Mapping
from dataclasses import dataclass

from chain.endpoints import Endpoints
from chain.evm.client import Client, Tip, quantity
from chain.gateway import Candidate, FeeCeiling, Permanent

LEAST_TIP_WEI = 10**6


@dataclass(frozen=True, slots=True)
class Price:
    """What the market asks for one gas."""

    base_fee_wei: int
    tip_wei: int


def price(nodes: Endpoints[Client], tips: Mapping[str, Tip]) -> Price:
    """What the market asks now; of several endpoints' opinions the lowest, which a bump mends if it is too low.

    Raises: ChainError.
    """
    tip_wei = max(min(nodes.gather(_tip_wei).values()), LEAST_TIP_WEI)
    return Price(min(tip.base_fee_wei for tip in tips.values()), tip_wei)


def offer(market: Price, *, previous: Candidate | None, ceiling_wei: int) -> dict[str, int]:
    """The fees to sign: twice the base fee and the tip; a replacement's are 12.5 % higher, both, or more.

    Raises: FeeCeiling.
    """
    tip_wei = market.tip_wei
    max_fee_wei = 2 * market.base_fee_wei + market.tip_wei
    if previous:
        tip_wei = max(tip_wei, _raised(previous.fees["tip_wei"]))
        max_fee_wei = max(max_fee_wei, _raised(previous.fees["max_fee_wei"]), tip_wei)
    if max_fee_wei > ceiling_wei:
        what = "a replacement's max fee" if previous else "max fee"
        raise FeeCeiling(f"{what} of {max_fee_wei} wei is above the ceiling {ceiling_wei}")
    return {"max_fee_wei": max_fee_wei, "tip_wei": tip_wei}


def _raised(wei: int) -> int:
    """At least 12.5 % more."""
    return -(-wei * 9 // 8) + 1


def _tip_wei(node: Client) -> int:
    try:
        return quantity(node.call("eth_maxPriorityFeePerGas"))
    except Permanent:  # not every network has the method; the least tip does there
        return LEAST_TIP_WEI
