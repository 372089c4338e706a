"""Transactions between their three forms: bytes, what the rules read, and the JSON of the wallet API."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf brings no types
from tronpy.proto import tron_pb2

from chain.devnet import addresses, messages
from chain.devnet.refusals import BadRequest

ADDRESS: Final = "address"
DATA: Final = "hex"
NUMBER: Final = "number"
RESOURCE: Final = "resource"
RESOURCES: Final = ("BANDWIDTH", "ENERGY")

TRANSFER: Final = "TransferContract"
TRIGGER: Final = "TriggerSmartContract"
FREEZE: Final = "FreezeBalanceV2Contract"
TYPE_URL: Final = "type.googleapis.com/protocol."

# fmt: off
CONTRACTS: Final[Mapping[str, tuple[Any, Mapping[str, str]]]] = {
    TRANSFER: (tron_pb2.TransferContract, {
        "owner_address": ADDRESS, "to_address": ADDRESS, "amount": NUMBER,
    }),
    TRIGGER: (tron_pb2.TriggerSmartContract, {
        "owner_address": ADDRESS, "contract_address": ADDRESS, "call_value": NUMBER, "data": DATA,
        "call_token_value": NUMBER, "token_id": NUMBER,
    }),
    FREEZE: (messages.FreezeBalanceV2Contract, {
        "owner_address": ADDRESS, "frozen_balance": NUMBER, "resource": RESOURCE,
    }),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as the rules read it; addresses have 20 bytes.

    Units: sun, milliseconds, bytes.
    """

    raw: bytes
    signatures: tuple[bytes, ...]
    txid: bytes
    kind: str
    fields: Mapping[str, Any]
    permission_id: int
    ref_block_bytes: bytes
    ref_block_hash: bytes
    expiration_ms: int
    timestamp_ms: int
    fee_limit_sun: int
    memo: bytes
    size: int

    @property
    def owner(self) -> bytes:
        """The account that pays."""
        owner: bytes = self.fields["owner_address"]
        return owner


def decode(raw: bytes, signatures: Sequence[bytes]) -> Transaction:
    """Read the bytes that were signed.

    Raises: BadRequest.
    """
    try:
        body = tron_pb2.Transaction.raw.FromString(raw)
        if len(body.contract) != 1:
            raise BadRequest("contract size should be exactly 1")
        contract = body.contract[0]
        kind = tron_pb2.Transaction.Contract.ContractType.Name(contract.type)
        if kind not in CONTRACTS:
            raise BadRequest(f"this node knows no {kind}")
        message, kinds = CONTRACTS[kind]
        parameter = message.FromString(contract.parameter.value)
    except (DecodeError, ValueError) as error:
        raise BadRequest(f"not a transaction: {error}") from error
    return Transaction(
        raw=raw,
        signatures=tuple(signatures),
        txid=hashlib.sha256(raw).digest(),
        kind=kind,
        fields={name: _bare(getattr(parameter, name), kinds[name]) for name in kinds},
        permission_id=contract.Permission_id,
        ref_block_bytes=body.ref_block_bytes,
        ref_block_hash=body.ref_block_hash,
        expiration_ms=body.expiration,
        timestamp_ms=body.timestamp,
        fee_limit_sun=body.fee_limit,
        memo=body.data,
        size=tron_pb2.Transaction(raw_data=body, signature=signatures).ByteSize(),
    )


def decode_signed(signed: bytes) -> Transaction:
    """Read what `broadcasthex` carries: a transaction with its signatures.

    Raises: BadRequest.
    """
    try:
        whole = tron_pb2.Transaction.FromString(signed)
    except DecodeError as error:
        raise BadRequest(f"not a transaction: {error}") from error
    return decode(whole.raw_data.SerializeToString(), list(whole.signature))


