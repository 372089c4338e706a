"""What a receipt or a block says of a transfer; pure functions over what endpoints agreed on."""

from typing import Any

from chain import addresses, links, networks, token_abi
from chain.evm import batches
from chain.evm.client import Receipt, quantity
from chain.gateway import Spent, Transfer

SUCCESS, REVERTED = 1, 0


def taker(transfer: Transfer, block: links.Block) -> str | None:
    """The transaction in that block that has the transfer's nonce."""
    wallet = transfer.wallet.lower()
    found = (entry.txid for entry in block.entries if (entry.sender, entry.nonce) == (wallet, transfer.seq))
    return next(found, None)


def foreign(transfer: Transfer, txid: str, block: links.Block, blocks: list[links.Block]) -> dict[str, Any]:
    """The proof that another transaction has the transfer's nonce, in a block of that stretch."""
    return {
        "reason": "another transaction took the nonce in a final block",
        "nonce": transfer.seq,
        "foreign_txid": txid,
        "block": {"number": block.number, "hash": block.hash},
        "chain": links.ends(blocks),
    }


def spent(txid: str, receipt: Receipt) -> Spent:
    """What a transaction cost: its gas, and its data's share on layer 1 where the network takes one."""
    detail = {"gas": receipt.gas_used, "gas_price_wei": receipt.gas_price_wei, "l1_fee_wei": receipt.l1_fee_wei}
    fee_wei = receipt.gas_used * receipt.gas_price_wei + receipt.l1_fee_wei
    return Spent(txid, receipt.number, fee_wei, detail)


def pays(transfer: Transfer, receipt: Receipt) -> bool:
    """Tell whether the receipt is a success with exactly one Transfer of ours from the token's contract.

    A transaction that calls no contract does what its bytes say when it succeeds, and its txid names those bytes. A
    batch has done its work when the logs tell of every payment whether it was made.
    """
    if receipt.status != SUCCESS:
        return False
    if batches.is_pay_call(bytes.fromhex(transfer.data)):
        return _made(transfer, receipt) is not None
    return transfer.contract == networks.NATIVE or token_abi.pays(transfer, receipt.logs)


def made_by(transfer: Transfer, receipt: Receipt) -> dict[str, list[bool]]:
    """Which payments of a batch were made, in its order; nothing for any other transfer, or when nothing is clear."""
    made = _made(transfer, receipt) if batches.is_pay_call(bytes.fromhex(transfer.data)) else None
    return {} if made is None else {"made": made}


def _made(transfer: Transfer, receipt: Receipt) -> list[bool] | None:
    payer, contract = (addresses.account_bytes(transfer.network, one) for one in (transfer.wallet, transfer.to_address))
    batch = batches.read_pay_call(bytes.fromhex(transfer.data))
    return batches.outcomes(batch, payer=payer, contract=contract, logs=receipt.logs)


def held(told: Any) -> int:
    """A token's answer to `balanceOf`; nothing is held of a contract that is not there."""
    return 0 if told == "0x" else quantity(told)
