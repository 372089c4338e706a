"""Protobuf messages of TRON's protocol that tronpy does not bring.

Source: tronprotocol/protocol core/Tron.proto BlockHeader.raw, core/contract/balance_contract.proto.
"""

from typing import Any, Final

from google.protobuf import (  # type: ignore[import-untyped]  # protobuf brings no types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

_TYPES: Final = {
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
}
# fmt: off
_MESSAGES: Final = {
    "BlockHeaderRaw": [
        ("timestamp",        1, "int64"),
        ("txTrieRoot",       2, "bytes"),
        ("parentHash",       3, "bytes"),
        ("number",           7, "int64"),
        ("witness_address",  9, "bytes"),
        ("version",         10, "int32"),
    ],
    "FreezeBalanceV2Contract": [
        ("owner_address",    1, "bytes"),
        ("frozen_balance",   2, "int64"),
        ("resource",         3, "int32"),  # an enum there: 0 is BANDWIDTH, 1 is ENERGY
    ],
}
# fmt: on


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="sluice_devnet.proto", package="sluice.devnet", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            message.field.add(
                name=field_name,
                number=number,
                type=_TYPES[kind],
                label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.DescriptorPool()
    described = pool.Add(file) or pool.FindFileByName(file.name)
    return {name: message_factory.GetMessageClass(described.message_types_by_name[name]) for name in _MESSAGES}


_built = _classes()
BlockHeaderRaw: Final = _built["BlockHeaderRaw"]
FreezeBalanceV2Contract: Final = _built["FreezeBalanceV2Contract"]
