"""PostgreSQL's binary form of the arrays that the ledger's functions take, joined in C and not element by element."""

import struct
from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeAlias

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i").pack
_SIXTEEN, _EIGHT, _FOUR = _LENGTH(16), _LENGTH(8), _LENGTH(4)
_JSONB_1 = b"\x01"
INT8_LIMIT = 1 << 63


class _Dumper(Dumper):
    """Hands over what is in PostgreSQL's binary form already, under its type's number."""

    format = Format.BINARY

    def dump(self, obj: Buffer) -> Buffer:
        """As it is."""
        return obj


class UuidArray(bytes):
    """uuid[]."""

    oid: ClassVar[int] = 2951


class TextArray(bytes):
    """text[]."""

    oid: ClassVar[int] = 1009


class IntArray(bytes):
    """int4[]."""

    oid: ClassVar[int] = 1007


class BigintArray(bytes):
    """int8[]."""

    oid: ClassVar[int] = 1016


class JsonbArray(bytes):
    """jsonb[]."""

    oid: ClassVar[int] = 3807


Array: TypeAlias = UuidArray | TextArray | IntArray | BigintArray | JsonbArray
_ARRAYS: tuple[type[Array], ...] = (UuidArray, TextArray, IntArray, BigintArray, JsonbArray)
_DUMPERS = {kind: type(f"{kind.__name__}Dumper", (_Dumper,), {"oid": kind.oid}) for kind in _ARRAYS}


def register(context: psycopg.Cursor) -> None:
    """Let a cursor take the arrays as parameters."""
    for kind, dumper in _DUMPERS.items():
        context.adapters.register_dumper(kind, dumper)


def uuids(values: Sequence[bytes]) -> UuidArray:
    """A uuid[], each as its sixteen bytes."""
    return UuidArray(_head(2950, len(values)) + _SIXTEEN.join((b"", *values)))


def texts(values: Sequence[str]) -> TextArray:
    """A text[]; equal neighbours are common (an asset, a kind) and encoded once."""
    return TextArray(_variable(25, values, b""))


def jsons(values: Sequence[str]) -> JsonbArray:
    """A jsonb[] of JSON texts."""
    return JsonbArray(_variable(3802, values, _JSONB_1))


def numbers(values: Iterable[int]) -> list[bytes]:
    """Small whole numbers, each as ints() takes it."""
    return [value.to_bytes(4, "big", signed=True) for value in values]


def ints(values: Sequence[bytes]) -> IntArray:
    """An int4[] of numbers()."""
    return IntArray(_head(23, len(values)) + _FOUR.join((b"", *values)))


def units(values: Sequence[int]) -> BigintArray | TextArray:
    """Whole numbers of any size: an int8[] when all of them fit, their digits otherwise."""
    try:
        parts = [value.to_bytes(8, "big", signed=True) for value in values]
    except OverflowError:
        return texts([str(value) for value in values])
    return BigintArray(_head(20, len(parts)) + _EIGHT.join((b"", *parts)))


def _head(element: int, count: int) -> bytes:
    return _HEAD.pack(1, 0, element, count, 1)


def _variable(element: int, values: Sequence[str], prefix: bytes) -> bytes:
    known: dict[str, bytes] = {}
    parts = []
    for value in values:
        part = known.get(value)
        if part is None:
            encoded = prefix + value.encode()
            part = known[value] = _LENGTH(len(encoded)) + encoded
        parts.append(part)
    return _head(element, len(parts)) + b"".join(parts)
