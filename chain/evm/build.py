"""Build, seal and read back EIP-1559 transfers, notes to oneself and batches; pure functions over bytes.

Source: EIP-1559, EIP-2718.
"""

from collections.abc import Mapping
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from chain import addresses, networks, token_abi
from chain.evm import batches
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

    Raises: Mismatch when they are anything but a transfer or a note of the wallet to itself on a network of ours.
    """
    try:
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        wallet = Account.recover_transaction(raw)
    except (ValueError, TypeError, KeyError) as wrong:
        raise Mismatch("the bytes are no signed transaction") from wrong
    if fields["type"] != DYNAMIC_FEE or fields["accessList"] or not fields["to"]:
        raise Mismatch("not a plain transfer")
    transfer = _transfer(fields, _network_of(int(fields["chainId"])), wallet=str(wallet))
    fees = {
        "gas": int(fields["gas"]),
        "max_fee_wei": int(fields["maxFeePerGas"]),
        "tip_wei": int(fields["maxPriorityFeePerGas"]),
    }
    return Reading(transfer, fees, expiration_ms=None, ref_mark="", txid="0x" + keccak(raw).hex())


def gas_limit(transfer: Transfer) -> int:
    """Enough for a transfer on its network, and for the data that it carries.

    Source: EIP-7623, the floor price of data, which is never below EIP-2028's.
    """
    row = networks.network(transfer.network)
    if transfer.to_our_own and transfer.contract == networks.NATIVE and row.coin_resource and not transfer.data:
        return row.coin_resource
    data = bytes.fromhex(transfer.data)
    carried = 10 * data.count(0) + 40 * (len(data) - data.count(0))
    paid = batches.gas_limit(len(batches.read_pay_call(data).payments)) if batches.is_pay_call(data) else 0
    return row.transfer_resource + carried + paid


def call(transfer: Transfer) -> tuple[str, int, bytes]:
    """Whom the transaction calls, the coin that goes there, and the call data.

    Units: wei.
    """
    if transfer.contract == networks.NATIVE:
        return transfer.to_address, transfer.amount_units, bytes.fromhex(transfer.data)
    to_account = addresses.account_bytes(transfer.network, transfer.to_address)
    return transfer.contract, 0, token_abi.transfer_call(to_account, transfer.amount_units)


def _transfer(fields: Mapping[str, Any], network: str, *, wallet: str) -> Transfer:
    """What the fields do.

    Raises: Mismatch.
    """
    to, value, data = str(to_checksum_address(fields["to"])), int(fields["value"]), bytes(fields["data"])
    seq = int(fields["nonce"])
    if data and not (value == 0 and (to == wallet or batches.is_call(data))):
        if value:
            raise Mismatch("coin with a call beside it")
        to_account, amount_units = token_abi.read_transfer(data)
        return Transfer(network, wallet, seq, to, addresses.from_bytes(network, to_account), amount_units)
    return Transfer(network, wallet, seq, networks.NATIVE, to_address=to, amount_units=value, data=data.hex())


def _fields(transfer: Transfer, quote: Quote) -> dict[str, Any]:
    to, value, data = call(transfer)
    return {
        "type": DYNAMIC_FEE,
        "chainId": networks.network(transfer.network).chain_id,
        "nonce": transfer.seq,
        "to": to,
        "value": value,
        "data": data,
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
