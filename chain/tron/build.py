"""Build, seal and read back TRC20 transfers; pure functions over protobuf bytes.

Not tronpy's Transaction: it takes the txid from a node's reply and signs that, so a hostile node gets any hash signed.

Source: java-tron Tron.proto Transaction.raw, smart_contract.proto TriggerSmartContract, Manager.validateTapos.
"""

import hashlib
from typing import Any

from eth_keys import datatypes as secp256k1
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf brings no types
from tronpy.proto import tron_pb2

from chain import addresses, token_abi
from chain.gateway import Mismatch, Quote, Reading, Signature, Signed, Transfer

NETWORK = "tron"
PREFIX = b"\x41"
TRIGGER = tron_pb2.Transaction.Contract.ContractType.TriggerSmartContract
TYPE_URL = "type.googleapis.com/protocol.TriggerSmartContract"


def ref_mark(block_id: str) -> str:
    """What a transaction carries of its reference block: two bytes of its height and eight of its hash."""
    return block_id[12:16] + block_id[16:32]


def digest(transfer: Transfer, quote: Quote) -> bytes:
    """The txid, which is also what the wallet signs: the hash of bytes that were made here."""
    return hashlib.sha256(_body(transfer, quote).SerializeToString()).digest()


def attach(transfer: Transfer, quote: Quote, signature: Signature) -> Signed:
    """The signed bytes and the txid that follows from them."""
    body = _body(transfer, quote)
    seal = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes([27 + signature.parity])
    raw: bytes = tron_pb2.Transaction(raw_data=body, signature=[seal]).SerializeToString()
    return Signed(raw=raw, txid=hashlib.sha256(body.SerializeToString()).hexdigest())


def read(raw: bytes) -> Reading:
    """Decode signed bytes; the wallet is whoever's signature they carry, and must be the owner whom they name.

    Raises: Mismatch when they are anything but a plain token transfer.
    """
    try:
        sealed = tron_pb2.Transaction.FromString(raw)
        (contract,) = sealed.raw_data.contract
        (seal,) = sealed.signature
        call = tron_pb2.TriggerSmartContract.FromString(contract.parameter.value)
        txid = hashlib.sha256(sealed.raw_data.SerializeToString()).digest()
        wallet = _signer(seal, txid)
    except (DecodeError, ValueError, BadSignature, ValidationError) as wrong:
        raise Mismatch("the bytes are no signed transaction") from wrong
    body = sealed.raw_data
    plain = contract.type == TRIGGER and not (
        contract.Permission_id or body.data or body.scripts or call.call_value or call.call_token_value
    )
    if not plain or call.owner_address != PREFIX + wallet or call.contract_address[:1] != PREFIX:
        raise Mismatch("not a plain token transfer of the wallet that signed it")
    to_account, amount_units = token_abi.read_transfer(call.data)
    transfer = Transfer(
        network=NETWORK,
        wallet=addresses.from_bytes(NETWORK, wallet),
        seq=body.timestamp,
        contract=addresses.from_bytes(NETWORK, call.contract_address[1:]),
        to_address=addresses.from_bytes(NETWORK, to_account),
        amount_units=amount_units,
    )
    mark = body.ref_block_bytes.hex() + body.ref_block_hash.hex()
    return Reading(transfer, {"fee_limit_sun": body.fee_limit}, body.expiration, ref_mark=mark, txid=txid.hex())


def account_hex(address: str) -> str:
    """An address as the wallet API takes it: 21 bytes in hexadecimal."""
    return (PREFIX + addresses.account_bytes(NETWORK, address)).hex()


def _body(transfer: Transfer, quote: Quote) -> Any:
    to_account = addresses.account_bytes(NETWORK, transfer.to_address)
    call = tron_pb2.TriggerSmartContract(
        owner_address=PREFIX + addresses.account_bytes(NETWORK, transfer.wallet),
        contract_address=PREFIX + addresses.account_bytes(NETWORK, transfer.contract),
        data=token_abi.transfer_call(to_account, transfer.amount_units),
    )
    mark = bytes.fromhex(quote.ref_mark)
    body = tron_pb2.Transaction.raw(
        ref_block_bytes=mark[:2],
        ref_block_hash=mark[2:],
        expiration=quote.expiration_ms,
        timestamp=transfer.seq,
        fee_limit=quote.fees["fee_limit_sun"],
    )
    contract = body.contract.add(type=TRIGGER)
    contract.parameter.type_url = TYPE_URL
    contract.parameter.value = call.SerializeToString()
    return body


def _signer(seal: bytes, digest: bytes) -> bytes:
    if len(seal) != 65:  # noqa: PLR2004 - r, s and one byte
        raise ValueError("a signature has 65 bytes")
    signature = secp256k1.Signature(seal[:64] + bytes([seal[64] - 27]))
    account: bytes = signature.recover_public_key_from_msg_hash(digest).to_canonical_address()
    return account
