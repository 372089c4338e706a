"""Build, seal and read back transfers of TRX and TRC20 tokens; pure functions over protobuf bytes.

Not tronpy's Transaction: it takes the txid from a node's reply and signs that, so a hostile node gets any hash signed.

Source: java-tron Tron.proto Transaction.raw, smart_contract.proto TriggerSmartContract,
balance_contract.proto TransferContract, Manager.validateTapos.
"""

import hashlib
from typing import Any

from eth_keys import datatypes as secp256k1
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf brings no types
from tronpy.proto import tron_pb2

from chain import addresses, networks, token_abi
from chain.gateway import Mismatch, Quote, Reading, Signature, Signed, Transfer

NETWORK = "tron"
PREFIX = b"\x41"
TRIGGER = tron_pb2.Transaction.Contract.ContractType.TriggerSmartContract
COIN = tron_pb2.Transaction.Contract.ContractType.TransferContract
MESSAGES = {TRIGGER: tron_pb2.TriggerSmartContract, COIN: tron_pb2.TransferContract}
TYPE_URL = "type.googleapis.com/protocol."


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

    Raises: Mismatch when they are anything but a plain transfer.
    """
    try:
        sealed = tron_pb2.Transaction.FromString(raw)
        (contract,) = sealed.raw_data.contract
        (seal,) = sealed.signature
        if contract.type not in MESSAGES:
            raise Mismatch("neither a call nor a transfer of TRX")
        content = MESSAGES[contract.type].FromString(contract.parameter.value)
        txid = hashlib.sha256(sealed.raw_data.SerializeToString()).digest()
        wallet = _signer(seal, txid)
    except (DecodeError, ValueError, BadSignature, ValidationError) as wrong:
        raise Mismatch("the bytes are no signed transaction") from wrong
    body = sealed.raw_data
    if contract.Permission_id or body.data or body.scripts or content.owner_address != PREFIX + wallet:
        raise Mismatch("not a plain transfer of the wallet that signed it")
    token, to_account, amount_units = _token_call(content) if contract.type == TRIGGER else _coin_transfer(content)
    transfer = Transfer(
        network=NETWORK,
        wallet=addresses.from_bytes(NETWORK, wallet),
        seq=body.timestamp,
        contract=token,
        to_address=addresses.from_bytes(NETWORK, to_account),
        amount_units=amount_units,
    )
    mark = body.ref_block_bytes.hex() + body.ref_block_hash.hex()
    return Reading(transfer, {"fee_limit_sun": body.fee_limit}, body.expiration, ref_mark=mark, txid=txid.hex())


def account_hex(address: str) -> str:
    """An address as the wallet API takes it: 21 bytes in hexadecimal."""
    return (PREFIX + addresses.account_bytes(NETWORK, address)).hex()


def _token_call(call: Any) -> tuple[str, bytes, int]:
    """Token, recipient and amount of a call that is a token transfer and nothing else.

    Raises: Mismatch.
    """
    if call.call_value or call.call_token_value or call.contract_address[:1] != PREFIX:
        raise Mismatch("not a plain token transfer")
    return addresses.from_bytes(NETWORK, call.contract_address[1:]), *token_abi.read_transfer(call.data)


def _coin_transfer(content: Any) -> tuple[str, bytes, int]:
    """The same of a transfer of TRX.

    Raises: Mismatch.
    """
    if len(content.to_address) != len(PREFIX) + token_abi.ACCOUNT or content.to_address[:1] != PREFIX:
        raise Mismatch("not a transfer of TRX to an account")
    return networks.NATIVE, content.to_address[1:], content.amount


def _content(transfer: Transfer) -> tuple[int, Any]:
    """What the transaction is and says."""
    owner = PREFIX + addresses.account_bytes(NETWORK, transfer.wallet)
    to_account = addresses.account_bytes(NETWORK, transfer.to_address)
    if transfer.contract == networks.NATIVE:
        to = PREFIX + to_account
        return COIN, tron_pb2.TransferContract(owner_address=owner, to_address=to, amount=transfer.amount_units)
    call = tron_pb2.TriggerSmartContract(
        owner_address=owner,
        contract_address=PREFIX + addresses.account_bytes(NETWORK, transfer.contract),
        data=token_abi.transfer_call(to_account, transfer.amount_units),
    )
    return TRIGGER, call


def _body(transfer: Transfer, quote: Quote) -> Any:
    kind, content = _content(transfer)
    mark = bytes.fromhex(quote.ref_mark)
    body = tron_pb2.Transaction.raw(
        ref_block_bytes=mark[:2],
        ref_block_hash=mark[2:],
        expiration=quote.expiration_ms,
        timestamp=transfer.seq,
        fee_limit=quote.fees["fee_limit_sun"],
    )
    contract = body.contract.add(type=kind)
    contract.parameter.type_url = TYPE_URL + content.DESCRIPTOR.name
    contract.parameter.value = content.SerializeToString()
    return body


def _signer(seal: bytes, digest: bytes) -> bytes:
    if len(seal) != 65:  # noqa: PLR2004 - r, s and one byte
        raise ValueError("a signature has 65 bytes")
    signature = secp256k1.Signature(seal[:64] + bytes([seal[64] - 27]))
    account: bytes = signature.recover_public_key_from_msg_hash(digest).to_canonical_address()
    return account
