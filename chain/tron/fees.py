"""What energy, bandwidth and a new account cost on TRON, and what we allow a call to burn.

Source: java-tron BandwidthProcessor, EnergyProcessor, TransferActuator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chain import addresses, networks, token_abi
from chain.endpoints import Endpoints
from chain.gateway import Expected, FeeCeiling, Quote, Signature, Transfer
from chain.networks import Network
from chain.tron import build, client
from chain.tron.client import Client

TRANSFER_BYTES = 350  # a signed token transfer has about 345, result included
RESULT_BYTES = 64  # what java-tron adds to a transaction's size for its result
LONGEST_SIGNATURE = Signature(r=2**255 - 1, s=2**255 - 1, parity=1)


def prices(nodes: Endpoints[Client]) -> dict[str, int]:
    """The chain's parameters, under java-tron's names. Units: sun.

    Raises: ChainError.
    """
    listed = nodes.first(lambda node: node.call("wallet/getchainparameters"))["chainParameter"]
    return {entry["key"]: int(entry.get("value", 0)) for entry in listed}


def rehearsed(node: Client, transfer: Transfer) -> dict[str, Any]:
    """What the token's call would do now, without a transaction.

    Raises: Unreachable, Retryable.
    """
    data = token_abi.transfer_call(addresses.account_bytes(build.NETWORK, transfer.to_address), transfer.amount_units)
    return node.constant(build.account_hex(transfer.wallet), build.account_hex(transfer.contract), data)


def most_sun(nodes: Endpoints[Client], network: Network) -> int:
    """The most that a transfer may burn now; what is staked is not counted on.

    Raises: ChainError.
    """
    now = prices(nodes)
    energy_sun = network.transfer_resource * now["getEnergyFee"]
    return min(energy_sun, network.fee_ceiling) + TRANSFER_BYTES * now["getTransactionFee"]


def costliest(transfers: Sequence[Transfer]) -> list[Transfer]:
    """Of each token that a wallet moves the call that takes as much energy as any of these.

    That is the largest amount, to an account that holds nothing: it makes a holder, and a token's own fee, if any,
    grows with the amount.
    """
    largest: dict[tuple[str, str], Transfer] = {}
    for transfer in sorted(transfers, key=lambda one: one.amount_units):
        if transfer.contract != networks.NATIVE:
            largest[transfer.wallet, transfer.contract] = transfer
    return [replace(one, to_address=addresses.nobody(build.NETWORK), seq=0) for one in largest.values()]


def known(transfer: Transfer, rehearsed: Mapping[Transfer, dict[str, Any]]) -> dict[str, Any] | None:
    """What was rehearsed of a call that takes no less energy than this one."""
    for call, said in rehearsed.items():
        alike = (call.wallet, call.contract) == (transfer.wallet, transfer.contract)
        if alike and call.amount_units >= transfer.amount_units:
            return said
    return None


def fee_limit_sun(transfer: Transfer, rehearsal: Mapping[str, Any], *, prices: Mapping[str, int]) -> int:
    """Energy of the rehearsed call with a fifth of headroom, at the chain's price.

    Raises: FeeCeiling.
    """
    ceiling_sun = networks.network(transfer.network).fee_ceiling
    energy, price_sun = _energy(transfer, rehearsal), prices["getEnergyFee"]
    if energy * price_sun > ceiling_sun:
        raise FeeCeiling(f"{energy} energy at {price_sun} sun is above the ceiling {ceiling_sun}")
    return min(energy * price_sun * 6 // 5, ceiling_sun)


def estimate(nodes: Endpoints[Client], transfer: Transfer) -> Expected:
    """What is burned for the call's energy and the bytes, beyond what the wallet has free or staked.

    TRX to an account that was never used pays for that account's creation instead of the bytes.

    Raises: ChainError.
    """
    now = prices(nodes)
    owner = build.account_hex(transfer.wallet)
    left = nodes.first(lambda node: node.call("wallet/getaccountresource", address=owner))
    activation_sun = energy = 0
    if transfer.contract == networks.NATIVE:
        if not nodes.first(lambda node: node.account(build.account_hex(transfer.to_address))):
            activation_sun = now["getCreateNewAccountFeeInSystemContract"] + now["getCreateAccountFee"]
    else:
        rehearsal = nodes.first(lambda node: rehearsed(node, transfer))
        energy = max(_energy(transfer, rehearsal) - left.get("EnergyLimit", 0) + left.get("EnergyUsed", 0), 0)
    size = _size(transfer, fee_limit_sun=energy * now["getEnergyFee"])
    free = max(left.get(f"{kind}Limit", 0) - left.get(f"{kind}Used", 0) for kind in ("freeNet", "Net"))
    bandwidth = 0 if activation_sun or size <= free else size
    detail = {
        "energy": energy,
        "energy_fee_sun": energy * now["getEnergyFee"],
        "bandwidth": size,
        "bandwidth_fee_sun": bandwidth * now["getTransactionFee"],
        "activation_fee_sun": activation_sun,
    }
    return Expected(detail["energy_fee_sun"] + detail["bandwidth_fee_sun"] + activation_sun, detail)


def _energy(transfer: Transfer, rehearsal: Mapping[str, Any]) -> int:
    """Energy of the call as a node rehearsed it; where it reverts there, its end must come from a block."""
    energy = int(rehearsal.get("energy_used", 0))
    failed = client.reverted(rehearsal) or energy <= 0
    return networks.network(transfer.network).transfer_resource if failed else energy


def _size(transfer: Transfer, *, fee_limit_sun: int) -> int:
    """Bytes of bandwidth."""
    quote = Quote({"fee_limit_sun": fee_limit_sun}, 0, "", ref_mark="00" * 10, expiration_ms=transfer.seq)
    return len(build.attach(transfer, quote, LONGEST_SIGNATURE).raw) + RESULT_BYTES