def pack(raw_data: Mapping[str, Any]) -> bytes:
    """Serialise `raw_data` in JSON; like java-tron's, it reads neither txID nor raw_data_hex.

    Raises: BadRequest.
    """
    try:
        (contract,) = raw_data["contract"]
        kind = contract["type"]
        message, kinds = CONTRACTS[kind]
        values = contract["parameter"]["value"]
        parameter = message(**{name: _wire(values[name], kinds[name]) for name in kinds if name in values})
        body = tron_pb2.Transaction.raw(
            ref_block_bytes=bytes.fromhex(raw_data["ref_block_bytes"]),
            ref_block_hash=bytes.fromhex(raw_data["ref_block_hash"]),
            expiration=int(raw_data["expiration"]),
            timestamp=int(raw_data.get("timestamp", 0)),
            fee_limit=int(raw_data.get("fee_limit", 0)),
            data=bytes.fromhex(raw_data.get("data", "")),
        )
        packed = body.contract.add(
            type=tron_pb2.Transaction.Contract.ContractType.Value(kind),
            Permission_id=int(contract.get("Permission_id", 0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest(f"not a transaction: {error}") from error
    packed.parameter.type_url = TYPE_URL + kind
    packed.parameter.value = parameter.SerializeToString()
    serialised: bytes = body.SerializeToString()
    return serialised


def from_json(body: Mapping[str, Any]) -> Transaction:
    """Read what `broadcasttransaction` and `getsignweight` carry.

    Raises: BadRequest.
    """
    if "raw_data" not in body:
        raise BadRequest("no raw_data")
    try:
        signatures = [bytes.fromhex(signature) for signature in body.get("signature") or ()]
    except (TypeError, ValueError) as error:
        raise BadRequest(f"not a signature: {error}") from error
    return decode(pack(body["raw_data"]), signatures)


def to_json(transaction: Transaction, *, visible: bool, result: str = "") -> dict[str, Any]:
    """Write a transaction as the wallet API shows it; fields that hold their default are left out."""
    kinds = CONTRACTS[transaction.kind][1]
    value = {
        name: _shown(content, kinds[name], visible=visible) for name, content in transaction.fields.items() if content
    }
    contract: dict[str, Any] = {
        "parameter": {"value": value, "type_url": TYPE_URL + transaction.kind},
        "type": transaction.kind,
    }
    if transaction.permission_id:
        contract["Permission_id"] = transaction.permission_id
    raw_data: dict[str, Any] = {
        "contract": [contract],
        "ref_block_bytes": transaction.ref_block_bytes.hex(),
        "ref_block_hash": transaction.ref_block_hash.hex(),
        "expiration": transaction.expiration_ms,
        "timestamp": transaction.timestamp_ms,
    }
    if transaction.fee_limit_sun:
        raw_data["fee_limit"] = transaction.fee_limit_sun
    if transaction.memo:
        raw_data["data"] = transaction.memo.decode(errors="replace") if visible else transaction.memo.hex()
    shown = {
        "txID": transaction.txid.hex(),
        "raw_data": raw_data,
        "raw_data_hex": transaction.raw.hex(),
        "signature": [signature.hex() for signature in transaction.signatures],
        "visible": visible,
    }
    return shown | ({"ret": [{"contractRet": result}]} if result else {})


def _bare(content: Any, kind: str) -> Any:
    if kind != ADDRESS:
        return content
    if len(content) != addresses.LENGTH + 1 or content[:1] != addresses.PREFIX:
        raise BadRequest("an address has 21 bytes and begins with 41")
    return content[1:]


def _wire(content: Any, kind: str) -> Any:
    if kind == ADDRESS:
        return addresses.PREFIX + addresses.parse(content)
    if kind == DATA:
        return bytes.fromhex(content)
    if kind == RESOURCE:
        return RESOURCES.index(content)
    return int(content)


def _shown(content: Any, kind: str, *, visible: bool) -> Any:
    if kind == ADDRESS:
        return addresses.show(content, visible=visible)
    if kind == DATA:
        return content.hex()
    return RESOURCES[content] if kind == RESOURCE else content
