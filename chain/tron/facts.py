"""What a receipt says of a transfer; pure functions over what endpoints agreed on."""

from chain import networks, token_abi
from chain.gateway import Spent, Transfer
from chain.tron.client import Receipt

SUCCESS = "SUCCESS"


def spent(txid: str, receipt: Receipt) -> Spent:
    """What a transaction cost: the energy and bandwidth that it burned."""
    detail = {
        "energy": receipt.energy,
        "energy_fee_sun": receipt.energy_fee_sun,
        "bandwidth": receipt.bandwidth,
        "bandwidth_fee_sun": receipt.bandwidth_fee_sun,
    }
    return Spent(txid, receipt.number, receipt.fee_sun, detail)


def result(transfer: Transfer, receipt: Receipt) -> str:
    """How it ended by its receipt; what calls no contract has no result there but the transaction's own."""
    if transfer.contract == networks.NATIVE:
        return "FAILED" if receipt.failed else SUCCESS
    return receipt.result


def pays(transfer: Transfer, receipt: Receipt) -> bool:
    """Tell whether the receipt is a success with exactly one Transfer of ours from the token's contract.

    TRX goes where the signed bytes say when they succeed, and the txid is the hash of those bytes.
    """
    if result(transfer, receipt) != SUCCESS:
        return False
    return transfer.contract == networks.NATIVE or token_abi.pays(transfer, receipt.logs)
