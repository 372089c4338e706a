"""What gas costs, what we offer for it, and how much more when nobody takes it (EIP-1559)."""

from collections.abc import Mapping
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chain import addresses, networks
from chain.endpoints import Endpoints, Unreachable
from chain.evm import build
from chain.evm.client import Client, Tip, quantity
from chain.gateway import Candidate, Expected, FeeCeiling, Permanent, Quote, Retryable, Signature, Transfer

LEAST_TIP_WEI = 10**6
GET_L1_FEE = keccak(b"getL1Fee(bytes)")[:4]
LONGEST_SIGNATURE = Signature(r=2**255 - 1, s=2**255 - 1, parity=1)


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


def most_wei(nodes: Endpoints[Client], tips: Mapping[str, Tip], network: networks.Network) -> int:
    """The most that a token transfer may cost now: nothing above the ceiling is signed.

    Its data are reckoned at twice what layer 1 asks for them now, whose price moves until they are there.

    Raises: ChainError.
    """
    gas, max_fee_wei = network.transfer_resource, min(_max_fee_wei(price(nodes, tips)), network.fee_ceiling)
    call = Transfer(
        network=network.name,
        wallet=addresses.nobody(network.name, other=True),
        seq=2**32,
        contract=next(iter(network.tokens.values())).contract,
        to_address=addresses.nobody(network.name),
        amount_units=2**128,
    )
    return gas * max_fee_wei + 2 * _l1_fee_wei(nodes, call, gas=gas, gas_price_wei=max_fee_wei)


def most_wei_of(nodes: Endpoints[Client], transfer: Transfer, market: Price) -> int:
    """The most that this transfer may cost at this price, its data's share on layer 1 included.

    Raises: ChainError.
    """
    max_fee_wei = min(_max_fee_wei(market), networks.network(transfer.network).fee_ceiling)
    fees = {"gas": build.gas_limit(transfer), "max_fee_wei": max_fee_wei, "tip_wei": market.tip_wei}
    return most_wei_at(nodes, transfer, Quote(fees, ref_number=0, ref_hash=""))


def most_wei_at(nodes: Endpoints[Client], transfer: Transfer, quote: Quote) -> int:
    """The most that it may cost when this quote is signed.

    Raises: ChainError.
    """
    gas, max_fee_wei = quote.fees["gas"], quote.fees["max_fee_wei"]
    return gas * max_fee_wei + _l1_fee_wei(nodes, transfer, gas=gas, gas_price_wei=max_fee_wei)


def offer(market: Price, *, previous: Candidate | None, ceiling_wei: int) -> dict[str, int]:
    """The fees to sign: twice the base fee and the tip; a replacement's are 12.5 % higher, both, or more.

    Raises: FeeCeiling.
    """
    tip_wei = market.tip_wei
    max_fee_wei = _max_fee_wei(market)
    if previous:
        tip_wei = max(tip_wei, _raised(previous.fees["tip_wei"]))
        max_fee_wei = max(max_fee_wei, _raised(previous.fees["max_fee_wei"]), tip_wei)
    if max_fee_wei > ceiling_wei:
        what = "a replacement's max fee" if previous else "max fee"
        raise FeeCeiling(f"{what} of {max_fee_wei} wei is above the ceiling {ceiling_wei}")
    return {"max_fee_wei": max_fee_wei, "tip_wei": tip_wei}


def estimate(nodes: Endpoints[Client], tips: Mapping[str, Tip], transfer: Transfer) -> Expected:
    """The gas that a node says the transfer takes, at the newest block's price, and its data's share on layer 1.

    Where no node rehearses it (nothing in the wallet yet, a token that refuses) it is the whole gas limit.

    Raises: ChainError.
    """
    market = price(nodes, tips)
    to, value, data = build.call(transfer)
    call = {"from": transfer.wallet, "to": to, "value": hex(value), "data": "0x" + data.hex()}
    try:
        gas = quantity(nodes.first(lambda node: node.call("eth_estimateGas", call)))
    except Unreachable:
        raise
    except Retryable:
        gas = build.gas_limit(transfer)
    gas_price_wei = market.base_fee_wei + market.tip_wei
    l1_fee_wei = _l1_fee_wei(nodes, transfer, gas=gas, gas_price_wei=gas_price_wei)
    detail = {"gas": gas, "gas_price_wei": gas_price_wei, "l1_fee_wei": l1_fee_wei}
    return Expected(gas * gas_price_wei + l1_fee_wei, detail)


def _l1_fee_wei(nodes: Endpoints[Client], transfer: Transfer, *, gas: int, gas_price_wei: int) -> int:
    """What an Optimism-like network says it takes for bytes of this size."""
    oracle = networks.network(transfer.network).l1_fee_oracle
    if not oracle:
        return 0
    quote = Quote({"gas": gas, "max_fee_wei": gas_price_wei, "tip_wei": gas_price_wei}, ref_number=0, ref_hash="")
    raw = build.attach(transfer, quote, LONGEST_SIGNATURE).raw
    asked = {"to": oracle, "data": "0x" + (GET_L1_FEE + encode(["bytes"], [raw])).hex()}
    told = nodes.first(lambda node: node.call("eth_call", asked, "latest"))
    return 0 if told == "0x" else quantity(told)  # no such contract: a local chain


def _max_fee_wei(market: Price) -> int:
    """Enough for some full blocks, each of which raises the base fee by an eighth."""
    return 2 * market.base_fee_wei + market.tip_wei


def _raised(wei: int) -> int:
    """At least 12.5 % more."""
    return -(-wei * 9 // 8) + 1


def _tip_wei(node: Client) -> int:
    try:
        return quantity(node.call("eth_maxPriorityFeePerGas"))
    except Permanent:  # not every network has the method; the least tip does there
        return LEAST_TIP_WEI
