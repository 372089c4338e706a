"""Build, seal and read back EIP-1559 token transfers; pure functions over bytes.

Source: EIP-1559, EIP-2718.
"""

from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from chain import addresses, networks, token_abi
from chain.evm.libraries import Account, TypedTransaction
from chain.gateway import Mismatch, Quote, Reading, Signature, Signed, Transfer

DYNAMIC_FEE = 2


def digest(transfer: Transfer, quote: Quote) -> bytes:
    """The hash that the wallet signs."""
    return bytes(TypedTransaction.from_dict(_fields(transfer, quote)).hash())


def attach(transfer: Transfer, quote: Quote, signature: Signature) -> Signed:
    """The signed bytes and the txid that follows from them."""
    sealed = _fields(transfer, quote) | {"v": signature.parity, "r": signature.r, "s": signature.s}
    raw = bytes(TypedTransaction.from_dict(sealed).encode())
    return Signed(raw=raw, txid="0x" + keccak(raw).hex())


def read(raw: bytes) -> Reading:
    """Decode signed bytes; the wallet is whoever's signature they carry.

    Raises: Mismatch when they are anything but a plain token transfer on a network of ours.
    """
    try:
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        wallet = Account.recover_transaction(raw)
    except (ValueError, TypeError, KeyError) as wrong:
        raise Mismatch("the bytes are no signed transaction") from wrong
    if fields["type"] != DYNAMIC_FEE or fields["value"] != 0 or fields["accessList"]:
        raise Mismatch("not a plain token transfer")
    network = _network_of(int(fields["chainId"]))
    to_account, amount_units = token_abi.read_transfer(bytes(fields["data"]))
    transfer = Transfer(
        network=network,
        wallet=str(wallet),
        seq=int(fields["nonce"]),
        contract=str(to_checksum_address(fields["to"])),
        to_address=addresses.from_bytes(network, to_account),
        amount_units=amount_units,
    )
    fees = {
        "gas": int(fields["gas"]),
        "max_fee_wei": int(fields["maxFeePerGas"]),
        "tip_wei": int(fields["maxPriorityFeePerGas"]),
    }
    return Reading(transfer, fees, expiration_ms=None, ref_mark="", txid="0x" + keccak(raw).hex())


def _fields(transfer: Transfer, quote: Quote) -> dict[str, Any]:
    to_account = addresses.account_bytes(transfer.network, transfer.to_address)
    return {
        "type": DYNAMIC_FEE,
        "chainId": networks.network(transfer.network).chain_id,
        "nonce": transfer.seq,
        "to": transfer.contract,
        "value": 0,
        "data": token_abi.transfer_call(to_account, transfer.amount_units),
        "gas": quote.fees["gas"],
        "maxFeePerGas": quote.fees["max_fee_wei"],
        "maxPriorityFeePerGas": quote.fees["tip_wei"],
        "accessList": [],
    }


def _network_of(chain_id: int) -> str:
    for row in networks.NETWORKS.values():
        if row.family == "evm" and row.chain_id == chain_id:
            return row.name
    raise Mismatch(f"signed for chain {chain_id}, which is none of ours")
